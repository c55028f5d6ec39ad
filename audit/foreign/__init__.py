"""What `audit foreign` does: pictures of the same label from elsewhere, the cheapest hard test of a model."""
