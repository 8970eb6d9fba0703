"""Drawing: areas, lengths and coordinates that are known."""

from __future__ import annotations

import numpy as np
import pytest

from facial_bench_renderer.raster import filled, strokes, warped_coordinates

SQUARE = np.array([[2.0, 3.0], [7.5, 3.0], [7.5, 6.25], [2.0, 6.25]])


def test_a_filled_outline_covers_its_area() -> None:
    drawn = filled(SQUARE[None], 10)[0]
    assert drawn.sum() == pytest.approx(5.5 * 3.25)
    assert drawn[4, 3] == 1 and drawn[4, 7] == 0.5 and drawn[6, 3] == 0.25 and drawn[0, 0] == 0


@pytest.mark.parametrize("shift", [(-4.0, 0.0), (5.0, -5.0), (0.0, 100.0)])
def test_what_lies_beside_the_picture_is_not_drawn(shift: tuple[float, float]) -> None:
    moved = SQUARE + shift
    low, high = np.clip(moved[0], 0, 10), np.clip(moved[2], 0, 10)
    assert filled(moved[None], 10).sum() == pytest.approx(np.prod(high - low), abs=1e-6)


def test_either_direction_and_several_pictures_at_once() -> None:
    outlines = np.stack([SQUARE, SQUARE[::-1], SQUARE + 1])
    drawn = filled(outlines, 12)
    np.testing.assert_allclose(drawn[0], drawn[1])
    np.testing.assert_allclose(drawn[2, 1:, 1:], drawn[0, :-1, :-1])
    np.testing.assert_array_equal(filled(np.zeros((0, 4, 2)), 12), np.zeros((0, 12, 12)))


def test_lines_are_as_long_as_they_are() -> None:
    starts, stops = np.array([[[2.0, 2.0], [3.0, 9.5]]]), np.array([[[2.0, 8.0], [6.0, 9.5]]])
    drawn = strokes(starts, stops, 12)
    assert drawn.sum() == pytest.approx(9.0)
    assert drawn[0, 9, 4] == pytest.approx(1.0) and drawn.max() <= 1
    assert strokes(starts + 100, stops + 100, 12).sum() == 0


def test_a_mesh_carries_an_affine_map_exactly() -> None:
    rng = np.random.default_rng(0)
    corners = np.array([[0.0, 0], [16, 0], [16, 16], [0, 16], [6.3, 8.1]])
    triangles = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    matrix, offset = rng.standard_normal((2, 2)), rng.standard_normal(2)
    drawn = warped_coordinates(corners[None], (corners @ matrix.T + offset)[None], triangles, 16)[0]
    centre = np.arange(16) + 0.5
    places = np.stack(np.meshgrid(centre, centre), axis=-1)
    np.testing.assert_allclose(np.moveaxis(drawn, 0, -1), places @ matrix.T + offset, atol=1e-4)


def test_triangles_that_are_turned_over_are_left_out() -> None:
    corners = np.array([[[1.0, 1], [7, 1], [1, 7]]])
    drawn = warped_coordinates(corners, corners + 100, np.array([[0, 2, 1]]), 8)
    np.testing.assert_array_equal(drawn[0, 0, 3], np.arange(8) + 0.5)
