"""Finding faces: what a face is, the two detectors, and the model that one of them needs."""
