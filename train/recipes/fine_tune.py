"""Fine-tune the whole network: a new head, then fastai's fine_tune (Howard and Gugger 2020)."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from train.config import TrainSettings
from train.network import early_stopping, figures, fit
from train.network.backbones import TIMM, Backbone, quiet_legacy
from train.network.fastai_seam import vision
from train.network.fit import Tell
from train.network.loaders import TRANSFORMS
from train.pictures import Picture
from train.recipes.recipe import Recipe, Trained
from train.views import RESIZE


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
    """Fine-tune with fastai's defaults, as `Recipe` describes; raises ModelError and RunError."""
    shown, chooser = pictures, None
    if settings.early_stopping:
        shown, chooser, folder = early_stopping.divided(pictures, settings.seed), early_stopping.Chooser(), None
    with fit.fixed(settings) as threads:
        learn = fit.learner(shown, labels, settings, backbone, body, folder)
        history = fit.fit(learn, settings, tell, *filter(None, [chooser]), place=place)
        if chooser:
            chooser.put_back(learn)
        return Trained(
            predictions=fit.predict(learn, pictures, labels),
            state={key: value.contiguous().cpu() for key, value in learn.model.state_dict().items()},
            history=history,
            device=str(learn.dls.device),
            threads=threads,
            draw=partial(_draw, learn, history, settings, chooser.best if chooser else 0),
            early_stopping=chooser.choice(history, shown) if chooser else {},
        )


def network(backbone: Backbone, classes: int) -> Any:
    """Build the body and head that fastai builds, with random weights."""
    with quiet_legacy():
        if backbone.name.startswith(TIMM):
            return vision.create_timm_model(backbone.arch, classes, vision.default_split, pretrained=False)[0]
        return vision.create_vision_model(backbone.arch, classes, pretrained=False)


def _draw(
    learn: Any,
    history: Sequence[fit.Epoch],
    settings: TrainSettings,
    chosen: int,
    folder: Path,
    metrics: Mapping[str, Any],
) -> None:
    with fit.fixed(settings):  # the batch that is shown is drawn by chance
        figures.draw_all(folder, learn, history, metrics, chosen)


def _stated(settings: TrainSettings) -> dict[str, Any]:
    return {
        "schedule": fit.schedule(settings),
        "transforms": list(TRANSFORMS),
        "views": {"kind": RESIZE, "size": settings.size},
    }


RECIPE = Recipe(train=train, network=network, stated=_stated)
