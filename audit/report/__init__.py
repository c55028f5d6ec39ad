"""The command `audit report`: one page that shows a dataset, a run, and what is proved about both."""
