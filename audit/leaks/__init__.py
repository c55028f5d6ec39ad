"""What `audit leaks` does."""
