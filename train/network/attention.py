"""Where a network looks: the evidence of every place of a picture for one class or the other.

Networks with a head of any kind are asked by Grad-CAM: the maps of the last block that still has places, each weighted
by the mean gradient of the log odds (Selvaraju et al. 2017, Grad-CAM: visual explanations from deep networks via
gradient-based localization). The network of the recipe `frozen` is a line on means and spreads of maps, so that its log
odds are a sum over places: no gradient is needed, and nothing is left over. Either way the map says what the network
weighed, not why, and at no finer grid than that of the block.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from imageledger.errors import ModelError
from imageledger.types import Bools, Floats32
from train import views
from train.network.fastai_seam import torch
from train.network.pooled import LEAST_VARIANCE, Pooled
from train.network.predicting import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """What each place of a picture said: height x width of the picture, float32.

    `signed` is the evidence, above 0 for the positive class and below for the negative one; of the recipe `frozen` its
    mean over the picture is the mean of the log odds of the views, of other networks it has no unit. `positive` tells
    which class was called.
    """

    signed: Floats32
    positive: bool

    @property
    def heat(self) -> Floats32:
        """The evidence for the class that was called: 1 where it is strongest, 0 where no place spoke for it."""
        spoken = np.maximum(self.signed if self.positive else -self.signed, 0)
        return np.asarray(spoken / max(float(spoken.max()), 1e-12), dtype=np.float32)

    def share(self, inside: Bools) -> float:
        """Return which share of the evidence for the class that was called lies in a part; NaN where there is none."""
        heat = self.heat
        return float(heat[inside].sum() / heat.sum()) if heat.any() else math.nan


def attend(model: Model, images: Iterable[Image.Image]) -> Iterator[Attention]:
    """Yield where a network looked in upright RGB pictures, in order; views are laid back onto their picture.

    A place that lies in several views counts in each, as it does in the answer; one that lies in none has evidence 0.
    Raises ModelError for a network without a map of places.
    """
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (model.mean, model.std))
    for image in images:
        inputs = ((torch.from_numpy(views.of(image, model.views)) - mean) / std).to(model.device)
        maps, odds = evidence(model.network, inputs)
        called = float(odds.sigmoid().mean()) >= 0.5
        yield Attention(signed=_laid_back(maps, views.places(image.size, model.views), image.size), positive=called)


def evidence(network: Any, inputs: Any) -> tuple[Any, Any]:
    """Return maps of the evidence for the positive class (n x h x w, on the grid of a block), and the log odds (n)."""
    maps, odds = _of_line(network, inputs) if isinstance(network, Pooled) else _by_gradient(network, inputs)
    return maps.detach().float().cpu(), odds.detach().float().cpu()


def _of_line(network: Pooled, inputs: Any) -> tuple[Any, Any]:
    """Share the log odds out among places: mean and spread of a channel are sums over its places.

    A spread s is the mean of (a - m)² / s over places, and a rest that rounding needs. Every block is brought to the
    grid of the last one; the bias and the rests belong to no place and are spread evenly.
    """
    with torch.no_grad():
        seen, maps = inputs, []
        for number, block in enumerate(network.body):
            seen = block(seen)
            maps += [seen] if number in network.taps else []
        weights = iter(network.head.weight[0].split([one.shape[1] for one in maps for _ in ("mean", "spread")]))
        total, odds = torch.zeros_like(maps[-1][:, 0]), network.head.bias
        for one, of_mean, of_spread in zip(maps, weights, weights, strict=True):
            mean = one.mean(dim=(2, 3), keepdim=True)
            squares = (one - mean) ** 2
            spread = (squares.mean(dim=(2, 3), keepdim=True) + LEAST_VARIANCE).sqrt()
            told = (of_mean.view(1, -1, 1, 1) * one + of_spread.view(1, -1, 1, 1) * squares / spread).sum(dim=1)
            total += torch.nn.functional.adaptive_avg_pool2d(told[:, None], total.shape[1:])[:, 0]
            odds = odds + mean[..., 0, 0] @ of_mean + spread[..., 0, 0] @ of_spread
        return total + (odds - total.mean(dim=(1, 2))).view(-1, 1, 1), odds


def _by_gradient(network: Any, inputs: Any) -> tuple[Any, Any]:
    """Weight the last maps that have places by the mean gradient of the log odds."""
    found: list[Any] = []
    hooks = [part.register_forward_hook(partial(_keep, found, name)) for name, part in network.named_modules()]
    try:
        with torch.enable_grad():
            scores = network(inputs.requires_grad_())
            odds = scores[:, -1] - scores[:, 0]
            if not found:
                raise ModelError("this network has no map of places to look at", "a convolutional backbone, or a ViT")
            maps, slopes = _in_places(found[0]), _in_places(torch.autograd.grad(odds.sum(), found[0])[0])
    finally:
        for hook in hooks:
            hook.remove()
    return (maps * slopes.mean(dim=(2, 3), keepdim=True)).sum(dim=1), odds


def _keep(found: list[Any], name: str, _: Any, __: Any, output: Any) -> None:
    """Keep an output that has places, instead of the one before.

    Of a vision transformer these are the tokens that its last block begins with: behind it, only the token that stands
    for the whole picture is read.
    """
    if not isinstance(output, torch.Tensor) or not output.requires_grad:
        return
    if (output.ndim == 4 and min(output.shape[2:]) > 1) or (output.ndim == 3 and name.endswith("norm1")):
        found[:] = [output]


def _in_places(output: Any) -> Any:
    """Return an output as n x k x h x w maps; tokens are places row by row, behind those that stand for the whole."""
    if output.ndim == 4:
        return output
    side = math.isqrt(output.shape[1])
    return output[:, -side * side :].transpose(1, 2).unflatten(2, (side, side))


def _laid_back(maps: Any, places: list[views.Place], size: tuple[int, int]) -> Floats32:
    """Lay the maps of the views onto a picture of (width, height) pixels, so that its mean is that of the views."""
    width, height = size
    whole = np.zeros((height, width), dtype=np.float32)
    for one, place in zip(maps, places, strict=True):
        left, top, right, bottom = (round(edge) for edge in place.box)
        turned = one.flip(-1) if place.mirrored else one
        large = torch.nn.functional.interpolate(
            turned[None, None], size=(bottom - top, right - left), mode="bilinear", align_corners=False
        )[0, 0]
        whole[top:bottom, left:right] += large.numpy() * (width * height / large.numel())
    return np.asarray(whole / np.float32(len(places)), dtype=np.float32)
