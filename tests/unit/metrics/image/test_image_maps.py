"""Maps of error: PSNR, L1, SSIM and MS-SSIM against loops and torchmetrics, at zero, by hand, and their invariances."""

import sys

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch.nn.functional import avg_pool2d
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as torch_ms_ssim
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from facial_bench.core.errors import FacialBenchError
from facial_bench.metrics.image.detail import decibels
from facial_bench.metrics.image.multi_scale import multi_scale_similarity
from facial_bench.metrics.image.pixel_maps import absolute_error, flip_map, squared_error, ssim_map

MAPS = [squared_error, absolute_error, ssim_map, flip_map]
INSIDE = slice(5, -5)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def pictures(rng, frames=2, size=24, noise=12.0):
    """Smooth real pictures and noisy ones."""
    smooth = gaussian_filter(rng.normal(size=(frames, size, size, 3)), (0, 2, 2, 0)) * 300 + 128
    return to_bytes(smooth), to_bytes(smooth + rng.normal(size=smooth.shape) * noise)


def to_bytes(values):
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def tensor(frames):
    return torch.from_numpy(np.moveaxis(frames, -1, 1).astype(np.float64))


def test_errors_equal_their_loops(rng):
    real, rendered = pictures(rng, frames=1, size=12)
    for row in range(12):
        for column in range(12):
            gaps = [int(rendered[0, row, column, c]) - int(real[0, row, column, c]) for c in range(3)]
            assert squared_error(real, rendered)[0, row, column] == pytest.approx(sum(g * g for g in gaps) / 3)
            assert absolute_error(real, rendered)[0, row, column] == pytest.approx(sum(map(abs, gaps)) / 3)


def test_psnr_equals_torchmetrics(rng):
    real, rendered = pictures(rng, frames=1)
    expected = peak_signal_noise_ratio(tensor(rendered), tensor(real), data_range=255.0)
    np.testing.assert_allclose(decibels(squared_error(real, rendered).mean()), float(expected), rtol=1e-6)


def torch_ssim(one, two, **more):
    """Per frame, with a second answer: the map, or the mean contrast and structure term where windows are whole."""
    return structural_similarity_index_measure(
        one, two, sigma=1.5, kernel_size=11, data_range=255.0, reduction="none", **more
    )


def test_ssim_equals_torchmetrics(rng):
    """Where the window is whole: near the edge torchmetrics mirrors the picture in another way."""
    real, rendered = pictures(rng, frames=3)
    _, full = torch_ssim(tensor(rendered), tensor(real), return_full_image=True)
    expected = full.numpy().mean(axis=1)[:, INSIDE, INSIDE]
    np.testing.assert_allclose(ssim_map(real, rendered)[:, INSIDE, INSIDE], expected, rtol=1e-6)


def slow_ssim(one, two, row, column):
    """SSIM of one pixel of one channel, from the paper's sums over its window."""
    weights = np.array([[np.exp(-(a * a + b * b) / (2 * 1.5**2)) for b in range(-5, 6)] for a in range(-5, 6)])
    weights /= weights.sum()
    x, y = (frame[row - 5 : row + 6, column - 5 : column + 6].astype(float) for frame in (one, two))
    mx, my = (weights * x).sum(), (weights * y).sum()
    vx, vy = (weights * (x - mx) ** 2).sum(), (weights * (y - my) ** 2).sum()
    cov = (weights * (x - mx) * (y - my)).sum()
    c1, c2 = 2.55**2, 7.65**2
    return (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))


def test_the_ssim_of_a_pixel_equals_its_sums(rng):
    real, rendered = pictures(rng, frames=1)
    found = ssim_map(real, rendered)[0]
    for row, column in [(5, 5), (11, 8), (18, 18)]:
        channels = [slow_ssim(real[0, ..., c], rendered[0, ..., c], row, column) for c in range(3)]
        np.testing.assert_allclose(found[row, column], np.mean(channels), rtol=1e-9)


def slow_ms_ssim(one, two):
    expected = 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333), start=1):
        _, term = torch_ssim(one, two, return_contrast_sensitivity=True)
        if scale == 5:
            term = torch_ssim(one, two, return_full_image=True)[1][..., INSIDE, INSIDE].mean(dim=(1, 2, 3))
        expected = expected * term**weight
        one, two = avg_pool2d(one, 2), avg_pool2d(two, 2)
    return expected.numpy()


