"""Resampling at constant rates, and filling frames without a face."""

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facial_bench.core import resampling


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize(
    ("frames", "fps_in", "fps_out", "expected"),
    [(900, 30, 25, 750), (7, 30, 25, 6), (6, 30, 25, 5), (1, 30, 25, 1), (1169, 25, 25, 1169), (3, 25, 50, 5)],
)
def test_the_number_of_resampled_frames(frames, fps_in, fps_out, expected):
    """floor((T - 1) / fps_in * fps_out) + 1; 6 / 30 * 25 is 5 although it is not in floating point."""
    assert len(resampling.resampled_positions(frames, fps_in, fps_out)) == expected
    assert len(resampling.resample_valid(np.ones(frames, bool), fps_in, fps_out)) == expected


@pytest.mark.parametrize(("fps_in", "fps_out"), [(30, 25), (29.97, 25), (25, 30), (24, 25)])
def test_resampling_is_linear_in_time(rng, fps_in, fps_out):
    values = rng.normal(size=(50, 4, 2))
    resampled = resampling.resample(values, fps_in, fps_out)
    times = np.arange(len(resampled)) / fps_out
    for column in np.ndindex(4, 2):
        expected = np.interp(times, np.arange(50) / fps_in, values[(slice(None), *column)])
        np.testing.assert_allclose(resampled[(slice(None), *column)], expected, atol=1e-9)


def test_resampling_to_the_same_rate_changes_nothing(rng):
    values = rng.normal(size=(50, 3))
    np.testing.assert_array_equal(resampling.resample(values, 25, 25), values)
    np.testing.assert_allclose(resampling.resample_rotation(values / 3, 25, 25), values / 3, atol=1e-12)


def test_a_steady_turn_stays_steady():
    """Half a turn a second about one axis, oblique to all Euler axes: every resampled frame lies on the same arc."""
    axis = np.array([1.0, 2.0, 2.0]) / 3
    at = lambda fps, n: Rotation.from_rotvec(np.outer(np.arange(n) / fps * math.pi / 4, axis))  # noqa: E731
    turned = Rotation.from_euler("xyz", resampling.resample_rotation(at(30, 31).as_euler("xyz"), 30, 25))
    assert (turned * at(25, 26).inv()).magnitude().max() < 1e-9


def test_euler_angles_do_not_jump_when_the_roll_passes_half_a_turn():
    roll = np.linspace(3.0, 3.4, 31)
    wrapped = Rotation.from_euler("z", roll[:, None]).as_euler("xyz")
    assert np.abs(np.diff(wrapped[:, 2])).max() > 6
    resampled = resampling.resample_rotation(wrapped, 30, 25)
    np.testing.assert_allclose(resampled[:, 2], np.linspace(3.0, 3.4, 26), atol=1e-9)


def test_a_resampled_frame_is_valid_only_if_all_it_is_made_of_is():
    """Output frames lie at 0, 1.2, 2.4, 3.6, 4.8, 6: frame 3 invalid spoils those at 2.4 and 3.6, frame 6 the last."""
    valid = np.array([True, True, True, False, True, True, False])
    assert resampling.resample_valid(valid, 30, 25).tolist() == [True, True, False, False, True, False]


@pytest.mark.parametrize(("frames", "fps_in", "fps_out"), [(0, 30, 25), (5, 0, 25), (5, 30, -1), (5, math.nan, 25)])
def test_resampling_refuses_what_has_no_time(frames, fps_in, fps_out):
    with pytest.raises(ValueError, match="cannot resample"):
        resampling.resampled_positions(frames, fps_in, fps_out)


def test_invalid_frames_are_interpolated_and_held_at_the_ends():
    values = np.array([[9.0], [2.0], [np.nan], [np.nan], [8.0], [-5.0]])
    valid = np.array([False, True, False, False, True, False])
    np.testing.assert_allclose(resampling.fill_invalid(values, valid)[:, 0], [2, 2, 4, 6, 8, 8])
    rotation = np.zeros((6, 3))
    rotation[:, 2] = values[:, 0] / 10
    np.testing.assert_allclose(resampling.fill_invalid_rotation(rotation, valid)[:, 2], [0.2, 0.2, 0.4, 0.6, 0.8, 0.8])
    with pytest.raises(ValueError, match="no valid frame"):
        resampling.fill_invalid(values, np.zeros(6, bool))
