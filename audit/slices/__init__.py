"""What `audit slices` does."""
