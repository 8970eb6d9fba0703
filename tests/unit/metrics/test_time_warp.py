"""`lmd/dtw` against a full table of pairs, by hand, at zero, and against what it may not forgive."""

from __future__ import annotations

import math

import numpy as np
import pytest

from facial_bench.core.geometry import similarity_align
from facial_bench.metrics.landmark_distances import aligned_distance
from facial_bench.metrics.lmd import landmark_metrics
from facial_bench.metrics.time_warp import band_of, pair_costs, path_costs, warped_distance
from tests.helpers.faces import ar1, make_sample

MOUTH, RIGID = range(48, 68), range(27, 48)
METRIC = {spec.id: spec for spec in landmark_metrics()}["lmd/dtw"]
T = 60
ALL = np.ones(T, bool)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def speaking(rng: np.random.Generator, frames: int = T) -> np.ndarray:
    """A face whose lips move, smoothly; its head turns in the plane of the image."""
    base = rng.uniform(50, 200, (68, 2))
    face = np.repeat(base[None], frames, axis=0)
    face[:, 57:60, 1] += 8 * ar1(rng, frames, 1, 0.9)
    angle = 0.1 * ar1(rng, frames, 1)[:, 0]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
    return face @ turn


def score(real: np.ndarray, made: np.ndarray, valid: np.ndarray = ALL) -> float:
    return float(np.nanmean(warped_distance(real, made, valid, 25.0)))


def plain(real: np.ndarray, made: np.ndarray) -> float:
    return float(aligned_distance(real, made, np.ones(len(real), bool)).mean())


def slow(real: np.ndarray, made: np.ndarray, band: int) -> float:
    """Every pair of frames by itself, one table of T x T, straight from the definition."""
    frames = len(real)
    unit = np.median([math.dist(face[36], face[45]) for face in real])
    total = np.full((frames, frames), np.inf)
    for s in range(frames):
        for t in range(frames):
            if abs(s - t) > band:
                continue
            moved = similarity_align(made[s : s + 1], real[t : t + 1], RIGID)[0]
            cost = sum(math.dist(moved[k], real[t, k]) for k in MOUTH) / len(MOUTH) / unit
            ways = [2 * cost] if s == t == 0 else []
            ways += [total[s - 1, t - 1] + 2 * cost] if s and t else []
            ways += [total[s - 1, t] + cost] if s else []
            ways += [total[s, t - 1] + cost] if t else []
            total[s, t] = min(ways)
    return float(total[-1, -1] / (2 * frames))


def test_the_path_equals_a_full_table(rng) -> None:
    for shift in (0, 2, 7):
        real = speaking(rng, 40)
        made = np.roll(real, shift, axis=0) + rng.normal(size=(40, 68, 2))
        assert score(real, made, np.ones(40, bool)) == pytest.approx(slow(real, made, 5), abs=1e-9)


def test_the_diagonal_of_the_costs_is_lmd(rng) -> None:
    real, made = speaking(rng), speaking(rng)
    costs = pair_costs(real, made, 5)
    unit = np.median(np.linalg.norm(real[:, 45] - real[:, 36], axis=1))
    np.testing.assert_allclose(costs[:, 5] / unit, aligned_distance(real, made, ALL), atol=1e-12)
    assert np.isinf(costs[0, :5]).all() and np.isfinite(costs[0, 5:]).all()
    assert np.isinf(costs[-1, 6:]).all() and np.isfinite(costs[-1, :6]).all()
    assert warped_distance(real, made, ALL, 2.0) == pytest.approx(aligned_distance(real, made, ALL)), "a band of 0"


def test_a_path_by_hand() -> None:
    """Two frames, a band of one. Straight on: (2 * 1 + 2 * 4) / 4. Generated first: (2 * 1 + 0 + 4) / 4."""
    costs = np.array([[np.inf, 1.0, 3.0], [0.0, 4.0, np.inf]])
    assert path_costs(costs).tolist() == [1.0, 2.0], "frame 1: half of 0 for the generated one, half of 4 for the real"
    assert path_costs(np.array([[np.inf, 1.0, 9.0], [9.0, 4.0, np.inf]])).tolist() == [1.0, 4.0]
    assert path_costs(np.array([[7.0]])).tolist() == [7.0]
    assert np.isnan(path_costs(np.array([[np.inf, np.inf, 3.0], [0.0, 4.0, np.inf]]))).all()
    assert path_costs(np.zeros((0, 3))).shape == (0,)


