"""Which weights are believed, how they reach the body, and what is said when they cannot be had."""

import hashlib
import json
import struct

import pytest
from needs import needs

from imageledger.errors import ModelError

needs("fastai")


@pytest.fixture(scope="module", autouse=True)
def _packages():
    """Load torch with the first test rather than with the file: every worker collects all files."""
    global torch, save_file, backbones, weights
    import torch
    from safetensors.torch import save_file

    from train.network import backbones, weights


@pytest.fixture(scope="module")
def squeezenet():
    return backbones.find("squeezenet1_1")


@pytest.fixture(scope="module")
def resnet():
    return backbones.find("resnet18")


def state(backbone, head=False):
    """Make tensors of the right keys and shapes, each filled with its own number."""
    from train.network.fastai_seam import models

    whole = models.get_model(backbone.name, weights=None).state_dict()
    kept = {key: value for key, value in whole.items() if head or key in backbone.body}
    return {key: torch.full_like(value, number) for number, (key, value) in enumerate(kept.items(), 1)}


def saved(tmp_path, tensors):
    path = tmp_path / "weights.safetensors"
    save_file(tensors, path)
    return path


def fetched(path, backbone):
    return weights.of_body(str(path), backbone)


@pytest.mark.parametrize("head", [False, True])
def test_a_file_with_the_features_or_the_whole_model_fills_every_slot_of_the_body(tmp_path, squeezenet, head):
    body = fetched(saved(tmp_path, state(squeezenet, head)), squeezenet)
    assert sorted(body) == sorted(place for place, _ in squeezenet.body.values())
    assert not any(key in body for key in squeezenet.head)


def test_the_keys_of_a_resnet_reach_the_layers_they_name(tmp_path, resnet):
    tensors = state(resnet)
    body = fetched(saved(tmp_path, tensors), resnet)
    assert torch.equal(body["0.weight"], tensors["conv1.weight"])
    assert torch.equal(body["4.0.conv1.weight"], tensors["layer1.0.conv1.weight"])
    assert torch.equal(body["7.1.bn2.running_var"], tensors["layer4.1.bn2.running_var"])


def test_the_learner_holds_the_weights_of_the_file_before_it_trains(tmp_path, squeezenet):
    import train_world

    from train.config import TrainSettings
    from train.network import fit
    from train.training import task as training

    project = train_world.build(tmp_path, train=4, valid=1)
    tensors = state(squeezenet)
    body = fetched(saved(tmp_path, tensors), squeezenet)
    settings = TrainSettings(arch="squeezenet1_1", weights="x", size=32, batch_size=4)
    learn = fit.learner(training.task(project, None, None).pictures, ("real", "ai"), settings, squeezenet, body)
    held = learn.model[0].state_dict()
    assert all(torch.equal(held[place], tensors[key]) for key, (place, _) in squeezenet.body.items())


def test_with_weights_one_epoch_is_frozen_and_leaves_the_body_as_it_was(tmp_path, squeezenet):
    import train_world

    from train.config import TrainSettings
    from train.network import fit
    from train.training import task as training

    project = train_world.build(tmp_path, train=4, valid=1)
    settings = TrainSettings(arch="squeezenet1_1", weights="x", epochs=1, size=32, batch_size=4)
    before = []
    with fit.fixed(settings):
        learn = fit.learner(training.task(project, None, None).pictures, ("real", "ai"), settings, squeezenet, None)
        first = learn.model[0].state_dict()["0.0.weight"].clone()

        def tell(done, total, epoch):
            if epoch is not None:
                before.append(torch.equal(first, learn.model[0].state_dict()["0.0.weight"]))

        history = fit.fit(learn, settings, tell)
    assert [row.phase for row in history] == ["frozen", "unfrozen"]
    assert before == [True, False]


def test_half_precision_is_taken_and_counters_may_be_missing(tmp_path, resnet):
    tensors = {key: value.half() for key, value in state(resnet).items() if not key.endswith("num_batches_tracked")}
    body = fetched(saved(tmp_path, tensors), resnet)
    assert len(body) == len(tensors)


def test_missing_strange_and_misshapen_tensors_are_all_named(tmp_path, squeezenet):
    tensors = state(squeezenet)
    del tensors["features.0.bias"]
    tensors["layer1.0.conv1.weight"] = torch.zeros(3)
    tensors["features.0.weight"] = torch.zeros(64, 3, 7, 7)
    with pytest.raises(ModelError) as caught:
        fetched(saved(tmp_path, tensors), squeezenet)
    assert "1 of 50 tensors are missing (such as features.0.bias)" in caught.value.what
    assert "1 are unknown to it (such as layer1.0.conv1.weight)" in caught.value.what
    assert "features.0.weight is (64, 3, 7, 7), not (64, 3, 3, 3)" in caught.value.what
    assert "--arch" in caught.value.hint


def test_the_weights_of_another_backbone_do_not_fit(tmp_path, squeezenet, resnet):
    with pytest.raises(ModelError, match="does not fit resnet18"):
        fetched(saved(tmp_path, state(squeezenet)), resnet)


