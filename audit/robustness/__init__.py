"""What `audit robustness` does."""
