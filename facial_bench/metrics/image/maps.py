"""What the metrics of a block share: each map is computed once, when the first metric asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from facial_bench.metrics.image.changes import frame_changes
from facial_bench.metrics.image.pair import Pair
from facial_bench.metrics.image.pixel_maps import absolute_error, flip_map, squared_error, ssim_map
from facial_bench.metrics.image.regions import REGIONS, region_boxes, whole_picture


class Maps:
    """The maps of a block and the boxes of its regions.

    Args:
        pair: The block.
    """

    def __init__(self, pair: Pair) -> None:
        self._pair = pair

    @cached_property
    def boxes(self) -> Mapping[str, np.ndarray]:
        """`picture`, `face`, `mouth` or `eyes` -> (n, 4) int64 boxes, pixels, as of `region_boxes`."""
        frames, size = self._pair.real.shape[:2]
        regions = {name: region_boxes(self._pair.landmarks, region, size) for name, region in REGIONS.items()}
        return {"picture": whole_picture(frames, size), **regions}

    @cached_property
    def squared(self) -> np.ndarray:
        """(n, S, S) float64, squared grey levels."""
        return squared_error(self._pair.real, self._pair.rendered)

    @cached_property
    def absolute(self) -> np.ndarray:
        """(n, S, S) float64, grey levels."""
        return absolute_error(self._pair.real, self._pair.rendered)

    @cached_property
    def ssim(self) -> np.ndarray:
        """(n, S, S) float64, -1..1; the 5 pixels at each edge say nothing."""
        return ssim_map(self._pair.real, self._pair.rendered)

    @cached_property
    def flip(self) -> np.ndarray:
        """(n, S, S) float64, 0..1."""
        return flip_map(self._pair.real, self._pair.rendered)

    @cached_property
    def changes(self) -> tuple[np.ndarray, np.ndarray]:
        """The real and the rendered video's change from frame to frame: (n, S, S, 3) int32 each, grey levels.

        0 in the first frame of a stretch, which has none before it.
        """
        pair = self._pair
        real, rendered = pair.before or (pair.real[:1], pair.rendered[:1])
        return frame_changes(pair.real, real), frame_changes(pair.rendered, rendered)
