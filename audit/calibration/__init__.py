"""What `audit calibration` does."""
