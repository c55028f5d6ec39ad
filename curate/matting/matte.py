"""What a matting backend returns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Alpha = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Matte:
    """An alpha mask (0 background, 255 person; height x width) and the raw output range it was stretched from."""

    alpha: Alpha
    low: float = 0.0
    high: float = 1.0
