"""Where the code of a method is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from facial_bench.core.types import GeneratorSpec


@dataclass(frozen=True)
class MethodCode:
    """What a process needs to make a method."""

    name: str
    origin: Mapping[str, str] = field(hash=False)
    """`{"file": PATH}`, `{"module": NAME}` or `{"file": PATH, "class": NAME}`; empty where `spec` is all there is."""
    partial: bool = False
    """Whether its motions may lack parts."""
    by_name: bool = False
    """Whether its requests keep their names: only for the benchmark's own reader of finished outputs."""
    spec: GeneratorSpec | None = None
    """Of a method that was defined in this very process, in a notebook or a test: it can run nowhere else."""
