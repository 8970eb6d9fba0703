"""Lip sync without pixels against numpy and scipy, worked values and invariances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate, correlation_lags

from facial_bench.metrics.sync import (
    CONTEXT,
    LAGS,
    PENALTY,
    audio_contexts,
    best_lag,
    correlation,
    make_predictor,
    shares,
    sync_metrics,
)
from facial_bench.types import Person, Sample
from tests.helpers.faces import ar1, make_sample

METRICS = {spec.id: spec for spec in sync_metrics()}
T = 300
ALL = np.ones(T, bool)


def face(opening: np.ndarray) -> np.ndarray:
    """Faces two eye-units wide whose inner lips are `opening` apart."""
    found = np.zeros((len(opening), 68, 3))
    found[:, 45, 0] = 2.0
    found[:, 66, 1] = opening
    return found


@pytest.fixture
def signals() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    one = 9 + ar1(rng, T, 1, 0.8)[:, 0]
    return one, one + 0.5 * ar1(rng, T, 1, 0.8)[:, 0]


def score(name: str, real: np.ndarray, made: np.ndarray, valid: np.ndarray | None = None) -> float:
    return float(METRICS[name].compute(make_sample(face(real), face(made), valid)))


def test_correlation_equals_numpys(signals) -> None:
    valid = np.arange(T) % 7 != 0
    assert score("mouth_correlation", *signals) == pytest.approx(np.corrcoef(*signals)[0, 1], abs=1e-9)
    expected = np.corrcoef(signals[0][valid], signals[1][valid])[0, 1]
    assert score("mouth_correlation", *signals, valid) == pytest.approx(expected, abs=1e-9)


def test_correlation_by_hand() -> None:
    assert score("mouth_correlation", np.array([1.0, 2, 3]), np.array([1.0, 3, 2])) == pytest.approx(0.5)


def test_identical_mouths_correlate_without_lag(signals) -> None:
    assert score("mouth_correlation", signals[0], signals[0]) == pytest.approx(1)
    assert score("mouth_lag", signals[0], signals[0]) == 0


def test_size_and_place_of_the_mouth_change_nothing(signals) -> None:
    for name in ("mouth_correlation", "mouth_lag"):
        assert score(name, signals[0], 0.1 * signals[1] + 5) == pytest.approx(score(name, *signals))


STILL_MOUTH = np.full(T, 0.3)


def test_a_still_mouth_tells_nothing_and_is_not_undefined(signals) -> None:
    """A method could win by being undefined: it has the value of no information, and the end of the lags."""
    assert score("mouth_correlation", signals[0], STILL_MOUTH) == 0
    assert score("mouth_lag", signals[0], STILL_MOUTH) == LAGS * 40 == 400
    held = np.where(np.arange(T) < T - 20, 0.3, signals[0])
    assert np.isfinite(score("mouth_lag", signals[0], held)), "lags at which it does not move are passed over"
    valid = np.arange(T) % 7 != 0
    seen_still = np.where(valid, 0.3, signals[0])
    assert score("mouth_correlation", signals[0], seen_still, valid) == 0, "only frames that are scored count"
    assert score("mouth_lag", signals[0], seen_still, valid) == 400


def test_where_the_real_mouth_does_not_move_there_is_no_value_for_anyone(signals) -> None:
    for name in ("mouth_correlation", "mouth_lag"):
        for made in (signals[0], STILL_MOUTH):
            assert np.isnan(score(name, STILL_MOUTH, made))
            assert np.isnan(score(name, signals[0], made, ~ALL))


def test_a_mouth_that_is_not_finite_has_no_value(signals) -> None:
    for made in (np.full(T, np.nan), np.where(np.arange(T) == 5, np.nan, STILL_MOUTH)):
        assert np.isnan(score("mouth_correlation", signals[0], made))
        assert np.isnan(score("mouth_lag", signals[0], made))


def test_correlation_needs_two_that_move(signals) -> None:
    assert np.isnan(correlation(signals[0], STILL_MOUTH, ALL))
    assert np.isnan(correlation(STILL_MOUTH, signals[0], ALL))
    assert np.isnan(correlation(signals[0][:1], signals[1][:1], ALL[:1]))
    with pytest.raises(ValueError, match="frames"):
        correlation(signals[0], signals[1][:-1], ALL)


@pytest.mark.parametrize("lag", [-10, -3, 0, 1, 7])
def test_a_shift_is_found(signals, lag: int) -> None:
    late = np.roll(signals[0], lag)
    assert best_lag(late, signals[0], ALL) == lag
    assert score("mouth_lag", signals[0], late) == abs(lag) * 40
    assert score("mouth_lag/signed", signals[0], late) == lag * 40, "late is above 0"


def test_a_mouth_that_does_not_move_is_neither_late_nor_early(signals) -> None:
    assert np.isnan(score("mouth_lag/signed", signals[0], STILL_MOUTH))
    assert np.isnan(score("mouth_lag/signed", STILL_MOUTH, signals[0]))


def test_the_lag_agrees_with_scipys_cross_correlation() -> None:
    """Where the ends are still, the sum that scipy takes and the correlations are greatest at the same lag."""
    rng = np.random.default_rng(3)
    for shift in (-6, 2, 9):
        real = np.zeros(T)
        real[40:-40] = ar1(rng, T - 80, 1, 0.8)[:, 0]
        made = np.roll(real, shift) + 0.05 * rng.standard_normal(T)
        whole = correlate(made - made.mean(), real - real.mean())
        lags = correlation_lags(T, T)
        near = np.abs(lags) <= LAGS
        assert best_lag(made, real, ALL) == lags[near][whole[near].argmax()]


def test_a_clip_that_is_too_short_for_the_lags_has_none(signals) -> None:
    assert np.isnan(best_lag(signals[0][:20], signals[1][:20], ALL[:20]))
    assert np.isfinite(best_lag(signals[0][:40], signals[1][:40], ALL[:40]))


def spoken(seed: int, made: np.ndarray | None = None) -> Sample:
    """A clip whose mouth follows the audio of four frames ago, and something else."""
    rng = np.random.default_rng(seed)
    audio = ar1(rng, T, 3, 0.8)
    real = 9 + np.roll(audio[:, 0], 4) + 0.5 * ar1(rng, T, 1, 0.8)[:, 0]
    return make_sample(face(real), face(real if made is None else made), audio=audio)


def test_audio_contexts_hold_the_neighbours() -> None:
    windows = audio_contexts(np.arange(20.0)[:, None])
    assert windows[8].tolist() == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    assert windows[0].tolist() == [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5]


def test_the_predictor_equals_least_squares_with_added_rows() -> None:
    person = Person("a", [spoken(1), spoken(2)], [])
    mean, deviation, weights = make_predictor(person)
    windows = np.concatenate([audio_contexts(s.audio) for s in person.training])
    opening = np.concatenate(
        [np.linalg.norm(s.reference_face[:, 62] - s.reference_face[:, 66], axis=1) / 2 for s in person.training]
    )
    scaled = (windows - mean) / deviation
    width = 3 * (2 * CONTEXT + 1)
    rows = np.concatenate([scaled, np.sqrt(PENALTY * len(scaled)) * np.eye(width)])
    target = np.concatenate([opening - opening.mean(), np.zeros(width)])
    np.testing.assert_allclose(weights, np.linalg.lstsq(rows, target, rcond=None)[0], atol=1e-9)


def test_the_share_is_relative_to_what_speech_can_tell() -> None:
    predictor = make_predictor(Person("a", [spoken(1), spoken(2)], []))
    real = shares(spoken(3), predictor)
    assert real.frames.tolist() == [0, 128], "300 frames are a stretch of 128 and one of 172"
    assert real.values[:, 0] == pytest.approx(1)
    assert (real.values[:, 1] > 0.6).all() and (real.values[:, 1] < 1).all(), "the audio of four frames ago is seen"
    one = spoken(4)
    mean, deviation, weights = predictor
    echo = shares(spoken(4, 9 + ((audio_contexts(one.audio) - mean) / deviation) @ weights), predictor).values
    assert echo[:, 0] == pytest.approx(echo[:, 1]), "a method that predicts linearly has the whole share"
    spec = METRICS["sync_share"]
    assert spec.pool.estimate([spec.pool.reduce(echo)], np.ones((1, 1)), [])[0] == pytest.approx(1)


def test_shares_equal_numpys_correlations() -> None:
    mean, deviation, weights = predictor = make_predictor(Person("a", [spoken(1)], []))
    sample = spoken(2, 9 + ar1(np.random.default_rng(7), T, 1, 0.8)[:, 0])
    predicted = ((audio_contexts(sample.audio) - mean) / deviation) @ weights
    real, made = (np.abs(f[:, 66, 1]) for f in (sample.reference_face, sample.generated_face))
    expected = [
        [np.corrcoef(a[part], real[part])[0, 1] for a in (made, predicted)] for part in (slice(0, 128), slice(128, T))
    ]
    np.testing.assert_allclose(shares(sample, predictor).values, expected, atol=1e-9)


def test_a_still_mouth_has_a_share_of_zero_in_the_stretches_that_others_are_scored_in() -> None:
    predictor = make_predictor(Person("a", [spoken(1)], []))
    still, real = shares(spoken(2, np.ones(T)), predictor), shares(spoken(2), predictor)
    assert still.frames.tolist() == real.frames.tolist() == [0, 128]
    assert still.values[:, 0].tolist() == [0, 0]
    np.testing.assert_array_equal(still.values[:, 1], real.values[:, 1])
    pool = METRICS["sync_share"].pool
    assert pool is not None
    assert pool.estimate([pool.reduce(still.values)], np.ones((1, 1)), [])[0] == 0
    broken = shares(spoken(2, np.full(T, np.nan)), predictor)
    assert np.isnan(broken.values[:, 0]).all(), "what is not finite is not hidden as a 0"


def test_the_definitions_say_what_a_still_mouth_has() -> None:
    for name in ("mouth_correlation", "mouth_lag", "sync_share"):
        assert METRICS[name].version == 2
        assert "does not move" in METRICS[name].formula
