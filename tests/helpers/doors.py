"""A generator that a test has at hand, called and checked as a run calls a method."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facial_bench.core.progress import QUIET
from facial_bench.evaluation.fitted_method import FittedMethod
from facial_bench.evaluation.method import Method
from facial_bench.isolation.local_method import LocalMethod
from facial_bench.isolation.method_code import MethodCode
from facial_bench.types import Context, CorpusInfo, GeneratorSpec

INFO = CorpusInfo("none", "1", "0" * 64, 25.0, "noise29", 29, "cm", "px", "closure", ("a", "b"))


def as_door(generator: Any, **more: Any) -> LocalMethod:
    """The door to a generator; `more` is of its `GeneratorSpec`."""
    spec = GeneratorSpec("made here", "a test method", "none", lambda context: generator, **more)
    return LocalMethod(MethodCode(spec.name, {}, spec.partial, spec=spec), Context(INFO, 0, "cpu"))


def as_fitted(generator: Any, folder: Path) -> FittedMethod:
    """A generator as a run asks it, fitted to nothing; what it leaves goes to the folder."""
    method = Method(MethodCode("made here", {}), "none", "test-plugin", "1", "0" * 64)
    return FittedMethod(method, lambda: as_door(generator), [], folder, QUIET)
