"""The batteries behind `imageledger.testing` for what can be added to curate: families, sources, matting backends."""
