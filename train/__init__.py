"""Fine-tune a classifier on a manifest, and leave files behind from which everything can be audited."""
