"""What `curate matching` does."""
