"""The dataset as a part of the report: its pieces, the pictures that were opened for them, and its content as data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.pictures import Shown
from audit.report.dataset.apart import Apart
from audit.report.dataset.copies import Copies, Pair
from audit.report.dataset.cutouts import Cutouts, Kind, judged_in_words
from audit.report.dataset.files import Files
from audit.report.dataset.flow import Flow
from audit.report.dataset.lost import Lost
from audit.report.dataset.origins import Balance, Faces, Licences
from curate.look.pictures import TIMES
from imageledger.record import UNREADABLE, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class PairShown:
    """A pair with both pictures, and where they differ."""

    pair: Pair
    copy: Shown
    other: Shown | None
    difference: Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoutShown:
    """A picture before it was cut out, its matte, and the person on white (also where that was refused)."""

    record: Record
    before: Shown
    matte: Shown
    after: Shown

    @property
    def words(self) -> Sequence[str]:
        """What was judged of the matte."""
        return judged_in_words(self.record)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSection:
    """Everything that the report says of the dataset; `opened` holds the pictures by the name of their object."""

    flow: Flow
    lost: Lost
    files: Files
    faces: Faces
    licences: Licences
    balance: Balance
    copies: Copies
    pairs: Sequence[PairShown]
    cutouts: Cutouts
    mattes: Sequence[tuple[Kind, Sequence[CutoutShown]]]
    before_after: Sequence[CutoutShown]
    apart: Apart
    opened: Mapping[str, Shown]
    times: int = TIMES
    anchor: str = "dataset"
    title: str = "The dataset"
    template: str = "report/dataset/section.html"
    style: str = "report/dataset/style.css"

    def shown(self, record: Record) -> Shown:
        """Return the picture of a row that was set aside; where there is none, the reason on the row says why."""
        shown = self.opened[record.file or record.origin]
        return Shown(missing=record.reason) if shown.missing and record.status == UNREADABLE else shown

    @property
    def closed(self) -> Mapping[str, int]:
        """How many pictures could not be shown, by reason."""
        return Counter(one.missing for one in self.opened.values() if one.missing)

    def data(self) -> Mapping[str, Any]:
        """Return every number of the section."""
        return {
            "flow": self.flow.data(), "lost": self.lost.data(), "files": self.files.data(),
            "faces": self.faces.data(), "licences": self.licences.data(), "balance": self.balance.data(),
            "duplicates": self.copies.data(), "mattes": self.cutouts.data(), "apart": self.apart.data(),
            "not shown": dict(self.closed),
            "not done": [
                {"sentence": one.sentence, "command": one.command}
                for part in (self.flow.unmade, self.files.undone, self.faces.undone, self.balance.undone,
                             self.copies.undone, self.cutouts.undone, self.apart.undone)
                for one in part
            ],
        }  # fmt: skip
