"""What `train predict` does."""
