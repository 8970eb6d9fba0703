"""Values of single frames: decibels, and how much fine detail a picture has."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import laplace

from facial_bench.metrics.image.pixel_maps import GREY_LEVELS
from facial_bench.metrics.image.regions import region_mean

LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in the luma of ITU-R BT.601."""
QUANTISATION_ERROR = 1 / 12
"""Mean squared error of rounding to whole grey levels: a rendering that is nearer than that counts as that near."""


def decibels(squared: np.ndarray) -> np.ndarray:
    """PSNR of mean squared errors: 10 log10(255^2 / max(MSE, 1/12)), at most 58.92 dB.

    >>> decibels(np.array([0.0, 1.0, 255.0**2])).round(2)
    array([58.92, 48.13,  0.  ])

    Args:
        squared: (n,) squared grey levels; NaN stays NaN.

    Returns:
        (n,) float64, dB.
    """
    return 10 * np.log10(GREY_LEVELS**2 / np.maximum(np.asarray(squared, np.float64), QUANTISATION_ERROR))


def detail(frames: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Mean absolute Laplacian of the luma over a region: 4 neighbours minus 4 times the pixel, edges repeated.

    Args:
        frames: (n, S, S, 3) uint8 RGB, grey levels.
        boxes: (n, 4) as of `region_boxes`, pixels.

    Returns:
        (n,) float64, grey levels; NaN where the region has no pixel.

    Raises:
        ValueError: Not as many boxes as frames.
    """
    luma = frames @ np.array(LUMA)
    edges = np.stack([np.abs(laplace(frame, mode="nearest")) for frame in luma]) if len(luma) else luma
    return region_mean(edges, boxes)
