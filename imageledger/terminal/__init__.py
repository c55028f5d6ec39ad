"""Pictures inside a terminal: which protocol it has, one pure encoder for each, and the one place that writes them."""
