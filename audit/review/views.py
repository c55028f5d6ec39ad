"""What of a picture can be shown: as fetched, on white, its matte, where the model looked. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audit.review.ahead import Name
from curate.history import made_by_normalize
from imageledger.record import OK, Record

KEYS = {"original": "o", "white": "w", "normalized": "w", "matte": "m", "heat": "h"}
TITLES = {"original": "original", "white": "on white", "normalized": "normalized", "matte": "matte", "heat": "heat map"}


@dataclass(frozen=True)
class View:
    """One way to see a picture: its name, and what the desk's pictures are asked for."""

    name: str
    picture: Name

    @property
    def title(self) -> str:
        """How it is called on the page."""
        return TITLES[self.name]

    @property
    def address(self) -> str:
        """Its place below the desk's address."""
        return "/".join(self.picture)


def views(record: Record, has_heat: Callable[[str], bool]) -> Sequence[View]:
    """Return the views that a picture has, the original first."""
    found = [View("original", ("object", record.origin))] if record.origin else []
    normal = made_by_normalize(record) if record.matte else ""
    if record.matte and record.status != OK and record.file == normal:
        found.append(View("white", ("white", record.file, record.matte)))
    elif record.file and record.file != record.origin:
        found.append(View("white" if record.matte else "normalized", ("object", record.file)))
    if record.matte:
        found.append(View("matte", ("object", record.matte)))
    if record.file and has_heat(record.file):
        found.append(View("heat", ("heat", record.file)))
    return found


def chosen(there: Sequence[View], wanted: str) -> View | None:
    """Return the view that is wanted, else the picture as the model saw it, else the original."""
    by_name = {view.name: view for view in there}
    for name in (wanted, "white", "normalized", "original"):
        if name in by_name:
            return by_name[name]
    return None
