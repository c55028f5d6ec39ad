"""Claim: of ten labels swapped among two hundred, most stand among the first twenty suspects of `audit labels`.

    python benchmarks/labels.py --weights FILE [--swapped 10] [--draws 10] [--repeats 1] PROJECT...

For each curated PROJECT (its final manifest), labels drawn by chance are swapped, as many of each class, the recipe
`strong` (squeezenet1_1 with these weights) learns from them in five folds as train cross-validate does, and the
suspects are ranked as audit labels does, without and with --with-file. Prints how many of the swapped ones are among
the first twenty, and of how many they were: the model's own mistakes compete with them. The files are those of the true
labels, as where pictures were filed wrongly; of a wrong picture within a source a file would say nothing.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit.labels import file_witness
from audit.labels.work import confident
from imageledger import manifest
from imageledger.config import Project, open_project
from imageledger.record import OK, groups_of
from train import pictures
from train.config import TrainSettings
from train.folds import folds_of
from train.network import backbones, weights
from train.network.fastai_seam import vision
from train.pictures import TRAIN, VALID, Picture
from train.recipes import features
from train.recipes import frozen as strong
from train.recipes.pooled import Pooled

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
    truth = np.array([one.label == labels[1] for one in known])
    hits: list[tuple[int, int]] = []
    for draw in range(options.draws):
        rng = np.random.default_rng(draw)
        swapped = np.concatenate([rng.choice(np.flatnonzero(truth == side), options.swapped // 2, replace=False)
                                  for side in (False, True)])  # fmt: skip
        given = [replace(one, label=other(one.label, labels)) if n in set(swapped.tolist()) else one
                 for n, one in enumerate(known)]  # fmt: skip
        positive = np.array([one.label == labels[1] for one in given])
        by_model, _ = confident(shares(given, groups, labels, values, again, options.repeats), positive)
        by_file, _ = confident(file_witness.ask(project, records, positive, groups).shares, positive)
        hits.append((found(by_model, swapped), found(np.minimum(by_model, by_file), swapped)))
    right = float(((clean > 0.5) == truth).mean())
    told = [f"{np.mean(one):.1f} | {min(one)}" for one in zip(*hits, strict=True)]
    print(f"| {project.root.name} | {len(known)} | {right:.3f} | {' | '.join(told)} |", flush=True)


def found(quality: NDArray[np.float64], swapped: NDArray[np.intp]) -> int:
    """Count how many of the swapped ones are among the first suspects."""
    return len(set(np.argsort(quality, kind="stable")[:FIRST].tolist()) & set(swapped.tolist()))


def other(label: str, labels: Sequence[str]) -> str:
    """Return the other label."""
    return labels[0] if label == labels[1] else labels[1]


def frozen(
    project: Project, known: Sequence[Picture], settings: TrainSettings
) -> tuple[features.Features, features.Features]:
    """Return the features that the recipe strong sees, of the pictures and of their worn copies."""
    backbone = backbones.find(settings.arch)
    network = Pooled(backbone, weights.of_body(settings.weights, backbone, lambda _: None)).eval()
    cache = project.root / "data" / "features"
    network = network.to(vision.default_device())
    return features.of(known, network, backbone, strong.VIEWS, wear=range(len(known)), cache=cache)


def shares(
    given: Sequence[Picture],
    groups: Sequence[str],
    labels: Sequence[str],
    values: features.Features,
    again: features.Features,
    repeats: int,
) -> NDArray[np.float64]:
    """Return P(positive) of every picture, out of fold, the mean over repeats."""
    found = np.zeros(len(given))
    for repeat in range(repeats):
        for rows in folds_of([one.label for one in given], groups, 5, 42 + repeat):
            held = set(rows)
            own = [replace(one, split=VALID if row in held else TRAIN) for row, one in enumerate(given)]
            learnt = [row for row in range(len(given)) if row not in held]
            line = strong.fitted(own, labels, values, again[learnt])
            found[list(rows)] += line.probabilities(values[list(rows)]) / repeats
    return found


if __name__ == "__main__":
    main()
