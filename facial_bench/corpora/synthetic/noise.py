"""Smooth noise, for all that wanders."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d


def smooth_noise(
    samples: int, seconds: float, rate: float, rng: np.random.Generator, shape: tuple[int, ...] = ()
) -> np.ndarray:
    """(samples, *shape) Gaussian noise of about unit variance, smoothed by a Gaussian of `seconds` standard deviation.

    It is made on a grid of a third of `seconds` and interpolated linearly, which is what keeps slow noise cheap.
    rate is in samples per second.
    """
    step = max(1, int(seconds * rate / 3))
    sigma = seconds * rate / step
    margin = int(np.ceil(4 * sigma))
    knots = samples // step + 2
    white = rng.standard_normal((knots + 2 * margin, *shape))
    smooth = gaussian_filter1d(white, sigma, axis=0)[margin : margin + knots] * np.sqrt(2 * np.sqrt(np.pi) * sigma)
    low, part = np.divmod(np.arange(samples), step)
    part = (part / step).reshape(-1, *[1] * len(shape))
    return smooth[low] * (1 - part) + smooth[low + 1] * part
