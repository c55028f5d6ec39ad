"""What `train export` does."""
