"""What a model card says of pictures from elsewhere, as `audit foreign` left it beside the run. Knows no torch."""

from pathlib import Path

from imageledger import seal
from imageledger.foreign import json_of
from train.models.markdown import escaped

UNTESTED = (
    "Nobody has asked the model about pictures from elsewhere; `audit foreign RUN SOURCE --label real` does. A model "
    "that reads where pictures come from, rather than faces, fails there first."
)


def elsewhere(folder: Path) -> str:
    """Say what the run's models made of foreign pictures, label by label, or that nobody has asked them."""
    lines = []
    for path in sorted((folder / "audit").glob("foreign-*.json")):
        try:
            told = seal.opened(json_of(path.read_bytes()))
            lines.append(f"{escaped(told['source'])}: {escaped(told['sentence'])}")
        except (OSError, ValueError, KeyError, TypeError):
            lines.append(f"{escaped(path.name)} cannot be read, or is damaged; `audit foreign` writes it again.")
    return "\n\n".join(lines) or UNTESTED
