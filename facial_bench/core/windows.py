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


def longest_stretch(valid: np.ndarray, stride: int) -> int:
    """Frames of the longest stretch of valid frames that begins at a multiple of `stride`: the longest window there is.

    >>> longest_stretch(np.array([True, True, False, True, True, True]), 2)
    2
    """
    ends = np.append(np.flatnonzero(~np.asarray(valid, bool)), len(valid))
    starts = np.arange(0, len(valid), stride)
    return int((ends[np.searchsorted(ends, starts)] - starts).max(initial=0))
