"""Fit a linear classifier to what a frozen, pretrained network sees in nine crops of each picture.

With 160 pictures there is little to fine-tune a network with. Linear probes on frozen features are the better learners
there (Kornblith, Shlens and Le 2019; Ojha, Li and Lee 2023, who find them to generalise to other generators). Means
and spreads of early blocks keep texture that the last block has thrown away (Gatys, Ecker and Bethge 2015), and a
network that ends early looks at patches rather than at content (Chai et al. 2020, What makes fake images detectable?).
Crops at the picture's own resolution spare the traces that a resize destroys (Gragnaniello et al. 2021). A degraded
copy of each training picture, which counts little, keeps it from trusting what the first recompression takes away
(Wang et al. 2020). docs/training.md shows what else was tried.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from imageledger.errors import ConfigError
from imageledger.figure import drawn, styled
from imageledger.letters import visible
from imageledger.store import write_whole
from imageledger.types import Floats
from train.config import TrainSettings
from train.evaluation import figures as evaluation_figures
from train.evaluation.metrics import answer
from train.network import devices, features, fit
from train.network.backbones import Backbone
from train.network.fastai_seam import torch
from train.network.fit import FROZEN, Epoch, Tell
from train.network.loaders import decoded
from train.network.pooled import Pooled
from train.pictures import TRAIN, VALID, Picture
from train.recipes.recipe import Recipe, Trained
from train.runs import Prediction
from train.views import of as stacked_views

VIEWS: Mapping[str, Any] = {"kind": "crops", "across": 3, "share": 0.5, "flip": False, "most": 512}
"""Nine overlapping squares of half the shorter side, at the picture's own resolution; mirror images add nothing."""

LOOSE = 256.0
"""How weak the penalty on the weights is: C of the logistic regression times features times views."""

DEGRADED = 0.2
"""What a degraded copy of a training picture (`train.degrade`) counts, beside 1 for the picture itself."""

STEPS = 300


@dataclass(frozen=True, slots=True)
class Line:
    """A linear model: one weight a feature, and a bias."""

    weight: Floats
    bias: float

    def probabilities(self, values: features.Features) -> Floats:
        """Return P(positive) of n pictures from n x views x k features: the mean over their views."""
        scores = values.astype(np.float64) @ self.weight + self.bias
        return np.asarray((1 / (1 + np.exp(-scores))).mean(axis=1))


def train(
    pictures: Sequence[Picture],
    labels: Sequence[str],
    settings: TrainSettings,
    backbone: Backbone,
    body: dict[str, Any] | None,
    *,
    tell: Tell,
    folder: Path | None = None,
    cache: Path | None = None,
    place: Path | None = None,
) -> Trained:
    """Fit a line to frozen features, as `Recipe` describes; raises ConfigError without weights."""
    if body is None:
        raise ConfigError("the recipe frozen needs a pretrained network", "--weights imagenet, or a file")
    with fit.fixed(settings) as threads:
        device = devices.chosen(settings)
        network = Pooled(backbone, body).eval().to(device)
        total = len(pictures)
        values, again = features.of(
            pictures, network, backbone, VIEWS, cache=cache, tell=lambda done, _: tell(done, total, None),
            degraded=[row for row, picture in enumerate(pictures) if picture.split == TRAIN],
        )  # fmt: skip
        line = fitted(pictures, labels, values, again)
        predictions = _predictions(pictures, labels, line.probabilities(values))
        history = _history(predictions)
        tell(total, total, history[0])
        with torch.no_grad():
            network.head.weight.copy_(torch.tensor(line.weight[None]))
            network.head.bias.fill_(line.bias)
    return Trained(
        predictions=predictions,
        state={key: value.contiguous().cpu() for key, value in network.state_dict().items()},
        history=history,
        device=str(device),
        threads=threads,
        draw=partial(_draw, pictures, predictions, labels),
    )


