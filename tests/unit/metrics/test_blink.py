"""Blink events against a loop, worked values and the traps; the metrics built on them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from facial_bench.errors import FacialBenchError
from facial_bench.metrics.blink import blink_metrics
from facial_bench.metrics.blink_detector import detect_blinks, durations, intervals, levels
from facial_bench.types import Camera, Items, Motion, Sample
from tests.helpers.faces import ar1

METRICS = {spec.id: spec for spec in blink_metrics()}
FPS = 25.0


def lids(frames: int, *events: tuple[int, int], depth: float = 0.6, base: float = 0.1) -> np.ndarray:
    """Closure that is `depth` above the baseline in frames [onset, end)."""
    found = np.full(frames, base)
    for onset, end in events:
        found[onset:end] += depth
    return found


def sample(blink: np.ndarray, real: np.ndarray | None = None, valid: np.ndarray | None = None, scale: str = "closure"):
    frames = len(blink)
    face = np.zeros((frames, 68, 3))

    def motion(values: np.ndarray) -> Motion:
        return Motion(np.zeros((frames, 64)), np.zeros((frames, 6)), values)

    return Sample(
        motion(blink if real is None else real),
        motion(blink),
        face,
        face,
        face,
        face,
        np.ones(frames, bool) if valid is None else valid,
        FPS,
        Camera(1, 1, 1.0),
        np.zeros((frames, 2)),
        scale,
    )


def slow(blink: np.ndarray, valid: np.ndarray, scale: str) -> list[tuple[int, int]]:
    """The detector as a state machine, frame by frame."""
    base = sorted(blink[valid])
    middle = len(base) // 2
    median = base[middle] if len(base) % 2 else (base[middle - 1] + base[middle]) / 2
    rise, fall = levels()[scale]
    found, onset = [], None
    for t in range(len(blink)):
        if onset is None and blink[t] > median + rise:
            onset = t
        elif onset is not None and blink[t] <= median + fall:
            found.append((onset, t))
            onset = None
    return [(a, b) for a, b in found if a > 0 and b - a <= 0.4 * FPS and all(valid[t] for t in range(a - 1, b + 1))]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("scale", ["closure", "AU45"])
def test_events_equal_the_state_machine(seed: int, scale: str) -> None:
    rng = np.random.default_rng(seed)
    blink = ar1(rng, 600, 1, 0.7)[:, 0] * levels()[scale][0]
    valid = rng.random(600) > 0.02
    found = detect_blinks(blink, valid, FPS, scale)
    assert list(zip(found.onsets.tolist(), found.ends.tolist(), strict=True)) == slow(blink, valid, scale)
    assert len(found.onsets) > 5


def test_events_by_hand() -> None:
    found = detect_blinks(lids(200, (20, 23), (80, 90), (120, 131)), np.ones(200, bool), FPS)
    assert found.onsets.tolist() == [20, 80], "eleven frames are an eye closure"
    assert durations(found, FPS).values.tolist() == [0.12, 0.4]
    assert intervals(found, FPS).values.tolist() == [2.4]
    assert METRICS["blink_rate"].compute(sample(lids(200, (20, 23), (80, 90)))).mean() == pytest.approx(0.25)
    assert METRICS["blink_long_share"].compute(sample(lids(200, (20, 25), (80, 86)))).values.tolist() == [0.0, 1.0]


def test_the_baseline_is_the_clips_own() -> None:
    rng = np.random.default_rng(0)
    blink = lids(500, (40, 44), (200, 204), (330, 337)) + 0.01 * rng.random(500)
    one, two = (detect_blinks(values, np.ones(500, bool), FPS) for values in (blink, blink + 0.17))
    assert one.onsets.tolist() == two.onsets.tolist() == [40, 200, 330]
    assert one.ends.tolist() == two.ends.tolist()


def test_the_level_is_in_the_definition_because_everything_depends_on_it() -> None:
    half = lids(500, (40, 44), (200, 204), depth=0.3)
    half[300:303] += 0.15
    assert len(detect_blinks(half, np.ones(500, bool), FPS).onsets) == 2
    for name, spec in METRICS.items():
        assert "closure: 0.2, 0.1; AU45: 0.5, 0.25" in spec.formula, name
        assert "0.4 s" in spec.formula


def test_what_is_cut_off_is_not_counted() -> None:
    assert not len(detect_blinks(lids(100, (0, 4), (97, 100)), np.ones(100, bool), FPS).onsets)
    valid = np.ones(100, bool)
    valid[52] = False
    found = detect_blinks(lids(100, (20, 23), (50, 54), (80, 83)), valid, FPS)
    assert found.onsets.tolist() == [20, 80]
    assert not len(intervals(found, FPS).values), "a frame without a face lies between"


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_the_shortest_clips_hold_no_blink(frames: int) -> None:
    assert not len(detect_blinks(np.ones(frames), np.ones(frames, bool), FPS).onsets)
    assert not len(detect_blinks(np.ones(frames), np.zeros(frames, bool), FPS).onsets)


def test_still_lids_have_rate_zero_and_no_duration() -> None:
    still = sample(np.full(300, 0.3))
    assert METRICS["blink_rate"].compute(still).mean() == 0
    assert value("blink_rate/distance", [still], [still]) == 0
    for name in ("blink_duration", "blink_interval", "blink_duration/w1", "blink_interval/w1"):
        assert np.isnan(value(name, [still], [still])), "no blink is no score"


def test_unknown_scales_and_lengths_are_refused() -> None:
    with pytest.raises(FacialBenchError, match="blink scale"):
        detect_blinks(np.zeros(5), np.ones(5, bool), FPS, "ear")
    with pytest.raises(ValueError, match="expected two"):
        detect_blinks(np.zeros(5), np.ones(4, bool), FPS)


def value(name: str, generated: list[Sample], real: list[Sample]) -> float:
    """The pooled value of one person."""
    spec = METRICS[name]

    def items(samples: list[Sample]) -> list[Items]:
        return [spec.compute(one) for one in samples]

    reference = spec.pool.reduce(np.concatenate([one.values for one in items(real)]))
    parts = [spec.pool.reduce(one.values) for one in items(generated)]
    return float(spec.pool.estimate(parts, np.ones((1, len(parts))), reference)[0])


def irregular(seed: int, frames: int = 3000) -> np.ndarray:
    """A person who blinks every four seconds on average, at exponential intervals."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(1 + rng.exponential(3, 60)) * FPS
    return lids(frames, *((int(t), int(t) + rng.integers(3, 9)) for t in times if t < frames - 20))


