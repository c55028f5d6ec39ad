"""The part of the report that says what people decided."""
