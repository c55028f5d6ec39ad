"""Claim: forensic hides an old JPEG that plain leaves readable, and keeps no less of a generator's trace.

    python benchmarks/recipes.py [--sample 60] [--weights FILE] [--workers N] FOLDER...

Each FOLDER holds pictures in real/ and ai/. The recipes of `audit recipes` run on them, beside others that were
considered: other ratios, other encodings, and a square in the middle or sized by the face. Prints AUCs and, for each
folder, how far plain and forensic are from chance on the planted JPEG, and how much of the trace they lose.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from audit.recipes.candidates import CANDIDATES, Candidate, compare
from curate.fetch import work as fetch
from curate.normalize.recipes import FORENSIC
from curate.sources.entries import located, named, parse_options
from imageledger.config import open_project

OTHERS = (
    Candidate(name="forensic, JPEG 85", recipe=FORENSIC, quality=85),
    Candidate(name="forensic, ratio 2.2", recipe=replace(FORENSIC, ratio=2.2)),
    Candidate(name="forensic, ratio 2.6", recipe=replace(FORENSIC, ratio=2.6)),
    Candidate(name="forensic, middle", recipe=replace(FORENSIC, framing="centre")),
    Candidate(name="forensic, face box", recipe=replace(FORENSIC, framing="face box", room=1.5)),
    Candidate(name="forensic, wander 0", recipe=replace(FORENSIC, wander=0.0)),
)


def table(folder: Path, sample: int, weights: str, workers: int | None) -> tuple[list[dict[str, object]], str]:
    """Fetch the pictures of a folder into a fresh project and compare all candidates on them."""
    with tempfile.TemporaryDirectory() as root:
        Path(root, "imageledger.toml").write_text('dataset = "bench"\n', encoding="utf-8")
        project = open_project(Path(root))
        given = parse_options({"label": None, "labels": "real/**=real,ai/**=ai", "limit": None, "generator": None})
        entry = named(located(f"folder:{folder.resolve()}", project, Path.cwd()), project, **given)
        fetch.fetch(project, [entry])
        rows, remark = compare(
            project, sample=sample, weights=weights, candidates=(*CANDIDATES, *OTHERS), workers=workers
        )
    return rows, remark


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--weights", default="")
    parser.add_argument("--workers", type=int)
    options = parser.parse_args()
    for folder in options.folders:
        rows, remark = table(folder, options.sample, options.weights, options.workers)
        print(f"\n{folder.name}. {remark}")
        print("| " + " | ".join(rows[0]) + " |")
        print("|" + "---|" * len(rows[0]))
        for row in rows:
            print("| " + " | ".join(map(_written, row.values())) + " |")
        by_name = {row["recipe"]: row for row in rows}
        plain, forensic, none = (by_name[name] for name in ("plain", "forensic", "none"))
        print(f"old JPEG, distance from chance: plain {_gap(plain):.2f}, forensic {_gap(forensic):.2f}")
        print(f"trace lost: plain {_lost(none, plain):.2f}, forensic {_lost(none, forensic):.2f}", flush=True)


def _written(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _gap(row: dict[str, object]) -> float:
    return abs(float(str(row["old JPEG"])) - 0.5)


def _lost(before: dict[str, object], after: dict[str, object]) -> float:
    return float(str(before["trace"])) - float(str(after["trace"]))


if __name__ == "__main__":
    main()
