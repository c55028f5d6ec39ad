"""The battery for a family of nuisance features."""

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from curate.nuisance import family as family_named
from curate.nuisance.seen import Family, Seen
from curate.testing.pictures import PORTRAIT, drawn, face_in
from imageledger.engines.local import ordered_map
from imageledger.testing.claims import claim, leaving_no_trace

Measured = Mapping[str, float]


def check_family(family: Family | str) -> None:
    """Check everything that `Family` promises; raises AssertionError with the sentence that does not hold."""
    checked = family_named(family) if isinstance(family, str) else family
    claim(isinstance(checked, Family), f"{checked!r} is no Family")
    who = f"the family {checked.name!r}"
    _check_facts(checked, who)
    views = dict(_views())
    with leaving_no_trace(who):
        values = {view: _measured(checked, view, seen, who) for view, seen in views.items()}
    _check_values(values, who)
    strange = sorted(set(checked.words) - set(values[PORTRAIT]))
    claim(not strange, f"{who} has words for numbers that it does not measure: {', '.join(strange[:3])}")
    again = {view: _measured(checked, view, seen, who) for view, seen in reversed(_views())}
    for view, measured in values.items():
        claim(_same(measured, again[view]), f"{who} measures {view} otherwise in another order, or a second time")
    _check_blind(checked, values[PORTRAIT], views[PORTRAIT], who)
    _check_threads(checked, values, who)


def _check_facts(family: Family, who: str) -> None:
    claim(family.name and family.name.replace("-", "_").isidentifier() and family.name.islower(),
          f"{who} needs a name of small letters, digits and dashes")  # fmt: skip
    claim(type(family.version) is int and family.version >= 1, f"{who} needs a version: a number from 1")
    claim(family.of in ("pixels", "file", "name"), f"{who} is of {family.of!r}, not of the pixels, file or name")
    claim(len(family.advice.split()) > 3, f"{who} needs an advice: which setting or command removes the shortcut")


def _views() -> Sequence[tuple[str, Seen]]:
    """Return what a family may be shown, each made anew, by what is strange about it."""
    views: list[tuple[str, Seen]] = []
    for name, image in drawn().items():
        views.append((name, _seen(image, "JPEG")))
    portrait = drawn()[PORTRAIT]
    width, height = portrait.size
    soft = np.asarray(portrait.convert("L"))
    for name, changes in {
        "a PNG": {"content": _encoded(portrait, "PNG")},
        "a file cut short": {"content": _encoded(portrait, "JPEG")[:200]},
        "a picture without a face": {"box": None},
        "a picture with a face": {"box": face_in(portrait)},
        "a matte of nothing": {"alpha": np.zeros((height, width), np.uint8)},
        "a matte of everything": {"alpha": np.full((height, width), 255, np.uint8)},
        "a soft matte": {"alpha": soft, "box": face_in(portrait)},
        "a name without an ending": {"name": "0"},
    }.items():
        views.append((name, replace(_seen(portrait, "JPEG"), **changes)))  # type: ignore[arg-type]
    return views


def _seen(image: Image.Image, kind: str) -> Seen:
    return Seen(content=_encoded(image, kind), image=image.copy(), name=f"0001.{kind.lower()}", place=0.5)


def _encoded(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def _measured(family: Family, view: str, seen: Seen, who: str) -> Measured:
    """Measure one view, and claim that it survives and stays as it was."""
    pixels, alpha = seen.image.tobytes(), b"" if seen.alpha is None else seen.alpha.tobytes()
    try:
        values = dict(family.measure(seen))
    except Exception as error:  # a family of a stranger raises anything
        raise AssertionError(f"{who} cannot measure {view}: {type(error).__name__}: {error}") from error
    claim(seen.image.tobytes() == pixels, f"{who} changes the picture it measures")
    claim(seen.alpha is None or seen.alpha.tobytes() == alpha, f"{who} changes the matte it measures")
    return values


def _check_values(values: Mapping[str, Measured], who: str) -> None:
    keys = list(values[PORTRAIT])
    claim(keys and all(isinstance(key, str) and key for key in keys), f"{who} needs numbers with names")
    for view, measured in values.items():
        claim(list(measured) == keys, f"{who} has other keys for {view} than for a portrait: {sorted(measured)}")
        for key, value in measured.items():
            claim(isinstance(value, float), f"{who} says {value!r} for {key} of {view}, which is no float")
            claim(not math.isinf(value), f"{who} says {value} for {key} of {view}: NaN says that it does not apply")


def _check_blind(family: Family, values: Measured, seen: Seen, who: str) -> None:
    """Claim that only a family of names goes by the name, which often tells the class."""
    if family.of != "name":
        for name, place in (("real/camera.jpeg", 0.0), ("ai/stylegan2-fake.jpeg", 1.0)):
            called = _measured(family, name, replace(seen, name=name, place=place), who)
            claim(_same(values, called), f"{who} goes by the name or the place of a file, and is not of the name")
    if family.of == "pixels":
        other = _measured(family, PORTRAIT, replace(seen, content=_encoded(seen.image, "PNG")), who)
        claim(_same(values, other), f"{who} goes by the bytes of a file, and is of the pixels")


def _check_threads(family: Family, values: Mapping[str, Measured], who: str) -> None:
    jobs: Iterator[tuple[tuple[str, Seen], Any]] = ((view, None) for view in _views())
    measurements = ordered_map(lambda view: (view[0], dict(family.measure(view[1]))), jobs, workers=2, threads=True)
    for view, measured in measurements:
        claim(_same(values[view], measured), f"{who} measures {view} otherwise beside another thread")


def _same(one: Measured, other: Measured) -> bool:
    return list(one) == list(other) and all(
        a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(one.values(), other.values(), strict=True)
    )
