"""Faces moved to where face embeddings expect them: ArcFace's 5 points in a picture of 112 x 112 pixels."""

from __future__ import annotations

import numpy as np
from PIL import Image

SIDE = 112
"""Pixels a side."""
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""(5, 2) x and y, pixels: the eye at the left of the picture, that at the right, the tip of the nose, the left and the
right corner of the mouth."""


def five_points(landmarks: np.ndarray) -> np.ndarray:
    """(..., 68, 2) iBUG landmarks -> (..., 5, 2) the points of the template, in their unit."""
    eyes = [landmarks[..., first : first + 6, :].mean(axis=-2) for first in (36, 42)]
    return np.stack([*eyes, *(landmarks[..., point, :] for point in (30, 48, 54))], axis=-2)


def similarity(points: np.ndarray) -> np.ndarray:
    """(2, 3) float64: the similarity M of least squares, M (x, y, 1) of the template being near `points` (5, 2), px.

    >>> abs(similarity(2 * TEMPLATE + 3)).round(6)
    array([[2., 0., 3.],
           [0., 2., 3.]])
    """
    centre, middle = TEMPLATE.mean(axis=0), points.mean(axis=0)
    template, found = TEMPLATE - centre, points - middle
    size = (template**2).sum()
    a = (template * found).sum() / size
    b = (template[:, 0] * found[:, 1] - template[:, 1] * found[:, 0]).sum() / size
    turn = np.array([[a, -b], [b, a]])
    return np.column_stack([turn, middle - turn @ centre])


def aligned(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The face of a picture as the template has it; black where the picture ends.

    Args:
        picture: (H, W, 3) uint8 RGB.
        points: (5, 2) x and y in it, finite; pixel k covers k..k+1.

    Returns:
        (112, 112, 3) uint8 RGB.
    """
    move = similarity(points)
    image, smaller = Image.fromarray(np.ascontiguousarray(picture)), int(np.hypot(move[0, 0], move[1, 0]))
    if smaller > 1:  # else pixels between the ones that are looked at would count nothing
        image, move = image.reduce(smaller), move / smaller
    face = image.transform((SIDE, SIDE), Image.Transform.AFFINE, move.reshape(-1).tolist(), Image.Resampling.BICUBIC)
    return np.asarray(face)
