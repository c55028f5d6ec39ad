"""Backbones by name: what fastai's vision_learner takes, and how published weights map onto the body it cuts."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from imageledger.errors import ModelError
from imageledger.extras import need
from train.network.fastai_seam import models, vision

TIMM = "timm:"
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbone:
    """A network that fastai can cut into body and head.

    `arch` goes to vision_learner as it is. `body` maps each key of the published weights to the key in the cut body
    and its shape; `head` are the published keys that the cut throws away. `mean` and `std` (per channel, of values
    in 0..1) are what the published weights expect. `url` and `file_name` say where these weights come from.
    """

    name: str
    arch: Any
    body: Mapping[str, tuple[str, Shape]]
    head: frozenset[str]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    url: str = ""
    file_name: str = ""


def find(name: str) -> Backbone:
    """Return a backbone by torchvision's name or "timm:NAME"; raise ModelError when there is none that can be cut."""
    with quiet_legacy():
        return _from_timm(name.removeprefix(TIMM)) if name.startswith(TIMM) else _from_torchvision(name)


@contextmanager
def quiet_legacy() -> Iterator[None]:
    """Silence torchvision on how some builders initialise, and on the `pretrained` word that fastai still uses."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module=r"torchvision\.")
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"torchvision\.")
        yield


def _from_torchvision(name: str) -> Backbone:
    known = models.list_models(module=models)
    if name not in known:
        near = ", ".join(get_close_matches(name, known, 3)) or "resnet18, resnet50, squeezenet1_1, …"
        raise ModelError(f"torchvision has no classification model {name!r}", f"{near}, or timm:NAME")
    arch = models.get_model_builder(name)
    whole = arch(weights=None)
    cut = vision.model_meta.get(arch, {"cut": None})["cut"]
    try:
        body = vision.create_body(whole, pretrained=False, cut=cut)
        vision.num_features_model(vision.nn.Sequential(*body.children()))
    except (StopIteration, RuntimeError, TypeError, AttributeError, ValueError) as error:
        raise _cannot_be_cut(name) from error
    mapping, head = _mapped(whole, body)
    if len(mapping) < len(head):
        raise _cannot_be_cut(name)
    weights = models.get_model_weights(arch).DEFAULT
    return Backbone(
        name=name,
        arch=arch,
        body=mapping,
        head=head,
        mean=vision.imagenet_stats[0],
        std=vision.imagenet_stats[1],
        url=weights.url,
        file_name=weights.url.rpartition("/")[2],
    )


def _from_timm(name: str) -> Backbone:
    timm = need("timm", "train")
    if not timm.is_model(name):
        near = ", ".join(f"{TIMM}{other}" for other in get_close_matches(name, timm.list_models(), 3))
        raise ModelError(f"timm has no model {name!r}", near or "timm.list_models() shows all names")
    whole = timm.create_model(name, pretrained=False)
    bare = timm.create_model(name, pretrained=False, num_classes=0).state_dict()
    published = whole.state_dict()
    cfg = whole.pretrained_cfg
    repo = cfg.get("hf_hub_id")
    hub = need("huggingface_hub", "train") if repo else None
    return Backbone(
        name=f"{TIMM}{name}",
        arch=name,
        body={key: (f"model.{key}", tuple(value.shape)) for key, value in bare.items() if key in published},
        head=frozenset(published) - frozenset(bare),
        mean=tuple(cfg["mean"]),
        std=tuple(cfg["std"]),
        url=hub.hf_hub_url(repo, "model.safetensors") if hub else "",
        file_name=f"timm-{name}.safetensors",
    )


def _mapped(whole: Any, body: Any) -> tuple[dict[str, tuple[str, Shape]], frozenset[str]]:
    """Match the keys of a whole model with those of the body cut from it: both hold the very same tensors."""
    place = {id(tensor): key for key, tensor in body.state_dict(keep_vars=True).items()}
    tensors = whole.state_dict(keep_vars=True)
    mapping = {key: (place[id(t)], tuple(t.shape)) for key, t in tensors.items() if id(t) in place}
    return mapping, frozenset(tensors) - frozenset(mapping)


def _cannot_be_cut(name: str) -> ModelError:
    return ModelError(
        f"fastai cannot cut {name} into body and head",
        "resnet18, resnet34, resnet50, squeezenet1_1, densenet121, efficientnet_b0, convnext_tiny, or timm:NAME",
    )


def body_of(backbone: Backbone) -> Any:
    """Return the body that fastai cuts from a backbone, with random weights."""
    with quiet_legacy():
        if backbone.name.startswith(TIMM):
            return vision.create_timm_model(backbone.arch, 2, vision.default_split, pretrained=False)[0][0]
        cut = vision.model_meta.get(backbone.arch, {"cut": None})["cut"]
        return vision.create_body(backbone.arch(weights=None), pretrained=False, cut=cut)
