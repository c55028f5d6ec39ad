"""What a training is told: the settings of `train run`, from options and the [train] table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imageledger import config
from imageledger.config import Project
from imageledger.errors import ConfigError

IMAGENET = "imagenet"
SCRATCH = "none"
SMALLEST = 32
SEED, STRONG = "seed", "strong"
FULL, MIXED = "full", "mixed"
AUTO, CPU = "auto", "cpu"
CSV, TENSORBOARD = "csv", "tensorboard"

UNUSED = {SEED: frozenset[str](), STRONG: frozenset({"epochs", "size", "batch_size", "workers", "early_stopping"})}
"""Settings that mean nothing to a recipe: run.json leaves them out, and as options they are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """One training: recipe, backbone, where its weights come from, epochs, side in pixels, and what fixes chance.

    `arch` is a torchvision classification model or "timm:NAME"; `weights` is "imagenet", "none" or the path of a
    safetensors file; `size` is the side of the square the network sees; `workers` are DataLoader processes;
    with `early_stopping` an inner split of the training pictures chooses the epoch; `precision` is "full" or "mixed";
    `devices` is "auto", "cpu" or a number of GPUs; `log` is "", "csv" or "tensorboard".
    """

    recipe: str = SEED
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
    log: str = ""

    def __post_init__(self) -> None:
        """Refuse numbers with which no training can start."""
        if self.recipe not in (SEED, STRONG):
            raise ConfigError(f"there is no recipe {self.recipe!r}", f"recipes: {SEED}, {STRONG}")
        words = {"precision": (FULL, MIXED), "log": ("", CSV, TENSORBOARD)}
        for name, known in words.items():
            if getattr(self, name) not in known:
                raise ConfigError(
                    f"{name} cannot be {getattr(self, name)!r}", f"known here: {', '.join(filter(None, known))}"
                )
        if self.devices not in (AUTO, CPU) and not self.gpus:
            raise ConfigError(f"devices cannot be {self.devices!r}", "auto, cpu, or how many GPUs: 1, 2, ...")
        useless = {
            "--early-stopping": self.early_stopping, "--precision mixed": self.precision == MIXED,
            "--devices": self.gpus > 1, "--log": bool(self.log),
        }  # fmt: skip
        if self.recipe == STRONG and any(useless.values()):
            option = next(name for name, given in useless.items() if given)
            raise ConfigError(f"{option} is of no use to the recipe strong: it has no epochs", f"leave {option} away")
        least = {"epochs": 1, "size": SMALLEST, "batch_size": 2, "workers": 0, "seed": 0}
        for name, smallest in least.items():
            if getattr(self, name) < smallest:
                raise ConfigError(f"{name} must be at least {smallest}, not {getattr(self, name)}")

    @property
    def from_scratch(self) -> bool:
        """Whether the body starts from random numbers."""
        return self.weights == SCRATCH

    @property
    def gpus(self) -> int:
        """How many GPUs are named; 0 where none are."""
        return int(self.devices) if self.devices.isascii() and self.devices.isdigit() else 0


def train_settings(project: Project, options: Mapping[str, Any]) -> TrainSettings:
    """Fill the settings: options first, then [train] of imageledger.toml, then the project's seed, then defaults.

    Raises ConfigError for settings with which no training can start, and options that the recipe does not heed.
    """
    table = {"seed": project.declared.seed, **project.tables.get("train", {})}
    found = config.settings(TrainSettings, table, options, where=f"{config.FILE}: [train]")
    for name in sorted(UNUSED[found.recipe]):
        if options.get(name):
            option = f"--{name.replace('_', '-')}"
            raise ConfigError(f"{option} is of no use to the recipe {found.recipe}", f"leave {option} away")
    return found
