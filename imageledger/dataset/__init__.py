"""The door for people who write Python: a Dataset, its pictures, its runs and its audits."""
