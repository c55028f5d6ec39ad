"""The wheel: what is in it, and that it answers in an environment that never saw this folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("imageledger", "curate", "train", "audit")
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "demo-run", "runs", "objects",
                                  "downloads")  # fmt: skip


def run(*words: object, cwd: Path | str = "/", **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, cwd=cwd, env={**clean, **env})


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel built from a copy of the project, so that nothing is left behind in the project itself."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "project", ignore=LEFT_OUT)
    built = run(
        sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--quiet",
        "--wheel-dir", folder, folder / "project",
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def scripts(wheel, tmp_path_factory) -> Path:
    """The folder of commands of an environment in which the wheel alone was installed.

    The packages it depends on are lent by this environment, after the install: on the path, where their own
    `.pth` files (such as that of an editable install of this very project) do nothing.
    """
    place = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    installed = run(
        sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel
    )
    assert installed.returncode == 0, installed.stderr
    own = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    lent = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (Path(own) / "lent.pth").write_text("".join(f"{folder}\n" for folder in lent))
    return place / "bin"


def test_the_wheel_holds_the_four_packages_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    there = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == there


def test_the_wheel_brings_templates_the_marker_for_types_and_the_licence(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {"imageledger/py.typed", "imageledger/templates/imageledger.toml"} <= set(names)
    assert {"audit/page.html", "audit/top_losses/page.html", "audit/shortcuts/page.html"} <= set(names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


@pytest.mark.parametrize("command", PACKAGES)
def test_every_command_of_the_wheel_answers_with_the_root_as_working_directory(scripts, command):
    for script in ([scripts / command], [scripts / "python", "-m", command]):
        ended = run(*script, "--help", cwd="/")
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.startswith("Usage: ")


def test_the_commands_run_the_code_of_the_wheel_and_not_of_this_folder(scripts):
    code = "import imageledger, curate, train, audit; print(imageledger, curate, train, audit)"
    shown = run(scripts / "python", "-c", code).stdout
    assert shown.count(str(scripts.parent)) == len(PACKAGES)
    assert str(ROOT) not in shown


def test_the_installed_command_knows_its_version_and_makes_a_project(scripts, tmp_path):
    from imageledger import __version__

    assert __version__ in run(scripts / "imageledger", "--version").stdout
    ended = run(scripts / "imageledger", "init", tmp_path / "faces")
    assert (ended.returncode, ended.stdout) == (0, f"{tmp_path / 'faces' / 'imageledger.toml'}\n")
    assert run(scripts / "imageledger", "status", cwd=tmp_path / "faces").returncode == 0
