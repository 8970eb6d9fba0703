"""A linear face of 68 iBUG landmarks: a neutral shape, ways to build people, and ways to move.

Head frame: x right in the image's sense, y up, z toward the viewer, cm; the origin lies between the eyes and the tip
of the nose. Proportions are typical of adults: 9 cm between the outer corners of the eyes, 14.6 cm between the
ears, 11 cm from the root of the nose to the chin, 5 cm wide mouth.
"""

from __future__ import annotations

import numpy as np

from facial_bench.corpora.synthetic.habits import Person

MIRROR = np.array(
    [
        *range(16, -1, -1),
        *range(26, 16, -1),
        27,
        28,
        29,
        30,
        35,
        34,
        33,
        32,
        31,
        45,
        44,
        43,
        42,
        47,
        46,
        39,
        38,
        37,
        36,
        41,
        40,
        54,
        53,
        52,
        51,
        50,
        49,
        48,
        59,
        58,
        57,
        56,
        55,
        64,
        63,
        62,
        61,
        60,
        67,
        66,
        65,
    ]
)
"""(68,) the point that each point becomes in a mirror."""

# The left half in the image's sense and the midline, cm; y = 0 at the eyes until `neutral_face` shifts it.
_HALF = """
0 -7.3 0.5 -8.0 | 1 -7.25 -1.3 -8.1 | 2 -7.05 -3.1 -7.9 | 3 -6.65 -4.9 -7.3 | 4 -5.95 -6.6 -6.3 | 5 -4.85 -8.15 -4.9
6 -3.4 -9.4 -3.4 | 7 -1.8 -10.3 -2.2 | 8 0 -10.6 -1.7
17 -6.1 2.2 -2.8 | 18 -5.3 2.95 -1.6 | 19 -4.2 3.25 -0.8 | 20 -3.0 3.15 -0.3 | 21 -1.75 2.8 0.1
27 0 0.5 0.2 | 28 0 -0.95 0.9 | 29 0 -2.35 1.75 | 30 0 -3.6 2.5
31 -1.6 -4.45 0.3 | 32 -0.85 -4.7 0.8 | 33 0 -4.85 1.1
36 -4.5 0 -2.0 | 37 -3.7 0.48 -1.35 | 38 -2.7 0.5 -1.2 | 39 -1.75 -0.1 -1.4 | 40 -2.7 -0.42 -1.3 | 41 -3.7 -0.42 -1.5
48 -2.5 -7.05 -0.6 | 49 -1.6 -6.55 0.4 | 50 -0.6 -6.25 0.95 | 51 0 -6.38 1.0
57 0 -7.95 0.75 | 58 -0.75 -7.88 0.65 | 59 -1.7 -7.55 0.15
60 -2.2 -7.05 -0.45 | 61 -0.9 -6.98 0.5 | 62 0 -7.0 0.7 | 66 0 -7.02 0.65 | 67 -0.9 -7.0 0.5
"""
_ORIGIN = np.array([0.0, -1.4, 0.0])
"""Where the origin lies below the eyes, cm."""


def neutral_face() -> np.ndarray:
    """(68, 3) cm, the average face at rest, lips closed."""
    face = np.full((68, 3), np.nan)
    for entry in _HALF.replace("\n", "|").strip("|").split("|"):
        index, *position = entry.split()
        face[int(index)] = np.array(position, float)
    missing = np.isnan(face[:, 0])
    face[missing] = (face * (-1, 1, 1))[MIRROR][missing]
    return face - _ORIGIN


def build_directions() -> np.ndarray:
    """(6, 68, 3) cm per unit: wider face, longer lower face, wider jaw, wider eyes apart, longer nose, fuller lips."""
    x, y, _ = neutral_face().T
    directions = np.zeros((6, 68, 3))
    directions[0, :, 0] = 0.035 * x
    directions[1, :, 1] = -0.05 * np.clip(-1.5 - y, 0, None)
    directions[2, 2:15, 0] = 0.06 * x[2:15]
    for points in (slice(17, 27), slice(36, 48)):
        directions[3, points, 0] = 0.12 * np.sign(x[points])
    directions[4, 28:36, 1] = [-0.06, -0.12, -0.2, -0.2, -0.22, -0.24, -0.22, -0.2]
    directions[4, 28:31, 2] = [0.05, 0.1, 0.18]
    directions[5, 49:54, 1] = 0.12
    directions[5, 55:60, 1] = -0.16
    return directions


