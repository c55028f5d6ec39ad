"""Each real stage, killed with -9 again and again at different moments: the same command ends with the same bytes."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imageledger.cli import main

STAGES = {
    "fetch": ["curate", "fetch", "sample:7", "--limit", "9"],
    "normalize": ["curate", "normalize", "--detector", "cascade"],
    "dedupe": ["curate", "dedupe"],
    "whiten": ["curate", "whiten", "--matting", "grabcut"],
    "manifest": ["curate", "manifest", "--per-class", "5", "--export", "exported"],
}
AFTER = (0.2, 0.6, 1.3)
"""Seconds after which the command is killed, one attempt each; later ones find more of the work done."""

pytestmark = pytest.mark.long


def command(words: list[str]) -> list[str]:
    return [sys.executable, "-m", "imageledger", *words]


def project(folder: Path) -> Path:
    folder.mkdir()
    subprocess.run(command(["init", "--dataset", "small"]), cwd=folder, check=True, capture_output=True)
    return folder


def made(folder: Path) -> dict[str, bytes]:
    names = sorted((folder / "manifests" / "small").glob("[!.]*.*"))
    return {path.name: path.read_bytes() for path in names if path.name != "sources.json"}


@pytest.fixture
def undisturbed(tmp_path, monkeypatch, runner):
    """The manifests and cards of a project in which nothing was killed, made in this process."""
    folder = project(tmp_path / "undisturbed")
    monkeypatch.chdir(folder)
    for words in STAGES.values():
        done = runner.invoke(main, words)
        assert done.exit_code == 0, done.output
    return made(folder)


def test_every_stage_killed_again_and_again_ends_with_the_same_bytes(tmp_path, undisturbed):
    folder = project(tmp_path / "project")
    killed = dict.fromkeys(STAGES, 0)
    for stage, words in STAGES.items():
        for seconds in AFTER:
            running = subprocess.Popen(command(words), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(seconds)
            running.send_signal(signal.SIGKILL)
            killed[stage] += running.wait() == -signal.SIGKILL
        done = subprocess.run(command(words), cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert made(folder) == undisturbed
    assert all(killed.values()), killed
    assert not list(folder.rglob(".*.jsonl.*.part"))
    checked = subprocess.run(command(["verify"]), cwd=folder, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
