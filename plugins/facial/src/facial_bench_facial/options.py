"""What a run may choose: loss weights, budgets and `--option K=V`. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from facial_bench.errors import FacialBenchError, unknown_name


@dataclass(frozen=True)
class LossWeights:
    """Factors of the terms of the generator's loss."""

    expression: float = 2.0
    expression_velocity: float = 20.0
    pose: float = 1.0
    pose_velocity: float = 10.0
    blink: float = 0.01
    blink_velocity: float = 0.005
    first_state: float = 10.0
    adversarial: float = 0.1
    """Of the paper's discriminator, which judges the whole state."""
    adversarial_pose: float = 4.0
    adversarial_lids: float = 16.0


def paper_weights() -> LossWeights:
    """The paper's (2, 1, 5, 10, 10, 0.1), read as expression, pose, blink, first state, velocity, adversarial;
    velocity is 10 times the term that it belongs to. A secondary source (see README)."""
    return LossWeights(blink=5, blink_velocity=50, adversarial_pose=0.1, adversarial_lids=0.1)


def released_weights() -> LossWeights:
    """Those noted of the released fine-tuning program. A secondary source."""
    return replace(
        paper_weights(), expression=20, expression_velocity=200, pose=1, pose_velocity=10, blink=0.5, blink_velocity=1
    )


@dataclass(frozen=True)
class Variant:
    """Which parts of the method are there; an ablation leaves out one."""

    name: str = "facial"
    temporal: bool = True
    local: bool = True
    adversarial: bool = True
    fine_tuning: bool = True
    weights: str = "default"
    """The value of the option of that name, unless a run sets it."""


@dataclass(frozen=True)
class Settings:
    """Everything that training and generation need to know besides the data."""

    steps: int
    """Generator-only updates of the general training, before the adversarial ones."""
    adversarial_steps: int
    fine_tune_steps: int
    """Adversarial updates, per identity."""
    batch: int
    """Windows an update of the general training; an adversarial one takes as many again of other audio."""
    fine_tune_batch: int
    learning_rate: float
    """Adam's, of the generator in generator-only updates."""
    adversarial_learning_rate: float
    fine_tune_learning_rate: float
    weights: LossWeights = field(default_factory=LossWeights)
    discriminator: Literal["attributes", "paper"] = "attributes"
    other_audio: bool = True
    """Whether the discriminators judge the generator on audio without a target too."""
    betas: tuple[float, float] = (0.5, 0.99)
    """Adam's, of both networks in adversarial updates."""
    discriminator_rate: float = 0.5
    """The discriminators' learning rate, in the generator's, in the general training."""
    fine_tune_discriminator_rate: float = 0.2
    """The same in fine-tuning: at half the generator's, the discriminators learn one person's windows by heart."""
    stride: int = 5
    """Hop between training windows, frames."""
    compile: bool = False
    bf16: bool = False
    tf32: bool = False
    graph: bool = False
    side_by_side: bool = False
    smooth: bool = True


def budgets() -> dict[str, Settings]:
    """By updates: `quick` is minutes on two CPU cores, `standard` under an hour on them, and `paper` what 50 epochs of
    the paper's data amount to: 40,000 updates of 64, and 10 epochs of 16 windows a person."""
    quick = Settings(60, 700, 80, 8, 8, 1e-3, 1e-3, 1e-3)
    standard = replace(quick, adversarial_steps=4000, fine_tune_steps=300, batch=16)
    paper = Settings(0, 40_000, 560, 64, 16, 1e-4, 1e-4, 1e-4)
    return {"quick": quick, "standard": standard, "paper": paper}


def option_meanings() -> dict[str, str]:
    """Every `--option` of the FACIAL methods: name -> what it means, and its default."""
    return {
        "weights": "of the loss terms: default, paper, or released, which also fine-tunes at 1e-5",
        "discriminator": "attributes (default): of pose and lids; paper: of the image of all states",
        "smooth": "Savitzky-Golay filter over the generated pose: yes (default) or no",
        "precision": "of the training's arithmetic: fp32 (default), tf32 or bf16",
        "compile": "torch.compile of the generator in training: no (default) or yes",
        "graph": "one CUDA graph an update of the training: no (default) or yes, which is untested on a GPU",
        "side_by_side": "fine-tuning of all people at once: no (default) or yes, for a GPU and untested on one",
        "steps": "generator-only updates of the general training; default: the budget's",
        "adversarial_steps": "adversarial updates after them; default: the budget's",
        "fine_tune_steps": "fine-tuning updates a person; default: the budget's",
        "batch": "windows an update, in every phase, 2 or more; default: the budget's",
    }


def settings_for(budget: str, options: Mapping[str, str]) -> Settings:
    """The settings of a budget with the user's options over them.

    Raises FacialBenchError for an unknown budget or value, naming what is known, and for two that exclude each other.
    """
    known = budgets()
    if budget not in known:
        raise unknown_name("budget", budget, known)
    settings = known[budget]
    for name, value in options.items():
        settings = replace(settings, **_fields(settings, name, value))
    if settings.compile and (settings.graph or settings.side_by_side):
        raise FacialBenchError("facial: compile=yes goes with neither graph=yes nor side_by_side=yes; leave it out.")
    if settings.bf16 and settings.side_by_side:
        raise FacialBenchError("facial: side_by_side=yes does not go with precision=bf16; use precision=tf32 or fp32.")
    return settings


def _fields(settings: Settings, name: str, value: str) -> dict[str, Any]:
    """The fields of the settings that an option sets."""
    if name in _NAMED:
        return _one_of(name, value, _NAMED[name])
    if name in ("compile", "graph", "side_by_side", "smooth"):
        return {name: _one_of(name, value, {"yes": True, "no": False})}
    if name == "batch":
        size = _count(name, value, lowest=2)  # batch normalisation needs two
        return {"batch": size, "fine_tune_batch": size}
    return {name: _count(name, value)}


_NAMED: Mapping[str, Mapping[str, dict[str, Any]]] = {
    "weights": {
        "default": {"weights": LossWeights()},
        "paper": {"weights": paper_weights()},
        "released": {"weights": released_weights(), "fine_tune_learning_rate": 1e-5},
    },
    "discriminator": {
        "attributes": {},
        # as the paper trains: one learning rate, Adam's own betas, and no audio without a target
        "paper": {
            **{"discriminator": "paper", "other_audio": False, "betas": (0.9, 0.999)},
            **{"discriminator_rate": 1.0, "fine_tune_discriminator_rate": 1.0},
        },
    },
    "precision": {"fp32": {}, "tf32": {"tf32": True}, "bf16": {"bf16": True}},
}


def _one_of(name: str, value: str, known: Mapping[str, Any]) -> Any:
    if value not in known:
        raise FacialBenchError(f"facial: option {name}={value} is not known; use {name}={'|'.join(known)}.")
    return known[value]


def _count(name: str, value: str, lowest: int = 0) -> int:
    if not value.isascii() or not value.isdigit() or int(value) < lowest:
        raise FacialBenchError(f"facial: option {name}={value} is not known; use a whole number from {lowest} up.")
    return int(value)
