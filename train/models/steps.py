"""The steps that the pictures of a manifest went through, applied to new ones: the very code of the stages.

Nothing here can see a label, and nothing imports torch.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from curate.faces.detector import CASCADE, Detector, detector
from curate.faces.face import Face
from curate.history import face_of
from curate.matting import backend
from curate.matting.matte import Asked, Cutter
from curate.matting.models import CUSTOM
from curate.normalize import work as normalize
from curate.normalize.recipes import RECIPES
from curate.normalize.settings import of_recorded
from curate.pictures import pixels
from curate.pictures.formats import sniff
from curate.pictures.pixels import CannotDecode
from curate.whiten import work as whiten
from imageledger import config
from imageledger.errors import ConfigError, ModelError, RunError
from imageledger.record import OK, UNREADABLE, Record
from imageledger.stage import Stage, Work
from imageledger.store import Store, name_of

CHANGES_PIXELS = ("normalize", "whiten")
VERSIONS = {"normalize": normalize.VERSION, "whiten": whiten.VERSION}
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What a manifest did to its pictures: settings as its records state them, None where a stage did not run.

    The settings of whiten name the cut-out model and its sha256, never where its file lies.
    """

    normalize: Mapping[str, Any] | None = None
    whiten: Mapping[str, Any] | None = None

    def plain(self) -> list[dict[str, Any]]:
        """Return the steps as model.json holds them, in their order."""
        return [
            {"did": f"{name}@{VERSIONS[name]}", "settings": dict(settings)}
            for name in CHANGES_PIXELS
            if (settings := getattr(self, name)) is not None
        ]

    @property
    def least_side(self) -> int:
        """The shorter side, in pixels, that a picture needs to go through the steps; 0 where any will do."""
        if self.normalize is None:
            return 0
        return RECIPES[self.normalize["recipe"]].needs(self.normalize["size"])

    @property
    def matte_model(self) -> tuple[str, str] | None:
        """The name and sha256 of the cut-out model; None where none is used."""
        return (self.whiten["model"], self.whiten["model_sha256"]) if self.whiten and "model" in self.whiten else None


def steps_of(records: Iterable[Record]) -> Steps:
    """Return the steps that all of these records went through; raise RunError when they do not agree."""
    variants: dict[str, tuple[Record, list[dict[str, Any]]]] = {}
    for record in records:
        done = [
            {"did": step.did, "settings": dict(step.settings)}
            for step in record.steps
            if step.did.partition("@")[0] in CHANGES_PIXELS
        ]
        variants.setdefault(repr(done), (record, done))
    if len(variants) > 1:
        one, other = (record.name for record, _ in list(variants.values())[:2])
        raise RunError(
            f"the pictures went through different steps: compare {one} and {other}",
            "curate run puts all through the same steps; then train again",
        )
    return of_plain(next(iter(variants.values()))[1]) if variants else Steps()


def of_plain(steps: Any) -> Steps:
    """Read steps as records and model.json state them; raise ModelError for anything that they cannot be."""
    names = [_name(step) for step in steps] if isinstance(steps, list) else ["?"]
    if names != [name for name in CHANGES_PIXELS if name in names]:
        raise ModelError(f"the steps {', '.join(map(str, names))} cannot be repeated", _newer())
    given = {name: step["settings"] for name, step in zip(names, steps, strict=True)}
    try:
        if "normalize" in given:
            of_recorded(given["normalize"])
        if "whiten" in given:
            given["whiten"] = _whiten_settings(given["whiten"])
    except ConfigError as error:
        raise ModelError(f"a step cannot be repeated: {error.what}", _newer()) from error
    return Steps(**given)


def _name(step: Any) -> str:
    did = step.get("did") if isinstance(step, dict) and isinstance(step.get("settings"), dict) else None
    name, _, version = did.partition("@") if isinstance(did, str) else ("?", "", "")
    if name in VERSIONS and version != str(VERSIONS[name]):
        raise ModelError(
            f"the pictures were made by {did}, and this program does {name}@{VERSIONS[name]}",
            "curate run makes them anew; then train again (or install the version that made them)",
        )
    return name


