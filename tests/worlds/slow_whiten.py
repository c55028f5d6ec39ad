"""Whiten the project in the working directory with GrabCut, slowly enough to be killed on the way."""

import time

from curate import matting
from curate.whiten import work as whiten
from imageledger.config import open_project

if __name__ == "__main__":
    quick = matting.grabcut

    def slow(image, face):
        time.sleep(0.3)
        return quick(image, face)

    matting.grabcut = slow
    whiten.whiten(open_project(), whiten.WhitenSettings(matting="grabcut"), workers=1)
