"""Settings of torch that decide whether two machines get the same numbers."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from facial_bench.core.device import deterministic
from facial_bench_worker.determinism import make_deterministic

WARN = 1
"""Torch's number for deterministic algorithms where it has them, and a warning where it has none."""


def flags() -> tuple[bool, bool, str, int]:
    return (
        torch.backends.cuda.matmul.allow_tf32,
        torch.backends.cudnn.allow_tf32,
        torch.get_float32_matmul_precision(),
        torch.get_deterministic_debug_mode(),
    )


@pytest.fixture
def as_a_user_left_it() -> Iterator[tuple[bool, bool, str, int]]:
    """TF32 allowed everywhere."""
    before = flags()
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    yield flags()
    torch.set_float32_matmul_precision(before[2])
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before[:2]
    torch.set_deterministic_debug_mode(before[3])


def test_float32_is_not_cut_to_tf32_unless_it_is_asked_for(as_a_user_left_it: tuple[bool, bool, str, int]) -> None:
    assert as_a_user_left_it[:3] == (True, True, "high")
    with deterministic():
        assert flags() == (False, False, "highest", WARN)
        with deterministic(tf32=True):
            assert flags() == (True, True, "high", WARN)
        assert flags() == (False, False, "highest", WARN)
    assert flags() == as_a_user_left_it, "the settings come back"


def test_the_settings_come_back_after_an_error(as_a_user_left_it: tuple[bool, bool, str, int]) -> None:
    with pytest.raises(RuntimeError), deterministic():
        raise RuntimeError
    assert flags() == as_a_user_left_it


def test_a_process_of_a_method_has_no_tf32(as_a_user_left_it: tuple[bool, bool, str, int]) -> None:
    filling = torch.utils.deterministic.fill_uninitialized_memory
    make_deterministic(torch)
    torch.utils.deterministic.fill_uninitialized_memory = filling
    assert flags() == (False, False, "highest", WARN)


def test_a_process_of_a_method_takes_any_old_torch() -> None:
    old = SimpleNamespace(backends=SimpleNamespace(cudnn=SimpleNamespace(benchmark=True)), utils=SimpleNamespace())
    make_deterministic(old)
    assert old.backends.cudnn.benchmark is False
