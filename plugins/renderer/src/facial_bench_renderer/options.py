"""What a run may choose: budgets and `--option K=V`. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from facial_bench.errors import FacialBenchError, unknown_name


@dataclass(frozen=True)
class Variant:
    """Which renderer of this plugin."""

    name: str = "facial"
    adversarial: bool = False
    """Whether a discriminator takes part in every budget; in the budget `paper` it always does."""


@dataclass(frozen=True)
class LossWeights:
    """Factors of the terms of the generator's loss. The paper's perceptual term (10) is absent."""

    l1: float = 1.0
    adversarial: float = 0.0
    feature_matching: float = 0.0


PAPER_WEIGHTS = LossWeights(l1=50.0, adversarial=1.0, feature_matching=2.0)
"""L1 and feature matching are the paper's; the least-squares adversarial term has the weight 1 of pix2pixHD."""


@dataclass(frozen=True)
class Settings:
    """Everything that training and rendering need to know besides the data."""

    steps: int = 4800
    """Updates a person; with `epochs`, an upper bound that is not reached."""
    epochs: int = 0
    """Passes over a person's frames; 0 where `steps` counts."""
    batch: int = 2
    learning_rate: float = 1e-3
    """Adam's, of the generator."""
    schedule: str = "cosine"
    """`cosine`: falls to nothing along a half cosine. `linear`: constant for 20 of 50 parts, then falls to nothing."""
    betas: tuple[float, float] = (0.9, 0.999)
    average: float = 0.995
    """Decay of the running mean of the weights, which renders; 0 renders with the last weights."""
    before: int = 2
    """Frames before the rendered one that the network sees."""
    after: int = 2
    channels: tuple[int, ...] = (24, 48, 64, 96, 128)
    """Of the generator's levels, from half the resolution on; see `networks.UNet`."""
    weights: LossWeights = LossWeights()
    scales: int = 2
    """Discriminators, each at half the resolution of the one before."""
    discriminator_channels: int = 24
    """Of a discriminator's first layer."""
    discriminator_rate: float = 2e-4
    threads: int = 0
    """Of torch; 0 leaves what it has."""

    @property
    def window(self) -> int:
        """Frames that the network sees at once."""
        return self.before + 1 + self.after


def budgets() -> dict[str, Settings]:
    """`quick` is some ten minutes a person on a core, `standard` five times as long, and `paper` what the publication
    says, for a GPU: 10 frames of which the 7th is rendered, 50 epochs of single pictures, discriminators."""
    quick = Settings()
    paper = Settings(
        epochs=50,
        batch=1,
        learning_rate=1e-4,
        schedule="linear",
        average=0.0,
        before=6,
        after=3,
        channels=(64, 128, 256, 256, 256),
        weights=PAPER_WEIGHTS,
        discriminator_channels=64,
        discriminator_rate=1e-4,
        betas=(0.5, 0.999),
    )
    return {"quick": quick, "standard": replace(quick, steps=24_000), "paper": paper}


def option_meanings() -> dict[str, str]:
    """Every `--option` of these renderers: name -> what it means, and its default."""
    return {
        "steps": "updates a person, in place of the budget's (in the budget paper: of its 50 epochs)",
        "batch": "pictures an update; default: the budget's",
        "threads": "of the arithmetic on a CPU; default: torch's own",
    }


def settings_for(variant: Variant, budget: str, options: Mapping[str, str]) -> Settings:
    """The settings of a budget with the user's options over them.

    Raises:
        FacialBenchError: an unknown budget, or a value that is no whole number from 1 up.
    """
    known = budgets()
    if budget not in known:
        raise unknown_name("budget", budget, known)
    settings = known[budget]
    if variant.adversarial and not settings.weights.adversarial:
        settings = replace(settings, weights=PAPER_WEIGHTS)
    for name, value in options.items():
        if not value.isascii() or not value.isdigit() or int(value) < 1:
            raise FacialBenchError(f"{variant.name}: option {name}={value} is not known; use a whole number from 1 up.")
        counts: dict[str, Any] = {name: int(value)} | ({"epochs": 0} if name == "steps" else {})
        settings = replace(settings, **counts)
    return settings
