"""Plants of half the strength, for the question from where on an audit sees them.

A plant that is there or is not (a header, a profile, the pattern of a name) has no half.
"""

import zlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from PIL import Image, ImageEnhance

from audit.self_test.plants import (
    AS_IT_IS,
    DELIVERIES,
    WHITE,
    Chance,
    Delivered,
    Delivery,
    Plant,
    cropped,
    jpeg,
    larger,
    laundered,
    placed,
    png,
    small,
    toned,
)
from audit.self_test.portraits import Sitter
from curate.pictures.pixels import decode


def blended(plain: str, touched: str) -> Delivery:
    """Lay a touched delivery over the plain one, half of each."""

    def deliver(sitter: Sitter, chance: Chance) -> Delivered:
        one, other = (DELIVERIES[name](sitter, chance) for name in (plain, touched))
        half = Image.blend(decode(one.content).image, decode(other.content).image, 0.5)
        return replace(png(half, chance), alpha=one.alpha)

    return deliver


HALVES: Mapping[str, Delivery] = {
    "through JPEG q90": lambda sitter, chance: laundered(jpeg(small(sitter), chance, quality=95), chance),
    "JPEG q85": lambda sitter, chance: jpeg(small(sitter), chance, quality=90),
    "through 4:2:0": lambda sitter, chance: laundered(jpeg(small(sitter), chance, subsampling="4:2:2"), chance),
    "larger": lambda sitter, chance: larger(sitter, chance, 9 / 8),
    "enlarged": blended(AS_IT_IS, "enlarged"),
    "aliased": blended(AS_IT_IS, "aliased"),
    "framed": blended(AS_IT_IS, "framed"),
    "off-white": blended(WHITE, "off-white"),
    "haloed": blended(WHITE, "haloed"),
    "stepped": blended(WHITE, "stepped"),
    "brighter": toned(lambda image: ImageEnhance.Brightness(image).enhance(1.04)),
    "more colourful": toned(lambda image: ImageEnhance.Color(image).enhance(1.175)),
    "often grey": toned(lambda image: image.convert("L").convert("RGB"), share=1 / 6),
    "cropped": lambda sitter, chance: cropped(sitter, chance, 1 / 20),
    "watermarked": blended(AS_IT_IS, "watermarked"),
    "second half": placed(0.25, 0.75),
}
"""Deliveries of half the strength, by the name of the whole one."""


def half_of(plant: Plant) -> str:
    """Name the delivery of half a plant's strength; "" where there is none."""
    return f"half {plant.touched}" if plant.touched in HALVES else ""


ALL_DELIVERIES: Mapping[str, Delivery] = {
    **DELIVERIES, **{f"half {name}": delivery for name, delivery in HALVES.items()},
}  # fmt: skip
"""All deliveries, whole and half."""


def deliver(name: str, sitter: Sitter, seed: int) -> Delivered:
    """Deliver a sitter in one of ALL_DELIVERIES; the same seed gives the same bytes."""
    return ALL_DELIVERIES[name](sitter, np.random.default_rng([seed, zlib.crc32(name.encode()), sitter.number]))
