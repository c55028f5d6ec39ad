"""The part of the report that shows the dataset: what came in, what was lost on the way and why, and what is left."""