def test_identical_motion_is_at_zero(rng) -> None:
    real = speaking(rng)
    assert score(real, real) == pytest.approx(0, abs=1e-12)


def test_it_is_never_above_lmd_and_never_negative(rng) -> None:
    for _ in range(5):
        real, made = speaking(rng), speaking(rng)
        assert 0 < score(real, made) <= plain(real, made) + 1e-12


def test_a_late_mouth_is_forgiven_within_the_band_and_not_beyond(rng) -> None:
    """The ends are held: what is late there cannot be made up."""
    real = speaking(rng, 300)
    valid = np.ones(300, bool)
    cost = {}
    for late in (3, 20):
        made = real[np.clip(np.arange(300) - late, 0, None)]
        cost[late] = score(real, made, valid) / plain(real, made)
    assert cost[3] < 0.1
    assert cost[20] > 0.3


def test_the_place_and_size_of_the_generated_face_change_nothing(rng) -> None:
    real, made = speaking(rng), speaking(rng)
    assert score(real, 3 * made + 40) == pytest.approx(score(real, made), abs=1e-9)
    assert score(2 * real - 7, made) == pytest.approx(score(real, made), abs=1e-9)


def test_neither_side_is_preferred(rng) -> None:
    """Costs with real and generated frames exchanged: the transposed table."""
    costs = np.where(np.isinf(pair_costs(speaking(rng), speaking(rng), 2)), np.inf, rng.random((T, 5)))
    other = np.full_like(costs, np.inf)
    for s in range(T):
        for b in range(5):
            if 0 <= s + b - 2 < T:
                other[s + b - 2, 4 - b] = costs[s, b]
    assert path_costs(other).mean() == pytest.approx(path_costs(costs).mean(), abs=1e-12)


def test_no_path_crosses_a_frame_without_a_face(rng) -> None:
    real, made = speaking(rng), speaking(rng)
    valid = (np.arange(T) != 20) & (np.arange(T) != 40)
    values = warped_distance(real, made, valid, 25.0)
    assert np.flatnonzero(np.isnan(values)).tolist() == [20, 40]
    unit = [np.median(np.linalg.norm(face[:, 45] - face[:, 36], axis=1)) for face in (real[valid], real[:20])]
    alone = warped_distance(real[:20], made[:20], np.ones(20, bool), 25.0)
    np.testing.assert_allclose(values[:20] * unit[0], alone * unit[1])
    unknown = [np.where(valid[:, None, None], face, np.nan) for face in (real, made)]
    np.testing.assert_array_equal(warped_distance(*unknown, valid, 25.0), values)
    assert np.isnan(warped_distance(real, made, ~ALL, 25.0)).all()


def test_a_hidden_generated_frame_leaves_its_run_without_a_value_and_a_lost_real_one_breaks_it(rng) -> None:
    real, made = speaking(rng), speaking(rng)
    valid = np.arange(T) != 30
    made[10] = np.nan
    assert np.flatnonzero(np.isnan(warped_distance(real, made, valid, 25.0))).tolist() == list(range(31))
    made[10] = 7.0
    assert np.isnan(warped_distance(real, made, valid, 25.0)[:30]).all(), "a face that is a point"
    lost = real.copy()
    lost[10] = np.nan
    assert np.flatnonzero(np.isnan(warped_distance(lost, real, ALL, 25.0))).tolist() == [10]


def test_lengths_that_differ_are_refused(rng) -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        warped_distance(speaking(rng), speaking(rng)[:-1], ALL, 25.0)
    with pytest.raises(ValueError, match="valid is"):
        warped_distance(speaking(rng), speaking(rng), ALL[:-1], 25.0)


def test_the_metric_is_that_function_and_ranks_nothing(rng) -> None:
    real, made = (np.pad(speaking(rng), ((0, 0), (0, 0), (0, 1))) for _ in range(2))
    np.testing.assert_array_equal(METRIC.compute(make_sample(real, made)), warped_distance(real, made, ALL, 25.0))
    assert not METRIC.ranked and METRIC.every_run and METRIC.family == "lips"
    assert "mouth_lag" in METRIC.pitfalls and "2606.01031" in METRIC.origin
    assert band_of(25.0) == 5
