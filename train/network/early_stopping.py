"""Early stopping that stays honest: an inner split of the training pictures chooses the epoch, and nothing else does.

After Prechelt (1998), Early stopping - but when?: the weights of the epoch with the lowest loss on pictures that were
not trained on. The schedule runs to its end, because its learning rate falls towards it; the pictures that judge the
model are not looked at before the weights are chosen.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from train.folds import inner_split
from train.network.fastai_seam import Callback
from train.network.fit import Epoch
from train.pictures import TRAIN, VALID, Picture


def divided(pictures: Sequence[Picture], seed: int) -> list[Picture]:
    """Return the training pictures alone, those of an inner split under the split "valid"; groups stay whole."""
    own = [picture for picture in pictures if picture.split == TRAIN]
    inner = set(inner_split([picture.label for picture in own], [picture.group for picture in own], seed))
    return [replace(picture, split=VALID) if row in inner else picture for row, picture in enumerate(own)]


class Chooser(Callback):  # type: ignore[misc, valid-type]
    """Keep the weights of the epoch with the lowest loss on the inner split; of equal ones, the first."""

    order = 61  # after the Witness, which refuses losses that are no numbers

    def __init__(self) -> None:
        super().__init__()
        self.seen = self.best = 0
        self.lowest = float("inf")
        self.state: dict[str, Any] = {}

    def after_epoch(self) -> None:
        """Keep a copy of the weights when the loss is the lowest so far."""
        self.seen += 1
        loss = float(self.learn.recorder.values[-1][1])
        if loss < self.lowest:
            self.best, self.lowest = self.seen, loss
            self.state = {name: value.detach().clone() for name, value in self.learn.model.state_dict().items()}

    def kept(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what has been seen so far, for a checkpoint."""
        return {"seen": self.seen, "best": self.best, "lowest": self.lowest}, self.state

    def take(self, values: dict[str, Any], tensors: dict[str, Any]) -> None:
        """Carry on from a checkpoint."""
        self.seen, self.best, self.lowest = values["seen"], values["best"], values["lowest"]
        self.state = tensors

    def put_back(self, learn: Any) -> None:
        """Give the learner the weights that were chosen."""
        learn.model.load_state_dict(self.state)

    def told(self, history: Sequence[Epoch], shown: Sequence[Picture]) -> dict[str, Any]:
        """Return what run.json says of the choice."""
        inner = sum(picture.split == VALID for picture in shown)
        return {
            "epoch": self.best,
            "epochs": len(history),
            "loss": history[self.best - 1].valid_loss,
            "pictures": inner,
        }
