"""imageledger: curate, train on and audit a small two-class image dataset, with a provenance for every row."""

__version__ = "0.1.0"
