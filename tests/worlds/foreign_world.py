"""A small project with a file of every kind that may come from strangers, and ways to do harm to each of them."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import crossvalidated_world
from drawn import portrait
from hypothesis import strategies as st

from curate.evidence.measure import measure
from curate.fetch.work import fetch
from curate.run.work import run as run_stages
from curate.sources import ledger
from imageledger import manifest, seal
from imageledger.config import Project, open_project
from imageledger.record import Record
from train.evaluation.evaluate import evaluate
from train.evaluation.metrics import score
from train.evaluation.temperature import Calibration
from train.models import package as packages
from train.models.steps import Steps
from train.runs import read_predictions

EACH = 4
TOML = """dataset = "drawn"
seed = 42
per_class = 4
valid_fraction = 0.25
licences = []
order = ["fetch", "normalize", "dedupe", "manifest"]

[[source]]
address = "folder:pictures"
table = "labels.csv"
generator = "drawn"

[normalize]
detector = "cascade"
recipe = "plain"
size = 48

[dedupe]
distance = 0

[manifest]
match = []

[train]
arch = "squeezenet1_1"
weights = "none"
epochs = 2
"""


def build(root: Path) -> Project:
    """Make the project: pictures, a table, all stages, decisions, kept numbers, two runs and what they leave."""
    pictures = root / "pictures"
    pictures.mkdir(parents=True)
    rows = [("path", "label", "group", "split")]
    for number in range(2 * EACH):
        portrait(300 + number, 80)[0].save(pictures / f"{number}.png")
        rows.append((f"{number}.png", ("real", "ai")[number % 2], f"g{number}", ""))
    (root / "labels.csv").write_text("".join(",".join(row) + "\n" for row in rows), encoding="utf-8")
    (root / "imageledger.toml").write_text(TOML, encoding="utf-8")
    project = open_project(root)
    decision = {"source": "folder:pictures", "member": "0.png", "decision": "keep", "who": "me", "why": "seen"}
    project.folder.mkdir(parents=True)
    (project.folder / "decisions.jsonl").write_text(json.dumps(decision) + "\n", encoding="utf-8")
    fetch(project)
    for _ in run_stages(project, workers=1):
        pass
    final = list(manifest.read(project.manifest("manifest")))
    measure(project, final, ("tone",), workers=1)
    folder = _runs(project)
    Calibration(temperature=1.5, interval=(1.0, 2.0), low=0.2, high=0.8, n=8, fewest=4, kind="split").save(folder)
    (folder / "audit").mkdir()
    told = {"source": "zip:x", "sentence": "All alike."}
    (folder / "audit" / "foreign-real-x.json").write_text(json.dumps(seal.sealed(told)), encoding="utf-8")
    _exported(root / "exported", project.declared.labels)
    listing = root / "data" / "downloads" / "kaggle" / "a" / "b" / "1" / "listing.json"
    listing.parent.mkdir(parents=True)
    listing.write_text('[["real/1.jpg", 7], ["ai/1.jpg", 8]]', encoding="utf-8")
    ledger.note(project, "kaggle:a/b@1", title="b", published_licence="CC0-1.0", published_bytes=15)
    (root / "data" / "audit").mkdir(exist_ok=True)
    (root / "data" / "audit" / "looks.json").write_text('{"drawn/final": ["0123456789abcdef"]}', encoding="utf-8")
    for path in (root / "data" / "stamps").glob("*.json"):  # inodes and times would make other examples each time
        path.write_text('{"0.png": "1 2 3", "1.png": "1 2 4"}', encoding="utf-8")
    return project


def _exported(folder: Path, labels: tuple[str, ...]) -> None:
    """Leave the model.json of an exported model."""
    views = {"kind": "resize", "size": 64, "mean": [0.5] * 3, "std": [0.2] * 3}
    found = Calibration(temperature=1.5, interval=(1.0, 2.0), low=0.2, high=0.8, n=8, fewest=4, kind="split")
    package = packages.Package(
        name="first", recipe="fine-tune", backbone="resnet18", labels=(labels[0], labels[1]), views=views,
        steps=Steps(), calibration=found, files={packages.WEIGHTS: packages.facts(b"weights")},
    )  # fmt: skip
    folder.mkdir()
    (folder / packages.JSON).write_text(package.to_json(), encoding="utf-8")


def _runs(project: Project) -> Path:
    """Leave a run on one split, and a cross-validated one, both with their figures; return the folder of the latter."""

    def share(row: Record) -> float:
        return int(row.file[:4], 16) / 0x10000

    folds, labels = [1, 1, 2, 2] * (EACH // 2), project.declared.labels
    folder = crossvalidated_world.leave(project, share, folds=folds)
    said = list(read_predictions(folder))
    judged = evaluate(said, labels, [row.member for row in said])
    figures = {"metrics": score(said, labels, {}), "evaluation": judged, "settings": {"arch": "resnet18", "repeats": 1}}
    crossvalidated_world.leave(project, share, name="first", folds=folds, kind="split", **figures)
    return crossvalidated_world.leave(project, share, folds=folds, **figures)


def targets(project: Project) -> list[str]:
    """Return the files that may come from strangers, as paths within the project."""
    kinds = ("*.toml", "*.csv", "manifests/**/*.json*", "data/measured/*", "data/runs/**/*.json*", "data/stamps/*",
             "data/audit/*.json", "data/downloads/**/*.json", "exported/*.json")  # fmt: skip
    found = {path.relative_to(project.root).as_posix() for kind in kinds for path in project.root.glob(kind)}
    return sorted(name for name in found if "sample" not in name)


DEEP = "[" * 100_000
NUMBERS = (0, -1, 1, 2, 10**400, -(10**25), 1e308, 0.5, -0.5, 1e-320, float("nan"), float("inf"))
TEXTS = ("", "\0", "../../x", "\ud800", "a/b", "ai", "real", "valid", "\u2028", "x" * 5000, "=1+1", "(", "[", "*",
         "-", "{}", "folder:", "kaggle:a/b@99999999999999999999", "zip:labels.csv", "9" * 5000, "e\u0301",
         "\x1b[31m")  # fmt: skip
WHOLE = (b"", b"null", b"[]", b"7", b"{}", b'"x"', b"\xff\xfe\x00", b"\xef\xbb\xbf", DEEP.encode(), b"9" * 5000,
         b'{"a":' * 50_000, b"\0" * 100, b"NaN", b'"\\ud800"', b"\n\n\n", b"[[[[\n")  # fmt: skip

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.sampled_from(TEXTS) | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TEXTS[:8]), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def harmed(draw: Callable[..., Any], name: str, content: bytes) -> bytes:
    """Draw what a file may have become: torn, flipped, replaced, or with other values in its sound form."""
    how = draw(st.sampled_from(("value", "value", "value", "bytes", "whole")))
    if how == "whole":
        return draw(st.sampled_from(WHOLE) | st.binary(max_size=40))
    if how == "value" and content:
        if name.endswith((".json", ".jsonl")):
            return draw(_other_json(name, content))
        if name.endswith(".toml"):
            return draw(_other_toml(content.decode()))
        return draw(_other_csv(content.decode()))
    return draw(_other_bytes(content))


@st.composite
def _other_bytes(draw: Callable[..., Any], content: bytes) -> bytes:
    place = draw(st.integers(0, len(content)))
    end = draw(st.integers(place, min(len(content), place + 60)))
    kind = draw(st.sampled_from(("flip", "cut", "insert", "drop", "double")))
    if kind == "flip" and place < len(content):
        return content[:place] + bytes([content[place] ^ 1 << draw(st.integers(0, 7))]) + content[place + 1 :]
    if kind == "cut":
        return content[:place]
    if kind == "insert":
        return content[:place] + draw(st.binary(min_size=1, max_size=6) | st.sampled_from(WHOLE)) + content[place:]
    return content[:place] + (b"" if kind == "drop" else 2 * content[place:end]) + content[end:]


@st.composite
def _other_json(draw: Callable[..., Any], name: str, content: bytes) -> bytes:
    """Change, add or remove one value anywhere in JSON, or in a line of it; a seal is made anew."""
    lines = content.decode().split("\n")[:-1] if name.endswith(".jsonl") else [content.decode()]
    number = draw(st.integers(0, len(lines) - 1))
    tree = json.loads(lines[number])
    sealed = isinstance(tree, dict) and tree.pop(seal.KEY, None) is not None
    parent, key, node = None, None, tree
    for _ in range(draw(st.integers(0, 4))):
        if not (isinstance(node, dict | list) and node):
            break
        key = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        parent, node = node, node[key]
    if parent is None:
        tree = draw(values)
    elif isinstance(parent, dict) and draw(st.integers(0, 5)) == 0:
        del parent[key]
    else:
        parent[key] = draw(values)
    if sealed and isinstance(tree, dict):
        measured = "measured" in name
        lines[number] = seal.line_of(tree) if measured else json.dumps(seal.sealed(tree), indent=2)
    else:
        lines[number] = json.dumps(tree, ensure_ascii=draw(st.booleans()))
    return "\n".join([*lines, ""]).encode("utf-8", "surrogatepass")


@st.composite
def _other_toml(draw: Callable[..., Any], text: str) -> bytes:
    """Give one setting another value, of any type."""
    lines = text.split("\n")
    places = [number for number, line in enumerate(lines) if " = " in line]
    number = draw(st.sampled_from(places))
    value = draw(st.sampled_from(NUMBERS) | st.sampled_from(TEXTS) | st.booleans() | st.just([]) | st.just(["x"]))
    written = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else None
    if written is None:
        written = str(value) if isinstance(value, int | float) else json.dumps(value, ensure_ascii=False)
    lines[number] = f"{lines[number].split(' = ')[0]} = {written}"
    return "\n".join(lines).encode("utf-8", "replace")


@st.composite
def _other_csv(draw: Callable[..., Any], text: str) -> bytes:
    """Give one cell another text, or a column another name."""
    rows = list(csv.reader(io.StringIO(text)))
    row = draw(st.sampled_from([row for row in rows if row]))
    row[draw(st.integers(0, len(row) - 1))] = draw(st.sampled_from(TEXTS) | st.text(max_size=5))
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows(rows)
    return target.getvalue().encode("utf-8", "surrogatepass")


def vouch(project: Project, name: str) -> None:
    """Make the card of a changed manifest say that this is the manifest it was made for, as a stranger would."""
    path = project.root / name
    card = manifest.card_path(path)
    if path.suffix == ".jsonl" and card.is_file():
        made = json.loads(card.read_text(encoding="utf-8"))
        made.pop(seal.KEY, None)
        made["digest"] = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        card.write_text(json.dumps(seal.sealed(made)), encoding="utf-8")


def restore(project: Project, sound: Mapping[str, bytes]) -> None:
    """Make every file what it was, and remove what a command has written since."""
    for name in set(targets(project)) | set(sound):
        if name not in sound:
            (project.root / name).unlink()
        elif not (path := project.root / name).is_file() or path.read_bytes() != sound[name]:
            path.write_bytes(sound[name])
