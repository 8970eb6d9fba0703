"""Ranks as intervals, the strongest null model, and methods that fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple

import numpy as np

from facial_bench.core.protocol import Protocol
from facial_bench.statistics.aggregate import summarise
from facial_bench.statistics.bootstrap import ratio
from facial_bench.statistics.ranks import Ranking, rank_methods
from facial_bench.statistics.rows import Entry, Row
from tests.helpers.results import make_row

RULES = Protocol(resamples=400)
Values = Mapping[str, Sequence[float | Entry]]


def rows(values: Values) -> list[Row]:
    """One row a value: identity -> values of its clips."""
    return [
        make_row(person, f"{person}{k}", {"lmd": value if isinstance(value, Entry) else Entry(value=value, weight=1)})
        for person, own in values.items()
        for k, value in enumerate(own)
    ]


def draw(seed: int, shift: float = 0.0, clips: int = 2, people: str = "abcd") -> dict[str, list[float]]:
    rng = np.random.default_rng(seed)
    return {person: (rng.random(clips) + shift).tolist() for person in people}


def ranking(methods: Mapping[str, Values], nulls: Sequence[str] = (), higher: bool = False) -> Ranking:
    groups = {label: [rows(values)] for label, values in methods.items()}
    found = {label: summarise(own, "lmd", RULES).value for label, own in groups.items()}
    values = {label: value for label, value in found.items() if value is not None}
    return rank_methods(groups, values, nulls, metric="lmd", higher=higher, estimate=ratio, protocol=RULES)


def failed(value: float | None) -> Entry:
    return Entry(value=value, weight=0 if value is None else 1, reason="it raised", failed=True)


def test_ranks_are_what_the_tests_leave_open() -> None:
    """Two that are alike, one far worse: the first two share ranks 1 and 2, and nobody wins."""
    found = ranking({"x": draw(0, clips=3), "y": draw(1, clips=3), "z": draw(2, 5.0, clips=3)})
    assert found.ranks == {"x": (1, 2), "y": (1, 2), "z": (3, 3)}
    assert found.strongest is None


def test_few_clips_decide_nothing_however_large_the_difference() -> None:
    people = "abcde"
    found = ranking({label: draw(k, 100.0 * k, 1, people) for k, label in enumerate("xyz")}, ["z"])
    assert set(found.ranks.values()) == {(1, 3)}
    assert found.smallest_p == 0.0625
    assert found.against == {"x": "undecided", "y": "undecided"}


def test_the_strongest_null_is_the_best_one_in_the_direction_of_the_metric() -> None:
    methods = {
        "good": draw(0, clips=3),
        "bad": draw(1, 3.0, clips=3),
        "null": draw(2, 1.5, clips=3),
        "weak": draw(3, 9.0, clips=3),
    }
    down, up = ranking(methods, ["null", "weak"]), ranking(methods, ["null", "weak"], higher=True)
    assert (down.strongest, up.strongest) == ("null", "weak")
    assert down.against == {"good": "beats", "bad": "not"}
    assert up.against == {"good": "not", "bad": "not"}


def test_one_method_has_no_rank() -> None:
    assert ranking({"x": draw(0)}).ranks == {}


def board() -> dict[str, dict[str, list[float]]]:
    """Five clips of five people: a good method, a middling one and a null model."""
    rng = np.random.default_rng(0)
    hard = {p: rng.gamma(4, 0.25, 5) for p in "abcde"}
    return {
        label: {p: (own * factor * np.exp(0.02 * rng.standard_normal(5))).tolist() for p, own in hard.items()}
        for label, factor in {"good": 1.0, "middling": 1.05, "null": 1.5}.items()
    }


def spoiled(values: Mapping[str, Sequence[float]], hidden: float | None) -> dict[str, list[float | Entry]]:
    """2 % worse on every clip, and failing on the three hardest, which then count as `hidden`."""
    third = sorted((value for own in values.values() for value in own), reverse=True)[2]
    return {p: [failed(hidden) if v >= third else 1.02 * v for v in own] for p, own in values.items()}


def test_failing_on_the_hardest_clips_gives_no_rank_and_changes_nobodys() -> None:
    methods = board()
    alone = ranking(methods, ["null"])
    assert alone.ranks["good"] == (1, 1)
    for hidden in (None, 0.01, 9.0):
        found = ranking({"cheat": spoiled(methods["good"], hidden), **methods}, ["null"])
        assert astuple(found) == astuple(alone), hidden


def test_a_null_model_that_fails_is_not_the_strongest() -> None:
    methods = board()
    found = ranking({**methods, "failing": spoiled(methods["good"], 0.0)}, ["null", "failing"])
    assert found.strongest == "null"
    assert found.against == {"good": "beats", "middling": "beats"}


def test_who_is_better_is_read_from_the_clips_that_both_have() -> None:
    """The metric is not defined for the clips on which the other method would look bad."""
    easy, far = {"a": [1.0] * 8}, {"a": [1.1] * 8}
    undefined = Entry(value=None, reason="nothing speaks here")
    one = {"a": [*easy["a"], 9.0, 9.0]}
    two = {"a": [*far["a"], undefined, undefined]}
    found = ranking({"one": one, "two": two})
    assert found.ranks == {"one": (1, 1), "two": (2, 2)}, "though its value on all of its own clips is worse"
