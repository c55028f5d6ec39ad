"""Recipes are found by name: ours, those of other packages, and by the names they had before."""

import json
import sys
from importlib.metadata import EntryPoint

import pytest
import train_world
from click.testing import CliRunner

from imageledger import plugins
from imageledger.errors import ConfigError
from train import recipes
from train.cli import main
from train.runs import Run
from train.training.settings import train_settings

ONE_FILE = '''"""Call every picture real."""

from train.recipes import Recipe, Trained
from train.evaluation.metrics import answer
from train.network.fastai_seam import torch, vision
from train.network.fit import Epoch
from train.runs import Prediction


class Never(vision.nn.Module):
    def __init__(self):
        super().__init__()
        self.bias = vision.nn.Parameter(torch.tensor([4.0, -4.0]))

    def forward(self, pictures):
        return self.bias.expand(len(pictures), 2)


def train(pictures, labels, settings, backbone, body, *, tell, folder=None, cache=None, place=None):
    rows = [Prediction(source=p.source, member=p.member, file=p.file, label=p.label, split=p.split,
                       **answer(0.01, p.label, labels)) for p in pictures]
    epoch = Epoch(epoch=1, phase="none", train_loss=0.0, valid_loss=0.0, error_rate=0.5)
    tell(1, 1, epoch)
    return Trained(predictions=rows, state=Never().state_dict(), history=[epoch], device="cpu", threads=1,
                   draw=lambda folder, confusion: None)


RECIPE = Recipe(
    train=train,
    network=lambda backbone, classes: Never(),
    stated=lambda settings: {"schedule": "none", "views": {"kind": "resize", "size": settings.size}},
    unused=frozenset({"epochs"}),
)
'''


@pytest.fixture
def never(tmp_path, monkeypatch):
    """A recipe of another package, in one file."""
    (tmp_path / "never_recipe.py").write_text(ONE_FILE)
    monkeypatch.syspath_prepend(tmp_path)
    offer = EntryPoint("never", "never_recipe:RECIPE", "imageledger.recipes")
    known = plugins.announced
    monkeypatch.setattr(
        plugins, "announced", lambda group: {"never": [offer]} if group == offer.group else known(group)
    )
    return tmp_path


def test_the_help_describes_every_recipe_and_imports_none(never):
    sys.modules.pop("never_recipe", None)
    told = " ".join(CliRunner().invoke(main, ["run", "--help"], terminal_width=300).output.split())
    assert "never: Call every picture real." in told
    assert "fine-tune: Fine-tune the whole network" in told
    assert "frozen: Fit a linear classifier to what a frozen, pretrained network sees" in told
    assert "never_recipe" not in sys.modules


@pytest.mark.long
@pytest.mark.usefixtures("quick_probe")
def test_a_recipe_in_one_file_trains_predicts_and_is_exported(never):
    pytest.importorskip("fastai")
    project = train_world.build(never / "project")
    where = ["--project", str(project.root)]
    done = CliRunner().invoke(main, ["run", "--recipe", "never", "--weights", "none", "--size", "32", *where, "--json"])
    assert done.exit_code == 0, done.stderr
    recall = {row["measure"]: row["share"] for row in json.loads(done.stdout) if row["split"] == "valid"}
    assert (recall["recall of real"], recall["recall of ai"]) == (1, 0)
    run = Run.load(project.runs / "drawn-resnet18-1")
    assert run.settings["recipe"] == "never"
    assert "epochs" not in run.settings
    done = CliRunner().invoke(main, ["export", run.name, "-o", str(never / "never.zip"), *where])
    assert done.exit_code == 0, done.stderr
    picture = next(iter((project.root / "data" / "objects").rglob("*.png")))
    done = CliRunner().invoke(main, ["predict", str(never / "never.zip"), str(picture), "--json", *where])
    assert json.loads(done.stdout)["verdict"] == "real"


def test_options_that_a_recipe_does_not_heed_and_unknown_names_are_refused(never):
    project = train_world.build(never / "project")
    with pytest.raises(ConfigError, match="recipe never has no use for --epochs"):
        train_settings(project, {"recipe": "never", "epochs": 3})
    done = CliRunner().invoke(main, ["run", "--recipe", "best", "--project", str(project.root)])
    assert done.exit_code == 2
    assert "'best' is not one of fine-tune, frozen, never." in done.stderr
    project.tables["train"] = {"recipe": "best"}
    with pytest.raises(ConfigError, match="'best' is not a training recipe"):
        train_settings(project, {})


@pytest.mark.parametrize(("old", "new"), [("seed", "fine-tune"), ("strong", "frozen")])
def test_names_of_before_are_accepted_and_announced_once(tmp_path, caplog, old, new):
    recipes._announce.cache_clear()
    project = train_world.build(tmp_path)
    assert train_settings(project, {"recipe": old}).recipe == new
    project.tables["train"] = {"recipe": old}
    assert train_settings(project, {}).recipe == new
    assert recipes.recipe_named(old) is recipes.recipe_named(new)
    (said,) = [record.getMessage() for record in caplog.records]
    assert said == f"the recipe {old!r} is now called {new!r}; the old name will not be known to the next version"
