"""Where images come from: one file a kind of source, found by the scheme of its address."""
