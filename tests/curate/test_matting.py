"""Matting backends: one file each, found by name, strangers' ones too."""

import subprocess
import sys

import numpy as np
import pytest
from stranger import install
from whiten_world import drawn, normalized

from curate.cli import main
from curate.matting import BACKENDS, backend
from imageledger import manifest, plugins

OVAL = """
import numpy as np
from curate.matting.matte import Backend, Cutter, Matte

def cut(image, face):
    alpha = np.zeros((image.height, image.width), np.uint8)
    alpha[image.height // 8 :, image.width // 4 : -image.width // 4] = 255
    return Matte(alpha)

BACKEND = Backend(name="oval", prepare=lambda asked: Cutter(cut=cut), packages=("pillow",))
"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    yield
    monkeypatch.undo()
    plugins.announced.cache_clear()


def test_the_names_of_the_backends_are_read_without_numpy():
    text = "import sys; from curate.matting import BACKENDS; print(*BACKENDS.names(), 'numpy' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["rembg", "grabcut", "False"]


@pytest.mark.parametrize("name", ["rembg", "grabcut"])
def test_every_backend_of_ours_is_called_what_the_list_calls_it(name):
    assert backend(name).name == name


def test_a_stranger_s_backend_is_offered_and_cuts_out(monkeypatch, tmp_path, project, runner):
    install(monkeypatch, tmp_path, "imageledger.matting", {"oval": "ovals:BACKEND"}, ovals=OVAL)
    assert BACKENDS.names() == ("rembg", "grabcut", "oval")
    assert "[rembg|grabcut|oval]" in runner.invoke(main, ["whiten", "--help"]).stdout
    came = normalized(project, drawn(2))
    ended = runner.invoke(main, ["whiten", "--matting", "oval", "--from", str(came), "--workers", "1"])
    assert ended.exit_code == 0, ended.output
    for row in manifest.read(project.manifest("whiten")):
        assert row.steps[-1].settings == {"region": "white", "matting": "oval"}
        assert "raw" not in row.steps[-1].found
        assert np.isclose(row.steps[-1].found["coverage"], 0.4375, atol=0.01)


def test_an_unknown_backend_is_a_usage_error_that_lists_the_known_ones(project, runner):
    ended = runner.invoke(main, ["whiten", "--matting", "scissors"])
    assert ended.exit_code == 2
    assert "'rembg', 'grabcut'" in ended.stderr
