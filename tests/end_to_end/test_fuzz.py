"""A part of the campaign of `studies.fuzz`, the same inputs each time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facial_bench.errors import CorpusError
from studies.fuzz import FAULTS, campaign
from studies.fuzz_case import Reader, UnjudgedError, difference, judge
from studies.fuzz_pool import run_guarded

INPUTS, SEED = 500, 1


@pytest.mark.slow
def test_no_input_is_a_traceback_a_hang_or_another_number() -> None:
    pytest.importorskip("av")
    findings = list(campaign(INPUTS, SEED))
    assert sorted(one.number for one in findings) == list(range(INPUTS))
    assert [(one.number, one.reader, one.outcome, one.said) for one in findings if one.outcome in FAULTS] == []
    assert sum(one.outcome == "same" for one in findings) > INPUTS / 10, "or nothing was read at all"


def fail(problem: Exception) -> Any:
    raise problem


@pytest.mark.parametrize(
    ("read", "truth", "outcome"),
    [
        (lambda path: fail(CorpusError("It is damaged.")), lambda content, sound: 0, "refused"),
        (lambda path: fail(CorpusError("")), lambda content, sound: 0, "untidy"),
        (lambda path: fail(KeyError("a")), lambda content, sound: 0, "traceback"),
        (lambda path: path.read_bytes(), lambda content, sound: content, "same"),
        (lambda path: path.read_bytes()[1:], lambda content, sound: content, "wrong"),
        (lambda path: path.read_bytes(), lambda content, sound: fail(ValueError("no")), "wrong"),
        (lambda path: path.read_bytes(), lambda content, sound: fail(UnjudgedError()), "unjudged"),
    ],
)
def test_what_counts_as_what(
    tmp_path: Path, read: Callable[[Path], Any], truth: Callable[[bytes, Any], Any], outcome: str
) -> None:
    reader = Reader("any", "a", 1, lambda folder: [b"sound"], (), read, truth)
    assert judge(reader, tmp_path / "a", b"changed", b"sound")[0] == outcome


def test_a_difference_is_found_wherever_it_is() -> None:
    held = {"a": [1.0, (np.arange(3), "b")], "c": None}
    assert not difference(held, {"a": [1.0 + 1e-12, (np.arange(3.0), "b")], "c": None})
    for other in ({"a": [1.0, (np.arange(4), "b")], "c": None}, {"a": [1.0, (np.arange(3), "d")], "c": None}, {"a": 1}):
        assert difference(held, other)


def misbehave() -> Callable[[int], str]:
    """Task 1 hangs, task 2 ends its process."""

    def answer(task: int) -> str:
        if task == 1:
            time.sleep(60)
        if task == 2:
            os._exit(3)
        return "fine"

    return answer


def test_tasks_that_hang_or_die_are_told_and_the_others_go_on() -> None:
    answers = {task: answer for task, answer, _ in run_guarded(misbehave, range(5), 2, patience=1.0)}
    assert answers == {0: "fine", 1: "hang", 2: "died", 3: "fine", 4: "fine"}
