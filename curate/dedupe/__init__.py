"""What `curate dedupe` does."""
