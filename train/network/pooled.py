"""The network of the recipe `frozen`: means and spreads of earlier blocks of a frozen body, and one linear layer."""

from collections.abc import Sequence
from typing import Any

from train.network.backbones import Backbone, body_of
from train.network.fastai_seam import torch, vision

LEAST_VARIANCE = 1e-8
"""Added before a root is taken: a channel that is dead in a picture has no spread."""

KEPT = 2 / 3
"""The share of its blocks that is looked through: the later ones know what is in a picture rather than how it was made
(Chai et al. 2020); without them answers are as good, and follow the file a little less (docs/training.md)."""


class Pooled(vision.nn.Module):  # type: ignore[misc, name-defined]
    """Pictures (n x 3 x h x w, normalised, any size) to two logits, of which the first is always 0.

    Features are the mean and the standard deviation of every channel after each block of the body, which ends with the
    last block that is looked behind: two thirds of the way in, or all the way with `kept` 1.
    """

    def __init__(self, backbone: Backbone, body: dict[str, Any] | None = None, *, kept: float = KEPT) -> None:
        """Build it with random weights, or with a state of the body, as `weights.of_body` returns it."""
        super().__init__()
        whole = body_of(backbone)
        if body is not None:
            whole.load_state_dict(body, strict=False)  # `weights.of_body` has checked: only counters can miss
        self.taps = taps(blocks(whole), kept)
        self.body = vision.nn.Sequential(*blocks(whole)[: max(self.taps) + 1])
        self.head = vision.nn.Linear(2 * sum(self.widths()), 1)

    def widths(self) -> list[int]:
        """Return the number of channels after each block that is looked behind."""
        widths, seen = [], torch.zeros(1, 3, 64, 64)
        with torch.no_grad():
            for number, block in enumerate(self.body.eval()):
                seen = block(seen)
                widths += [int(seen.shape[1])] if number in self.taps else []
        return widths

    def features(self, pictures: Any) -> Any:
        """Return n x k features of normalised pictures."""
        features, seen = [], pictures
        for number, block in enumerate(self.body):
            seen = block(seen)
            if number in self.taps:
                features += [seen.mean(dim=(2, 3)), (seen.var(dim=(2, 3), unbiased=False) + LEAST_VARIANCE).sqrt()]
        return torch.cat(features, dim=1)

    def forward(self, pictures: Any) -> Any:
        """Return n x 2 logits, negative class first."""
        score = self.head(self.features(pictures))
        return torch.cat([torch.zeros_like(score), score], dim=1)


def blocks(body: Any) -> list[Any]:
    """Return the parts of a body in order; a body that is no sequence is one part."""
    while isinstance(body, vision.nn.Sequential) and len(body) == 1:
        body = body[0]
    return list(body) if isinstance(body, vision.nn.Sequential) else [body]


def taps(parts: Sequence[Any], kept: float) -> frozenset[int]:
    """Choose the parts to look behind: the first of those made of parts (Fire, residual and dense blocks), or the last.

    `kept` is the share of them that is taken, at least one.
    """
    made = [number for number, part in enumerate(parts) if list(part.children()) and list(part.parameters())]
    return frozenset(made[: max(1, round(kept * len(made)))] or [len(parts) - 1])
