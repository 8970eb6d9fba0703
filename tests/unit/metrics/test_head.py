"""Head motion against scipy-free loops, worked values and invariances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from facial_bench.metrics.head import AXES, head_metrics
from facial_bench.metrics.head_motion import (
    angular_speed,
    audio_beats,
    beat_alignment,
    dance_alignment,
    mean_speed,
    motion_beats,
    std_distance,
)
from facial_bench.types import Motion
from tests.helpers.faces import ar1, make_sample

METRICS = {spec.id: spec for spec in head_metrics()}
T = 200


def moving(rotation: np.ndarray) -> Motion:
    return Motion(np.zeros((len(rotation), 64)), np.pad(rotation, ((0, 0), (0, 3))), np.zeros(len(rotation)))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def pair(rng) -> tuple[np.ndarray, np.ndarray]:
    return 0.1 * ar1(rng, T, 3), 0.2 * ar1(rng, T, 3)


def score(name: str, real: np.ndarray, made: np.ndarray, **more: np.ndarray) -> float:
    sample = make_sample(np.zeros((len(real), 68, 3)), reference=moving(real), generated=moving(made), **more)
    return float(np.nanmean(METRICS[name].compute(sample)))


def matrix(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """Extrinsic xyz: turn about x, then y, then z."""
    a, b, c = math.cos, math.sin, np.array
    x = c([[1, 0, 0], [0, a(pitch), -b(pitch)], [0, b(pitch), a(pitch)]])
    y = c([[a(yaw), 0, b(yaw)], [0, 1, 0], [-b(yaw), 0, a(yaw)]])
    z = c([[a(roll), -b(roll), 0], [b(roll), a(roll), 0], [0, 0, 1]])
    return z @ y @ x


def slow_speed(rotation: np.ndarray) -> list[float]:
    found = []
    for t in range(1, len(rotation)):
        turn = matrix(*rotation[t - 1]).T @ matrix(*rotation[t])
        found.append(math.degrees(math.acos(min(max((np.trace(turn) - 1) / 2, -1), 1))))
    return found


def test_speed_equals_the_angle_between_matrices(pair) -> None:
    np.testing.assert_allclose(angular_speed(pair[0], np.ones(T, bool))[1:], slow_speed(pair[0]), atol=1e-9)
    assert score("pose_speed", *pair) == pytest.approx(np.mean(slow_speed(pair[1])), abs=1e-9)
    expected = abs(np.mean(slow_speed(pair[1])) - np.mean(slow_speed(pair[0])))
    assert score("pose_speed/distance", *pair) == pytest.approx(expected, abs=1e-9)


def test_speed_needs_two_valid_frames_in_a_row(pair) -> None:
    valid = np.ones(T, bool)
    valid[[5, 50]] = False
    speed = angular_speed(pair[0], valid)
    assert np.flatnonzero(np.isnan(speed)).tolist() == [0, 5, 6, 50, 51]
    unknown = np.where(valid[:, None], pair[0], np.nan)
    np.testing.assert_array_equal(angular_speed(unknown, valid), speed, "what an invalid frame holds does not matter")
    assert np.isnan(mean_speed(pair[0][:1], valid[:1]))
    assert angular_speed(np.zeros((0, 3)), np.zeros(0, bool)).shape == (0,)


def slow_std(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))


def test_spread_equals_its_loop(pair) -> None:
    expected = [
        abs(slow_std(np.degrees(pair[1][:, k]).tolist()) - slow_std(np.degrees(pair[0][:, k]).tolist()))
        for k in range(3)
    ]
    for k, axis in enumerate(AXES):
        assert score(f"pose_std_distance/{axis}", *pair) == pytest.approx(expected[k], abs=1e-9)
    assert score("pose_std_distance", *pair) == pytest.approx(sum(expected) / 3, abs=1e-9)


def test_spread_by_hand() -> None:
    """Yaw of +-3 degrees against +-1."""
    signs = np.array([[1.0], [-1.0]]) * [0, 1, 0]
    assert std_distance(np.radians(signs), np.radians(3 * signs), np.ones(2, bool)) == pytest.approx([0, 2, 0])
    assert np.isnan(std_distance(signs, signs, np.array([True, False]))).all()
    with pytest.raises(ValueError, match="rotations"):
        std_distance(signs, signs[:1], np.ones(2, bool))


def test_identical_motion_is_at_distance_zero(pair, rng) -> None:
    audio = rng.random((T, 5))
    for name, spec in METRICS.items():
        if spec.higher_is_better is False:
            assert score(name, pair[0], pair[0], audio=audio) == pytest.approx(0, abs=1e-12), name


def test_a_camera_that_is_turned_changes_no_spread_and_no_speed(pair) -> None:
    for name in ("pose_std_distance", "pose_std_distance/yaw"):
        turned = [rotation + np.array([0, 0, 0.3]) for rotation in pair]
        assert score(name, *turned) == pytest.approx(score(name, *pair), abs=1e-9)
    whole_turns = pair[1] + np.where(np.arange(T) < 90, 0, 2 * np.pi)[:, None] * [0, 1, 0]
    assert score("pose_std_distance", pair[0], whole_turns) == pytest.approx(score("pose_std_distance", *pair))
    assert score("pose_speed", pair[0], whole_turns) == pytest.approx(score("pose_speed", *pair))


def slow_alignment(motion: list[int], audio: list[int], fps: float) -> float:
    total = 0.0
    for a in audio:
        near = min(abs(m - a) / fps for m in motion)
        total += math.exp(-(near**2) / (2 * 0.1**2))
    return total / len(audio)


def test_alignment_equals_its_loop(rng) -> None:
    motion, audio = np.sort(rng.choice(T, 20, replace=False)), np.sort(rng.choice(T, 15, replace=False))
    assert beat_alignment(motion, audio, 25.0) == pytest.approx(slow_alignment([*motion], [*audio], 25.0), abs=1e-9)


def test_alignment_at_its_ends() -> None:
    beats = np.array([10, 30])
    assert beat_alignment(beats, beats, 25.0) == 1.0
    assert beat_alignment(beats[:0], beats, 25.0) == 0.0, "a still head meets no beat"
    assert np.isnan(beat_alignment(beats, beats[:0], 25.0)), "without a beat to meet there is no score"
    assert beat_alignment(beats + 5, beats, 25.0) == pytest.approx(math.exp(-2.0)), "0.2 s is two sigma"


def slow_dance(motion: list[int], audio: list[int], fps: float) -> float:
    """AI Choreographer, equation of the beat alignment score: sigma is 3 frames of 60 a second."""
    total = 0.0
    for m in motion:
        near = min(abs(m - a) / fps for a in audio)
        total += math.exp(-(near**2) / (2 * (3 / 60) ** 2))
    return total / len(motion)


def test_the_alignment_of_a_dance_equals_its_loop_over_motion_beats(rng) -> None:
    motion, audio = np.sort(rng.choice(T, 20, replace=False)), np.sort(rng.choice(T, 15, replace=False))
    expected = slow_dance([*motion], [*audio], 25.0)
    assert dance_alignment(motion, audio, 25.0) == pytest.approx(expected, abs=1e-9)
    assert expected != pytest.approx(slow_dance([*audio], [*motion], 25.0), abs=0.01), "the beats are no symmetric pair"


def test_the_alignment_of_a_dance_at_its_ends_and_by_hand() -> None:
    beats = np.array([10, 30])
    assert dance_alignment(beats, beats, 25.0) == 1.0
    assert dance_alignment(beats[:1], beats, 25.0) == 1.0, "one pause on a beat is enough, whatever beats are missed"
    assert beat_alignment(beats[:1], beats, 25.0) == pytest.approx(0.5), "not of beat_align"
    assert dance_alignment(beats[:0], beats, 25.0) == 0.0, "a still head pauses on no beat"
    assert np.isnan(dance_alignment(beats, beats[:0], 25.0))
    assert dance_alignment(beats + 6, beats, 60.0) == pytest.approx(math.exp(-2.0)), "six frames of 60 are two sigma"
    assert dance_alignment(beats * 2 + 12, beats * 2, 120.0) == pytest.approx(math.exp(-2.0)), "whatever the rate"


def test_the_metrics_of_both_alignments_look_at_their_own_beats(pair, rng) -> None:
    audio = rng.random((T, 5))
    beats = [motion_beats(rotation, np.ones(T, bool), 25.0) for rotation in pair]
    heard = audio_beats(audio)
    real, made = (slow_dance([*own], [*heard], 25.0) for own in beats)
    assert score("beat_align/dance", *pair, audio=audio) == pytest.approx(made, abs=1e-9)
    assert score("beat_align/dance-distance", *pair, audio=audio) == pytest.approx(abs(made - real), abs=1e-9)
    assert score("beat_align", *pair, audio=audio) == pytest.approx(slow_alignment([*beats[1]], [*heard], 25.0))
    for name in ("beat_align/dance", "beat_align/dance-distance"):
        moved = score(name, pair[0] + [0, 0, 0.3], pair[1] + [0, 0, 0.3], audio=3 * audio + 7)
        assert moved == pytest.approx(score(name, *pair, audio=audio)), "neither the camera nor the loudness matters"


def test_each_alignment_says_truly_where_it_comes_from() -> None:
    assert "AI Choreographer (ICCV 2021): over motion beats, sigma 3 frames" in METRICS["beat_align/dance"].origin
    assert "over audio beats" in METRICS["beat_align"].origin
    assert "ours" in METRICS["beat_align"].origin and "ours" in METRICS["beat_align/dance"].origin


def test_a_head_pauses_where_it_turns_back() -> None:
    swing = np.zeros((T, 3))
    swing[:, 1] = 0.2 * np.cos(2 * np.pi * np.arange(T) / 50)
    found = motion_beats(swing, np.ones(T, bool), 25.0)
    assert found.tolist() == pytest.approx([25, 50, 75, 100, 125, 150, 175], abs=1)
    assert not len(motion_beats(np.zeros((T, 3)), np.ones(T, bool), 25.0))
    assert not len(motion_beats(swing[:1], np.ones(1, bool), 25.0))
    assert 100 not in motion_beats(swing, np.arange(T) != 100, 25.0)


def test_motion_beats_equal_a_loop(pair) -> None:
    speed = np.concatenate([[np.nan], slow_speed(pair[0])])
    speed[0] = speed[1]
    smooth = gaussian_filter1d(speed, 0.08 * 25)
    expected = [t for t in range(1, T - 1) if smooth[t] < smooth[t - 1] and smooth[t] < smooth[t + 1]]
    assert motion_beats(pair[0], np.ones(T, bool), 25.0).tolist() == expected


def test_audio_beats_are_where_the_sound_rises() -> None:
    audio = np.zeros((100, 4))
    for t in (20, 60):
        audio[t : t + 5] += 1.0
    assert audio_beats(audio).tolist() == [20, 60]
    assert audio_beats(3 * audio + 7).tolist() == [20, 60], "whatever the scale"
    assert not len(audio_beats(np.zeros((100, 4))))
    assert not len(audio_beats(audio[:2]))


def test_without_an_audio_beat_there_is_no_alignment(pair) -> None:
    assert np.isnan(METRICS["beat_align"].compute(make_sample(np.zeros((T, 68, 3)), generated=moving(pair[0]))))


def test_more_beats_always_help(pair, rng) -> None:
    """The trap: jitter, which pauses all the time, scores above real motion. So beat_align ranks nothing."""
    audio = rng.random((T, 5))
    jitter = 0.01 * rng.standard_normal((T, 3))
    slow = np.zeros((T, 3))
    slow[:, 1] = 0.2 * np.cos(2 * np.pi * np.arange(T) / 80)
    assert score("beat_align", slow, jitter, audio=audio) > score("beat_align", slow, slow, audio=audio) + 0.2
    assert METRICS["beat_align"].higher_is_better is None
    assert METRICS["beat_align/dance"].higher_is_better is None
