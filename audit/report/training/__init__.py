"""The part of the report that shows what was trained, how well it does, and on what."""
