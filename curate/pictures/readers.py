"""Formats that Pillow reads with a plug-in alone: loaded when such a file comes, named where it is missing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True, slots=True)
class Reader:
    """A plug-in of Pillow: what people call the format, its package and module, and how to get it."""

    title: str
    package: str
    module: str
    get: str
    register: Callable[[], None]


def _heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()


def _jxl() -> None:
    import pillow_jxl  # noqa: F401 (registers itself)


READERS: Mapping[str, Reader] = {
    "heic": Reader("HEIC", "pillow-heif", "pillow_heif", "pip install 'imageledger[heif]'", _heif),
    "jxl": Reader("JPEG XL", "pillow-jxl-plugin", "pillow_jxl", "pip install pillow-jxl-plugin (GPL)", _jxl),
}
"""Format, as `sniff` names it -> what reads it. AVIF and JPEG 2000 are read by Pillow itself."""


def prepare(format: str) -> str:
    """Make Pillow read a format; return why it cannot, or "". Most formats need nothing.

    >>> prepare("jpeg")
    ''
    """
    reader = READERS.get(format)
    if reader is None:
        return ""
    if find_spec(reader.module) is None:
        return f"{reader.title} is not read here: {reader.get}, or convert it to JPEG or PNG"
    reader.register()
    return ""


def packages(formats: Iterable[str]) -> tuple[str, ...]:
    """Return the installed packages that read these formats: a stage's pixels depend on their versions."""
    wanted = (READERS[name] for name in sorted(set(formats) & set(READERS)))
    return tuple(reader.package for reader in wanted if find_spec(reader.module))
