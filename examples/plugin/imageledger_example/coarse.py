"""Logistic regression on 8 x 8 coloured squares of each picture: a floor that any network should beat."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from train import views
from train.config import TrainSettings
from train.evaluation.metrics import answer
from train.pictures import TRAIN, Picture
from train.recipes import Recipe, Trained
from train.runs import Prediction

VIEWS: Mapping[str, Any] = {"kind": views.RESIZE, "size": 32}
SQUARES = 8


def network(backbone: Any, classes: int) -> Any:
    """Return means over squares, and a line on top; the backbone is not used."""
    from train.network.fastai_seam import torch

    nn = torch.nn
    return nn.Sequential(nn.AdaptiveAvgPool2d(SQUARES), nn.Flatten(), nn.Linear(3 * SQUARES**2, classes))


def train(
    pictures: Sequence[Picture], labels: Sequence[str], settings: TrainSettings, backbone: Any, body: Any, *,
    tell: Any, folder: Path | None = None, cache: Path | None = None, place: Path | None = None,
) -> Trained:  # fmt: skip
    """Fit to the pictures of the split "train" alone, and answer for all."""
    from sklearn.linear_model import LogisticRegression

    from train.network.fastai_seam import torch
    from train.network.fit import Epoch
    from train.network.loaders import decoded

    made = network(backbone, len(labels)).eval()
    pixels = torch.from_numpy(np.concatenate([views.of(decoded(picture.path), VIEWS) for picture in pictures]))
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (backbone.mean, backbone.std))
    with torch.no_grad():
        squares = made[:2]((pixels - mean) / std)
    known = [row for row, picture in enumerate(pictures) if picture.split == TRAIN]
    line = LogisticRegression(C=0.1, max_iter=500).fit(
        squares[known].numpy(), [pictures[row].label == labels[-1] for row in known]
    )
    weight, bias = torch.tensor(line.coef_[0]) / 2, float(line.intercept_[0]) / 2
    with torch.no_grad():
        made[2].weight.copy_(torch.stack([-weight, weight]))
        made[2].bias.copy_(torch.tensor([-bias, bias]))
        shares = made[2](squares).softmax(dim=1)[:, -1].tolist()
    predictions = [
        Prediction(source=picture.source, member=picture.member, file=picture.file, label=picture.label,
                   split=picture.split, **answer(float(f"{share:.9g}"), picture.label, labels))
        for picture, share in zip(pictures, shares, strict=True)
    ]  # fmt: skip
    epoch = Epoch(epoch=1, phase="line", train_loss=float(np.mean([predictions[row].loss for row in known])),
                  valid_loss=None, error_rate=None)  # fmt: skip
    tell(len(pictures), len(pictures), epoch)
    return Trained(predictions=predictions, state=made.state_dict(), history=[epoch], device="cpu", threads=1,
                   draw=lambda folder, confusion: None)  # fmt: skip


def stated(settings: TrainSettings) -> dict[str, Any]:
    """Say for run.json what was done."""
    return {"schedule": "logistic regression, C = 0.1", "transforms": ["means of 8 x 8 squares"], "views": dict(VIEWS)}


RECIPE = Recipe(train=train, network=network, stated=stated, unused=frozenset({"epochs", "batch_size"}))
