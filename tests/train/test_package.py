"""Exported models come from anywhere: what is torn, swapped, too large or clever is refused in words."""

import json
import resource
import struct
import zipfile

import numpy as np
import pytest
from model_world import copied, edited, exported, unpacked, zipped
from needs import needs

from imageledger.errors import ModelError
from train.models import onnx_file
from train.models import package as packages

needs("fastai", "onnxscript")

pytestmark = pytest.mark.long


@pytest.fixture
def model(tmp_path_factory):
    return exported(tmp_path_factory)


def files_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_sound_one_is_read_back_as_it_was_written(model):
    found = packages.read(model)
    assert packages.Package.of_json(found.package.to_json().encode(), "it") == found.package
    assert found.has_onnx
    assert found.package.as_run().settings["views"]["size"] == 48


@pytest.mark.parametrize(("changes", "said"), [
    ({"schema": 2}, "newer version"),
    ({"labels": None}, "'labels' is missing"),
    ({"code": "import os"}, "'code' is unknown"),
    ({"labels": ["real"]}, "two names"),
    ({"labels": ["a", "b\u001b[31m"]}, "two names"),
    ({"name": "x" * 300}, "name is"),
    ({"views": {"kind": "exec", "size": 48}}, "views of the kind 'exec'"),
    ({"views": {"kind": "resize", "size": 10**9, "mean": [0, 0, 0], "std": [1, 1, 1]}}, "size of"),
    ({"views": {"kind": "resize", "size": True, "mean": [0, 0, 0], "std": [1, 1, 1]}}, "size of"),
    ({"views": {"kind": "crops", "across": 99, "share": 0.5, "most": 512, "flip": False}}, "across of 99"),
    ({"views": {"kind": "crops", "across": 2, "share": 0.5, "most": 512, "flip": 1}}, "flip is 1"),
    ({"views": {"kind": "resize", "size": 48, "mean": [0, 0], "std": [1, 1, 1]}}, "mean is"),
    ({"views": {"kind": "resize", "size": 48, "mean": [0, 0, 0], "std": [1, 0, 1]}}, "std is"),
    ({"threshold": 2}, "threshold is"),
    ({"threshold": "0.5"}, "threshold is"),
    ({"calibration": {"temperature": 0}}, "calibration"),
    ({"familiar": {"limit": 1}}, "familiar"),
    ({"steps": [{"did": "normalize@3", "settings": {"size": 10**6}}]}, "cannot be repeated"),
    ({"files": {}}, "neither weights nor"),
    ({"files": {"../../weights.safetensors": {"bytes": 1, "sha256": "0" * 64}}}, "files: "),
    ({"files": {"weights.safetensors": {"bytes": 10**15, "sha256": "0" * 64}}}, "files: "),
    ({"files": {"weights.safetensors": {"bytes": 5, "sha256": "x"}}}, "files: "),
    ({"versions": {"torch": 2}}, "versions"),
    ({"manifest": []}, "manifest is"),
])  # fmt: skip
def test_a_model_json_that_says_anything_odd_is_refused(model, tmp_path, changes, said):
    path = edited(model, tmp_path / "odd.zip", **changes)
    with pytest.raises(ModelError, match=said) as refused:
        packages.read(path)
    assert refused.value.hint


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"schema": NaN}', b"[" * 100_000])
def test_what_is_no_json_is_refused(tmp_path, content):
    path = zipped(tmp_path / "odd.zip", {"model.json": content})
    with pytest.raises(ModelError):
        packages.read(path)


def test_zips_with_strange_members_are_refused(model, tmp_path):
    for name in ("../../evil.py", "/etc/evil", "model/model.json", "weights.pkl", "C:\\evil"):
        with pytest.raises(ModelError, match="as no exported model does"):
            packages.read(zipped(tmp_path / "odd.zip", {**files_of(model), name: b"x"}))
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("model.json", "{}")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("model.json", "{}")
    with pytest.raises(ModelError, match="twice"):
        packages.read(tmp_path / "twice.zip")


