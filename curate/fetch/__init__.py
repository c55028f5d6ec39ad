"""What `curate fetch` does."""
