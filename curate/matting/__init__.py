"""Ways of separating a person from the background: one file for each backend, and its name in the list below.

Listing the names loads nothing heavy. Other packages add backends by the entry point group of the list.
"""

from typing import TYPE_CHECKING

from imageledger.plugins import Registry

if TYPE_CHECKING:
    from curate.matting.matte import Backend

BACKENDS = Registry(
    group="imageledger.matting",
    kind="matting backend",
    builtin={name: f"curate.matting.{name}:BACKEND" for name in ("rembg", "grabcut")},
)


def backend(name: str) -> "Backend":
    """Load a backend by its name; raise ConfigError for an unknown one."""
    from curate.matting.matte import Backend

    loaded: Backend = BACKENDS.load(name, Backend)
    return loaded
