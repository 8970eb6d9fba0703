"""Arrays at one constant rate brought to another, and frames without a face filled from their neighbours."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

_SAME_INSTANT = 1e-9  # frames; rounding of t * fps must not move a sample to its neighbour


def resampled_positions(frames: int, fps_in: float, fps_out: float) -> np.ndarray:
    """Where each output frame falls among the input frames: output frame t is at time t / fps_out.

    >>> resampled_positions(7, 30.0, 25.0).round(3).tolist()
    [0.0, 1.2, 2.4, 3.6, 4.8, 6.0]

    Raises:
        ValueError: No frames, or a rate that is not positive and finite.
    """
    if frames < 1 or not (0 < fps_in < math.inf and 0 < fps_out < math.inf):
        raise ValueError(f"cannot resample {frames} frames from {fps_in} to {fps_out} fps")
    count = math.floor((frames - 1) / fps_in * fps_out + _SAME_INSTANT) + 1
    return np.minimum(np.arange(count) / fps_out * fps_in, frames - 1)


def resample(values: np.ndarray, fps_in: float, fps_out: float) -> np.ndarray:
    """(T, ...) at one rate -> (T', ...) float64 at another, linear in time; T' = floor((T-1)/fps_in*fps_out) + 1."""
    values = np.asarray(values, dtype=np.float64)
    low, high, weight = _neighbours(len(values), fps_in, fps_out)
    weight = weight.reshape(-1, *[1] * (values.ndim - 1))
    return np.where(weight > 0, (1 - weight) * values[low] + weight * values[high], values[low])


def resample_rotation(rotation: np.ndarray, fps_in: float, fps_out: float) -> np.ndarray:
    """(T, 3) Euler angles in rad -> (T', 3), along the shortest arc between frames, without jumps of 2 pi."""
    positions = resampled_positions(len(rotation), fps_in, fps_out)
    if len(rotation) == 1:
        return np.array(rotation, dtype=np.float64)
    return interpolate_rotation(np.arange(len(rotation), dtype=np.float64), rotation, positions)


def interpolate_rotation(times: np.ndarray, rotation: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Rotations (N, 3) in rad at increasing times (N,), N >= 2 -> (M, 3) at `at`, within times; no jumps of 2 pi."""
    turned = Slerp(times, Rotation.from_euler("xyz", np.asarray(rotation, dtype=np.float64)))(at)
    return np.unwrap(turned.as_euler("xyz"), axis=0)


def resample_valid(valid: np.ndarray, fps_in: float, fps_out: float) -> np.ndarray:
    """(T,) bool -> (T',) bool: an output frame is valid when every input frame that it is made of is valid."""
    valid = np.asarray(valid, dtype=bool)
    low, high, weight = _neighbours(len(valid), fps_in, fps_out)
    return valid[low] & (valid[high] | (weight == 0))


def _neighbours(frames: int, fps_in: float, fps_out: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Input frame at or before each output frame, the one after, and the weight of the latter (0 where they meet)."""
    positions = resampled_positions(frames, fps_in, fps_out)
    low = np.floor(positions + _SAME_INSTANT).astype(np.int64)
    weight = positions - low
    weight[weight < _SAME_INSTANT] = 0.0
    return low, np.minimum(low + 1, frames - 1), weight


def fill_invalid(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """(T, ...) with the invalid frames interpolated in time from the valid ones; held at the ends.

    Raises:
        ValueError: No frame is valid.
    """
    values, valid = np.array(values, dtype=np.float64), np.asarray(valid, dtype=bool)
    known = np.flatnonzero(valid)
    if len(known) == 0:
        raise ValueError("no valid frame to interpolate from")
    missing = np.flatnonzero(~valid)
    flat = values.reshape(len(values), -1)
    for column in range(flat.shape[1]) if len(missing) else ():
        flat[missing, column] = np.interp(missing, known, flat[known, column])
    return flat.reshape(values.shape)


def fill_invalid_rotation(rotation: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """(T, 3) Euler angles in rad with the invalid frames interpolated along the sphere; held at the ends.

    Raises:
        ValueError: No frame is valid.
    """
    rotation, known = np.array(rotation, dtype=np.float64), np.flatnonzero(valid)
    if len(known) < 2:
        return fill_invalid(rotation, valid)
    if len(known) < len(rotation):
        within = np.clip(np.arange(len(rotation)), known[0], known[-1]).astype(np.float64)
        rotation = interpolate_rotation(known.astype(np.float64), rotation[known], within)
    return np.unwrap(rotation, axis=0)
