"""From a decoded frame to the picture that a player shows: upright, not mirrored, of square pixels, RGB."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError

MATRIX = "DISPLAYMATRIX"
"""Side data of a frame: nine 32-bit integers, by rows; the first two columns of the first two rows turn and mirror."""
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


def display_rgb(frame: Any, pixel_shape: Fraction) -> np.ndarray:
    """(H, W, 3) uint8 RGB, contiguous (rows of some sizes come padded).

    Colours are converted by the matrix and range that the frame states; 601 and limited range where it states none.
    """
    width, height = square_size(frame.width, frame.height, pixel_shape)
    if (width, height) == (frame.width, frame.height):
        image = frame.to_ndarray(format="rgb24")
    else:
        image = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="BICUBIC")
    matrix = display_matrix(frame)
    return np.ascontiguousarray(oriented(image, matrix) if matrix else image)


def shown_size(frame: Any, pixel_shape: Fraction) -> tuple[int, int]:
    """Width and height of what `display_rgb` gives, pixels."""
    width, height = square_size(frame.width, frame.height, pixel_shape)
    matrix = display_matrix(frame)
    return (height, width) if matrix and is_lying(matrix) else (width, height)


def display_matrix(frame: Any) -> tuple[int, int, int, int] | None:
    """a, b, c, d of a frame's display matrix: a stored point (x, y) is shown at (a x + c y, b x + d y), y downwards, up
    to a shift. None where it has none."""
    for data in frame.side_data:
        if data.type.name == MATRIX:
            a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
            return a, b, c, d
    return None


def is_lying(matrix: tuple[int, int, int, int]) -> bool:
    """Whether stored rows are shown as columns."""
    a, b, c, d = matrix
    return abs(b) + abs(c) > abs(a) + abs(d)


def oriented(image: np.ndarray, matrix: tuple[int, int, int, int]) -> np.ndarray:
    """A stored picture (H, W, ...) as it is shown, a view; angles between the four right ones are rounded."""
    a, b, c, d = matrix
    if is_lying(matrix):
        return image.swapaxes(0, 1)[:: -1 if b < 0 else 1, :: -1 if c < 0 else 1]
    return image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
