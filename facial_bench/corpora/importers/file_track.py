"""The track of one foreign file at its own frames, and how it lies on the clock of its sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from facial_bench.core.types import Camera


@dataclass(frozen=True, eq=False)
class FileTrack:
    """What a file says of one face, a row for each frame that it has a row for."""

    frames: np.ndarray
    """(n,) whole numbers of the frames, increasing; not all of them need be there."""
    times: np.ndarray
    """(n,) seconds since the video began, increasing."""
    faces: np.ndarray
    """(n,) bool: rows with a face."""
    arrays: Mapping[str, np.ndarray]
    """name -> (n, ...) numbers, finite where there is a face: `landmarks`, `rotation`, `translation`, `blink`, and
    `expression` where the file has it."""
    camera: Camera

    def with_gaps(self) -> FileTrack:
        """The same with a row without a face wherever frames are missing between two rows.

        One row does for any number of frames: no motion is interpolated over it. Where a file holds every second frame
        (or every n-th), that is its rate, and nothing is missing.
        """
        steps = np.diff(self.frames).astype(np.int64)
        after = np.flatnonzero(steps > np.gcd.reduce(steps)) + 1
        return self._inserted(after, (self.times[after - 1] + self.times[after]) / 2)

    def on_sound(self, seconds: float) -> FileTrack:
        """The same on the clock of a sound of that length: rows begin later than the sound if the first frames of the
        video are missing, and with it if both were cut out of the video.

        The length tells which: it is nearer to the end of the rows on the video's clock, or to their duration.
        """
        first, last = float(self.times[0]), float(self.times[-1])
        if seconds < last - first / 2:
            return replace(self, times=self.times - first)
        return self._inserted(np.zeros(1, np.int64), np.zeros(1)) if first > 0 else self

    def _inserted(self, before: np.ndarray, times: np.ndarray) -> FileTrack:
        """Rows without a face put in before some rows, at some times."""
        return replace(
            self,
            frames=np.insert(self.frames, before, self.frames[before]),
            times=np.insert(self.times, before, times),
            faces=np.insert(self.faces, before, False),
            arrays={name: np.insert(values, before, 0, axis=0) for name, values in self.arrays.items()},
        )
