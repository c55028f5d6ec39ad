"""The one door to torch, torchvision and fastai; the other rooms import them from here.

With a CPU build of torch, torchvision's compiled operators often do not load, and `import torchvision` dies with
"operator torchvision::nms does not exist": it describes the shapes of an operator that nobody registered. Training a
classifier needs none of these operators, only an import that works, so their schemas are registered here first.
"""

import os
import sys

from imageledger.extras import need

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read once, when CUDA starts; sums in a fixed order

torch = need("torch", "train")

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_registered: list[object] = []


def _mend_torchvision() -> None:
    """Import torchvision; where its operators are missing, register their schemas and import it again."""
    try:
        need("torchvision", "train")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for schema in SCHEMAS:
            library.define(schema)
        _registered.append(library)  # a library that is collected takes its schemas with it
        need("torchvision", "train")


_mend_torchvision()
models = need("torchvision.models", "train")
matplotlib = need("matplotlib", "train")
matplotlib.use("agg")  # runs draw to files; a window toolkit may be absent, or be chosen and fail
vision = need("fastai.vision.all", "train")
Callback = vision.Callback
