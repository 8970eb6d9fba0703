"""MS-SSIM: structural similarity of a picture at five resolutions."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import correlate1d

from facial_bench.metrics.image.pixel_maps import GREY_LEVELS, K1, K2, RADIUS, SIGMA

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponent of each scale, the finest first."""
SMALLEST = 256
"""Side from which MS-SSIM is computed, pixels: the coarsest of five scales then has 16, more than the window's 11."""


def multi_scale_similarity(real: np.ndarray, rendered: np.ndarray) -> np.ndarray:
    """MS-SSIM (Wang, Simoncelli and Bovik 2003, eq. 7), frame by frame.

    prod_{j=1..4} cs_j^{w_j} * ssim_5^{w_5}: cs_j is the mean of the contrast and structure term over the channels and
    the pixels whose window lies in the picture, at the j-th scale; ssim_5 that of the whole SSIM. A scale is the one
    before it averaged over blocks of 2x2 pixels. Window and constants as of `ssim_map`. A negative mean counts as 0.

    Args:
        real: (n, S, S, 3) uint8 RGB, grey levels; S at least 256.
        rendered: As `real`.

    Returns:
        (n,) float64, 0..1.

    Raises:
        ValueError: Pictures of unequal shape, or too small for five scales.
    """
    if real.shape != rendered.shape:
        raise ValueError(f"rendered pictures are {rendered.shape}, the real ones {real.shape}")
    if min(real.shape[1:3]) < SMALLEST:
        raise ValueError(f"MS-SSIM needs pictures of {SMALLEST} px a side, these have {min(real.shape[1:3])}")
    return np.array([_of_a_frame(one, two) for one, two in zip(real, rendered, strict=True)], np.float64)


def _of_a_frame(one: np.ndarray, two: np.ndarray) -> float:
    one, two = (np.moveaxis(frame, -1, 0).astype(np.float64) for frame in (one, two))  # channels first: (3, S, S)
    product = 1.0
    for scale, weight in enumerate(WEIGHTS, start=1):
        luminance, structure = _terms(one, two)
        last = scale == len(WEIGHTS)
        similarity = float((luminance * structure if last else structure).mean())
        product *= max(similarity, 0.0) ** weight
        one, two = _halved(one), _halved(two)
    return product


def _terms(one: np.ndarray, two: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(3, S-10, S-10) each: the luminance term, and the contrast and structure term, where the window is whole."""
    small, smaller = (K1 * GREY_LEVELS) ** 2, (K2 * GREY_LEVELS) ** 2
    mean_one, mean_two = _blurred(one), _blurred(two)
    product = mean_one * mean_two
    power = mean_one**2 + mean_two**2
    covariance = _blurred(one * two) - product
    variances = _blurred(one**2 + two**2) - power
    return (2 * product + small) / (power + small), (2 * covariance + smaller) / (variances + smaller)


def _blurred(planes: np.ndarray) -> np.ndarray:
    window = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / SIGMA) ** 2)
    window /= window.sum()
    inside = slice(RADIUS, -RADIUS)
    rows = correlate1d(planes, window, axis=1)[:, inside]
    return correlate1d(rows, window, axis=2)[:, :, inside]


def _halved(planes: np.ndarray) -> np.ndarray:
    """(3, S, S) -> (3, S//2, S//2), means of 2x2 pixels; an odd last row or column is left out."""
    side = planes.shape[1] // 2 * 2
    return planes[:, :side, :side].reshape(3, side // 2, 2, side // 2, 2).mean(axis=(2, 4))
