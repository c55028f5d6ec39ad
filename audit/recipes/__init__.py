"""What `audit recipes` does."""