def fitted(
    pictures: Sequence[Picture],
    labels: Sequence[str],
    values: features.Features,
    again: features.Features | None = None,
    loose: float = LOOSE,
) -> Line:
    """Fit to every view of the training pictures; the standardisation of the features goes into the weights.

    `again` holds the features of degraded copies of the training pictures alone, in the same order, which count
    DEGRADED each.
    """
    from sklearn.linear_model import LogisticRegression

    rows = [number for number, picture in enumerate(pictures) if picture.split == TRAIN]
    views, width = values.shape[1:]
    seen = [values[rows]] if again is None else [values[rows], again]
    known = np.concatenate(seen).reshape(-1, width).astype(np.float64)
    counts = np.repeat([1.0, DEGRADED][: len(seen)], len(rows) * views)
    counts *= len(rows) * views / counts.sum()
    positive = np.tile(np.repeat([pictures[row].label == labels[-1] for row in rows], views), len(seen))
    middle = np.average(known, axis=0, weights=counts)
    spread = np.sqrt(np.average((known - middle) ** 2, axis=0, weights=counts))
    spread[spread < 1e-6] = np.inf  # a channel that is dead in every picture says nothing
    learner = LogisticRegression(C=loose / (width * views), max_iter=STEPS)
    regression = learner.fit((known - middle) / spread, positive, sample_weight=counts)
    weight = regression.coef_[0] / spread
    return Line(weight, float(regression.intercept_[0] - weight @ middle))


def _predictions(pictures: Sequence[Picture], labels: Sequence[str], probabilities: Floats) -> list[Prediction]:
    return [
        Prediction(
            source=picture.source,
            member=picture.member,
            file=picture.file,
            label=picture.label,
            split=picture.split,
            **answer(float(f"{share:.9g}"), picture.label, labels),
        )
        for picture, share in zip(pictures, probabilities.tolist(), strict=True)
    ]


def _history(predictions: Sequence[Prediction]) -> list[Epoch]:
    """Return the one row that there is: a line has no epochs."""
    known, new = ([row for row in predictions if row.split == split] for split in (TRAIN, VALID))
    return [
        Epoch(
            epoch=1,
            phase=FROZEN,
            train_loss=float(np.mean([row.loss for row in known])),
            valid_loss=float(np.mean([row.loss for row in new])) if new else None,
            error_rate=float(np.mean([row.label != row.predicted for row in new])) if new else None,
        )
    ]


def _draw(
    pictures: Sequence[Picture], predictions: Sequence[Prediction], labels: Sequence[str], folder: Path,
    metrics: Mapping[str, Any],
) -> None:  # fmt: skip
    """Write what the network sees of three pictures, and whom it called what."""
    shown = [picture for picture in pictures if picture.split == TRAIN][:3]
    rows = [stacked_views(decoded(picture.path), VIEWS) for picture in shown]
    views = drawn(
        (7.2, 3.0), partial(_views, rows, shown), title="What the network sees of three training pictures",
        note=f"{len(rows[0])} views per picture",
    )  # fmt: skip
    write_whole(folder / "views.png", views)
    judged = sum(prediction.split == VALID for prediction in predictions)
    counts = {actual: {called: metrics["confusion"][actual][called] for called in labels} for actual in labels}
    ends = evaluation_figures.recall_ends(metrics)
    matrix = evaluation_figures.confusion(counts, f"{judged} validation pictures", ends)
    write_whole(folder / "confusion_matrix.png", matrix)


def _views(rows: Sequence[Any], shown: Sequence[Picture], figure: Any) -> None:
    cells = figure.subplots(len(rows), len(rows[0]), squeeze=False)
    for line, picture, seen in zip(cells, shown, rows, strict=True):
        for axes, view in zip(line, seen, strict=True):
            axes.imshow(view.transpose(1, 2, 0))
            axes.set_xticks([])
            axes.set_yticks([])
            styled(axes)
        line[0].set_ylabel(visible(picture.label))


def _stated(settings: TrainSettings) -> dict[str, Any]:
    return {
        "schedule": f"logistic regression on frozen features, C = {LOOSE:g} / (features x views)",
        "transforms": [
            "nine overlapping squares at the picture's own resolution",
            "Normalize(mean and std)",
            f"a degraded copy of each training picture, which counts {DEGRADED:g}",
        ],
        "views": dict(VIEWS),
    }


RECIPE = Recipe(
    train=train,
    network=lambda backbone, _: Pooled(backbone),
    stated=_stated,
    unused=frozenset({"epochs", "size", "batch_size", "workers", "early_stopping", "precision"}),
)
