"""Look hard at what a model got wrong, from the files a run left behind; needs no torch."""
