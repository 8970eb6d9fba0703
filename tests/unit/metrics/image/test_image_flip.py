"""FLIP: its authors' evaluator against the paper's equations, by hand, and what a metric needs of a library."""

import numpy as np
import pytest
from scipy.ndimage import correlate, gaussian_filter

from facial_bench.metrics.image.pixel_maps import flip_map

PPD = 67.0
TO_XYZ = np.array(
    [
        [10135552 / 24577794, 8788810 / 24577794, 4435075 / 24577794],
        [2613072 / 12288897, 8788810 / 12288897, 887015 / 12288897],
        [1425312 / 73733382, 8788810 / 73733382, 70074185 / 73733382],
    ]
)
WHITE = TO_XYZ.sum(axis=1)
SENSITIVITY = [(1, 0.0047, 0, 1e-5), (1, 0.0053, 0, 1e-5), (34.1, 0.04, 13.5, 0.025)]
"""a1, b1, a2, b2 of the contrast sensitivity of luminance, red-green and blue-yellow."""


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def linear(picture):
    return np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)


def opponent(picture):
    """sRGB 0..1 -> YCxCz."""
    x, y, z = np.moveaxis(linear(picture) @ TO_XYZ.T / WHITE, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def filtered(planes):
    radius = int(np.ceil(3 * np.sqrt(0.04 / (2 * np.pi**2)) * PPD))
    x, y = np.meshgrid(*[np.arange(-radius, radius + 1) / PPD] * 2)
    done = []
    for plane, (a1, b1, a2, b2) in zip(np.moveaxis(planes, -1, 0), SENSITIVITY, strict=True):
        z = x**2 + y**2
        window = a1 * np.sqrt(np.pi / b1) * np.exp(-(np.pi**2) * z / b1)
        window += a2 * np.sqrt(np.pi / b2) * np.exp(-(np.pi**2) * z / b2)
        done.append(correlate(plane, window / window.sum(), mode="nearest"))
    return np.stack(done, axis=-1)


def hunt_lab(rgb):
    """Linear RGB -> L*a*b* whose colours fade with the lightness."""
    ratio = rgb @ TO_XYZ.T / WHITE
    d = 6 / 29
    x, y, z = np.moveaxis(np.where(ratio > d**3, np.cbrt(ratio), ratio / (3 * d**2) + 4 / 29), -1, 0)
    lightness = 116 * y - 16
    return np.stack([lightness, 0.01 * lightness * 500 * (x - y), 0.01 * lightness * 200 * (y - z)], axis=-1)


def hyab(one, two):
    gap = one - two
    return np.abs(gap[..., 0]) + np.hypot(gap[..., 1], gap[..., 2])


def colour_difference(real, rendered):
    lab = []
    for picture in (real, rendered):
        y, cx, cz = np.moveaxis(filtered(opponent(picture)), -1, 0)
        middle = (y + 16) / 116
        xyz = np.stack([middle + cx / 500, middle, middle - cz / 200], axis=-1) * WHITE
        lab.append(hunt_lab(np.clip(xyz @ np.linalg.inv(TO_XYZ).T, 0, 1)))
    power = hyab(*lab) ** 0.7
    greatest = hyab(hunt_lab(np.array([0.0, 1, 0])), hunt_lab(np.array([0.0, 0, 1]))) ** 0.7
    knee = 0.4 * greatest
    return np.where(power < knee, 0.95 / knee * power, 0.95 + (power - knee) / (greatest - knee) * 0.05)


def feature_difference(real, rendered):
    deviation = 0.5 * 0.082 * PPD
    radius = int(np.ceil(3 * deviation))
    x, y = np.meshgrid(*[np.arange(-radius, radius + 1)] * 2)
    bell = np.exp(-(x**2 + y**2) / (2 * deviation**2))
    gaps = []
    for window in (-x * bell, (x**2 / deviation**2 - 1) * bell):
        window = np.where(window < 0, window / -window[window < 0].sum(), window / window[window > 0].sum())
        sizes = []
        for picture in (real, rendered):
            plane = (opponent(picture)[..., 0] + 16) / 116
            sizes.append(np.hypot(*(correlate(plane, one, mode="nearest") for one in (window, window.T))))
        gaps.append(np.abs(sizes[0] - sizes[1]))
    return np.sqrt(np.maximum(*gaps) / np.sqrt(2))


def slow_flip(real, rendered):
    """(S, S) of two uint8 pictures, from section 4 of the paper."""
    real, rendered = real / 255, rendered / 255
    return colour_difference(real, rendered) ** (1 - feature_difference(real, rendered))


def test_flip_equals_the_equations_of_the_paper(rng):
    smooth = gaussian_filter(rng.normal(size=(32, 32, 3)), (2, 2, 0)) * 300 + 128
    real = np.clip(smooth, 0, 255).astype(np.uint8)
    rendered = np.clip(smooth + rng.normal(size=smooth.shape) * 25, 0, 255).astype(np.uint8)
    found = flip_map(real[None], rendered[None])[0]
    assert 0.05 < found.mean() < 0.6
    np.testing.assert_allclose(found, slow_flip(real, rendered), atol=2e-4)


def test_one_colour_by_hand():
    """White on black has no edges: L* is 100 apart, past the knee of the scale, which ends at green against blue."""
    black = np.zeros((1, 16, 16, 3), np.uint8)
    lab = [hunt_lab(np.array(one, float)) for one in ([0, 1, 0], [0, 0, 1])]
    greatest = hyab(*lab) ** 0.7
    expected = 0.95 + (100**0.7 - 0.4 * greatest) / (0.6 * greatest) * 0.05
    np.testing.assert_allclose(flip_map(black, 255 - black), expected, atol=1e-4)
    np.testing.assert_allclose(expected, 0.96738, atol=1e-5)


def test_a_frame_does_not_depend_on_its_block(rng):
    real, rendered = rng.integers(0, 256, (2, 3, 20, 20, 3), np.uint8)
    whole = flip_map(real, rendered)
    for t in range(3):
        np.testing.assert_array_equal(flip_map(real[t : t + 1], rendered[t : t + 1])[0], whole[t])


def test_flip_is_silent(rng, capfd):
    real, rendered = rng.integers(0, 256, (2, 1, 20, 20, 3), np.uint8)
    flip_map(real, rendered)
    assert capfd.readouterr() == ("", "")
