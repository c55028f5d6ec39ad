"""Commands in a fresh process with other folders on the path, all in one process so that torch is imported once."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

from train_world import picture

CODE = """
import importlib, json, sys
from click.testing import CliRunner
shown = []
for words in json.loads(sys.stdin.read()):
    ended = CliRunner().invoke(importlib.import_module(words[0] + ".cli").main, words[1:])
    assert ended.exit_code == 0, (words, ended.output, ended.exception)
    shown.append(ended.stdout)
print(json.dumps(shown))
"""
EACH = 12
TOML = """dataset = "drawn"
per_class = 10
order = ["fetch", "normalize", "whiten", "manifest"]

[normalize]
detector = "cascade"
"""
STAGES = (
    "curate fetch tar:faces.tar --labels real/*=real,ai/*=ai --json",
    "curate normalize --recipe plain --size 40 --workers 1 --quiet",
    "curate whiten --matting oval --workers 1 --json",
    "curate manifest --match saturation --workers 1 --json",
    "train run --recipe coarse --weights none --name first --quiet",
    "audit shortcuts --family saturation --permutations 100 --json",
    "audit top-losses first --all -k 3 --json",
)
HELP = ("curate fetch --help", "curate whiten --help", "audit shortcuts --help", "train run --help", "audit --help")
"""What shows everything that the example adds: help, and results from the source to the audits."""


def project(root: Path) -> Path:
    """Make a project beside a tar of drawn pictures."""
    root.mkdir(parents=True)
    (root / "imageledger.toml").write_text(TOML)
    with tarfile.open(root / "faces.tar", "w") as target:
        for label in ("real", "ai"):
            for number in range(EACH):
                content = picture(label, number)
                info = tarfile.TarInfo(f"{label}/{number:02}.png")
                info.size = len(content)
                target.addfile(info, io.BytesIO(content))
    return root


def run(commands: Sequence[str], root: Path, *paths: Path) -> dict[str, str]:
    """Run commands in a project with these folders first on the path; return what each prints on stdout."""
    done = subprocess.run(
        [sys.executable, "-c", CODE], input=json.dumps([words.split() for words in commands]), capture_output=True,
        text=True, cwd=root, env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(zip(commands, json.loads(done.stdout.splitlines()[-1]), strict=True))
