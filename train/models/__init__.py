"""Trained models as they go out into the world: opened, packed, described, applied to new pictures."""
