"""Bring portraits from many sources into one clean, balanced dataset with a provenance for every picture."""
