"""What `curate look` does."""
