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
def deterministic(tf32: bool = False) -> Iterator[None]:
    """Deterministic algorithms where torch has them, for the time of a block; the settings come back after it.

    Args:
        tf32: whether float32 may be multiplied in TF32, which is faster on a GPU and keeps ten bits of each factor:
            another machine then gets other numbers.

    An operation without a deterministic form warns instead of raising: a method may need one, and says so by it.
    Memory is not filled first, as torch would: that guards against reading what was never written, at a price.
    """
    settings: Any = torch.utils.deterministic  # its attribute is a property that torch's stubs do not show
    before = (torch.get_deterministic_debug_mode(), torch.backends.cudnn.benchmark, settings.fill_uninitialized_memory)
    precision = _precision()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    os.environ.setdefault("TORCHINDUCTOR_DETERMINISTIC", "1")  # read when torch's compiler is imported, if ever
    torch.set_deterministic_debug_mode("warn")  # `use_deterministic_algorithms` would import the compiler: a second
    torch.backends.cudnn.benchmark = False
    settings.fill_uninitialized_memory = False
    _set_precision(("high" if tf32 else "highest", tf32, tf32))
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before[0])
        torch.backends.cudnn.benchmark = before[1]
        settings.fill_uninitialized_memory = before[2]
        _set_precision(precision)


def _precision() -> tuple[str, bool, bool]:
    """How float32 is multiplied: anywhere, in matrices and in convolutions of a GPU."""
    matrices, convolutions = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    return torch.get_float32_matmul_precision(), matrices, convolutions


def _set_precision(precision: tuple[str, bool, bool]) -> None:
    torch.set_float32_matmul_precision(precision[0])
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = precision[1:]


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread a product for the time of a block, for networks too small to share cores; the setting comes back.

    Two threads on a window of motion spend their time on waiting for each other, most of all where others want the
    cores as well. With one, the last digits do not depend on the number of cores.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def describe_device(device: str) -> str:
    """`cpu`, or the accelerator's name."""
    return torch.cuda.get_device_name() if device == "cuda" else "cpu"
