"""What `curate look` can be asked for, and what cannot be asked for together. Pure."""

from dataclasses import dataclass

from curate.look.judge import MEMBER, SIMILARITY, SORTS
from imageledger.errors import ConfigError
from imageledger.record import DUPLICATE, STATUSES

MATTES = "mattes"
MOST = 24
LIMIT = 400
"""More pictures than this are no sheet that anybody opens: ask for a label, a status or an order instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookSettings:
    """Which pictures to show: of one status or label, in an order, or the worst mattes, or copies in pairs.

    At most `n` of them, in `columns` (None: as many as suit what is shown).
    """

    status: str | None = None
    label: str | None = None
    sort: str | None = None
    reverse: bool = False
    worst: str | None = None
    pairs: bool = False
    n: int = MOST
    columns: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is unknown, and what cannot be asked for together."""
        _refuse_unknown(self)
        _refuse_contradictions(self)

    @property
    def name(self) -> str:
        """What is asked for, as a part of a file's name: "-rejected", "-pairs-real", "-by-size-reversed"."""
        parts = (
            "pairs" if self.pairs else "", self.worst, self.label, self.status,
            f"by-{self.sort}" if self.sort else "", "reversed" if self.reverse else "",
        )  # fmt: skip
        return "".join(f"-{part}" for part in parts if part)


def _refuse_unknown(asked: LookSettings) -> None:
    for name, value, values in (
        ("status", asked.status, STATUSES), ("sort", asked.sort, SORTS), ("worst", asked.worst, (MATTES,)),
    ):  # fmt: skip
        if value is not None and value not in values:
            raise ConfigError(f"look: {value!r} is no {name}", f"one of {', '.join(values)}")
    if not 1 <= asked.n <= LIMIT or (asked.columns is not None and asked.columns < 1):
        raise ConfigError(
            f"look: at least one picture in one column, at most {LIMIT} pictures",
            "--label, --status and --sort narrow it",
        )


def _refuse_contradictions(asked: LookSettings) -> None:
    if asked.worst and asked.pairs:
        raise ConfigError("look: worst mattes and pairs are two sheets", "ask for one of them")
    if asked.worst and (asked.sort or asked.reverse):
        raise ConfigError("look: worst mattes have their own order", "leave out sort and reverse")
    if asked.pairs and asked.status not in (None, DUPLICATE):
        raise ConfigError(f"look: pairs are duplicates, not {asked.status}", "leave out status")
    if asked.pairs and asked.sort not in (None, MEMBER, SIMILARITY):
        raise ConfigError(f"look: pairs are not sorted by {asked.sort}", f"sort is {SIMILARITY} or {MEMBER}")
    if asked.sort == SIMILARITY and not asked.pairs:
        raise ConfigError("look: only copies have a similarity", "ask for pairs too")
    if asked.reverse and not (asked.sort or asked.pairs):
        raise ConfigError("look: reverse turns an order round, and none is asked for", "name a sort too")


EVERYTHING = LookSettings()
"""An even sample of all there is."""
