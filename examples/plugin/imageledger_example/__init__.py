"""A worked example of what other packages can add to imageledger, one file each."""
