"""Regions: the pixels whose centre lies in a box around landmarks, against loops, by hand, and outside the picture."""

import math

import numpy as np
import pytest

from facial_bench.metrics.image.regions import REGIONS, region_boxes, region_mean, region_sum, whole_picture

SIZE = 40


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def slow_pixels(points, region):
    """{(row, column)} of one frame, pixel by pixel."""
    xs, ys = ([float(points[k, axis]) for k in region.points] for axis in (0, 1))
    chosen = set()
    for row in range(SIZE):
        for column in range(SIZE):
            inside = True
            for centre, values, growth in ((column + 0.5, xs, region.wider), (row + 0.5, ys, region.taller)):
                middle, half = (min(values) + max(values)) / 2, (max(values) - min(values)) / 2 * growth
                inside = inside and middle - half <= centre < middle + half
            if inside:
                chosen.add((row, column))
    return chosen


@pytest.mark.parametrize("name", REGIONS)
def test_a_region_equals_its_loop(rng, name):
    landmarks = rng.uniform(-5, SIZE + 5, (6, 1, 2)) + rng.uniform(-9, 9, (6, 68, 2))
    values = rng.random((6, SIZE, SIZE))
    boxes = region_boxes(landmarks, REGIONS[name], SIZE)
    for t in range(6):
        pixels = slow_pixels(landmarks[t], REGIONS[name])
        left, top, right, bottom = boxes[t]
        assert {(row, column) for row in range(top, bottom) for column in range(left, right)} == pixels
        total = math.fsum(values[t, row, column] for row, column in pixels) if pixels else math.nan
        np.testing.assert_allclose(region_sum(values, boxes)[t], total, rtol=1e-12)
        np.testing.assert_allclose(region_mean(values, boxes)[t], total / (len(pixels) or 1), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "box"),
    [
        # The points span x 10..20 and y 20..24: the centre is (15, 22), the half sizes 5 and 2 px.
        ("face", [9, 20, 21, 24]),  # 9..21 and 19.6..24.4: row 19 has its centre at 19.5
        ("mouth", [7, 19, 22, 25]),  # 7.5..22.5, whose left edge is the centre of column 7, and 19..25
        ("eyes", [8, 18, 21, 26]),  # 8.5..21.5 and 18..26
    ],
)
def test_boxes_by_hand(name, box):
    landmarks = np.tile([15.0, 22.0], (1, 68, 1))
    landmarks[0, list(REGIONS[name].points[:2])] = [[10, 20], [20, 24]]
    assert region_boxes(landmarks, REGIONS[name], SIZE).tolist() == [box]


def test_the_regions_are_those_of_the_68_points():
    assert {name: (one.points[0], one.points[-1], len(one.points)) for name, one in REGIONS.items()} == {
        "face": (0, 67, 68),
        "mouth": (48, 67, 20),
        "eyes": (36, 47, 12),
    }


def test_a_region_moves_with_its_landmarks(rng):
    landmarks = rng.uniform(12, 18, (3, 68, 2))
    boxes, shift = region_boxes(landmarks, REGIONS["face"], SIZE), np.array([5, 9])
    np.testing.assert_array_equal(region_boxes(landmarks + shift, REGIONS["face"], SIZE), boxes + np.tile(shift, 2))


@pytest.mark.parametrize("landmark", [[-90.0, 20.0], [20.0, 90.0], [np.nan, 20.0], [np.inf, 20.0]])
def test_no_pixel_no_value(landmark):
    landmarks = np.tile(landmark, (1, 68, 1))
    landmarks[0, :, 1] += np.linspace(0, 9, 68)
    landmarks[0, :, 0] += np.linspace(0, 9, 68)
    boxes = region_boxes(landmarks, REGIONS["face"], SIZE)
    assert boxes.tolist() == [[0, 0, 0, 0]]
    ones = np.ones((1, SIZE, SIZE))
    assert np.isnan([region_sum(ones, boxes), region_mean(ones, boxes), region_mean(ones, boxes, margin=5)]).all()


def test_an_unknown_landmark_spoils_only_its_own_regions():
    landmarks = np.tile(np.linspace(10, 30, 68)[:, None], (1, 1, 2))
    landmarks[0, 0] = np.nan
    assert not region_boxes(landmarks, REGIONS["face"], SIZE).any()
    assert region_boxes(landmarks, REGIONS["mouth"], SIZE).any()


def test_a_margin_belongs_to_no_region():
    values = np.full((2, SIZE, SIZE), np.nan)
    values[:, 5:-5, 5:-5] = 3
    np.testing.assert_array_equal(region_mean(values, whole_picture(2, SIZE), margin=5), [3, 3])
    corner = np.array([[0, 0, 5, 5], [0, 0, 6, 6]])
    np.testing.assert_array_equal(region_mean(values, corner, margin=5), [np.nan, 3])


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="landmarks are"):
        region_boxes(np.zeros((2, 5, 2)), REGIONS["face"], SIZE)
    with pytest.raises(ValueError, match="maps are"):
        region_mean(np.zeros((2, 9, 9)), whole_picture(3, 9))
