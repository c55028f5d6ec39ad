"""Shell completion, by click's own protocol and in a real bash: names of commands, options, runs, families, labels."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from imageledger.project import init

BIN = Path(sys.executable).parent
HEAVY = ("numpy", "PIL", "torch", "fastai", "pandas", "sklearn", "scipy", "rich", "cv2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project with two finished runs, one that has begun, and one with a name that no terminal should see."""
    folder = tmp_path_factory.mktemp("completed")
    init(folder, "faces")
    for name in ("first", "frozen", "evil\x1b[31m"):
        (folder / "data" / "runs" / name).mkdir(parents=True)
        (folder / "data" / "runs" / name / "run.json").write_text("{}")
    (folder / "data" / "runs" / ".begun.part").mkdir()
    return folder


def completed(program: str, words: str, place: Path, shell: str = "bash") -> list[str]:
    """What a shell would offer at the end of these words."""
    typed = [program, *words.split(" ")]
    env = {f"_{program.upper()}_COMPLETE": f"{shell}_complete", "COMP_WORDS": " ".join(typed)}
    env["COMP_CWORD"] = typed[-1] if shell == "fish" else str(len(typed) - 1)
    ended = subprocess.run([BIN / program], cwd=place, env=os.environ | env, capture_output=True, text=True, check=True)
    assert ended.stderr == ""
    lines = [line for line in ended.stdout.splitlines() if line]
    return lines[1::3] if shell == "zsh" else [line.partition(",")[2].partition("\t")[0] for line in lines]


@pytest.mark.parametrize(
    ("program", "words", "offered"),
    [
        ("curate", "no", ["normalize"]),
        ("train", "h", ["hold-out"]),
        ("imageledger", "audit top-losses fr", ["frozen"]),
        ("audit", "top-losses ", ["first", "frozen"]),
        ("train", "compare first f", ["first", "frozen"]),
        ("audit", "top-losses --actual ", ["real", "ai"]),
        ("audit", "shortcuts --family jp", ["jpeg-history"]),
        ("audit", "shortcuts --stage w", ["whitened"]),
        ("curate", "manifest --match tone,jp", ["tone,jpeg-history"]),
        ("curate", "look wh", ["whiten"]),
        ("train", "run --recipe fr", ["frozen"]),
        ("curate", "whiten --matting gr", ["grabcut"]),
        ("audit", "calibration --js", ["--json"]),
    ],
)
def test_names_are_completed(folder, program, words, offered):
    assert completed(program, words, folder) == offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_the_same_names(folder, shell):
    assert completed("audit", "top-losses f", folder, shell) == ["first", "frozen"]


def test_outside_a_project_or_in_a_broken_one_nothing_is_offered_and_nothing_said(tmp_path):
    assert completed("audit", "top-losses ", tmp_path) == []
    (tmp_path / "imageledger.toml").write_text("dataset = [")
    assert completed("audit", "top-losses --actual ", tmp_path) == []


def test_the_project_that_was_named_is_the_one_that_is_asked(folder, tmp_path):
    assert completed("audit", f"top-losses --project {folder} fi", tmp_path) == ["first"]


def test_a_key_press_loads_nothing_heavy(folder):
    script = (
        "import json, sys\n"
        "from audit.cli import main\n"
        "try:\n    main()\n"
        f"finally:\n    print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))\n"
    )
    env = os.environ | {"COMP_WORDS": "audit shortcuts --family to", "COMP_CWORD": "3"}
    for words in ("audit shortcuts --family to", "audit top-losses fi", "audit top-losses --actual r"):
        env |= {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")), "_AUDIT_COMPLETE": "bash_complete"}
        code = script.replace("main()", "main(prog_name='audit')")
        ended = subprocess.run([sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True)
        *offered, loaded = ended.stdout.splitlines()
        assert len(offered) == 1, ended.stderr
        assert json.loads(loaded) == []


def test_the_line_that_the_readme_gives_for_bash_sets_up_all_four(folder):
    if not (bash := shutil.which("bash")):
        pytest.skip("there is no bash here")
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (line,) = [line for line in readme.splitlines() if "bash_source" in line]
    script = f"{line}\ncomplete -p imageledger curate train audit\n"
    script += 'COMP_WORDS=(audit top-losses "fr"); COMP_CWORD=2; _audit_completion audit fr top-losses\n'
    script += 'echo "${COMPREPLY[@]}"\n'
    ended = subprocess.run(
        [bash, "--norc", "-c", script], cwd=folder, capture_output=True, text=True, check=True,
        env=os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    *set_up, offered = ended.stdout.splitlines()
    assert [row.split()[-1] for row in set_up] == ["imageledger", "curate", "train", "audit"]
    assert offered == "frozen"
