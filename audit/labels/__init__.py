"""What `audit labels` does."""
