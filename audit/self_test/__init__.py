"""What `audit self-test` does."""
