"""What `audit top-losses` does."""
