"""What `curate manifest` does."""
