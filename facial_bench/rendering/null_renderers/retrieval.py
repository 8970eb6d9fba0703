"""Which training frames are most like a face: nearest landmarks, with each part of the face given its own weight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

HEAD, NOSE, MOUTH, INNER_LIPS = tuple(range(68)), tuple(range(27, 36)), tuple(range(48, 68)), tuple(range(60, 68))
RIGHT_EYE, LEFT_EYE, EYES = tuple(range(36, 42)), tuple(range(42, 48)), tuple(range(36, 48))


@dataclass(frozen=True)
class Part:
    """Some landmarks of a face, as one summand of the distance."""

    points: tuple[int, ...]
    """iBUG numbers from 0."""
    about: tuple[int, ...]
    """The points whose centroid is the origin; none: where the points lie in the picture counts."""
    weight: float


@dataclass(frozen=True)
class Likeness:
    """What makes two faces alike."""

    parts: tuple[Part, ...]
    blink: float
    """Weight of the eye closure, which tells lids apart that the landmarks of a linear face do not."""


IN_PLACE = Likeness(
    (Part(HEAD, (), 1.0), Part(MOUTH, (), 1.0), Part(EYES, (), 1.0), Part(INNER_LIPS, INNER_LIPS, 0.4)), blink=0.2
)
"""For pictures that are shown as they are: all must lie where it is asked for, eyes and mouth above all."""
SHAPE = Likeness(
    (
        Part(HEAD, (), 1.0),
        Part(HEAD, HEAD, 1.5),  # how the head is turned, which no warp mends
        Part(MOUTH, NOSE, 0.5),  # the jaw's drop
        Part(INNER_LIPS, INNER_LIPS, 1.0),  # the opening: a warp cannot bring forth teeth
        Part(RIGHT_EYE, RIGHT_EYE, 0.3),
        Part(LEFT_EYE, LEFT_EYE, 0.3),
    ),
    blink=0.4,
)
"""For pictures that are warped: shapes must agree, places less."""
SMALLEST = 1 / 512
"""Of the picture's side: a part that moves less (a quarter of a pixel of 128) is scaled as if it moved so much, since
its differences are not seen."""


class Neighbours:
    """The training frames of a person, to be searched by landmarks and eye closure.

    A part's distance is the RMS over its points, in units of how far they go from their mean shape in training; so all
    parts count alike before their weights.

    Args:
        likeness: Which parts, and their weights.
        landmarks: (N, 68, 2) pixels of the crop.
        blink: (N,) eye closure, any scale.
        size: Side of the picture, pixels.
    """

    def __init__(self, likeness: Likeness, landmarks: np.ndarray, blink: np.ndarray, size: int) -> None:
        self._parts = likeness.parts
        parts = [_shape(landmarks, part) for part in self._parts]
        spreads = [np.sqrt(((shape - shape.mean(axis=0)) ** 2).sum(axis=2).mean()) for shape in parts]
        self._scales = [
            part.weight / (max(float(spread), SMALLEST * size) * np.sqrt(len(part.points)))
            for part, spread in zip(self._parts, spreads, strict=True)
        ]
        deviation = float(blink.std())
        self._blink_scale = likeness.blink / deviation if deviation > 1e-6 else 0.0
        self._keys = self._key(landmarks, blink)

    def nearest(self, landmarks: np.ndarray, blink: np.ndarray | None, count: int) -> np.ndarray:
        """The nearest training frames of each face, the nearest first, of equals the first in training.

        Args:
            landmarks: (T, 68, 2) pixels of the crop.
            blink: (T,) eye closure, or None where it is not known: it is then left out of the distance.
            count: How many of them; of fewer training frames all.

        Returns:
            (T, min(count, N)) int indices of training frames.
        """
        keys = self._keys[:, :-1] if blink is None else self._keys
        distances = cdist(self._key(landmarks, blink), keys, "sqeuclidean")
        if count == 1:
            return distances.argmin(axis=1)[:, None]
        return distances.argsort(axis=1, kind="stable")[:, :count]

    def _key(self, landmarks: np.ndarray, blink: np.ndarray | None) -> np.ndarray:
        """(T, W) float64, the vectors whose Euclidean distance is meant; the closure is the last column."""
        columns = [
            scale * _shape(landmarks, part).reshape(len(landmarks), -1)
            for part, scale in zip(self._parts, self._scales, strict=True)
        ]
        if blink is not None:
            columns.append(self._blink_scale * np.asarray(blink, dtype=np.float64)[:, None])
        return np.concatenate(columns, axis=1)


def _shape(landmarks: np.ndarray, part: Part) -> np.ndarray:
    """(T, P, 2): the part's points about its origin."""
    points = landmarks[:, list(part.points)]
    return points - landmarks[:, list(part.about)].mean(axis=1, keepdims=True) if part.about else points
