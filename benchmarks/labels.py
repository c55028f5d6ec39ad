"""Claim: of ten labels swapped among two hundred, most stand among the first twenty suspects of `audit labels`.

    python benchmarks/labels.py --weights FILE [--swapped 10] [--draws 10] [--repeats 1] PROJECT...

In the final manifest of each curated PROJECT, labels drawn by chance are swapped, equally many per class. The recipe
`frozen` (squeezenet1_1 with these weights) learns from them in five folds, as in train cross-validate, and the suspects
are ranked as in audit labels, without and with --with-file. Prints how many swapped labels are among the first twenty
suspects, the mean and the least over the draws, beside the accuracy with the labels as they are: the model's own
mistakes compete with the swapped labels. The files stay those of the true labels, as if pictures had been filed under
the wrong label; about a picture of the other class within a source, a file would say nothing.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit.labels import file_witness
from audit.labels.judge import confident
from imageledger import manifest
from imageledger.config import Project, open_project
from imageledger.record import OK, groups_of
from train import pictures
from train.config import TrainSettings
from train.folds import folds_of
from train.network import backbones, features, weights
from train.network.fastai_seam import vision
from train.network.pooled import Pooled
from train.pictures import TRAIN, VALID, Picture
from train.recipes import frozen as recipe

FIRST = 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", nargs="+", type=Path)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--swapped", type=int, default=10)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    print(f"{options.swapped} labels swapped, {options.draws} draws; found among the first {FIRST} suspects:")
    print("| set | pictures | accuracy, labels as they are | found, mean | least | with the file, mean | least |")
    print("|---|---|---|---|---|---|---|")
    for place in options.projects:
        row(open_project(place), options)


def row(project: Project, options: argparse.Namespace) -> None:
    """Swap, learn, rank and count for one project."""
    labels, path = project.declared.labels, project.manifest("manifest")
    known = pictures.from_manifest(path, project.store, labels)
    records = [record for record in manifest.read(path) if record.status == OK]
    groups = groups_of(records)
    values, again = frozen(project, known, TrainSettings(arch="squeezenet1_1", weights=options.weights))
    clean = shares(known, groups, labels, values, again, options.repeats)
    truth = np.array([picture.label == labels[1] for picture in known])
    hits: list[tuple[int, int]] = []
    for draw in range(options.draws):
        rng = np.random.default_rng(draw)
        swapped = np.concatenate([rng.choice(np.flatnonzero(truth == side), options.swapped // 2, replace=False)
                                  for side in (False, True)])  # fmt: skip
        given = [replace(picture, label=other(picture.label, labels)) if n in set(swapped.tolist()) else picture
                 for n, picture in enumerate(known)]  # fmt: skip
        positive = np.array([picture.label == labels[1] for picture in given])
        by_model, _ = confident(shares(given, groups, labels, values, again, options.repeats), positive)
        by_file, _ = confident(file_witness.ask(project, records, positive, groups).shares, positive)
        hits.append((among_first(by_model, swapped), among_first(np.minimum(by_model, by_file), swapped)))
    right = float(((clean > 0.5) == truth).mean())
    cells = [f"{np.mean(counts):.1f} | {min(counts)}" for counts in zip(*hits, strict=True)]
    print(f"| {project.root.name} | {len(known)} | {right:.3f} | {' | '.join(cells)} |", flush=True)


def among_first(quality: NDArray[np.float64], swapped: NDArray[np.intp]) -> int:
    """Count how many swapped labels are among the first suspects."""
    return len(set(np.argsort(quality, kind="stable")[:FIRST].tolist()) & set(swapped.tolist()))


def other(label: str, labels: Sequence[str]) -> str:
    """Return the other label."""
    return labels[0] if label == labels[1] else labels[1]


def frozen(
    project: Project, known: Sequence[Picture], settings: TrainSettings
) -> tuple[features.Features, features.Features]:
    """Return the features that the recipe frozen sees, of the pictures and of their degraded copies."""
    backbone = backbones.find(settings.arch)
    network = Pooled(backbone, weights.of_body(settings.weights, backbone)).eval()
    cache = project.root / "data" / "features"
    network = network.to(vision.default_device())
    return features.of(known, network, backbone, recipe.VIEWS, degraded=range(len(known)), cache=cache)


def shares(
    given: Sequence[Picture],
    groups: Sequence[str],
    labels: Sequence[str],
    values: features.Features,
    again: features.Features,
    repeats: int,
) -> NDArray[np.float64]:
    """Return P(positive) of every picture, out of fold, the mean over repeats."""
    total = np.zeros(len(given))
    for repeat in range(repeats):
        for rows in folds_of([picture.label for picture in given], groups, 5, 42 + repeat):
            held = set(rows)
            own = [replace(picture, split=VALID if row in held else TRAIN) for row, picture in enumerate(given)]
            learnt = [row for row in range(len(given)) if row not in held]
            line = recipe.fitted(own, labels, values, again[learnt])
            total[list(rows)] += line.probabilities(values[list(rows)]) / repeats
    return total


if __name__ == "__main__":
    main()
