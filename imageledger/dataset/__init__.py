"""The Python calls: a Dataset, its pictures, its runs and its audits."""
