"""From a decoded frame to the picture that a player shows: upright, not mirrored, of square pixels, RGB."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError

MATRIX = "DISPLAYMATRIX"
"""Side data of a frame: nine 32-bit integers, by rows; the first two columns of the first two rows turn and mirror."""
Matrix = tuple[int, int, int, int]
"""a, b, c, d: a stored point (x, y) is shown at (a x + c y, b x + d y), y downwards, up to a shift."""
STRANGEST = 8
"""Times as wide as high, or the other way, that pixels can be before the number is held for an error."""


def square_size(width: int, height: int, pixel_shape: Fraction) -> tuple[int, int]:
    """Size of a picture brought to square pixels: as players do, by its width.

    Args:
        width: Stored, pixels.
        height: Stored, pixels.
        pixel_shape: Width of a pixel by its height.

    >>> square_size(720, 576, Fraction(16, 15)), square_size(720, 480, Fraction(8, 9))
    ((768, 576), (640, 480))
    """
    return max(round(width * pixel_shape), 1), height


def pixel_shape_of(stream: Any) -> Fraction:
    """Width of a stream's pixels by their height; 1 where the file does not say.

    Raises:
        CorpusError: a number that cannot be.
    """
    shape = Fraction(stream.sample_aspect_ratio or 1)
    if not Fraction(1, STRANGEST) <= shape <= STRANGEST:
        raise CorpusError(f"its pixels are said to be {shape.numerator}:{shape.denominator}, wide by high; remux it")
    return shape


def display_rgb(frame: Any, pixel_shape: Fraction, matrix: Matrix | None) -> np.ndarray:
    """(H, W, 3) uint8 RGB, contiguous (rows of some sizes come padded).

    Colours are converted by the matrix and range that the frame states; 601 and limited range where it states none.
    """
    width, height = square_size(frame.width, frame.height, pixel_shape)
    if (width, height) == (frame.width, frame.height):
        image = frame.to_ndarray(format="rgb24")
    else:
        image = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="BICUBIC")
    return np.ascontiguousarray(oriented(image, matrix) if matrix else image)


def shown_size(frame: Any, pixel_shape: Fraction, matrix: Matrix | None) -> tuple[int, int]:
    """Width and height of what `display_rgb` gives, pixels."""
    width, height = square_size(frame.width, frame.height, pixel_shape)
    return (height, width) if matrix and is_lying(matrix) else (width, height)


class Orientation:
    """The display matrices of the frames of a stream, one after another."""

    def __init__(self) -> None:
        self._angle: int | None = None
        self._matrix: Matrix | None = None

    def of(self, frame: Any) -> Matrix | None:
        """The matrix of the next frame; None where it has none.

        It is looked up where the angle changes: looking ties a frame to itself, and keeps its memory for long.
        """
        if frame.rotation != self._angle:
            self._angle, self._matrix = frame.rotation, _matrix(frame)
        return self._matrix


def _matrix(frame: Any) -> Matrix | None:
    for data in frame.side_data:
        if data.type.name == MATRIX:
            a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
            return a, b, c, d
    return None


def is_lying(matrix: Matrix) -> bool:
    """Whether stored rows are shown as columns."""
    a, b, c, d = matrix
    return abs(b) + abs(c) > abs(a) + abs(d)


def oriented(image: np.ndarray, matrix: Matrix) -> np.ndarray:
    """A stored picture (H, W, ...) as it is shown, a view; angles between the four right ones are rounded."""
    a, b, c, d = matrix
    if is_lying(matrix):
        return image.swapaxes(0, 1)[:: -1 if b < 0 else 1, :: -1 if c < 0 else 1]
    return image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
