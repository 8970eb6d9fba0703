"""Where the arithmetic happens, and that it happens the same way twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from facial_bench.core.errors import FacialBenchError


def choose_device(name: str) -> str:
    """`auto` -> `cuda` where there is one, else `cpu`; a device that is not there is an error."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise FacialBenchError("No CUDA device is available here; use --device cpu, or auto.")
    return name


@contextmanager
def deterministic() -> Iterator[None]:
    """Deterministic algorithms where torch has them, for the time of a block; the settings come back after it.

    An operation without a deterministic form warns instead of raising: a method may need one, and says so by it.
    Memory is not filled first, as torch would: that guards against reading what was never written, at a price.
    """
    settings: Any = torch.utils.deterministic  # its attribute is a property that torch's stubs do not show
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.benchmark,
        settings.fill_uninitialized_memory,
    )
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    settings.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.backends.cudnn.benchmark = before[2]
        settings.fill_uninitialized_memory = before[3]


def describe_device(device: str) -> str:
    """`cpu`, or the accelerator's name."""
    return torch.cuda.get_device_name() if device == "cuda" else "cpu"
