"""Turn a network into ONNX, which runs without torch."""

import io
import warnings
from contextlib import redirect_stdout
from typing import Any

from imageledger.errors import ModelError
from imageledger.extras import need
from train import views
from train.models.onnx_file import PIXELS, PROBABILITIES
from train.network.fastai_seam import torch
from train.network.predicting import Model

EXAMPLE = 320
"""Side of the picture that a network of views of any size is shown when it is turned into ONNX."""


def to_onnx(model: Model) -> bytes:
    """Turn a network into ONNX: pixels in 0..1, normalised within, to probabilities; no path of this machine."""
    need("onnxscript", "train")
    proto = need("onnx", "train")

    class Whole(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.network = model.network.to("cpu")
            self.mean = torch.nn.Buffer(torch.tensor(model.mean).view(1, -1, 1, 1))
            self.std = torch.nn.Buffer(torch.tensor(model.std).view(1, -1, 1, 1))

        def forward(self, pixels: Any) -> Any:
            return self.network((pixels - self.mean) / self.std).softmax(dim=1)

    target, printed = io.BytesIO(), io.StringIO()
    side = views.side(model.views)
    shown = torch.rand(2, 3, *(2 * (side or EXAMPLE,)), generator=torch.Generator().manual_seed(0))
    edges = {} if side else {axis: torch.export.Dim(name, min=32, max=2048) for axis, name in ((2, "h"), (3, "w"))}
    try:
        with redirect_stdout(printed), warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of the exporter about itself
            torch.onnx.export(
                Whole().eval(), (shown,), target, dynamo=True, verbose=False, external_data=False,
                input_names=[PIXELS], output_names=[PROBABILITIES],
                dynamic_shapes={"pixels": {0: torch.export.Dim("n", min=1, max=4096), **edges}},
            )  # fmt: skip
    except Exception as error:  # every trouble of the exporter has a class of its own
        raise ModelError(
            f"this network cannot be turned into ONNX: {str(error).splitlines()[0][:200]}", "export without --onnx"
        ) from error
    whole = proto.load_from_string(target.getvalue())
    _forget_origins(whole)
    content: bytes = whole.SerializeToString(deterministic=True)
    return content


def _forget_origins(whole: Any) -> None:
    """Take out where in which source file each operator came from."""
    whole.ClearField("doc_string")
    whole.ClearField("metadata_props")
    whole.graph.ClearField("metadata_props")
    for kind in (
        whole.graph.node,
        whole.graph.value_info,
        whole.graph.initializer,
        whole.graph.input,
        whole.graph.output,
    ):
        for part in kind:
            part.ClearField("doc_string")
            part.ClearField("metadata_props")
