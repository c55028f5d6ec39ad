"""What `train compare` does."""
