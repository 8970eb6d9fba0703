"""Metrics of a rendered video that is tracked again."""

from __future__ import annotations

import numpy as np
import pytest

from facial_bench.metrics.image.cycle import LOST, cycle_blink, cycle_definitions, cycle_distance

RNG = np.random.default_rng(4)
WANTED = RNG.normal(64, 20, (9, 68, 2))
TRACKED = WANTED + RNG.normal(0, 2, WANTED.shape)


def slow(tracked: np.ndarray, wanted: np.ndarray, points: list[int]) -> list[float]:
    values = []
    for seen, asked in zip(tracked, wanted, strict=True):
        size = np.hypot(*(asked[36] - asked[45]))
        values.append(sum(np.hypot(*(seen[k] - asked[k])) for k in points) / len(points) / size)
    return values


@pytest.mark.parametrize("points", [list(range(68)), list(range(48, 68)), [30]])
def test_the_slow_twin(points: list[int]) -> None:
    np.testing.assert_allclose(cycle_distance(TRACKED, WANTED, points), slow(TRACKED, WANTED, points), rtol=1e-12)


def test_zero_and_a_hand_worked_value() -> None:
    assert (cycle_distance(WANTED, WANTED, range(68)) == 0).all()
    wanted = np.zeros((1, 68, 2))
    wanted[0, 45] = [30, 40]  # 50 px between the outer corners of the eyes
    np.testing.assert_allclose(cycle_distance(wanted + np.array([0, 5]), wanted, range(48, 68)), [0.1])
    np.testing.assert_allclose(cycle_blink(np.array([0.2, 1.0]), np.array([0.5, 1.0])), [0.3, 0])
    np.testing.assert_allclose(cycle_blink(np.array([2.0]), np.array([4.5]), full=5), [0.5])


def test_neither_place_nor_size_nor_turn_of_both_matters() -> None:
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    moved = [3 * side @ turn + [100, -7] for side in (TRACKED, WANTED)]
    np.testing.assert_allclose(cycle_distance(*moved, range(68)), cycle_distance(TRACKED, WANTED, range(68)))


def test_a_face_that_is_not_found_is_no_good_score() -> None:
    lost = TRACKED.copy()
    lost[3] = np.nan
    values = cycle_distance(lost, WANTED, range(68))
    assert values[3] == LOST > np.delete(values, 3).max()
    assert cycle_blink(np.array([np.nan]), np.array([0.0]))[0] == LOST


def test_what_was_not_asked_for_cannot_be_missed() -> None:
    asked = WANTED.copy()
    asked[2, 50] = np.nan
    asked[5, 36] = asked[5, 45]
    values = cycle_distance(TRACKED, asked, range(48, 68))
    assert np.flatnonzero(np.isnan(values)).tolist() == [2, 5]


def test_other_shapes_are_refused() -> None:
    for tracked, wanted in (
        (TRACKED[:3], WANTED),
        (TRACKED[..., :1], WANTED[..., :1]),
        (TRACKED[:, :5], WANTED[:, :5]),
    ):
        with pytest.raises(ValueError, match="landmarks are"):
            cycle_distance(tracked, wanted, range(4))
    with pytest.raises(ValueError, match="closures are"):
        cycle_blink(np.zeros(3), np.zeros(4))


def test_definitions() -> None:
    assert [one.id for one in cycle_definitions()] == ["cycle_lmd", "cycle_lmd/mouth", "cycle_blink"]
    assert all(one.meaning and one.origin and one.pitfalls and one.family == "pictures" for one in cycle_definitions())
