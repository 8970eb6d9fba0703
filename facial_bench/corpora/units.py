"""What every unit of motion promises, in the words that importers and outputs are refused with."""

from __future__ import annotations

import math

import numpy as np

TURN = 2 * math.pi
"""rad: beyond it, either way, an angle is none of a tracked head."""
ANGLES = "angles are in rad"
DEPTH = "z is negative in front of the camera"


def within_turn(rotation: np.ndarray) -> np.ndarray:
    """(T, 3) rad -> (T,) bool: no angle beyond a full turn."""
    return np.asarray((np.abs(rotation) <= TURN).all(axis=1))


def in_front(translation: np.ndarray) -> np.ndarray:
    """(T, 3) -> (T,) bool: the head is in front of the camera, which looks along -z."""
    return np.asarray(translation[:, 2] < 0)
