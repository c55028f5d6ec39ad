"""What `curate whiten` does."""
