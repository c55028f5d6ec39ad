"""Asking a finished run about pictures gives what its training wrote down."""

import pytest
import trainings
from needs import needs
from PIL import Image
from train_world import build

from imageledger.errors import LedgerError
from train.runs import Run, read_predictions

needs("fastai")

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def trained(tmp_path_factory, quick_probe):
    from train.config import TrainSettings

    project = build(tmp_path_factory.mktemp("trained"), train=8, valid=5)
    settings = TrainSettings(arch="squeezenet1_1", weights="none", epochs=1, size=64, batch_size=8)
    folder, _ = trainings.train(project, "tiny", settings)
    return project, folder


def test_a_loaded_run_says_of_every_picture_what_it_said_when_it_was_trained(trained):
    from train.network import predicting

    project, folder = trained
    rows = list(read_predictions(folder))
    images = (Image.open(project.store.path(row.file)).convert("RGB") for row in rows)
    said = list(predicting.predict(predicting.load(folder), images))
    assert len(said) == len(rows) == 26
    assert said == pytest.approx([row.probability for row in rows], abs=1e-5)
    assert max(said) - min(said) > 1e-3


def test_pictures_of_any_shape_are_taken_and_none_gives_none(trained):
    from train.network import predicting

    model = predicting.load(trained[1])
    wide = Image.new("RGB", (300, 90), "red")
    assert all(0 <= share <= 1 for share in predicting.predict(model, [wide, wide.rotate(90, expand=True)]))
    assert list(predicting.predict(model, [])) == []


@pytest.mark.parametrize(("damage", "said"), [
    (lambda folder: (folder / "weights.safetensors").unlink(), "is missing"),
    (lambda folder: (folder / "weights.safetensors").write_bytes(b"torn"), "does not fit"),
    (lambda folder: Run(name="x", labels=("real", "ai")).save(folder), "does not name"),
])  # fmt: skip
def test_a_run_that_cannot_be_loaded_says_why(trained, tmp_path, damage, said):
    import shutil

    from train.network import predicting

    folder = shutil.copytree(trained[1], tmp_path / "copy")
    (folder / "SHA256SUMS").unlink(missing_ok=True)  # a run of an older version: nothing vouches for its files
    damage(folder)
    with pytest.raises(LedgerError, match=said):
        predicting.load(folder)