def test_real_motion_is_at_distance_zero_from_itself() -> None:
    one, two = sample(irregular(1)), sample(irregular(2))
    for name in ("blink_rate/distance", "blink_duration/w1", "blink_interval/w1"):
        assert value(name, [one, two], [one, two]) == pytest.approx(0, abs=1e-12)


def test_pooled_distances_equal_scipy_on_all_events() -> None:
    clips, real = [irregular(1), irregular(2)], [irregular(3), irregular(4)]

    def events(several: list[np.ndarray], what) -> np.ndarray:
        return np.concatenate([what(detect_blinks(b, np.ones(len(b), bool), FPS), FPS).values for b in several])

    for name, what in (("blink_duration/w1", durations), ("blink_interval/w1", intervals)):
        expected = wasserstein_distance(events(clips, what), events(real, what))
        assert value(name, [*map(sample, clips)], [*map(sample, real)]) == pytest.approx(expected, abs=1e-9)


def test_a_timer_has_the_right_rate_and_the_wrong_intervals() -> None:
    real, other = [sample(irregular(k)) for k in (1, 2)], [sample(irregular(k)) for k in (3, 4)]
    timer = [sample(lids(3000, *((t, t + 5) for t in range(50, 2950, 100))))]
    assert value("blink_rate/distance", timer, real) < 0.05
    assert value("blink_interval/w1", timer, real) > 2 * value("blink_interval/w1", other, real)
