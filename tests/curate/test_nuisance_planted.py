"""Nuisances planted in the files of one class of the same pictures, and halves without any."""

import numpy as np
import pytest
from drawn import encoded
from originals import scene
from PIL import ExifTags, Image, ImageCms
from separable import halves, separability

from curate.nuisance import family
from curate.nuisance.seen import Seen


def delivered(number, place, touched=""):
    """One file as a class might deliver it: the bytes, the name, and the place in the archive."""
    options = {"quality": 85}
    name = f"folder:x#{number:05}.jpg"
    side = 80 if touched == "size" else 64
    image = scene(number, (side, side))
    if touched == "EXIF":
        options["exif"] = Image.Exif()
        options["exif"][ExifTags.Base.Make] = "A camera"
    if touched == "ICC":
        options["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if touched == "progressive":
        options["progressive"] = True
    if touched == "quality":
        options["quality"] = 95
    if touched == "sampling":
        options["subsampling"] = "4:4:4"
    if touched == "name":
        name = f"folder:x#seed{number:05}.jpg"
    place = (place + (touched == "order")) / 2
    return Seen(content=encoded(image, "JPEG", **options), image=image, name=name, place=place)


PLANTS = {
    "EXIF": "metadata", "ICC": "metadata", "progressive": "container", "quality": "container",
    "sampling": "container", "size": "geometry", "name": "naming", "order": "naming",
}  # fmt: skip


def measured(name, count, touched):
    """Two classes of the same pictures; the second is touched."""
    places = np.random.default_rng(1).random(count)
    kinds = [""] * (count // 2) + [touched] * (count - count // 2)
    order = np.concatenate(halves(count))
    rows = [family(name).measure(delivered(int(n), places[n], kind)) for n, kind in zip(order, kinds, strict=True)]
    return rows[: count // 2], rows[count // 2 :]


@pytest.mark.parametrize("touched", PLANTS)
def test_what_is_planted_in_the_files_of_one_class_is_found(touched):
    assert separability(*measured(PLANTS[touched], 60, touched)) >= 0.97


@pytest.mark.long
@pytest.mark.parametrize("name", ["container", "metadata", "geometry", "naming"])
def test_two_halves_of_the_same_files_are_not_told_apart(name):
    rows = [row for half in measured(name, 80, "") for row in half]
    found = []
    for seed in range(8):
        some, others = halves(80, seed)
        found.append(separability([rows[n] for n in some], [rows[n] for n in others], seed))
    assert 0.4 < np.mean(found) < 0.6