def person_face(person: Person) -> np.ndarray:
    """(68, 3) cm, one person's face at rest."""
    return person.size * (neutral_face() + np.tensordot(person.build, build_directions(), 1))


MOVEMENTS = ("jaw", "gap", "width", "rounding", "upper_lip", "tuck", "smile", "brow", "blink")
"""The linear movements: the six articulators, smile (1 = corners 0.5 cm up), brow (cm raised), blink (closure 0..1)."""


def movement_directions() -> np.ndarray:
    """(9, 68, 3) cm per unit of each of `MOVEMENTS`, on the average face."""
    move = np.zeros((len(MOVEMENTS), 68, 3))
    jaw, gap, width, rounding, upper, tuck, smile, brow, blink = move
    lower_outer, upper_outer = np.arange(55, 60), np.arange(49, 54)

    # The jaw turns about the ears: the chin goes down and back, the cheeks less and less.
    jaw[3:14, 1] = -1.5 * np.array([0.05, 0.2, 0.5, 0.8, 0.95, 1.0, 0.95, 0.8, 0.5, 0.2, 0.05])
    jaw[3:14, 2] = 0.35 * jaw[3:14, 1]
    jaw[[48, 54, 60, 64], 1] = -0.18
    # The gap opens by the lower lip for three quarters, by the upper for one; less toward the corners.
    gap[[61, 62, 63], 1] = [0.2, 0.25, 0.2]
    gap[[67, 66, 65], 1] = [-0.62, -0.75, -0.62]
    gap[upper_outer, 1] = [0.08, 0.18, 0.22, 0.18, 0.08]
    gap[lower_outer, 1] = [-0.4, -0.65, -0.72, -0.65, -0.4]
    gap[[48, 60], 0], gap[[54, 64], 0] = 0.1, -0.1
    # Spreading pulls the corners out, back and thins the lips.
    side = np.array([1.0, 0.62, 0.2, 0, -0.2, -0.62, -1.0, -0.62, -0.25, 0, 0.25, 0.62])
    width[48:60, 0] = -0.45 * side
    width[[60, 61, 63, 64, 65, 67], 0] = [-0.42, -0.15, 0.15, 0.42, 0.15, -0.15]
    width[[48, 54, 60, 64], 2] = -0.15
    # Rounding brings the lips forward and the corners in.
    rounding[48:60, 0] = 0.32 * side
    rounding[[60, 61, 63, 64, 65, 67], 0] = [0.3, 0.12, -0.12, -0.3, -0.12, 0.12]
    rounding[48:68, 2] = 0.35
    rounding[[48, 54, 60, 64], 2] = 0.2
    upper[upper_outer, 1] = [0.12, 0.2, 0.2, 0.2, 0.12]
    upper[[31, 32, 33, 34, 35], 1] = [0.04, 0.03, 0.02, 0.03, 0.04]
    upper[[61, 62, 63, 65, 66, 67], 1] = 0.15  # the gap is given by `gap` alone, so both inner lips go up
    tuck[lower_outer, 1] = [0.12, 0.2, 0.22, 0.2, 0.12]
    tuck[lower_outer, 2] = -0.25
    tuck[[65, 66, 67], 2] = -0.25
    smile[[48, 54, 60, 64], 1] = 0.5
    smile[[49, 53, 59, 55, 61, 63, 65, 67], 1] = 0.18
    smile[[48, 60], 0], smile[[54, 64], 0] = -0.3, 0.3
    smile[[40, 41, 46, 47], 1] = 0.06
    brow[17:27, 1] = [0.7, 0.9, 1.0, 1.0, 0.9, 0.9, 1.0, 1.0, 0.9, 0.7]
    # Upper lids do most of the way of 0.9 cm; they meet the lower ones at closure 1.
    blink[[37, 38, 43, 44], 1] = -0.74
    blink[[40, 41, 46, 47], 1] = 0.17
    return move


def move_face(neutral: np.ndarray, movements: np.ndarray) -> np.ndarray:
    """(T, 68, 3) cm: a neutral shape (68, 3) and movements (T, 9), columns as in `MOVEMENTS`."""
    return neutral + np.tensordot(movements, movement_directions(), 1)
