"""What `train run` does."""