def _whiten_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Check what a step of whiten states; it is a little less, and a little more, than WhitenSettings holds."""
    licence = given.get("model_licence", "")
    named = {name: value for name, value in given.items() if name != "model_licence"}
    chosen = config.settings(whiten.WhitenSettings, named, where="whiten")
    with_model = chosen.region == "white" and (chosen.matting == "rembg" or "model" in named)
    if with_model and not (SHA256.fullmatch(chosen.model_sha256) and isinstance(licence, str)):
        raise ConfigError("whiten: the cut-out model has no sha256")
    if chosen.region == "face" and not isinstance(chosen.face_size, int):
        raise ConfigError(f"whiten: the face size is {chosen.face_size!r}, not a number")
    if chosen.model_path:
        raise ConfigError("whiten: a step names no file")
    return dict(given)


def _newer() -> str:
    return "was it made by a newer version of imageledger?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of one picture: `image` is what training would have stored, None when it was set aside.

    `original` is the decoded upright sRGB picture, None when it is unreadable; `face` lies in `image`, None where
    none was found or nobody looked; `looked` says whether somebody did.
    """

    status: str = OK
    reason: str = ""
    image: Image.Image | None = None
    original: Image.Image | None = None
    face: Face | None = None
    looked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Applier:
    """The steps, ready to be applied: with what cuts people out and finds faces. Can be sent to workers."""

    steps: Steps
    cutter: Cutter | None = None
    finder: Detector | None = None

    def __call__(self, content: bytes) -> Applied:
        """Apply the steps to the bytes of one picture; a bad picture is no error but a reason."""
        store = Scratch(Path())
        try:
            original = pixels.decode(content).image
            record = self._through(content, store)
            looked = self.steps.normalize is not None
            if record.status != OK:
                return Applied(status=record.status, reason=record.reason, original=original, looked=looked)
            image = original if record.file == record.origin else pixels.decode(store.read(record.file)).image
        except CannotDecode as error:
            return Applied(status=UNREADABLE, reason=str(error))
        return Applied(image=image, original=original, face=face_of(record), looked=looked)

    def _through(self, content: bytes, store: Store) -> Record:
        name = store.put(content, sniff(content[:64]) or "bin")
        record = Record(source="new:", member=name, label="", origin=name, file=name)
        for work in self._works(store):
            if record.status == OK:
                record = work(record)
        return record

    def _works(self, store: Store) -> Iterator[Work]:
        """Yield what the stages do to one record, in their order."""
        finder = self.finder or detector(CASCADE)  # that of steps without normalize, which never look
        if (settings := self.steps.normalize) is not None:
            stage = Stage(name="normalize", version=normalize.VERSION, settings=settings)
            chosen = of_recorded(settings)
            yield partial(normalize.normalize_record, stage=stage, settings=chosen, finder=finder, store=store)
        if (settings := self.steps.whiten) is not None:
            stage = Stage(name="whiten", version=whiten.VERSION, settings=settings)
            if self.cutter is None:
                size = settings["face_size"]
                yield partial(whiten.face_record, stage=stage, size=size, finder=finder, store=store)
            else:
                yield partial(whiten.whiten_record, stage=stage, cutter=self.cutter, store=store)


def applier(steps: Steps, matte_file: Path | None = None) -> Applier:
    """Return the steps ready to be applied; `matte_file` is where a cut-out model of one's own lies.

    Raises ModelError when a model cannot be had, or is another one than that of the manifest.
    """
    return Applier(steps=steps, cutter=_cutter(steps, matte_file), finder=_finder(steps))


def _finder(steps: Steps) -> Detector | None:
    if steps.normalize is None:
        return None
    chosen = of_recorded(steps.normalize)
    return detector(chosen.detector, sha256=chosen.face_sha256)


def _cutter(steps: Steps, matte_file: Path | None) -> Cutter | None:
    if steps.whiten is None or steps.whiten["region"] == "face":
        return None
    cuts = backend(steps.whiten["matting"])
    if (wanted := steps.matte_model) is None:
        return cuts.prepare(Asked())
    name, sha256 = wanted
    if name in CUSTOM and matte_file is None:
        raise ModelError(
            f"the pictures were cut out with a model of your own ({name}, sha256 {sha256[:12]}…), and its file is not"
            " known here",
            "name it with --matte-model FILE; any other file would be refused",
        )
    try:
        asked = Asked(model=name, path=matte_file if name in CUSTOM else None, sha256=sha256)
        return cuts.prepare(asked)
    except ModelError as error:
        hint = "--matte-model FILE names the very model that cut out the training pictures"
        raise ModelError(error.what, hint if name in CUSTOM else error.hint) from error


@dataclass(frozen=True, slots=True)
class Scratch(Store):
    """The objects of one picture, in memory: nothing of a new picture is left behind on disk."""

    held: dict[str, bytes] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Tell whether an object is there."""
        return name in self.held

    def read(self, name: str) -> bytes:
        """Return the bytes of an object."""
        return self.held[name]

    def put(self, content: bytes, suffix: str) -> str:
        """Keep bytes and return their name."""
        name = name_of(content, suffix)
        self.held[name] = content
        return name

    def is_sound(self, name: str) -> bool:
        """Say that what lies in memory is sound."""
        return name in self.held
