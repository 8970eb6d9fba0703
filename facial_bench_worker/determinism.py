"""Torch set to deterministic algorithms, in whatever process runs a method, and only if it imports torch."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from facial_bench_worker.source import source_files


def make_deterministic(torch: Any) -> None:
    """Deterministic algorithms where torch has them, and float32 that is not cut to TF32, in this process from now on.

    An operation without a deterministic form warns instead of raising: a method may need one, and says so by it.
    Memory is not filled first, as torch would: that guards against reading what was never written, at a price. What an
    old version of torch does not have is left out.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    os.environ.setdefault("TORCHINDUCTOR_DETERMINISTIC", "1")  # read when torch's compiler is imported, if ever
    with contextlib.suppress(AttributeError):  # before 1.11
        torch.set_deterministic_debug_mode("warn")  # `use_deterministic_algorithms` would import the compiler: a second
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False  # float32 is float32, on every kind of GPU
    with contextlib.suppress(AttributeError):  # before 1.7
        torch.backends.cuda.matmul.allow_tf32 = False
    with contextlib.suppress(AttributeError):  # before 1.12
        torch.set_float32_matmul_precision("highest")
    settings = getattr(torch.utils, "deterministic", None)
    if settings is not None:
        settings.fill_uninitialized_memory = False


def once_torch_is_imported(then: Callable[[Any], None]) -> None:
    """Call `then(torch)` when torch has been imported: now, or whenever a method does so."""
    if "torch" in sys.modules:
        then(sys.modules["torch"])
    else:
        sys.meta_path.insert(0, _TorchFinder(then))


def import_torch_early(factory: Callable[..., Any]) -> None:
    """Import torch while nothing else is to be done, if the code that a function comes from imports it somewhere."""
    if "torch" in sys.modules or importlib.util.find_spec("torch") is None:
        return
    files = [path for _, path in source_files(factory) if path.suffix == ".py"]
    if any(b"import torch" in path.read_bytes() for path in files):
        importlib.import_module("torch")


class _TorchFinder(MetaPathFinder):
    """Finds torch as the others would, and calls a function when it has been executed."""

    def __init__(self, then: Callable[[Any], None]) -> None:
        self._then = then

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != "torch":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec("torch")
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_call(module: ModuleType) -> None:
                execute(module)
                self._then(module)

            spec.loader.exec_module = execute_and_call  # type: ignore[method-assign]
        return spec
