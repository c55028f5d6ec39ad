"""The recipe `seed`: one backbone, its head new, and fastai's `fine_tune` (Howard and Gugger 2020)."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from train import figures, fit
from train.backbones import Backbone
from train.config import TrainSettings
from train.fit import Tell
from train.pictures import Picture
from train.recipes import Trained


def train(
    pictures: Sequence[Picture],
    labels: Sequence[str],
    settings: TrainSettings,
    backbone: Backbone,
    body: dict[str, Any] | None,
    *,
    tell: Tell,
    folder: Path | None = None,
) -> Trained:
    """Fine-tune with fastai's defaults, as `train.recipes.Recipe` describes; raises ModelError and RunError."""
    with fit.fixed(settings) as threads:
        learn = fit.learner(pictures, labels, settings, backbone, body, folder)
        history = fit.fit(learn, settings, tell)
        return Trained(
            predictions=fit.predict(learn, pictures, labels),
            state={key: value.contiguous().cpu() for key, value in learn.model.state_dict().items()},
            history=history,
            device=str(learn.dls.device),
            threads=threads,
            draw=partial(_draw, learn, history, settings),
        )


def _draw(
    learn: Any, history: Sequence[fit.Epoch], settings: TrainSettings, folder: Path, confusion: Mapping[str, Any]
) -> None:
    with fit.fixed(settings):  # the batch that is shown is drawn by chance
        figures.draw_all(folder, learn, history, confusion)
