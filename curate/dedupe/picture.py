"""What dedupe knows of a picture, and of two that may be the same. Pure."""

from dataclasses import dataclass

from imageledger.types import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What must be known of one `ok` row: its hashes as 64-bit integers, and its rank (smallest is kept)."""

    key: Key
    label: str
    group: str
    pair: str
    origin: str
    pixels: str
    phash: int
    mirrored: int
    rank: tuple[float, float, float, str]
    kept: bool = False

    @property
    def name(self) -> str:
        """The key as one string, as records write it."""
        return "#".join(self.key)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures, by their places in a list, whose hashes are near each other (or near the mirror image's)."""

    one: int
    other: int
    distance: int
    mirrored: bool


@dataclass(frozen=True, slots=True)
class Match:
    """How two pictures are the same: the hash distance (bits), whether mirrored, and the verified likeness.

    Where one shows a part of the other, `words` says how it lies there, and `outer` which of them (0 the first, 1 the
    second) is a frame or a screen around the other, where one is. `said` is the word of a person that they are.
    """

    distance: int
    mirrored: bool
    similarity: float
    words: str = ""
    outer: int | None = None
    said: str = ""

    def __str__(self) -> str:
        if self.said:
            return self.said
        if self.words:
            return f"near-duplicate: {self.words}; correlation {self.similarity:.2f}"
        kind = "mirrored near-duplicate" if self.mirrored else "near-duplicate"
        return f"{kind}: pHash distance {self.distance}, correlation {self.similarity:.2f}"
