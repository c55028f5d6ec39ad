"""What `train hold-out` does."""
