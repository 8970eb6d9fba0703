"""The square of the camera's picture that is rendered and compared: one a recording, fixed over its frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError, FacialBenchError
from facial_bench.core.types import Clip, Crop

MARGIN = 1.6
"""Side of the square, in the larger side of the box that holds the landmarks."""
SPREAD = (1.0, 99.0)
"""Percentiles over frames of the box's sides: a frame that was tracked badly does not move the square."""
RAISED = 0.06
"""The square's centre lies so much of its side above the box's: landmarks end at the brows, faces do not."""
SIZES = (64, 1024)
"""Least and most pixels a side."""


def recording_crop(training: Sequence[Clip], asked: Sequence[Clip], size: int) -> Crop:
    """The crop of a recording: around the landmarks of its training clips. Of a recording that nobody is trained on it
    is around those of the clips that are asked for: framing is told like the camera, and does not move.

    Args:
        training: The training clips of the recording; may be empty.
        asked: Its other clips.
        size: Side of the picture, pixels.

    Raises:
        CorpusError: no frame with a face in any of them.
    """
    clips = training or asked
    seen = np.concatenate([clip.landmarks[clip.valid][..., :2] for clip in clips]).astype(np.float64)
    if not len(seen):
        raise CorpusError(f"No face was found in any frame of {clips[0].recording}: there is nothing to crop around.")
    low = np.percentile(seen.min(axis=1), SPREAD[0], axis=0)
    high = np.percentile(seen.max(axis=1), SPREAD[1], axis=0)
    side = MARGIN * float((high - low).max())
    left, top = (low + high - side) / 2
    return Crop(float(left), float(top - RAISED * side), side, size)


def cut(picture: np.ndarray, crop: Crop) -> np.ndarray:
    """The crop of a picture, (S, S, 3) uint8: antialiased, and continued by the border where it leaves the picture.

    Args:
        picture: (H, W, 3) uint8 RGB.
        crop: Of its camera.

    Raises:
        FacialBenchError: Pillow is not installed.
    """
    image = load_pillow()
    height, width = picture.shape[:2]
    low = np.floor([crop.left, crop.top]).astype(int)
    high = np.ceil([crop.left + crop.side, crop.top + crop.side]).astype(int)
    before, after = np.maximum(-low, 0), np.maximum(high - [width, height], 0)
    if before.any() or after.any():
        sides = ((before[1], after[1]), (before[0], after[0]), (0, 0))
        picture = np.pad(picture, sides, mode="edge")
    left, top = crop.left + before[0], crop.top + before[1]
    box = (left, top, left + crop.side, top + crop.side)
    whole = image.fromarray(np.ascontiguousarray(picture))
    return np.asarray(whole.resize((crop.size, crop.size), image.Resampling.BILINEAR, box=box))


def load_pillow() -> Any:
    """Pillow's `Image`, imported when it is needed; raises FacialBenchError where it is not installed."""
    try:
        from PIL import Image
    except ImportError as problem:
        raise FacialBenchError(
            f"Cutting pictures needs Pillow, which cannot be imported ({problem}). Install it: "
            "pip install 'facial-bench[render]'."
        ) from None
    return Image
