"""A project in miniature for tests that kill: run as a script, it fetches or blackens rows, slowly and traceably."""

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from imageledger import manifest
from imageledger.record import OK, Record
from imageledger.stage import Outcome, Stage, run_rows, run_seeds, run_set
from imageledger.store import Store

STAGE = Stage(name="normalize", version=1, settings={"size": 8})
FETCH = Stage(name="fetch", version=1)
ROWS = 40


def rewrite(path: Path, rows: Iterable[Record]) -> None:
    """Put other rows in the place of a manifest, with a card that says so, as the stage that makes it would."""
    card = manifest.Card.read(manifest.card_path(path))
    manifest.write(path, rows)
    made = replace(card, digest=manifest.digest(path), rows=sum(1 for _ in manifest.read(path)))
    manifest.card_path(path).write_text(made.to_json())


def seeds(count: int, label: str = "real") -> list[Record]:
    return [Record(source="folder:x", member=f"{number:04}.jpg", label=label) for number in range(count)]


def note(log: Path, record: Record) -> None:
    """Append a line to the log in one write: whole, whoever else is writing and whatever is killed."""
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{record.member} {os.getpid()}\n".encode())
    os.close(handle)


def noted(log: Path) -> list[str]:
    return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []


def work(record: Record, *, stage: Stage, store: Store, log: Path, stuck_at: int = -1) -> Record:
    """Store a few bytes for a row, and note that it was worked on; every seventh picture is bad."""
    note(log, record)
    if int(record.member[:4]) == stuck_at:
        time.sleep(600)
    if int(record.member[:4]) % 7 == 3:
        return record.failed("torn", step=stage.step(record))
    name = store.put(f"{record.member} {stage.did} {dict(stage.settings)}".encode(), "bin")
    seen = {"width": 8, "height": 8, "phash": f"p:{name[:16]}"}
    return record.after(stage.step(record, bytes=len(name)), origin=record.origin or name, file=name, **seen)


def fetched(root: Path, records: list[Record], log: Path) -> Outcome:
    """Run the first stage over seeds, as fetch does."""
    store = Store(root / "objects")
    return run_seeds(
        FETCH, partial(work, stage=FETCH, store=store, log=log), lambda: records, count=len(records),
        input_digest=f"seeds of {len(records)} {records[0].label}", output=root / "fetched.jsonl", dataset="d",
        store=store, workers=1,
    )  # fmt: skip


def normalized(root: Path, log: Path, stage: Stage = STAGE, stuck_at: int = -1, workers: int = 1, **options) -> Outcome:
    """Run the second stage over what the first has written."""
    store = Store(root / "objects")
    return run_rows(
        stage, partial(work, stage=stage, store=store, log=log, stuck_at=stuck_at), source=root / "fetched.jsonl",
        output=root / "normalized.jsonl", dataset="d", store=store, workers=workers, **options,
    )  # fmt: skip


def halved(root: Path, log: Path, stuck_at: int = -1, extra_input: str = "", stage: Stage | None = None) -> Outcome:
    """Run a whole-set stage that sets every second `ok` row aside."""

    def plan(rows: Callable[[], Iterator[Record]]) -> Callable[[Record], Record]:
        chosen = {record.key for record in [record for record in rows() if record.status == OK][::2]}
        note(log, Record(source="", member="planned", label=""))

        def decide(record: Record) -> Record:
            if int(record.member[:4]) == stuck_at:
                time.sleep(600)
            return replace(record, split="train") if record.key in chosen else record

        return decide

    return run_set(
        stage or Stage(name="manifest", version=1), plan, source=root / "normalized.jsonl",
        output=root / "final.jsonl", dataset="d", extra_input=extra_input,
    )  # fmt: skip


def made(root: Path) -> dict[str, bytes]:
    """Return the bytes of every manifest and card in a folder."""
    return {path.name: path.read_bytes() for path in root.iterdir() if path.suffix in (".jsonl", ".json")}


def undisturbed(root: Path, rows: int = ROWS) -> dict[str, bytes]:
    """Return what three stages write when nothing happens to them."""
    calm = root / "calm"
    fetched(calm, seeds(rows), calm / "objects-log")
    normalized(calm, calm / "log")
    halved(calm, calm / "log")
    return made(calm)


def part(root: Path, stage_file: str) -> Path | None:
    return next(iter(root.glob(f".{stage_file}.*.part")), None)


def whole_lines(root: Path, stage_file: str) -> list[str]:
    """Return the members of the rows that stand whole in a half-written manifest."""
    found = part(root, stage_file)
    lines = found.read_bytes().split(b"\n")[:-1] if found else []
    return [Record.from_line(line.decode()).member for line in lines]


def hold(record: Record, *, folder: Path) -> Record:
    """Hold a lock for as long as this process lives: a lock ends with its process, even as a zombie."""
    handle = os.open(folder / f"{os.getpid()}.alive", os.O_WRONLY | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_SH)
    time.sleep(0.05)
    return record


if __name__ == "__main__":
    where, what, last, parallel = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    if what == "normalize":
        normalized(where, where / "log", stuck_at=last, workers=parallel)
    elif what == "manifest":
        halved(where, where / "log", stuck_at=last)
    elif what == "hold":
        from imageledger.engines.local import ordered_map

        endless = ((record, None) for record in manifest.read(where / "fetched.jsonl"))
        for _ in ordered_map(partial(hold, folder=where), endless, workers=parallel):
            pass
    elif what == "lock":
        from imageledger.config import open_project

        with open_project(where).lock("curate whiten"):
            (where / "locked").touch()
            time.sleep(last)
