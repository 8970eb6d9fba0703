"""What each step of FACIAL's training gives: every trial is a method. docs/facial.md has the table.

    python -m studies.facial_trials make 71 build/trials/71          # a synthetic corpus of another seed
    facial-bench run --plugin studies/facial_trials.py --method facial-h --corpus build/trials/71 --out build/trials/results

Trials are judged on corpora drawn with other seeds than the one that ships: no choice has seen its clips.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from facial_bench import hookimpl
from facial_bench.types import Context, Generator, GeneratorSpec
from facial_bench_facial.options import Settings, Variant


def trials() -> Mapping[str, Mapping[str, Any]]:
    """Name -> what it changes in the settings of the quick budget; `weights.X` stands for a loss weight."""
    return {
        "h": {},
        "h8": {"batch": 8},
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
