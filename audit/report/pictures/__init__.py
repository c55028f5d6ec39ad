"""The part of the report that shows all pictures, sortable and filterable."""
