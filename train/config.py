"""The settings of a training."""

from dataclasses import dataclass

from imageledger.errors import ConfigError

IMAGENET = "imagenet"
SCRATCH = "none"
SMALLEST = 32
FINE_TUNE = "fine-tune"
FULL, MIXED = "full", "mixed"
AUTO, CPU, GPU = "auto", "cpu", "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """One training: recipe, backbone, where its weights come from, epochs, side in pixels, and what fixes chance.

    `arch` is a torchvision classification model or "timm:NAME"; `weights` is "imagenet", "none" or the path of a
    safetensors file; `size` is the side of the square the network sees; `workers` are DataLoader processes;
    with `early_stopping` an inner split of the training pictures chooses the epoch; `precision` is "full" or "mixed";
    `devices` is "auto", "cpu" or "1", which insists on a GPU.
    """

    recipe: str = FINE_TUNE
    arch: str = "resnet18"
    weights: str = IMAGENET
    epochs: int = 3
    size: int = 224
    batch_size: int = 16
    seed: int = 42
    workers: int = 0
    early_stopping: bool = False
    precision: str = FULL
    devices: str = AUTO

    def __post_init__(self) -> None:
        """Refuse settings with which no training can start."""
        for name, known in {"precision": (FULL, MIXED), "devices": (AUTO, CPU, GPU)}.items():
            if getattr(self, name) not in known:
                raise ConfigError(f"{name} cannot be {getattr(self, name)!r}", f"one of {', '.join(known)}")
        least = {"epochs": 1, "size": SMALLEST, "batch_size": 2, "workers": 0, "seed": 0}
        for name, smallest in least.items():
            if getattr(self, name) < smallest:
                raise ConfigError(f"{name} must be at least {smallest}, not {getattr(self, name)}")

    @property
    def from_scratch(self) -> bool:
        """Whether the body starts from random numbers."""
        return self.weights == SCRATCH
