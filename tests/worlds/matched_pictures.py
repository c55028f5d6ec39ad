"""Drawn pictures of two classes, one lighter than the other, as whitening leaves them."""

import numpy as np
from originals import png, scene
from PIL import Image

from imageledger.record import Record


def pictures(store, count, lighter=0):
    """Rows with drawn pictures, those of the ai class lighter by some grey levels on average."""
    made = []
    for label, gain in (("real", 0), ("ai", lighter)):
        for n in range(count):
            rng = np.random.default_rng([n, label == "ai"])
            drawn = np.asarray(scene(rng.integers(10**6), (96, 96)), dtype=float) + gain + 25 * rng.normal()
            content = png(Image.fromarray(np.clip(drawn, 0, 255).astype(np.uint8)))
            name = store.put(content, "png")
            made.append(
                Record(source="folder:drawn", member=f"{label}/{n:03}.png", label=label, origin=name, file=name)
            )
    return made
