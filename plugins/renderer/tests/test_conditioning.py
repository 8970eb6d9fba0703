"""What the network sees."""

from __future__ import annotations

import numpy as np
from tiny_person import SIZE, crop_landmarks, make_motion

from facial_bench_renderer.conditioning import CHANNELS, Conditioner
from facial_bench_renderer.data import window


def make_conditioner() -> Conditioner:
    return Conditioner(crop_landmarks(make_motion(50, 0)).mean(axis=0), SIZE)


def test_the_average_face_lies_where_it_lies() -> None:
    conditioner = make_conditioner()
    maps = conditioner.maps(conditioner.average[None], np.zeros(1))
    centre = (np.arange(SIZE) + 0.5) * 2 / SIZE - 1
    np.testing.assert_allclose(maps[0, 0], np.tile(centre, (SIZE, 1)), atol=1e-4)
    np.testing.assert_allclose(maps[0, 1], np.tile(centre[:, None], (1, SIZE)), atol=1e-4)


def test_landmarks_carry_the_coordinates_of_the_average_face() -> None:
    conditioner, seen = make_conditioner(), crop_landmarks(make_motion(5, 1))
    maps = conditioner.maps(seen, np.zeros(5))
    for frame in range(5):
        for point in (30, 33, 48, 54):  # near the middle, where the mesh does not fold
            x, y = np.floor(seen[frame, point]).astype(int)
            found = (maps[frame, :2, y, x] + 1) * SIZE / 2
            assert np.abs(found - conditioner.average[point]).max() < 2


def test_there_and_back() -> None:
    """The coordinates of the average face and its places in a frame undo each other."""
    conditioner, seen = make_conditioner(), crop_landmarks(make_motion(3, 2))
    there, back = conditioner.maps(seen, np.zeros(3))[:, :2], conditioner.sources(seen)
    for frame in range(3):
        for y, x in ((14, 14), (18, 15), (20, 17)):
            u, v = ((there[frame, :, y, x] + 1) * SIZE / 2).astype(int)
            assert np.abs((back[frame, :, v, u] + 1) * SIZE / 2 - [x + 0.5, y + 0.5]).max() < 2


def test_mouth_lines_and_lids() -> None:
    conditioner = make_conditioner()
    motion = make_motion(2, 3)
    motion.pose[1] = motion.pose[0]
    motion.expression[:, 0] = [0.0, 0.9]
    maps = conditioner.maps(crop_landmarks(motion), np.array([0.25, 1.0]))
    assert maps.shape == (2, CHANNELS, SIZE, SIZE) and maps.dtype == np.float32
    assert maps[1, 2].sum() > 1.5 * maps[0, 2].sum() > 0
    assert maps[:, 2:].min() >= 0 and maps[:, 2:].max() <= 1 + 1e-6
    np.testing.assert_allclose(maps[0, 5], maps[0, 4] / 4)
    np.testing.assert_allclose(maps[1, 5], maps[1, 4])
    np.testing.assert_allclose(maps[0, 4], maps[1, 4], atol=1e-6)


def test_a_face_far_outside_is_drawn_as_nothing() -> None:
    conditioner = make_conditioner()
    maps = conditioner.maps(conditioner.average[None] + 1e6, np.ones(1))
    assert np.isfinite(maps).all() and maps[0, 2:].sum() == 0


def test_windows_are_held_at_the_ends() -> None:
    np.testing.assert_array_equal(window(np.array([0, 9]), 6, 3, 10)[0], [0] * 6 + [0, 1, 2, 3])
    np.testing.assert_array_equal(window(np.array([0]), 2, 2, 1), [[0] * 5])
