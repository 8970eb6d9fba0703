"""Perturbations: the length is kept, the neutral dose changes nothing, and each does what its name says."""

from __future__ import annotations

import numpy as np
import pytest

from facial_bench.evaluation.sensitivity.perturbations import Perturbation, Surroundings, perturbations
from facial_bench.metrics.blink_detector import detect_blinks
from facial_bench.types import Motion
from tests.helpers.faces import ar1

EVERY = {perturbation.name: perturbation for perturbation in perturbations()}
T = 600


def made(seed: int, frames: int = T) -> Motion:
    rng = np.random.default_rng(seed)
    state = ar1(rng, frames, 71).astype(np.float32)
    state[:, 70] = 0.1
    for onset in range(40, frames - 20, 90):
        state[onset : onset + 4, 70] = 0.8
    return Motion.from_state(state)


def around(seed: int = 0, frames: int = T) -> Surroundings:
    rng = np.random.default_rng(seed)
    return Surroundings(np.ones(frames, bool), made(99, frames), rng, 25.0, "closure")


def spoil(name: str, dose: float, motion: Motion | None = None, seed: int = 0) -> Motion:
    motion = made(1) if motion is None else motion
    return EVERY[name].spoil(motion, dose, around(seed, motion.frames))


@pytest.mark.parametrize("perturbation", EVERY.values(), ids=EVERY)
def test_the_neutral_dose_is_among_the_doses_and_changes_nothing(perturbation: Perturbation) -> None:
    assert perturbation.neutral in perturbation.doses
    np.testing.assert_array_equal(spoil(perturbation.name, perturbation.neutral).state(), made(1).state())


@pytest.mark.parametrize("frames", [1, 2, 9, T])
@pytest.mark.parametrize("perturbation", EVERY.values(), ids=EVERY)
def test_every_dose_keeps_length_and_type_and_changes_something(perturbation: Perturbation, frames: int) -> None:
    for dose in perturbation.doses:
        motion = made(1, frames)
        before = motion.state().copy()
        spoiled = spoil(perturbation.name, dose, motion)
        assert spoiled.state().shape == (frames, 71)
        assert spoiled.state().dtype == np.float32
        assert np.isfinite(spoiled.state()).all()
        np.testing.assert_array_equal(motion.state(), before)
        if frames == T and dose != perturbation.neutral:
            assert not np.array_equal(spoiled.state(), before), dose


@pytest.mark.parametrize("perturbation", EVERY.values(), ids=EVERY)
def test_the_same_draw_gives_the_same_motion(perturbation: Perturbation) -> None:
    dose = perturbation.doses[1]
    one, two, other = (spoil(perturbation.name, dose, seed=seed).state() for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, two)
    assert perturbation.random == (not np.array_equal(one, other))


def test_a_shift_is_a_shift() -> None:
    late, early = spoil("time shift", 3), spoil("time shift", -6)
    np.testing.assert_array_equal(late.state()[3:], made(1).state()[:-3])
    np.testing.assert_array_equal(late.state()[:3], np.repeat(made(1).state()[:1], 3, axis=0))
    np.testing.assert_array_equal(early.state()[:-6], made(1).state()[6:])


def test_amplitudes_are_about_the_mean_and_of_one_part() -> None:
    spoiled = spoil("head amplitude", 0.5)
    np.testing.assert_allclose(spoiled.pose.std(0), 0.5 * made(1).pose.std(0), rtol=1e-4)
    np.testing.assert_allclose(spoiled.pose.mean(0), made(1).pose.mean(0), atol=1e-5)
    np.testing.assert_array_equal(spoiled.expression, made(1).expression)
    assert np.allclose(spoil("mouth amplitude", 0).expression.std(0), 0, atol=1e-5)


def test_jitter_is_as_large_as_its_dose() -> None:
    noise = spoil("jitter", 2).state().astype(float) - made(1).state()
    typical = np.sqrt((np.diff(made(1).state().astype(float), axis=0) ** 2).mean(0))
    np.testing.assert_allclose(noise.std(0), 2 * typical, rtol=0.12)


def test_dropped_frames_lie_on_lines_and_repeated_ones_are_copies() -> None:
    line = Motion.from_state(np.linspace(0, 1, T, dtype=np.float32)[:, None] * np.ones(71, np.float32))
    np.testing.assert_allclose(spoil("dropped frames", 0.5, line).state()[:-20], line.state()[:-20], atol=1e-6)
    held = spoil("repeated frames", 0.5).state()
    copies = (held[1:] == held[:-1]).all(axis=1).mean()
    assert copies == pytest.approx(0.5, abs=0.06)


def blinks(motion: Motion) -> int:
    return len(detect_blinks(motion.blink, np.ones(motion.frames, bool), 25.0).onsets)


def test_blinks_come_and_go_by_their_share() -> None:
    whole = blinks(made(1))
    assert whole == 6
    assert blinks(spoil("blinks deleted", 1.0)) == 0
    assert blinks(spoil("blinks deleted", 0.5)) == whole - 3
    assert blinks(spoil("blinks added", 1.0)) > whole + 2
    for name in ("blinks deleted", "blinks added", "blinks stretched"):
        np.testing.assert_array_equal(spoil(name, 0.5).pose, made(1).pose)


def test_stretched_blinks_last_so_many_times_as_long() -> None:
    def length(motion: Motion) -> float:
        spoiled = detect_blinks(motion.blink, np.ones(T, bool), 25.0)
        return float((spoiled.ends - spoiled.onsets).mean())

    assert length(spoil("blinks stretched", 2.0)) == pytest.approx(8, abs=2)


def test_a_share_of_someone_else() -> None:
    spoiled = spoil("identity swapped", 0.5).state()
    theirs = (spoiled == made(99).state()).all(axis=1)
    assert theirs.sum() == T // 2
    assert np.abs(np.diff(theirs.astype(int))).sum() <= 2, "one stretch"
    np.testing.assert_array_equal(spoil("identity swapped", 1.0).state(), made(99).state())


def test_a_lower_rate_holds_its_frames() -> None:
    spoiled, real = spoil("frame rate", 12.5).state(), made(1).state()
    np.testing.assert_array_equal(spoiled[::2], real[::2])
    np.testing.assert_array_equal(spoiled[1::2], real[::2])
    assert len(np.unique(spoil("frame rate", 5).pose[:, 0])) == T // 5


def test_speed_is_speed() -> None:
    spoiled, real = spoil("speed", 2.0).state(), made(1).state()
    np.testing.assert_array_equal(spoiled[: T // 2], real[::2])
    np.testing.assert_array_equal(spoiled[T // 2], real[-2])
    np.testing.assert_allclose(spoil("speed", 0.5).state()[::2], real[: T // 2], atol=1e-6)
