"""What `curate normalize` does."""
