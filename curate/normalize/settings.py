"""The settings of normalize, and what of them a step states."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from curate.faces.detector import DETECTORS, YUNET, Detector
from curate.normalize.recipes import RECIPES
from imageledger import config
from imageledger.config import Project
from imageledger.errors import ConfigError

SUFFIX = {"jpeg": "jpg", "png": "png"}
AUTO = "auto"
LEAST_SIDE, MOST_SIDE = 16, 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalizeSettings:
    """Settings of normalize; `size` is the side in pixels or "auto", `quality` that of the one JPEG encoding.

    `detector` finds the faces; `face_model` is the file of YuNet's model, where a person names one, and `face_sha256`
    its digest. `require_face` rejects pictures without a face; "auto" does so with YuNet, which misses almost none.
    """

    recipe: str = "forensic"
    size: int | str = AUTO
    format: str = "jpeg"
    quality: int = 90
    require_face: bool | str = AUTO
    detector: str = YUNET
    face_model: str = ""
    face_sha256: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be encoded."""
        if self.recipe not in RECIPES:
            raise ConfigError(f"normalize: there is no recipe {self.recipe!r}", f"one of {', '.join(RECIPES)}")
        if self.format not in SUFFIX:
            raise ConfigError(f"normalize: {self.format!r} is not a format", f"one of {', '.join(SUFFIX)}")
        if self.detector not in DETECTORS:
            raise ConfigError(f"normalize: {self.detector!r} is not a detector", f"one of {', '.join(DETECTORS)}")
        if self.require_face not in (True, False, AUTO):
            raise ConfigError(f"normalize: require_face is {self.require_face!r}", 'true, false or "auto"')
        fits = LEAST_SIDE <= self.size <= MOST_SIDE if isinstance(self.size, int) else self.size == AUTO
        if not (fits and 1 <= self.quality <= 100):
            raise ConfigError(
                f"normalize: size {self.size}, quality {self.quality}",
                f"size is auto, or between {LEAST_SIDE} and {MOST_SIDE} pixels; quality between 1 and 100",
            )

    @property
    def rejects_faceless(self) -> bool:
        """Whether pictures without a face are rejected."""
        return self.detector == YUNET if self.require_face == AUTO else bool(self.require_face)


def settings_of(project: Project, **options: Any) -> NormalizeSettings:
    """Return the settings of imageledger.toml, overruled by options that are not None."""
    return config.settings(NormalizeSettings, project.tables.get("normalize", {}), options)


def recorded(chosen: NormalizeSettings, finder: Detector) -> Mapping[str, Any]:
    """Return what a step states: no path, whether faces are required, and which model found them."""
    plain = {name: value for name, value in asdict(chosen).items() if not name.startswith("face_")}
    return {**plain, "require_face": chosen.rejects_faceless, **finder.recorded()}


def of_recorded(stated: Mapping[str, Any]) -> NormalizeSettings:
    """Return the settings that a step states; raise ConfigError for what no step of ours does."""
    known = {name: value for name, value in stated.items() if name not in ("face_model", "face_licence")}
    chosen = config.settings(NormalizeSettings, known, where="normalize")
    if not isinstance(chosen.size, int):
        raise ConfigError(f"normalize: the size is {chosen.size!r}, not a number")
    return chosen
