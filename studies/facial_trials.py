"""What each step of FACIAL's training gives: every trial is a method. docs/facial.md has the table.

    python -m studies.facial_trials make 71 build/trials/71          # a synthetic corpus of another seed
    facial-bench run --plugin studies/facial_trials.py --method facial-first --corpus build/trials/71 \\
        --out build/trials/results

Trials are judged on corpora drawn with other seeds than the one that ships: no choice has seen its clips.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from facial_bench_facial.options import Settings, Variant

from facial_bench import hookimpl
from facial_bench.types import Context, Generator, GeneratorSpec

FIRST: Mapping[str, Any] = {
    "steps": 200,
    "adversarial_steps": 600,
    "fine_tune_steps": 100,
    "batch": 16,
    "fine_tune_batch": 8,
    "adversarial_learning_rate": 5e-4,
    "fine_tune_learning_rate": 5e-4,
    "fine_tune_discriminator_rate": 0.5,
    "weights.adversarial_pose": 3.0,
    "weights.adversarial_lids": 8.0,
}
"""What the trials start from: 200 generator-only updates, 600 adversarial ones of 16 windows, 100 a person of 8."""


def trials() -> Mapping[str, Mapping[str, Any]]:
    """Name -> the settings of the quick budget that it sets; `weights.X` stands for a loss weight."""
    half = {**FIRST, "batch": 8}
    return {
        "first": FIRST,
        "half": half,
        "half-long": {**half, "adversarial_steps": 1200},
        "half-tuned": {**half, "fine_tune_steps": 300},
        "half-lids": {**half, "weights.adversarial_lids": 16.0},
        "half-rate": {**half, "discriminator_rate": 1.0},
        "half-speed": {"fine_tune_discriminator_rate": 0.5},
        "chosen": {},
        "released": {
            "weights.expression": 20.0,
            "weights.expression_velocity": 200.0,
            "weights.blink": 0.5,
            "weights.blink_velocity": 1.0,
        },
    }


def changed(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with the changes of a trial."""
    weights = {name.removeprefix("weights."): value for name, value in changes.items() if name.startswith("weights.")}
    others = {name: value for name, value in changes.items() if not name.startswith("weights.")}
    return replace(settings, weights=replace(settings.weights, **weights), **others)


@hookimpl
def facial_bench_generators() -> Sequence[GeneratorSpec]:
    """One method a trial."""
    return [_spec(name, changes) for name, changes in trials().items()]


def _spec(name: str, changes: Mapping[str, Any]) -> GeneratorSpec:
    def create(context: Context) -> Generator:
        from facial_bench_facial.adapter import FacialMethod

        method = FacialMethod(context, Variant(f"facial-{name}"))
        method.settings = changed(method.settings, changes)
        return method

    return GeneratorSpec(f"facial-{name}", f"a trial: {dict(changes)}", "docs/facial.md", create)


if __name__ == "__main__":
    from facial_bench.corpora.synthetic import make

    make(Path(sys.argv[3]), int(sys.argv[2]))
