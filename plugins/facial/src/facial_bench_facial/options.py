"""What a run may choose: loss weights, budgets and `--option K=V`. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from facial_bench.errors import FacialBenchError, unknown_name


@dataclass(frozen=True)
class LossWeights:
    """Factors of the terms of the generator's loss. Both sets come from secondary sources (see README)."""

    expression: float = 2.0
    expression_velocity: float = 20.0
    pose: float = 1.0
    pose_velocity: float = 10.0
    blink: float = 5.0
    blink_velocity: float = 50.0
    first_state: float = 10.0
    adversarial: float = 0.1


def paper_weights() -> LossWeights:
    """The paper's (2, 1, 5, 10, 10, 0.1), read as expression, pose, blink, first state, velocity, adversarial;
    velocity is 10 times the term that it belongs to."""
    return LossWeights()


def released_weights() -> LossWeights:
    """Those noted of the released fine-tuning program."""
    return LossWeights(expression=20, expression_velocity=200, pose=1, pose_velocity=10, blink=0.5, blink_velocity=1)


@dataclass(frozen=True)
class Variant:
    """Which parts of the method are there; an ablation leaves out one."""

    name: str = "facial"
    temporal: bool = True
    local: bool = True
    adversarial: bool = True
    fine_tuning: bool = True


@dataclass(frozen=True)
class Settings:
    """Everything that training and generation need to know besides the data."""

    weights: LossWeights
    steps: int
    """Generator-only steps of the general training, before the adversarial ones."""
    adversarial_steps: int | None
    """None: as many as `epochs` make."""
    fine_tune_steps: int | None
    """Per identity; None: as many as `fine_tune_epochs` make."""
    fine_tune_adversarial_steps: int | None
    """How many of them, the last ones, are adversarial; None: all."""
    batch: int
    adversarial_batch: int
    fine_tune_batch: int
    fine_tune_adversarial_batch: int
    learning_rate: float
    """Adam's, of the generator and the discriminator."""
    fine_tune_learning_rate: float
    stride: int
    """Hop between training windows, frames."""
    epochs: int = 50
    fine_tune_epochs: int = 10
    compile: bool = False
    bf16: bool = False
    tf32: bool = False
    smooth: bool = True


def budgets() -> dict[str, Settings]:
    """`paper`: 50 adversarial epochs of batch 64 at 1e-4, 10 epochs of batch 16 a person, windows every 5 frames
    (secondary source). `quick`: minutes on two CPU cores; the README tells how it was chosen."""
    paper = Settings(
        weights=paper_weights(),
        steps=0,
        adversarial_steps=None,
        fine_tune_steps=None,
        fine_tune_adversarial_steps=None,
        batch=64,
        adversarial_batch=64,
        fine_tune_batch=16,
        fine_tune_adversarial_batch=16,
        learning_rate=1e-4,
        fine_tune_learning_rate=1e-4,
        stride=5,
    )
    quick = replace(
        paper,
        steps=200,
        adversarial_steps=15,
        fine_tune_steps=120,
        fine_tune_adversarial_steps=0,
        batch=16,
        adversarial_batch=8,
        fine_tune_batch=8,
        fine_tune_adversarial_batch=4,
        learning_rate=1e-3,
        fine_tune_learning_rate=1e-3,
    )
    return {"quick": quick, "paper": paper}


def option_meanings() -> dict[str, str]:
    """Every `--option` of the FACIAL methods: name -> what it means, and its default."""
    return {
        "weights": "of the loss terms: paper (default) or released, which also fine-tunes at 1e-5",
        "smooth": "Savitzky-Golay filter over the generated pose: yes (default) or no",
        "precision": "of the training's arithmetic: fp32 (default), tf32 or bf16",
        "compile": "torch.compile of the generator in training: no (default) or yes",
        "steps": "generator-only steps of the general training; default: the budget's",
        "adversarial_steps": "adversarial steps after them; default: the budget's",
        "fine_tune_steps": "fine-tuning steps a person; default: the budget's",
        "batch": "windows a step, in every phase, 2 or more; default: the budget's",
    }


def settings_for(budget: str, options: Mapping[str, str]) -> Settings:
    """The settings of a budget with the user's options over them.

    Raises FacialBenchError for an unknown budget or value, naming what is known.
    """
    known = budgets()
    if budget not in known:
        raise unknown_name("budget", budget, known)
    settings = known[budget]
    for name, value in options.items():
        settings = replace(settings, **_fields(settings, name, value))
    return settings


def _fields(settings: Settings, name: str, value: str) -> dict[str, Any]:
    """The fields of the settings that an option sets."""
    if name == "weights":
        return _weights(value)
    if name == "precision":
        _one_of(name, value, dict.fromkeys(("fp32", "tf32", "bf16"), True))
        return {"bf16": value == "bf16", "tf32": value == "tf32"}
    if name in ("compile", "smooth"):
        return {name: _one_of(name, value, {"yes": True, "no": False})}
    if name == "batch":
        size = _count(name, value, lowest=2)  # batch normalisation needs two
        return {key: size for key in vars(settings) if key.endswith("batch")}
    return {name: _count(name, value)}


def _weights(value: str) -> dict[str, Any]:
    """The released program differs in its weights and, when fine-tuning, in its learning rate of 1e-5."""
    if _one_of("weights", value, {"paper": False, "released": True}):
        return {"weights": released_weights(), "fine_tune_learning_rate": 1e-5}
    return {"weights": paper_weights()}


def _one_of(name: str, value: str, known: Mapping[str, bool]) -> bool:
    if value not in known:
        raise FacialBenchError(f"facial: option {name}={value} is not known; use {name}={'|'.join(known)}.")
    return known[value]


def _count(name: str, value: str, lowest: int = 0) -> int:
    if not value.isascii() or not value.isdigit() or int(value) < lowest:
        raise FacialBenchError(f"facial: option {name}={value} is not known; use a whole number from {lowest} up.")
    return int(value)