def test_whole_numbers_are_no_weights(tmp_path, squeezenet):
    tensors = state(squeezenet)
    tensors["features.0.weight"] = tensors["features.0.weight"].to(torch.int8)
    with pytest.raises(ModelError, match=r"features\.0\.weight holds I8"):
        fetched(saved(tmp_path, tensors), squeezenet)


def test_values_that_are_not_numbers_are_refused(tmp_path, squeezenet):
    tensors = state(squeezenet)
    tensors["features.0.bias"][3] = float("nan")
    with pytest.raises(ModelError, match=r"not numbers, the first in features\.0\.bias"):
        fetched(saved(tmp_path, tensors), squeezenet)


@pytest.mark.parametrize("suffix", [".pth", ".pkl", ".pt", ".bin"])
def test_a_pickle_is_refused_unopened(tmp_path, squeezenet, suffix):
    with pytest.raises(ModelError, match="never opened") as caught:
        fetched(tmp_path / f"absent{suffix}", squeezenet)
    assert "safetensors" in caught.value.hint


def header_too_long(tmp_path):
    return struct.pack("<Q", 1 << 40) + b"{}"


def offsets_beyond_the_end(tmp_path):
    text = json.dumps({"features.0.bias": {"dtype": "F32", "shape": [64], "data_offsets": [0, 256]}}).encode()
    return struct.pack("<Q", len(text)) + text + b"\0" * 8


def a_pickle_in_disguise(tmp_path):
    torch.save({"features.0.bias": torch.zeros(64)}, tmp_path / "made.tmp")
    return (tmp_path / "made.tmp").read_bytes()


@pytest.mark.parametrize("content", [header_too_long, offsets_beyond_the_end, a_pickle_in_disguise, lambda _: b""])
def test_a_file_whose_header_lies_is_refused(tmp_path, squeezenet, content):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content(tmp_path))
    with pytest.raises(ModelError, match="not a sound safetensors file"):
        fetched(path, squeezenet)


def test_a_file_that_is_not_there_is_named(tmp_path, squeezenet):
    with pytest.raises(ModelError, match="there is no weights file"):
        fetched(tmp_path / "absent.safetensors", squeezenet)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty cache of torch hub."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    return tmp_path / "hub" / "hub" / "checkpoints"


def at_a_closed_port(backbone):
    from dataclasses import replace

    return replace(backbone, url=f"http://127.0.0.1:9/models/{backbone.file_name}")


def test_imagenet_weights_that_cannot_be_had_say_where_to_put_the_file(hub, resnet, monkeypatch, caplog):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    caplog.set_level("INFO")
    with pytest.raises(ModelError, match="cannot be downloaded") as caught:
        weights.of_body("imagenet", at_a_closed_port(resnet))
    assert str(hub / "resnet18-f37072fd.pth") in caught.value.hint
    assert "--weights none" in caught.value.hint
    assert "downloading the ImageNet weights of resnet18" in caplog.text
    assert not list(hub.iterdir())


def test_imagenet_weights_in_the_cache_are_used_without_a_download(hub, squeezenet, caplog):
    from dataclasses import replace

    hub.mkdir(parents=True)
    torch.save(state(squeezenet, head=True), hub / "draft")
    digest = hashlib.sha256((hub / "draft").read_bytes()).hexdigest()[:8]
    planted = replace(at_a_closed_port(squeezenet), file_name=f"squeezenet1_1-{digest}.pth")
    (hub / "draft").rename(hub / planted.file_name)
    caplog.set_level("INFO")
    body = weights.of_body("imagenet", planted)
    assert len(body) == len(planted.body)
    assert "downloading" not in caplog.text


def test_a_damaged_file_in_the_cache_is_not_believed(hub, squeezenet):
    hub.mkdir(parents=True)
    torch.save(state(squeezenet), hub / squeezenet.file_name)
    with pytest.raises(ModelError, match="is damaged: its sha256"):
        weights.of_body("imagenet", squeezenet)


def test_from_scratch_needs_nothing(squeezenet):
    assert weights.of_body("none", squeezenet) is None


@pytest.mark.parametrize("name", ["resnet81", "timm:no_such_model"])
def test_an_unknown_backbone_is_refused(name):
    with pytest.raises(ModelError, match="has no"):
        backbones.find(name)


@pytest.mark.parametrize("name", ["mobilenet_v2", "shufflenet_v2_x0_5"])
def test_a_backbone_that_fastai_cannot_cut_is_refused(name):
    with pytest.raises(ModelError, match="cannot cut"):
        backbones.find(name)


def test_a_timm_backbone_maps_its_keys_and_knows_its_own_mean():
    pytest.importorskip("timm")
    found = backbones.find("timm:vit_tiny_patch16_224")
    assert found.mean == (0.5, 0.5, 0.5)
    assert found.head == {"head.weight", "head.bias"}
    assert all(place == f"model.{key}" for key, (place, _) in found.body.items())
