"""The section "misclassified" of the report: what went wrong with each picture, and why, as far as it can be said."""
