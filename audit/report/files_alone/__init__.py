"""The part of the report that shows what the files give away without a face: the shortcuts."""
