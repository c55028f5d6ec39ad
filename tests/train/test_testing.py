"""The check for recipes: ours pass it, and each kind of fault fails with its sentence."""

import random
from types import SimpleNamespace

import pytest

from imageledger.testing import check_recipe
from train.recipes import Recipe, Trained
from train.runs import Prediction

ARCH = "squeezenet1_1"


@pytest.mark.long
def test_fine_tune_passes_the_check_of_recipes():
    check_recipe("fine-tune", arch=ARCH)


@pytest.mark.long
def test_frozen_passes_the_check_of_recipes(tmp_path):
    pytest.importorskip("torch", reason="torch is not installed: pip install 'imageledger[train]'")
    from safetensors.torch import save_file

    from train.network.fastai_seam import models

    state = models.squeezenet1_1(weights=None).features.state_dict()
    save_file({f"features.{key}": value for key, value in state.items()}, tmp_path / "weights.safetensors")
    check_recipe("frozen", arch=ARCH, weights=str(tmp_path / "weights.safetensors"))


def says(share, *, order=1, state=("weight",), trace=False):
    """A recipe that learns nothing, and answers every picture with what a function of it returns."""

    def train(pictures, labels, settings, backbone, body, *, tell, place=None, **_):
        if trace:
            (place.parent.parent / "trace-0f7a.txt").write_text("here")
            (place.parent.parent / "trace-0f7a.txt").unlink()
        answers = [
            Prediction(source=each.source, member=each.member, label=each.label, split=each.split,
                       probability=share(each), loss=1.0, predicted=labels[0])
            for each in pictures
        ]  # fmt: skip
        return Trained(predictions=answers[::order], state=dict.fromkeys(state), history=[None], device="cpu",
                       threads=1, draw=lambda *_: None)  # fmt: skip

    return train


def recipe(train=None, **changes):
    return Recipe(**{
        "train": train or says(lambda picture: 0.5),
        "network": lambda backbone, classes: SimpleNamespace(state_dict=lambda: {"weight": None}),
        "stated": lambda settings: {"schedule": "", "transforms": [], "views": {}},
        **changes,
    })  # fmt: skip


def test_a_recipe_that_learns_nothing_but_keeps_every_promise_passes():
    check_recipe(recipe())


@pytest.mark.long
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (recipe(says(lambda picture: 1.5)), "the probability 1.5"),
        (recipe(says(lambda picture: 0.5, order=-1)), "once per picture, in their order"),
        (recipe(says(lambda picture: random.random())), "when it is trained again"),
        (recipe(says(lambda picture: float(picture.label == "ai"))), "labels of the validation pictures"),
        (recipe(says(lambda picture: 0.5, state=("other",))), "its network does not take"),
        (recipe(says(lambda picture: 0.5, trace=True)), "leaves traces"),
        (recipe(unused=frozenset({"nonsense"})), "there are not: ['nonsense']"),
        (recipe(stated=lambda settings: {}), "states no schedule"),
    ],
)
def test_a_wrong_recipe_fails_with_the_sentence_that_does_not_hold(wrong, sentence):
    with pytest.raises(AssertionError) as error:
        check_recipe(wrong)
    assert sentence in str(error.value)
