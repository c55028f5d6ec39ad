"""Where a network looks: at the planted patch and nowhere else, in the picture's own coordinates, for every network."""

import numpy as np
import pytest
from drawn import portrait
from needs import needs
from PIL import Image, ImageOps

from imageledger.errors import ModelError
from train import views

needs("fastai")

pytestmark = pytest.mark.long

CROPS = {"kind": "crops", "across": 3, "share": 0.5, "flip": True, "most": 512}
WHOLE = {"kind": "resize", "size": 64}
PATCH = (40, 72, 64, 96)


def patched(size=(128, 128), box=PATCH):
    """A grey picture of noise with a pure red patch."""
    levels = np.random.default_rng(0).integers(90, 160, (size[1], size[0], 1), dtype=np.uint8)
    image = Image.fromarray(levels.repeat(3, axis=2))
    image.paste((255, 0, 0), box)
    return image


def looks_at_red(kind="gradient", sign=1.0):
    """A model whose one feature is redness, by place: nothing but a red patch can move its answer."""
    from train.network.fastai_seam import torch, vision
    from train.network.pooled import Pooled
    from train.network.predicting import Model

    conv = vision.nn.Conv2d(3, 1, 4, stride=4)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1) / 16)
        conv.bias.fill_(0.0)
    body = vision.nn.Sequential(vision.nn.Sequential(conv, vision.nn.ReLU()))
    if kind == "line":
        network = Pooled.__new__(Pooled)
        vision.nn.Module.__init__(network)
        network.taps, network.body, network.head = frozenset({0}), body, vision.nn.Linear(2, 1)
        with torch.no_grad():
            network.head.weight.copy_(torch.tensor([[30.0 * sign, 4.0 * sign]]))
            network.head.bias.fill_(-0.2 * sign)  # against what the patch says
    else:
        head = vision.nn.Linear(1, 2)
        with torch.no_grad():
            head.weight.copy_(torch.tensor([[-10.0 * sign], [10.0 * sign]]))
            head.bias.copy_(torch.tensor([0.1, -0.1]))
        network = vision.nn.Sequential(body, vision.nn.AdaptiveAvgPool2d(1), vision.nn.Flatten(), head)
    return Model(network=network.eval(), views=WHOLE, mean=(0.0,) * 3, std=(1.0,) * 3, device="cpu")


def attended(model, image):
    from train.network.attention import attend

    return next(attend(model, [image]))


def inside(image, box, room=6):
    """The places of a box, with as much room around it as a grid cell reaches."""
    mask = np.zeros((image.height, image.width), dtype=bool)
    mask[max(0, box[1] - room) : box[3] + room, max(0, box[0] - room) : box[2] + room] = True
    return mask


@pytest.mark.parametrize("kind", ["gradient", "line"])
@pytest.mark.parametrize("chosen", [WHOLE, CROPS], ids=["whole", "crops"])
@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["called ai", "called real"])
def test_a_network_that_sees_only_a_patch_is_said_to_look_there(kind, chosen, sign):
    from dataclasses import replace

    image = patched()
    seen = attended(replace(looks_at_red(kind, sign), views=chosen), image)
    assert seen.signed.shape == seen.heat.shape == (128, 128)
    assert seen.signed.dtype == seen.heat.dtype == np.float32
    assert seen.heat.min() >= 0
    assert seen.heat.max() == pytest.approx(1)
    assert seen.positive == (sign > 0)
    assert seen.share(inside(image, PATCH)) >= 0.9
    assert seen.share(~inside(image, PATCH)) == pytest.approx(1 - seen.share(inside(image, PATCH)), abs=1e-5)


@pytest.mark.parametrize("size", [(160, 96), (96, 160)])
def test_what_the_network_does_not_see_of_a_wide_or_tall_picture_has_no_evidence(size):
    image = patched(size, (40, 40, 56, 56))
    seen = attended(looks_at_red(), image)
    assert seen.heat.shape == size[::-1]
    edges = seen.signed[:, :30] if size[0] > size[1] else seen.signed[:30]
    assert not edges.any()
    assert seen.share(inside(image, (40, 40, 56, 56), room=8)) >= 0.9


@pytest.mark.parametrize("chosen", [WHOLE, CROPS], ids=["whole", "crops"])
def test_the_map_of_a_mirrored_picture_is_the_mirrored_map(chosen):
    from dataclasses import replace

    image = patched()
    model = replace(looks_at_red("line"), views=chosen)
    there, back = attended(model, image), attended(model, ImageOps.mirror(image))
    assert np.allclose(back.signed, there.signed[:, ::-1], atol=1e-4)


def test_of_a_line_on_means_and_spreads_the_evidence_adds_up_to_the_log_odds():
    from train.network import attention, backbones
    from train.network.fastai_seam import torch
    from train.network.pooled import Pooled

    torch.manual_seed(1)
    network = Pooled(backbones.find("squeezenet1_1")).eval()
    images = [portrait(number, 96)[0] for number in range(2)]
    inputs = torch.from_numpy(np.concatenate([views.of(image, WHOLE) for image in images]))
    maps, odds = attention.evidence(network, inputs)
    with torch.no_grad():
        said = network(inputs)[:, 1]
    assert odds.tolist() == pytest.approx(said.tolist(), abs=1e-4)
    assert maps.mean(dim=(1, 2)).tolist() == pytest.approx(said.tolist(), abs=1e-3)
    assert float(maps.std()) > 0


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "timm:resnet18", "timm:vit_tiny_patch16_224"])
def test_networks_of_every_make_have_a_map(name):
    from train.network import backbones
    from train.network.predicting import Model
    from train.recipes import recipe_named

    backbone = backbones.find(name)
    network = recipe_named("fine-tune").network(backbone, 2).eval()
    chosen = {"kind": "resize", "size": 224 if "vit" in name else 64}
    model = Model(network=network, views=chosen, mean=backbone.mean, std=backbone.std, device="cpu")
    seen = attended(model, portrait(1, 96)[0])
    assert seen.signed.shape == (96, 96)
    assert np.isfinite(seen.signed).all()
    assert np.ptp(seen.signed) > 0


def test_a_network_without_places_says_so():
    from train.network.fastai_seam import vision
    from train.network.predicting import Model

    network = vision.nn.Sequential(vision.nn.AdaptiveAvgPool2d(1), vision.nn.Flatten(), vision.nn.Linear(3, 2)).eval()
    model = Model(network=network, views=WHOLE, mean=(0.0,) * 3, std=(1.0,) * 3, device="cpu")
    with pytest.raises(ModelError, match="no map of places"):
        attended(model, patched())
