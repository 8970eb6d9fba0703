"""A value a pixel: the errors of a rendered picture, before they are averaged over a region."""

from __future__ import annotations

from typing import Any

import numpy as np

from facial_bench.core.errors import FacialBenchError

SIGMA = 1.5
"""Standard deviation of the Gaussian window of SSIM, pixels."""
RADIUS = 5
"""The window has 2 * 5 + 1 = 11 pixels a side; a pixel nearer to an edge than this has no whole window."""
K1, K2 = 0.01, 0.03
"""The constants of SSIM that keep its quotients finite."""
GREY_LEVELS = 255.0
"""Range of the data."""
PIXELS_PER_DEGREE = 67.0
"""Of the viewer that FLIP assumes: a 0.7 m wide 4K screen seen from 0.7 m, the paper's own default."""


def squared_error(real: np.ndarray, rendered: np.ndarray) -> np.ndarray:
    """(n, S, S) float64 squared difference, mean over the channels, squared grey levels.

    Args:
        real: (n, S, S, 3) uint8 RGB, grey levels.
        rendered: As `real`.

    Raises:
        ValueError: Pictures of unequal shape.
    """
    return np.square(_difference(real, rendered)).sum(axis=-1) / 3.0


def absolute_error(real: np.ndarray, rendered: np.ndarray) -> np.ndarray:
    """(n, S, S) float64 absolute difference, mean over the channels, grey levels; arguments as of `squared_error`.

    Raises:
        ValueError: Pictures of unequal shape.
    """
    return np.abs(_difference(real, rendered)).sum(axis=-1) / 3.0


def _difference(real: np.ndarray, rendered: np.ndarray) -> np.ndarray:
    """int32, since uint8 wraps around."""
    if real.shape != rendered.shape:
        raise ValueError(f"rendered pictures are {rendered.shape}, the real ones {real.shape}")
    return rendered.astype(np.int32) - real


def ssim_map(real: np.ndarray, rendered: np.ndarray) -> np.ndarray:
    """Structural similarity around each pixel (Wang et al. 2004, eq. 13), mean over the channels.

    Gaussian window of 11x11 pixels, sigma 1.5, K1 = 0.01, K2 = 0.03, range 255, population covariance.

    Args:
        real: (n, S, S, 3) uint8 RGB, grey levels; S at least 11.
        rendered: As `real`.

    Returns:
        (n, S, S) float64, -1..1. The 5 pixels at each edge have a window that mirrors the picture; no metric uses them.

    Raises:
        FacialBenchError: scikit-image is not installed.
        ValueError: Pictures of unequal shape, or smaller than the window.
    """
    try:
        from skimage.metrics import structural_similarity
    except ImportError as problem:
        raise _missing("scikit-image", problem) from None
    maps = np.empty(real.shape[:3])
    for t, (one, two) in enumerate(zip(real, rendered, strict=True)):
        _, similarity = structural_similarity(
            one,
            two,
            channel_axis=2,
            gaussian_weights=True,
            sigma=SIGMA,
            use_sample_covariance=False,
            K1=K1,
            K2=K2,
            data_range=GREY_LEVELS,
            full=True,
        )
        maps[t] = similarity.mean(axis=-1)
    return maps


def flip_map(real: np.ndarray, rendered: np.ndarray) -> np.ndarray:
    """LDR-FLIP (Andersson et al. 2020): the difference that a viewer sees when the two pictures alternate.

    Seen at 67 pixels a degree of visual angle. The evaluator of its authors computes it, in float32.

    Args:
        real: (n, S, S, 3) uint8 sRGB, grey levels.
        rendered: As `real`.

    Returns:
        (n, S, S) float64, 0 (no difference)..1.

    Raises:
        FacialBenchError: flip-evaluator is not installed.
        ValueError: Pictures of unequal shape.
    """
    evaluate = load_flip()
    if real.shape != rendered.shape:
        raise ValueError(f"rendered pictures are {rendered.shape}, the real ones {real.shape}")
    maps = np.empty(real.shape[:3])
    for t in range(len(real)):
        one, two = ((frames[t] / GREY_LEVELS).astype(np.float32) for frames in (real, rendered))
        answer = evaluate(
            one,
            two,
            "LDR",
            inputsRGB=True,
            applyMagma=False,
            computeMeanError=False,
            parameters={"ppd": PIXELS_PER_DEGREE},
        )
        maps[t] = answer[0][..., 0]
    return maps


def load_flip() -> Any:
    """The function of flip-evaluator, imported when it is needed; raises FacialBenchError where it is not installed."""
    try:
        from flip_evaluator import evaluate
    except ImportError as problem:
        raise _missing("flip-evaluator", problem) from None
    return evaluate


def _missing(package: str, problem: ImportError) -> FacialBenchError:
    return FacialBenchError(
        f"Pixel metrics need {package}, which cannot be imported ({problem}). Install it: "
        "pip install 'facial-bench[render]'."
    )
