"""What `audit reliance` does."""
