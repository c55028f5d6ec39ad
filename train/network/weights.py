"""Weights of a body: read from safetensors, or as torchvision and timm publish them; checked before they are loaded.

No pickle is unpickled here: a file must be safetensors, which cannot carry code. torchvision itself publishes its
weights as .pth; those are fetched from its own address, compared with the digest in their name, and read by torch's
weights-only reader, which knows tensors and nothing else.
"""

import hashlib
import http.client
import logging
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imageledger.errors import ModelError
from imageledger.extras import need
from train.config import IMAGENET, SCRATCH
from train.network.backbones import Backbone
from train.network.fastai_seam import torch

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that one answer of the network may take; there is no second try."""

FLOATS = {"F16", "BF16", "F32", "F64"}
PICKLES = {".pth", ".pt", ".pkl", ".pickle", ".bin", ".ckpt"}
DIGEST_IN_NAME = re.compile(r"-([0-9a-f]{8,})\.")
COUNTER = "num_batches_tracked"
"""A counter that batch norms carry along; old files lack it, and nothing here depends on it."""

Tensors = Mapping[str, Any]


def of_body(weights: str, backbone: Backbone) -> dict[str, Any] | None:
    """Return the state of the cut body, or None for "none"; raise ModelError when it cannot be had or does not fit."""
    if weights == SCRATCH:
        return None
    tensors = _published(backbone) if weights == IMAGENET else read(Path(weights), backbone)
    where = backbone.file_name if weights == IMAGENET else weights
    _check(where, {key: tuple(value.shape) for key, value in tensors.items()}, backbone)
    if sick := sorted(key for key, value in tensors.items() if not torch.isfinite(value).all()):
        raise ModelError(f"{where} holds values that are not numbers, the first in {sick[0]}", "fetch the file again")
    return {place: tensors[key] for key, (place, _) in backbone.body.items() if key in tensors}


def read(path: Path, backbone: Backbone) -> Tensors:
    """Read a safetensors file, once its header has shown that it fits; raise ModelError when it does not."""
    if path.suffix.lower() in PICKLES:
        raise ModelError(
            f"{path} is a pickle, which can carry code, and is never opened",
            "convert it where you trust it: safetensors.torch.save_file(state_dict, 'weights.safetensors')",
        )
    if not path.is_file():
        raise ModelError(f"there is no weights file {path}", "--weights takes imagenet, none or a .safetensors file")
    safetensors = need("safetensors", "train")
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            header = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118
            _check_types(path, {key: piece.get_dtype() for key, piece in header.items()}, backbone)
            _check(str(path), {key: tuple(piece.get_shape()) for key, piece in header.items()}, backbone)
            return {key: file.get_tensor(key) for key in header}
    except (safetensors.SafetensorError, OSError) as error:
        raise ModelError(f"{path} is not a sound safetensors file: {error}", "fetch or convert it again") from error


def packed(state: Tensors) -> bytes:
    """Return tensors as the bytes of a safetensors file."""
    content: bytes = need("safetensors.torch", "train").save(dict(state))
    return content


def digest_of(weights: str) -> str:
    """Return "sha256:…" of a weights file; "" for imagenet and none."""
    if weights in (IMAGENET, SCRATCH):
        return ""
    with Path(weights).open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def cached(backbone: Backbone) -> Path:
    """Return where the published weights lie once downloaded: torch hub's own cache."""
    return Path(torch.hub.get_dir()) / "checkpoints" / backbone.file_name


def _check(where: str, shapes: Mapping[str, tuple[int, ...]], backbone: Backbone) -> None:
    wanted = {key: shape for key, (_, shape) in backbone.body.items()}
    missing = sorted(key for key in wanted if key not in shapes and not key.endswith(COUNTER))
    strange = sorted(key for key in shapes if key not in wanted and key not in backbone.head)
    odd = sorted(key for key in wanted if key in shapes and shapes[key] != wanted[key])
    faults = []
    if missing:
        faults.append(f"{len(missing)} of {len(wanted)} tensors are missing (such as {missing[0]})")
    if strange:
        faults.append(f"{len(strange)} are unknown to it (such as {strange[0]})")
    if odd:
        faults.append(f"{len(odd)} have another shape ({odd[0]} is {shapes[odd[0]]}, not {wanted[odd[0]]})")
    if faults:
        raise ModelError(
            f"{where} does not fit {backbone.name}: {'; '.join(faults)}",
            "--arch names the backbone that the weights were made for; keys are those of torchvision (or timm)",
        )


def _check_types(path: Path, types: Mapping[str, str], backbone: Backbone) -> None:
    odd = sorted(
        key
        for key, dtype in types.items()
        if key in backbone.body and dtype not in FLOATS and not key.endswith(COUNTER)
    )
    if odd:
        raise ModelError(
            f"{path}: {odd[0]} holds {types[odd[0]]}, not floating-point numbers", "quantised weights cannot be trained"
        )


def _published(backbone: Backbone) -> Tensors:
    target = cached(backbone)
    elsewhere = "--weights FILE takes a safetensors file, --weights none needs no weights"
    if not backbone.url:
        raise ModelError(f"no ImageNet weights are published for {backbone.name}", elsewhere)
    digest = DIGEST_IN_NAME.search(backbone.file_name)
    if not target.is_file():
        logger.info("downloading the ImageNet weights of %s to %s", backbone.name, target)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with _impatient():
                torch.hub.download_url_to_file(backbone.url, str(target), digest and digest[1], progress=False)
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            raise ModelError(
                f"the ImageNet weights of {backbone.name} cannot be downloaded from {backbone.url}: {error}",
                f"put that file at {target}; or {elsewhere}",
            ) from error
    if target.suffix == ".safetensors":
        return read(target, backbone)
    if digest and not _sha256(target).startswith(digest[1]):
        raise ModelError(
            f"{target} is damaged: its sha256 does not begin with {digest[1]}", "delete it, then try again"
        )
    try:
        state: Tensors = torch.load(target, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelError(f"{target} cannot be read: {error}", "delete it, then try again") from error
    return state


@contextmanager
def _impatient() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
