"""What models were asked before: sealed lines by object, which count as long as the models are the same."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imageledger import seal
from imageledger.record import OBJECT_NAME
from imageledger.store import where_allowed
from train.answers import Answers

FOLDER = "attention"
"""The folder within that of a run's audits."""

VERSION = 1
"""Rises when something else is kept than before."""


class Lines:
    """A file of lines {object, models, value} that only grows; those of other models, torn or damaged are no answer."""

    def __init__(self, answers: Answers, name: str) -> None:
        self.folder = answers.folder / "audit" / FOLDER
        self.path, self.models = self.folder / name, models_of(answers)
        self.values: dict[str, Any] = dict(self._read())

    def add(self, name: str, value: Any) -> None:
        """Keep what is known of an object."""
        self.values[name] = value
        with where_allowed(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as lines:
                lines.write(seal.line_of({"object": name, "models": self.models, "value": value}) + "\n")

    def _read(self) -> Iterator[tuple[str, Any]]:
        if not self.path.is_file():
            return
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                row = seal.of_line(line)
                if row["models"] == self.models and OBJECT_NAME.fullmatch(row["object"]):
                    yield row["object"], row["value"]
            except (ValueError, KeyError, TypeError):
                continue


def models_of(answers: Answers) -> str:
    """Name what answers depend on: the weights of every model of a run."""
    digest = hashlib.sha256(json.dumps(VERSION).encode())
    for model in answers.models:
        path: Path = model.folder / "weights.safetensors"
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()[:16]
