"""What `train cross-validate` does."""
