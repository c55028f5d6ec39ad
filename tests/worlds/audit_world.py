"""A run on curated pictures as training leaves it behind, and readers of the page and the table of its audit."""

import csv
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
from drawn import encoded
from PIL import Image, ImageDraw

from imageledger import manifest
from imageledger.config import Project
from imageledger.record import Record, Step
from train.runs import Prediction, Run, write_predictions

HOSTILE = "real/<script>alert(1)</script>\x1b[31m\u202e'\"&.jpg"
FORMULA = '=HYPERLINK("http://x","y").jpg'


def portrait(shade: int) -> Image.Image:
    image = Image.new("RGB", (120, 160), (40, 90, shade))
    ImageDraw.Draw(image).ellipse((30, 30, 90, 110), fill=(220, 180, 150))
    return image


def curated(project: Project, member: str, label: str, number: int, content: bytes | None = None) -> Record:
    """A record as all stages leave it behind, its objects in the store."""
    store, original = project.store, portrait(5 * number)
    content = content or encoded(original, "JPEG")
    origin = store.put(content, "jpg")
    square = original.crop((0, 20, 120, 140))
    normal = store.put(encoded(square, "JPEG", quality=90), "jpg")
    alpha = Image.new("L", square.size)
    ImageDraw.Draw(alpha).ellipse((20, 5, 100, 119), fill=255)
    white = Image.composite(square, Image.new("RGB", square.size, "white"), alpha)
    steps = (
        Step(did="fetch@1", on="", found={"bytes": len(content), "format": "jpeg"}),
        Step(did="normalize@1", on=origin, settings={"size": 120, "quality": 90}, found={"notes": ["no face found"]}),
        Step(did="dedupe@1", on=normal, settings={"distance": 6}),
        Step(did="whiten@1", on=normal, settings={"matting": "grabcut"}, found={"coverage": 0.4321987}),
    )
    return Record(
        source="kaggle:somebody/faces@3", member=member, label=label, origin=origin, licence="CC-BY-4.0",
        generator="camera" if label == "real" else "stylegan2", group=f"c{number}", split="valid", width=120,
        height=120, file=store.put(encoded(white, "PNG"), "png"), matte=store.put(encoded(alpha, "PNG"), "png"),
        steps=steps,
    )  # fmt: skip


def said_of(record: Record, probability: float) -> Prediction:
    true = probability if record.label == "ai" else 1 - probability
    return Prediction(
        source=record.source, member=record.member, file=record.file, label=record.label, split=record.split,
        probability=probability, loss=float(-np.log(true)), predicted="ai" if probability >= 0.5 else "real",
    )  # fmt: skip


def train(project: Project, records: list[Record], probabilities: dict[str, float], **changes) -> Path:
    """Leave a run behind as train run does; returns its folder."""
    records = sorted(records, key=lambda record: record.key)
    path = project.manifest("manifest")
    manifest.write(path, records)
    folder = project.runs / "first"
    run = Run(
        name="first", manifest=str(path.relative_to(project.root)), manifest_digest=manifest.digest(path),
        labels=("real", "ai"), settings={"arch": "resnet18", "epochs": 3}, versions={"torch": "2"},
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    replace(run, **changes).save(folder)
    write_predictions(folder, [said_of(record, probabilities[record.member]) for record in records])
    return folder


def run_on_eight(project: Project) -> Path:
    """Leave a run on eight pictures: two reals called ai, one with hostile words in its name; one ai called real."""
    names = {"real/1.jpg": 0.7, HOSTILE: 0.9, "real/3.jpg": 0.2, "real/4.jpg": 0.1}
    fakes = {"ai/1.jpg": 0.4, "ai/2.jpg": 0.8, "ai/3.jpg": 0.9, FORMULA: 0.95}
    records = [curated(project, name, "real", number) for number, name in enumerate(names)]
    records += [curated(project, name, "ai", number + 10) for number, name in enumerate(fakes)]
    return train(project, records, names | fakes)


class Page(HTMLParser):
    """What a page holds, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "data", "action", "poster", "background"):
                self.loaded.append(value)
            elif name == "id":
                self.ids.append(value)
            elif name == "href":
                self.links.append(value)

    def handle_data(self, data):
        self.words += data


def page_of(folder: Path, name: str = "top-losses") -> Page:
    return Page((folder / "audit" / f"{name}.html").read_text(encoding="utf-8"))


def rows_of(folder: Path, name: str = "top-losses") -> list[dict[str, str]]:
    with (folder / "audit" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
