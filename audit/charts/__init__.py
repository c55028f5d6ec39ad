"""Charts of the pages, as SVG inside the page: readable on a phone, in both themes, and by a screen reader."""
