"""What `curate run` does."""