def test_ms_ssim_equals_the_terms_of_torchmetrics(rng):
    real, rendered = pictures(rng, frames=1, size=258, noise=40)
    expected = slow_ms_ssim(tensor(rendered), tensor(real))
    assert (expected < 0.95).all()
    np.testing.assert_allclose(multi_scale_similarity(real, rendered), expected, rtol=1e-6)


def test_ms_ssim_is_near_that_of_torchmetrics(rng):
    """Which takes the mirrored edge of the coarsest scale in."""
    real, rendered = pictures(rng, frames=1, size=256)
    expected = torch_ms_ssim(tensor(rendered), tensor(real), data_range=255.0, reduction="none")
    np.testing.assert_allclose(multi_scale_similarity(real, rendered), expected.numpy(), rtol=1e-3)


def test_ms_ssim_of_a_negative_is_zero(rng):
    real, _ = pictures(rng, frames=1, size=256)
    assert multi_scale_similarity(real, 255 - real).tolist() == [0]


def test_a_picture_is_like_itself(rng):
    real, _ = pictures(rng, frames=1, size=256)
    assert not squared_error(real, real).any()
    assert not absolute_error(real, real).any()
    assert not flip_map(real, real).any()
    np.testing.assert_allclose(ssim_map(real, real), 1, atol=1e-12)
    np.testing.assert_allclose(multi_scale_similarity(real, real), 1, atol=1e-12)


def test_grey_pictures_by_hand():
    """100 against 110 grey levels: no structure, so that SSIM is its luminance term."""
    real, rendered = np.full((1, 256, 256, 3), 100, np.uint8), np.full((1, 256, 256, 3), 110, np.uint8)
    luminance = (2 * 100 * 110 + 2.55**2) / (100**2 + 110**2 + 2.55**2)
    np.testing.assert_allclose(squared_error(real, rendered), 100)
    np.testing.assert_allclose(absolute_error(real, rendered), 10)
    np.testing.assert_allclose(ssim_map(real, rendered), luminance, rtol=1e-9)
    np.testing.assert_allclose(multi_scale_similarity(real, rendered), luminance**0.1333, rtol=1e-9)


def test_decibels_by_hand():
    np.testing.assert_allclose(decibels(np.array([100.0, 650.25])), [28.1308036, 20], atol=1e-6)
    np.testing.assert_allclose(decibels(np.array([0.0, 1 / 12, 0.01])), 58.9226, atol=1e-4)
    assert np.isnan(decibels(np.array([np.nan]))).all()


def test_black_and_white_do_not_wrap_around():
    black, white = np.zeros((1, 12, 12, 3), np.uint8), np.full((1, 12, 12, 3), 255, np.uint8)
    for one, two in ((black, white), (white, black)):
        assert (squared_error(one, two) == 255**2).all()
        assert (absolute_error(one, two) == 255).all()


@pytest.mark.parametrize("function", MAPS)
def test_maps_are_the_same_either_way_round_and_mirror_with_the_pictures(rng, function):
    real, rendered = pictures(rng)
    found = function(real, rendered)
    assert found.shape == (2, 24, 24) and found.dtype == np.float64
    np.testing.assert_allclose(function(rendered, real), found, atol=1e-9)
    mirrored = function(real[:, :, ::-1], rendered[:, :, ::-1])
    np.testing.assert_allclose(mirrored[:, :, ::-1], found, atol=1e-5)


@pytest.mark.parametrize("function", [*MAPS, multi_scale_similarity])
def test_unequal_shapes_are_refused(function):
    with pytest.raises(ValueError):
        function(np.zeros((1, 24, 24, 3), np.uint8), np.zeros((1, 24, 23, 3), np.uint8))


def test_small_pictures_are_refused():
    small = np.zeros((1, 255, 255, 3), np.uint8)
    with pytest.raises(ValueError, match="MS-SSIM needs pictures of 256 px a side, these have 255"):
        multi_scale_similarity(small, small)


@pytest.mark.parametrize(
    ("function", "module", "package"),
    [(ssim_map, "skimage.metrics", "scikit-image"), (flip_map, "flip_evaluator", "flip-evaluator")],
)
def test_a_missing_package_is_named_with_its_cure(monkeypatch, function, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    real = np.zeros((1, 12, 12, 3), np.uint8)
    with pytest.raises(FacialBenchError, match=rf"Pixel metrics need {package}.*pip install 'facial-bench\[render\]'"):
        function(real, real)
