"""The audio features that need nothing but what is installed: mel bands, and arrays that were computed elsewhere."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError, FacialBenchError, one_line, unknown_name
from facial_bench.core.files import file_digest
from facial_bench.core.names import nfc
from facial_bench.core.types import Sound
from facial_bench.media.audio_features import frame_means, mel29
from facial_bench.media.safe_pickle import read_pickled_arrays

ENDINGS = (".npy", ".npz", ".pkl")
CENTRE = 8
"""Row of a window of 16 that stands for its frame: the window of frame t holds frames t-8..t+7."""
TOLERANCE = 0.25
"""Seconds that an array may be shorter than its clip; its last row is held."""


def known_options(what: str, options: Mapping[str, str], known: tuple[str, ...]) -> None:
    """Raise FacialBenchError for an option that the audio features `what` do not know."""
    for name in options:
        if name not in known:
            raise unknown_name(f"option of the audio features {what}", name, known)


class Mel29:
    """29 mel bands; see `facial_bench.media.audio_features.mel29`."""

    width, digest = 29, ""

    def __init__(self, options: Mapping[str, str]) -> None:
        known_options("mel29", options, ())

    def compute(self, sound: Sound, frames: int, fps: float) -> np.ndarray:
        """(frames, 29) float32 log power."""
        return mel29(sound.samples, sound.rate, frames, fps)


class Stored:
    """Features that somebody computed before, one array a video in a folder.

    NAME.npy, NAME.npz (its only array) or NAME.pkl (see `media.safe_pickle`), NAME being the video's without its
    ending: (n, F) rows at `rate` a second, or windows (n, 16, F) around each row, as FACIAL's DeepSpeech features are;
    row k stands for the time k / rate.

    Args:
        options: `folder` and `rate`.

    Raises:
        FacialBenchError: an option that is missing, unknown or impossible.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        known_options("arrays", options, ("folder", "rate"))
        folder = Path(options.get("folder", ""))
        if not options.get("folder") or not folder.is_dir():
            raise FacialBenchError("The audio features arrays need --option folder=DIR, an existing folder of arrays.")
        try:
            self._rate = float(options.get("rate", ""))
        except ValueError:
            self._rate = math.nan
        if not 0 < self._rate < 1e6:
            raise FacialBenchError("The audio features arrays need --option rate=HZ, the rows of the arrays a second.")
        self._files = {nfc(one.stem): one for one in sorted(folder.iterdir()) if one.suffix.lower() in ENDINGS}
        if not self._files:
            raise FacialBenchError(f"{folder} holds no arrays: looked for {', '.join(ENDINGS)}.")
        content = hashlib.sha256(repr(self._rate).encode())
        for name, path in self._files.items():
            content.update(name.encode() + b"\0" + file_digest(path).encode())
        self.digest = content.hexdigest()
        self.width = read_feature_array(next(iter(self._files.values()))).shape[1]

    def compute(self, sound: Sound, frames: int, fps: float) -> np.ndarray:
        """(frames, F) means of the rows over each frame.

        Raises:
            CorpusError: no array for this video, or one that is too short or not finite.
        """
        path = self._files.get(sound.name)
        if path is None:
            raise CorpusError(f"there is no array {sound.name}{{{','.join(ENDINGS)}}} in the folder of audio features")
        values = read_feature_array(path)
        end = sound.start + frames / fps
        if len(values) / self._rate < end - TOLERANCE:
            raise CorpusError(f"{path.name} ends after {len(values) / self._rate:.2f} s, the clip after {end:.2f} s")
        return frame_means(values, self._rate, -0.5 / self._rate - sound.start, frames, fps)


def read_feature_array(path: Path) -> np.ndarray:
    """(n, F) float64 of a file of audio features; of windows (n, 16, F) the row that stands for the frame.

    Raises:
        CorpusError: damaged, or no array of such a shape, or NaN in it.
    """
    try:
        if path.suffix.lower() == ".pkl":
            content = read_pickled_arrays(path)
        else:
            content = np.load(path, allow_pickle=False)
            if isinstance(content, np.lib.npyio.NpzFile):
                content = {name: content[name] for name in content.files}
    except CorpusError:
        raise
    except Exception as problem:  # a damaged archive raises a dozen kinds
        raise CorpusError(f"{path} cannot be read ({one_line(problem)}). Write it again.") from None
    if isinstance(content, dict):
        if len(content) != 1:
            raise CorpusError(f"{path} holds {len(content)} arrays ({', '.join(sorted(content))}), expected one.")
        content = next(iter(content.values()))
    array = np.asarray(content)
    if array.ndim == 3 and array.shape[1] == 2 * CENTRE:
        array = array[:, CENTRE]
    if array.ndim != 2 or array.dtype.kind not in "fiu" or not array.size:
        raise CorpusError(f"{path} is {array.dtype} of shape {array.shape}, expected numbers (n, F) or (n, 16, F).")
    if not np.isfinite(array).all():
        raise CorpusError(f"{path} holds NaN or infinities, first in row {np.argwhere(~np.isfinite(array))[0][0]}.")
    return array.astype(np.float64)
