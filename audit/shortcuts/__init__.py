"""What `audit shortcuts` does."""
