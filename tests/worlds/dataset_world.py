"""A folder of drawn portraits, the dataset that the Python door makes of it, and a run as training leaves it behind."""

import hashlib
from pathlib import Path

from audit_world import said_of
from drawn import portrait

from imageledger import manifest
from imageledger.dataset.dataset import Dataset, create
from imageledger.record import OK
from train.evaluation.metrics import score
from train.runs import Run, write_predictions

LABELS = {"real/**": "real", "ai/**": "ai"}
SEEDS = {"real": 200, "ai": 400}
EACH = 12
SETTINGS = {
    "[normalize]": 'size = 64\ndetector = "cascade"',
    "[dedupe]": "most = 0",
    "[whiten]": 'matting = "grabcut"',
    "[manifest]": "match = []",
}


def draw_photos(folder: Path, each: int = EACH, side: int = 160) -> Path:
    """Draw photos/real/000.png, … and photos/ai/000.png, …; return the folder."""
    for label, seed in SEEDS.items():
        (folder / label).mkdir(parents=True)
        for number in range(each):
            portrait(seed + number, side)[0].save(folder / label / f"{number:03}.png")
    return folder


def make(folder: Path, photos: Path) -> Dataset:
    """Create a project and run all stages on the photos, with settings that need no download and little time."""
    faces = create(folder, progress=False)
    path = faces.root / "imageledger.toml"
    text = path.read_text(encoding="utf-8").replace("per_class = 100", "per_class = 10")
    for table, setting in SETTINGS.items():
        text = text.replace(table, f"{table}\n{setting}")
    path.write_text(text, encoding="utf-8")
    faces.fetch(f"folder:{photos}", labels=LABELS)
    faces.run(workers=1)
    return faces


def leave_run(faces: Dataset, name: str = "first") -> None:
    """Leave a run behind as `train run` does, without torch: its answers are drawn from the names of the pictures."""
    path = faces.project.manifest("manifest")
    predictions = [said_of(record, _drawn(record.member)) for record in faces.records("final") if record.status == OK]
    folder = faces.project.runs / name
    folder.mkdir(parents=True)
    Run(
        name=name, manifest=str(path.relative_to(faces.root)), manifest_digest=manifest.digest(path),
        labels=("real", "ai"), settings={"arch": "resnet18", "epochs": 3}, versions={"torch": "2"},
        metrics=score(predictions, ("real", "ai"), {}),
    ).save(folder)  # fmt: skip
    write_predictions(folder, predictions)


def _drawn(member: str) -> float:
    return 0.02 + 0.96 * int(hashlib.sha256(member.encode()).hexdigest()[:8], 16) / 16**8
