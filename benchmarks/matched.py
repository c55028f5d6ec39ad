"""Claim: a matched choice leaves probes of the file less to find than the plain choice, where matching can help.

    python benchmarks/matched.py [TESTDATA] [PROJECTS]

Takes the three portrait sets in TESTDATA (default: ../shared/testdata) through the default stages, or takes them ready
from PROJECTS/<set>, and makes the plain and the matched choice with several seeds. Prints the AUC that probes reach on
the families matched on, and on those held back, which the matching does not see; and that of a probe which the matching
does not use, a random forest with folds of its own. Every number is measured in this run.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from curate.cli import main as curate
from curate.evidence.measure import WHITENED, Table, measure
from curate.evidence.permuted import auc, folds_of, prepare
from curate.evidence.probe import crossvalidated
from curate.manifest.balance import Key, Wanted
from curate.manifest.matched import select
from curate.manifest.report import plain_choice
from curate.nuisance import FAMILIES, family, matched
from curate.nuisance.spelling import spelled
from imageledger import manifest
from imageledger.config import Project, open_project
from imageledger.project import init
from imageledger.record import OK, groups_of

SETS = {"ffhq-vs-stylegan2": 60, "unsplash-vs-stylegan2": 40, "stock-vs-diffusion": 20}
"""The portrait sets, and how many pictures of each class are chosen: about half of what is left after whitening."""

SEEDS = (42, 43, 44)
REPEATS = 3


def main(testdata: Path, projects: Path) -> None:
    """Measure and print."""
    for name, per_class in SETS.items():
        project = ready(testdata, name, projects / name)
        records = [record for record in manifest.read(project.manifest("whiten")) if record.status == OK]
        every = [each for each in FAMILIES if family(each).of != "name"]
        table = measure(project, records, every, stage=WHITENED)
        count = [sum(record.label == label for record in records) for label in project.declared.labels]
        print(f"{name}: {per_class} per class, of {count[0]} and {count[1]}")
        print("  choice         matched on    held back     forest, on    forest, held  each family matched on")
        for seed in SEEDS:
            wanted = Wanted(per_class=per_class, valid_fraction=0.2, seed=seed)
            selection = select(only(table, matched()), "ai", wanted)
            if selection is None:
                print("  nothing to match")
                continue
            show(f"plain {seed}", table, plain_choice(records, wanted))
            show(f"matched {seed}", table, selection.split)
            if selection.hopeless:
                print(f"    left out, as the classes hardly overlap: {', '.join(map(spelled, selection.hopeless))}")


def ready(testdata: Path, name: str, folder: Path) -> Project:
    """Return the project of a set, curated as far as whitening; an existing one is taken as it is."""
    if not folder.is_dir():
        folder.mkdir(parents=True)
        init(folder, name)
        portraits = testdata / "portraits" / name
        model = str(testdata / "models" / "mediapipe_selfie.onnx")
        for command in (
            ["fetch", f"folder:{portraits / 'real'}", "--label", "real"],
            ["fetch", f"folder:{portraits / 'ai'}", "--label", "ai"],
            ["normalize"], ["dedupe"], ["whiten", "--model-path", model],
        ):  # fmt: skip
            result = CliRunner().invoke(curate, [*command, "--quiet", "--project", str(folder)])
            if result.exit_code:
                raise SystemExit(result.output)
    return open_project(folder)


def only(table: Table, families: tuple[str, ...]) -> Table:
    """Return the table with these families alone."""
    return Table(
        table.records,
        {name: table.columns[name] for name in families},
        {name: table.values[name] for name in families},
    )


def show(what: str, table: Table, chosen: Mapping[Key, str]) -> None:
    """Print what probes find in one choice."""
    rows = [row for row, record in enumerate(table.records) if record.key in chosen]
    some = table.take(rows)
    held = tuple(name for name in table.columns if name not in matched())
    cells = [probed(some, matched()), probed(some, held), forest(some, matched()), forest(some, held)]
    each = "  ".join(f"{spelled(name)} {probed(some, (name,)):.2f}" for name in matched())
    print(f"  {what:13}" + "".join(f"  {cell:.2f}        " for cell in cells) + each)


def probed(table: Table, families: tuple[str, ...]) -> float:
    """Return the AUC of the better of the two probes, with scores averaged over repeated folds."""
    label, groups, matrix = numbers(table, families)
    if not matrix.shape[1]:
        return 0.5
    drawn = [crossvalidated(matrix, label, folds_of(label, groups, 900 + n), 900 + n) for n in range(REPEATS)]
    return max(
        float(auc(np.mean([scores[model] for scores in drawn], axis=0)[:, None], label[:, None])[0])
        for model in drawn[0]
    )


def forest(table: Table, families: tuple[str, ...]) -> float:
    """Return the AUC of a random forest, a probe that neither the matching nor the audit knows."""
    label, _, matrix = numbers(table, families)
    folds = StratifiedKFold(10, shuffle=True, random_state=7)
    model = RandomForestClassifier(300, min_samples_leaf=2, random_state=7)
    scores = cross_val_predict(model, matrix, label, cv=folds, method="predict_proba")[:, 1]
    return float(auc(scores[:, None], label[:, None])[0])


def numbers(table: Table, families: tuple[str, ...]) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Return labels, groups and prepared columns."""
    matrix, _ = prepare(np.concatenate([table.values[name] for name in families], axis=1))
    return np.array([record.label == "ai" for record in table.records]), groups_of(table.records), matrix


if __name__ == "__main__":
    given = sys.argv[1:]
    source = Path(given[0]) if given else Path(__file__).resolve().parent.parent.parent / "shared" / "testdata"
    with tempfile.TemporaryDirectory() as temporary:
        main(source, Path(given[1]) if len(given) > 1 else Path(temporary))
