"""An ONNX file from anywhere: looked through before it is opened, then run by onnxruntime. No torch, no onnx package.

onnxruntime reads external data from whatever path a model names, and runs loops for as long as they last. A model of
ours has neither, so a file that has one is refused before onnxruntime sees it. What tensors grow to while it runs, no
file tells, so the memory for them is bounded.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from imageledger.errors import ModelError
from imageledger.extras import need
from imageledger.types import Floats32

Ask = Callable[[Floats32], Floats32]

PIXELS, PROBABILITIES = "pixels", "probabilities"

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
WIDTHS = {FIXED64: 8, FIXED32: 4}

GRAPH, FUNCTIONS, TRAINING = 7, 25, 20
"""Fields of ModelProto; below those of GraphProto, NodeProto, AttributeProto and TensorProto (onnx.proto, IR 3-13)."""
NODES, INITIALIZERS, SPARSE = 1, 5, 15
ATTRIBUTES, OPERATION, DOMAIN = 5, 4, 7
TENSOR, SUBGRAPH, TENSORS, SUBGRAPHS, SPARSE_TENSOR, SPARSE_TENSORS = 5, 6, 10, 11, 22, 23
EXTERNAL, LOCATION = 13, 14

MOST_MEMORY = 2 << 30
"""Bytes for the tensors of a model, unless its own numbers are many: a file of 400 bytes could ask for any amount."""
WEIGHTS_FOLD = 4
AS_REQUESTED = 1
"""Of onnxruntime: memory grows by what is asked for, and is not doubled."""

PLAIN = ("", "ai.onnx")
"""The domains of the standard operators."""

REFUSED_HERE = "models from `train export --onnx` have none of this; use one of these"


def ready(content: bytes, side: int | None, where: str) -> Ask:
    """Return a function from pixels (n x 3 x side x side, float32, 0..1) to probabilities (n x 2) of a model.

    `side` is None for a model that takes pictures of any size.

    Raises ModelError when the bytes are no ONNX model, hold what could reach outside of them, or take or give
    anything else.
    """
    refuse_strange(content, where)
    onnxruntime = need("onnxruntime", "onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.use_env_allocators", "1")
    _bound_memory(onnxruntime, max(MOST_MEMORY, WEIGHTS_FOLD * len(content)))
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class of its own for every trouble
        raise _cannot(where, error) from error
    _refuse_shapes(session, side, where)

    def ask(pixels: Floats32) -> Floats32:
        try:
            (probabilities,) = session.run([PROBABILITIES], {PIXELS: pixels})
        except Exception as error:
            raise _cannot(where, error) from error
        shares: Floats32 = np.asarray(probabilities, dtype=np.float32)
        if shares.shape != (len(pixels), 2) or not np.allclose(shares.sum(axis=1), 1, atol=1e-3) or shares.min() < 0:
            raise ModelError(f"{where} gives no probabilities of two classes", "export the run again")
        return shares

    return ask


_bound = threading.Lock()
_bounds: list[int] = []


def _bound_memory(onnxruntime: Any, most: int) -> None:
    """Give the models of this process so many bytes for their tensors, once: what asks for more fails, and says so."""
    with _bound:
        if not _bounds:
            _bounds.append(most)
            kind, place = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
            grown = onnxruntime.OrtArenaCfg({"max_mem": most, "arena_extend_strategy": AS_REQUESTED})
            onnxruntime.create_and_register_allocator(onnxruntime.OrtMemoryInfo("Cpu", kind, 0, place), grown)


def refuse_strange(content: bytes, where: str) -> None:
    """Raise ModelError when a model names external data, holds graphs within graphs, functions or foreign operators."""
    try:
        strange = next(_strange(content), None)
    except (IndexError, ValueError) as error:
        raise ModelError(f"{where} is not a sound ONNX file", "export or copy it again") from error
    if strange:
        raise ModelError(f"{where} {strange}, and is not opened", REFUSED_HERE)


def _strange(model: bytes) -> Iterator[str]:
    fields = list(_fields(memoryview(model)))
    if not any(number == GRAPH for number, _ in fields):
        raise ValueError("no graph")
    for number, value in fields:
        if number in (FUNCTIONS, TRAINING):
            yield "holds functions of its own or a training"
        elif number == GRAPH:
            yield from _strange_graph(_bytes(value))


def _strange_graph(graph: memoryview) -> Iterator[str]:
    for number, value in _fields(graph):
        if number == INITIALIZERS:
            yield from _external(_bytes(value))
        elif number == SPARSE:
            yield "holds sparse tensors"
        elif number == NODES:
            yield from _strange_node(_bytes(value))


def _strange_node(node: memoryview) -> Iterator[str]:
    for number, value in _fields(node):
        if number == DOMAIN and (domain := bytes(_bytes(value)).decode(errors="replace")) not in PLAIN:
            yield f"holds operators from {domain!r}"
        elif number == ATTRIBUTES:
            for inner, content in _fields(_bytes(value)):
                if inner in (SUBGRAPH, SUBGRAPHS):
                    yield "holds loops or branches"
                elif inner in (SPARSE_TENSOR, SPARSE_TENSORS):
                    yield "holds sparse tensors"
                elif inner in (TENSOR, TENSORS):
                    yield from _external(_bytes(content))


def _external(tensor: memoryview) -> Iterator[str]:
    for number, value in _fields(tensor):
        if number == EXTERNAL or (number == LOCATION and value != 0):
            yield "keeps its numbers in another file"


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Walk over the fields of a protobuf message: number, and an integer or the bytes; ValueError for what is none."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, place = _varint(message, place)
            yield number, value
            continue
        if kind == LENGTH:
            size, place = _varint(message, place)
        elif kind in WIDTHS:
            size = WIDTHS[kind]
        else:
            raise ValueError(f"wire type {kind}")
        if number == 0 or place + size > len(message):
            raise ValueError("a torn field")
        yield number, message[place : place + size]
        place += size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number without an end")


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message belongs")
    return value


def _refuse_shapes(session: Any, side: int | None, where: str) -> None:
    inputs = {
        port.name: (port.type, [edge if isinstance(edge, int) else None for edge in port.shape[1:]])
        for port in session.get_inputs()
    }
    outputs = {port.name: (port.type, list(port.shape)[1:]) for port in session.get_outputs()}
    wanted: Mapping[str, Any] = {PIXELS: ("tensor(float)", [3, side, side])}
    edge = side or "any"
    if inputs != wanted or outputs != {PROBABILITIES: ("tensor(float)", [2])}:
        raise ModelError(
            f"{where} takes {inputs} and gives {outputs}, where {PIXELS} n x 3 x {edge} x {edge} and {PROBABILITIES} "
            "n x 2 were expected", "export the run again: model.json and model.onnx do not belong together",
        )  # fmt: skip


def _cannot(where: str, error: Exception) -> ModelError:
    if "bfc_arena" in str(error) or isinstance(error, MemoryError):
        return ModelError(
            f"{where} asks for more than {_bounds[0] / 1e9:.1f} GB of memory",
            "do not use it: no portrait needs so much",
        )
    why = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return ModelError(f"{where} cannot be run: {why}", "export or copy it again")
