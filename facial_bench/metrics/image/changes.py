"""How much a rendered video changes from frame to frame, and where, against the real one."""

from __future__ import annotations

import numpy as np

from facial_bench.metrics.image.regions import region_mean, region_sum


def frame_changes(frames: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Each frame minus the one before it.

    Args:
        frames: (n, S, S, 3) uint8 RGB, grey levels.
        before: (S, S, 3) or (1, S, S, 3) uint8, the frame before the first.

    Returns:
        (n, S, S, 3) int32, grey levels, -255..255.
    """
    size = frames.shape[1:]
    every = np.concatenate([before.reshape(-1, *size), frames]).astype(np.int32)
    return every[1:] - every[: len(frames)]


def temporal_error(real: np.ndarray, rendered: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """|(^I[t] - ^I[t-1]) - (I[t] - I[t-1])|, mean over the pixels of a region and the channels.

    Args:
        real: (n, S, S, 3) int32 changes of the real video, as of `frame_changes`, grey levels.
        rendered: As `real`, of the rendered video.
        boxes: (n, 4) as of `region_boxes`, pixels: of frame t.

    Returns:
        (n,) float64, grey levels; NaN where the region has no pixel.

    Raises:
        ValueError: Changes of unequal shape, or not as many boxes.
    """
    _check(real, rendered)
    return region_mean(np.abs(rendered - real).sum(axis=-1) / 3.0, boxes)


def change_sums(real: np.ndarray, rendered: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """sum |^I[t] - ^I[t-1]| and sum |I[t] - I[t-1]| over the pixels of a region and the channels.

    Args:
        real: As of `temporal_error`.
        rendered: As of `temporal_error`.
        boxes: As of `temporal_error`.

    Returns:
        (n, 2) float64, the rendered and the real sum, grey levels; NaN where the region has no pixel.

    Raises:
        ValueError: As `temporal_error`.
    """
    _check(real, rendered)
    return np.stack([region_sum(np.abs(one).sum(axis=-1), boxes) for one in (rendered, real)], axis=1)


def _check(real: np.ndarray, rendered: np.ndarray) -> None:
    if real.shape != rendered.shape:
        raise ValueError(f"rendered changes are {rendered.shape}, the real ones {real.shape}")
