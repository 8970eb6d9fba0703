"""Windows of motion: where they begin."""

from __future__ import annotations

import numpy as np


def window_starts(valid: np.ndarray, window: int, stride: int) -> np.ndarray:
    """First frames of the windows, every `stride` frames, that hold valid frames only.

    Args:
        valid: (T,) bool.
        window: length, frames.
        stride: hop, frames.

    Returns:
        (W,) int64; empty where T < window.
    """
    starts = np.arange(0, len(valid) - window + 1, stride)
    invalid = np.concatenate([[0], np.cumsum(~np.asarray(valid, bool))])
    return starts[invalid[starts + window] == invalid[starts]] if len(starts) else starts
