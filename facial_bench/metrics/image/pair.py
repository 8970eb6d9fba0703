"""What a pixel metric sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facial_bench.core.types import LANDMARKS


@dataclass(frozen=True, eq=False)
class Pair:
    """A block of n consecutive frames of a square crop, S pixels to a side: the real ones beside the rendered ones.

    Raises:
        ValueError: Pictures that are not uint8, not square, or not of one size; another number of landmarks.
    """

    real: np.ndarray
    """(n, S, S, 3) uint8 RGB, grey levels 0..255."""
    rendered: np.ndarray
    """(n, S, S, 3) uint8 RGB, grey levels 0..255."""
    landmarks: np.ndarray
    """(n, 68, 2) float64, x and y of the real tracked landmarks, crop pixels; pixel k covers k..k+1. NaN: not known."""
    before: tuple[np.ndarray, np.ndarray] | None
    """The real and the rendered frame, (S, S, 3) uint8 each, just before the block; None at the start of a stretch."""
    wanted: np.ndarray | None = None
    """(n, 68, 2) float64, x and y of the face that was to be rendered, crop pixels; None where it is the real one's."""

    def __post_init__(self) -> None:
        shape = self.real.shape
        if len(shape) != 4 or shape[1] != shape[2] or shape[3] != 3:
            raise ValueError(f"real pictures are {shape}, not (n, S, S, 3)")
        if self.rendered.shape != shape:
            raise ValueError(f"rendered pictures are {self.rendered.shape}, the real ones {shape}")
        if self.landmarks.shape != (shape[0], LANDMARKS, 2):
            raise ValueError(f"landmarks are {self.landmarks.shape}, not ({shape[0]}, {LANDMARKS}, 2)")
        if self.wanted is not None and self.wanted.shape != self.landmarks.shape:
            raise ValueError(f"wanted landmarks are {self.wanted.shape}, not ({shape[0]}, {LANDMARKS}, 2)")
        if any(frame.shape != shape[1:] for frame in self.before or ()):
            raise ValueError(f"the frames before the block are not {shape[1:]}")
        if any(frames.dtype != np.uint8 for frames in (self.real, self.rendered, *(self.before or ()))):
            raise ValueError("pictures are uint8")
