"""A drawn dataset with a row of every fate, as all stages leave it: its manifests, cards and objects."""

from collections import Counter
from dataclasses import replace

from drawn import encoded, portrait
from PIL import Image

from curate.history import Fetched, Normalized, Whitened, noted
from imageledger import manifest
from imageledger.config import Project
from imageledger.manifest import Card, Tally
from imageledger.record import OK, Record, Step

ORDER = ("fetch", "normalize", "dedupe", "whiten", "manifest")
SIDE = 64
FACE = (16, 8, 48, 48)

FATES = {
    "real/0.jpg": (), "real/1.jpg": (), "real/2.jpg": (), "ai/0.jpg": (), "ai/1.jpg": (), "ai/2.jpg": (),
    "ai/torn.jpg": ("normalize", "unreadable", "cannot be decoded: image file is truncated"),
    "real/back.jpg": ("normalize", "rejected", "no face found"),
    "real/copy.jpg": ("dedupe", "duplicate", "near-duplicate: pHash distance 1, correlation 0.97"),
    "real/claimed.jpg": ("dedupe", "rejected",
                         "conflict: the same picture is labelled ai as folder:drawn#ai/claimed.jpg"),
    "ai/claimed.jpg": ("dedupe", "rejected",
                       "conflict: the same picture is labelled real as folder:drawn#real/claimed.jpg"),
    "ai/cut.jpg": ("whiten", "rejected", "matte: 31 % of the face cut off"),
    "ai/cut-more.jpg": ("whiten", "rejected", "matte: 31 % of the face cut off"),
    "real/spare.jpg": ("manifest", "unused", "not chosen"),
}  # fmt: skip
"""What becomes of each picture: the stage that sets it aside, the status and the reason; () for those chosen."""


def dataset_of(project: Project, until: str = "manifest", rename: dict[str, str] | None = None) -> None:
    """Write the manifests up to a stage; `rename` gives labels other names."""
    made = {member: _stages(project, member, n, rename or {}) for n, member in enumerate(sorted(FATES))}
    for stage in ORDER[: ORDER.index(until) + 1]:
        rows = [stages[stage] for stages in made.values()]
        path = project.manifest(stage)
        manifest.write(path, rows)
        manifest.card_path(path).write_text(_card(project, stage, rows), encoding="utf-8")


def counts_of(until: str, label: str) -> Counter:
    """The statuses of one label after a stage."""
    reached = ORDER[: ORDER.index(until) + 1]
    own = [fate for member, fate in FATES.items() if member.startswith(label)]
    return Counter(fate[1] if fate and fate[0] in reached else OK for fate in own)


def _card(project: Project, stage: str, rows: list[Record]) -> str:
    tally = Tally()
    for row in rows:
        tally.add(row)
    return Card(
        dataset=project.dataset, stage=f"{stage}@1", input="", versions={}, rows=len(rows), counts=tally.plain(),
        settings={"distance": 6, "most": 20000} if stage == "dedupe" else {"match": []},
        digest=manifest.digest(project.manifest(stage)),
    ).to_json()  # fmt: skip


def _stages(project: Project, member: str, number: int, rename: dict[str, str]) -> dict[str, Record]:
    """The row of one picture after every stage."""
    label = member.partition("/")[0]
    content = encoded(portrait(number, 96)[0], "JPEG", quality=90 if label == "real" else 75)
    content = content[:200] if "torn" in member else content
    name = project.store.put(content, "jpg")
    note = Fetched(bytes=len(content), format="jpeg")
    row = Record(source="folder:drawn", member=member, label=rename.get(label, label), origin=name, file=name,
                 licence="CC0-1.0" if label == "real" else "unknown", generator="camera" if label == "real" else "sd15",
                 steps=(Step(did="fetch@1", on="", found=noted(note)),))  # fmt: skip
    stages, fate = {}, FATES[member]
    for stage in ORDER:
        if row.status == OK:
            row = _after(project, stage, row, number)
            if fate and fate[0] == stage:
                row = replace(row, status=fate[1], reason=fate[2], split="")
                if stage == "dedupe" and fate[1] == "duplicate":
                    row = replace(row, duplicate_of="folder:drawn#real/0.jpg", similarity=0.97)
        stages[stage] = row
    return stages


def _after(project: Project, stage: str, row: Record, number: int) -> Record:
    if stage == "normalize" and "torn" not in row.member:
        faces = 0 if "back" in row.member else 1
        size = (96, 96) if "copy" not in row.member else (48, 48)
        note = Normalized(format="jpeg", size=size, tables=500, pixels=row.origin[:64], mirrored="p:" + "f" * 16,
                          faces=faces, face=FACE if faces else None)  # fmt: skip
        step = Step(did="normalize@1", on=row.file, settings={"detector": "yunet"}, found=noted(note))
        file = project.store.put(encoded(portrait(number, SIDE)[0], "PNG"), "png") if faces else row.file
        return row.after(step, file=file, phash=f"p:{number:016x}", width=SIDE, height=SIDE)
    if stage == "whiten":
        picture, alpha = portrait(number, SIDE)
        matte = Image.fromarray(alpha)
        white = Image.composite(picture, Image.new("RGB", picture.size, "white"), matte)
        found = noted(
            Whitened(coverage=0.4, pieces=1, kept=0.69 if "cut" in row.member else 1.0, contrast=60.0 - number)
        )
        step = Step(did="whiten@1", on=row.file, settings={"region": "white", "matting": "grabcut"}, found=found)
        row = row.after(step, matte=project.store.put(encoded(matte), "png"))
        return row if "cut" in row.member else replace(row, file=project.store.put(encoded(white), "png"))
    return replace(row, split="valid" if "0" in row.member else "train") if stage == "manifest" else row