def test_a_zip_bomb_is_not_unpacked(model, tmp_path):
    path = zipped(tmp_path / "bomb.zip", {"model.json": b" " * (3 << 20)})
    with pytest.raises(ModelError, match="would grow from"):
        packages.read(path)
    path = zipped(tmp_path / "large.zip", {**files_of(model), "model.json": bytes(5 << 20)})
    with pytest.raises(ModelError, match="would grow from"):
        packages.read(path)


def test_a_torn_or_false_zip_is_refused(model, tmp_path):
    whole = model.read_bytes()
    for number, content in enumerate((b"", b"PK", whole[:-40], whole[: len(whole) // 2], b"no zip" * 50)):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(content)
        with pytest.raises(ModelError, match="not a sound zip"):
            packages.read(path)
    place = whole.index(b"weights.safetensors") + 5000
    (tmp_path / "bit.zip").write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    with pytest.raises(ModelError):
        packages.read(tmp_path / "bit.zip").read("weights.safetensors")


def test_files_that_do_not_belong_together_are_refused(model, tmp_path):
    folder = unpacked(model, tmp_path / "model")
    content = bytearray((folder / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.onnx in .* is damaged"):
        packages.read(folder).read("model.onnx")
    (folder / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match="holds no weights"):
        packages.read(folder).read("weights.safetensors")
    with pytest.raises(ModelError, match="there is no"):
        packages.read(tmp_path / "nowhere.zip")


def swapped(model, target, name, content):
    """An exported model with another file in it, and a model.json that vouches for it."""
    folder = unpacked(model, target)
    (folder / name).write_bytes(content)
    values = json.loads((folder / "model.json").read_text())
    del values["seal"]
    values["files"][name] = packages.facts(content)
    (folder / "model.json").write_text(json.dumps(values))
    return packages.read(folder)


def test_weights_that_are_a_pickle_or_torn_or_of_another_shape_are_refused(model, tmp_path):
    from train.network import predicting

    sound = files_of(model)["weights.safetensors"]
    size = struct.unpack("<Q", sound[:8])[0]
    header = json.loads(sound[8 : 8 + size])
    first = sorted(header.keys() - {"__metadata__"})[0]
    header[first]["shape"] = [1, *header[first]["shape"]]
    text = json.dumps(header).encode()
    reshaped = struct.pack("<Q", len(text)) + text + sound[8 + size :]
    wild = struct.pack("<Q", 1 << 62) + sound[8:]
    for number, content in enumerate((b"\x80\x04\x95pickled", sound[:-10], reshaped, wild)):
        found = swapped(model, tmp_path / str(number), "weights.safetensors", content)
        with pytest.raises(ModelError, match="does not fit"):
            predicting.built(found.package.as_run(), found.read("weights.safetensors"), "it")
    none = sound[:-400] + struct.pack("<f", float("nan")) * 100
    with pytest.raises(ModelError, match="not numbers"):
        predicting.built(packages.read(model).package.as_run(), none, "it")


def network(model, change):
    """The exported ONNX model after a change to its protobuf."""
    onnx = pytest.importorskip("onnx")
    whole = onnx.load_from_string(files_of(model)["model.onnx"])
    change(onnx, whole)
    return whole.SerializeToString()


def outside(onnx, whole):
    tensor = whole.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", "../../etc/passwd"), ("offset", "0"), ("length", "10")):
        tensor.external_data.add(key=key, value=value)


def outside_in_a_constant(onnx, whole):
    tensor = onnx.TensorProto(data_location=onnx.TensorProto.EXTERNAL, data_type=1, dims=[1])
    tensor.external_data.add(key="location", value="/etc/passwd")
    whole.graph.node.append(onnx.helper.make_node("Constant", [], ["evil"], value=tensor))


def endless(onnx, whole):
    body = onnx.helper.make_graph([], "body", [], [])
    whole.graph.node.append(onnx.helper.make_node("Loop", ["", ""], ["out"], body=body))


def own_function(onnx, whole):
    whole.functions.add(name="f", domain="mine")


def foreign(onnx, whole):
    whole.graph.node.append(onnx.helper.make_node("RunCode", [], ["x"], domain="com.evil"))


def sparse(onnx, whole):
    whole.graph.sparse_initializer.add()


@pytest.mark.parametrize(("change", "said"), [
    (outside, "another file"),
    (outside_in_a_constant, "another file"),
    (endless, "loops or branches"),
    (own_function, "functions of its own"),
    (foreign, "com.evil"),
    (sparse, "sparse"),
])  # fmt: skip
def test_an_onnx_model_that_reaches_out_or_runs_on_is_refused_before_it_is_opened(model, change, said, monkeypatch):
    monkeypatch.setattr(onnx_file, "need", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(ModelError, match=said):
        onnx_file.ready(network(model, change), 48, "model.onnx")


def swollen(how):
    """A sound model of some 400 bytes, one tensor of which has four billion bytes: from a constant, or from pixels."""
    onnx = pytest.importorskip("onnx")
    node, floats = onnx.helper.make_node, onnx.TensorProto.FLOAT
    tensor = onnx.helper.make_tensor
    sizes = [tensor("size", onnx.TensorProto.INT64, [2], [1_000_000, 1024]),
             tensor("three", onnx.TensorProto.INT64, [2], [-1, 3]), tensor("w", floats, [3, 2], [0.1] * 6)]  # fmt: skip
    grown = {
        "constant": [node("ConstantOfShape", ["size"], ["big"])],
        "pixels": [node("ReduceMean", ["pixels"], ["one"], keepdims=0), node("Expand", ["one", "size"], ["big"])],
    }
    nodes = [
        *grown[how], node("ReduceMean", ["big"], ["mean"], keepdims=0), node("GlobalAveragePool", ["pixels"], ["g"]),
        node("Reshape", ["g", "three"], ["flat"]), node("Add", ["flat", "mean"], ["sum"]),
        node("MatMul", ["sum", "w"], ["logits"]), node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]  # fmt: skip
    ports = [onnx.helper.make_tensor_value_info(name, floats, ["n", *shape])
             for name, shape in (("pixels", [3, 48, 48]), ("probabilities", [2]))]  # fmt: skip
    graph = onnx.helper.make_graph(nodes, "g", ports[:1], ports[1:], sizes)
    whole = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    whole.ir_version = 8
    return whole.SerializeToString()


@pytest.mark.parametrize("how", ["constant", "pixels"])
def test_a_small_onnx_model_that_asks_for_four_gigabytes_is_left_with_a_sentence_and_does_not_get_them(how):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelError, match=r"asks for more than \d+\.\d GB of memory") as caught:
        onnx_file.ready(swollen(how), 48, "model.onnx")(np.zeros((1, 3, 48, 48), dtype=np.float32))
    assert caught.value.hint.startswith("do not use it")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2 << 20  # kB


def test_an_onnx_model_with_other_inputs_or_outputs_is_refused(model):
    content = files_of(model)["model.onnx"]
    assert onnx_file.ready(content, 48, "model.onnx")
    with pytest.raises(ModelError, match="were expected"):
        onnx_file.ready(content, 64, "model.onnx")

    def renamed(onnx, whole):
        whole.graph.output[0].name = whole.graph.node[-1].output[0] = "loot"

    with pytest.raises(ModelError, match="loot"):
        onnx_file.ready(network(model, renamed), 48, "model.onnx")


@pytest.mark.parametrize("content", [b"", b"\x00" * 64, b"\xff" * 64, b"no model", b"\x3a\x7f", b"\x3a\x02\x0a\x05"])
def test_bytes_that_are_no_onnx_model_are_refused(content):
    with pytest.raises(ModelError, match=r"not a sound ONNX|cannot be run"):
        onnx_file.ready(content, 48, "model.onnx")


def test_every_torn_onnx_model_is_refused_in_words(model):
    content = files_of(model)["model.onnx"]
    for cut in (1, 10, 1000, len(content) // 2, len(content) - 1):
        with pytest.raises(ModelError):
            onnx_file.ready(content[:cut], 48, "model.onnx")


def test_a_copied_folder_without_model_json_is_no_exported_model(model, tmp_path):
    folder = copied(unpacked(model, tmp_path / "a"), tmp_path / "b")
    (folder / "model.json").unlink()
    with pytest.raises(ModelError, match=r"holds no model\.json"):
        packages.read(folder)
