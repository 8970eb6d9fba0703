"""One clip of a track folder: its arrays, checked, at the protocol's rate. The format: `importers.tracks`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError, one_line
from facial_bench.core.resampling import (
    fill_invalid,
    fill_invalid_rotation,
    resample,
    resample_rotation,
    resample_valid,
)
from facial_bench.core.types import EXPRESSION_WIDTH, LANDMARKS, Camera
from facial_bench.corpora.track import Track
from facial_bench.corpora.units import ANGLES, DEPTH, in_front, within_turn
from facial_bench.media.audio_features import PHONE_RATE, AudioKind

FIELD_OF_VIEW = math.radians(63.0)
"""Vertical field of view that MediaPipe's face geometry assumes."""
SOUND_TOLERANCE = 0.25
"""Seconds by which sound and picture may differ in length."""


class TrackClip:
    """One clip's arrays, checked as they are asked for.

    Args:
        source: The track folder.
        row: What the manifest says of the clip; its names are checked.

    Raises:
        CorpusError: the file is not there or damaged; later, an array that is not what it should be.
    """

    def __init__(self, source: Path, row: Mapping[str, Any]) -> None:
        self.row, self.path = row, source / row["file"]
        if "\0" in row["file"] or not self.path.resolve().is_relative_to(source.resolve()):
            raise self.error("the file", "lies outside the track folder", "correct 'file' in the manifest")
        if not self.path.is_file():
            raise self.error("the file", "does not exist", "restore it or take the clip out of the manifest")
        try:
            with self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
                self.arrays = {name: archive[name] for name in archive.files}
        except Exception as problem:  # a damaged archive raises a dozen kinds, zlib.error and BadZipFile among them
            reason = f"cannot be read ({one_line(problem)})"
            raise self.error("the file", reason, "damaged or no .npz: copy it again") from None
        self.fps = self._number("fps")
        if not 1 <= self.fps < 1000:
            raise self.error("fps", f"is {self.fps:g}, expected 1 to 1000", "correct it")
        valid = self.array("valid", (None,), "b")
        self.frames, self.valid = len(valid), valid
        if not valid.any():
            raise self.error("valid", "names no frame with a face", "take the clip out of the manifest")
        if self.row.get("frames", self.frames) != self.frames:
            raise self.error("valid", f"has {self.frames} frames, the manifest {self.row['frames']}", "copy it again")

    def error(self, what: str, wrong: str, remedy: str) -> CorpusError:
        """The one form of a complaint: clip, file, array, what is wrong, what to do."""
        return CorpusError(f"Clip '{self.row['clip']}' ({self.path}): {what} {wrong}; {remedy}.")

    def array(self, name: str, shape: Sequence[int | None], kinds: str = "fiu") -> np.ndarray:
        """An array of that shape (None: any length) and of one of these numpy kinds."""
        if name not in self.arrays:
            raise self.error(f"array '{name}'", "is missing", f"it holds {', '.join(sorted(self.arrays))}; add it")
        array = self.arrays[name]
        fits = [want in (None, have) for want, have in zip(shape, array.shape, strict=False)]
        if array.ndim != len(shape) or not all(fits) or array.dtype.kind not in kinds:
            wanted = ", ".join("n" if want is None else str(want) for want in shape)
            kind = "bool" if kinds == "b" else "numbers"
            raise self.error(
                f"array '{name}'",
                f"is {array.dtype} of shape {array.shape}, expected {kind} of shape ({wanted})",
                "track the clip again",
            )
        return array

    def motion(self, name: str, *shape: int) -> np.ndarray:
        """A float64 array per frame, finite in the valid frames."""
        values = self.array(name, (self.frames, *shape)).astype(np.float64)
        finite = np.asarray(np.isfinite(values).reshape(self.frames, -1).all(axis=1))
        if not finite[self.valid].all():
            bad = int(np.flatnonzero(self.valid & ~finite)[0])
            raise self.error(f"array '{name}'", f"holds NaN or infinity in the valid frame {bad}", "mark it invalid")
        return values

    def track(self, audio: AudioKind, fps: float) -> Track:
        """The clip at the rate `fps`."""
        landmarks, rotation = self.motion("landmarks", LANDMARKS, 3), self.motion("rotation", 3)
        translation, blink = self.motion("translation", 3), self.motion("blink")
        limits: dict[str, tuple[np.ndarray, str, str]] = {
            "rotation": (within_turn(rotation), "is beyond 2 pi", ANGLES),
            "translation": (in_front(translation), "has z >= 0", DEPTH),
            "blink": ((blink > -0.01) & (blink < 1.01), "is not within 0..1", "it is eye closure, 0 open .. 1 closed"),
        }
        for name, (good, wrong, remedy) in limits.items():
            bad = np.flatnonzero(self.valid & ~good.reshape(self.frames, -1).all(axis=1))
            if len(bad):
                raise self.error(f"array '{name}'", f"{wrong} in frame {bad[0]}", remedy)
        width, height = self._image_size()
        valid = resample_valid(self.valid, self.fps, fps)
        if not valid.any():
            raise self.error("valid", f"names no frame that stays valid at {fps:g} fps", "take the clip out")
        return Track(
            id=self.row["clip"],
            identity=self.row["identity"],
            recording=self._recording(),
            audio=self._audio(audio, len(valid), fps),
            landmarks=self._resampled(landmarks, fps),
            rotation=resample_rotation(fill_invalid_rotation(rotation, self.valid), self.fps, fps),
            translation=self._resampled(translation, fps),
            blink=self._resampled(blink, fps),
            valid=valid,
            camera=Camera(width, height, height / 2 / math.tan(FIELD_OF_VIEW / 2)),
        )

    def expression(self, fps: float) -> np.ndarray:
        """The stored coefficients (T, 64) at the rate `fps`."""
        return self._resampled(self.motion("expression", EXPRESSION_WIDTH), fps)

    def _resampled(self, values: np.ndarray, fps: float) -> np.ndarray:
        return resample(fill_invalid(values, self.valid), self.fps, fps)

    def _audio(self, kind: AudioKind, frames: int, fps: float) -> np.ndarray:
        lengths = {"audio": (None,), "phone_logposterior": (None, 42)}
        rates = {"audio_rate": self._number("audio_rate")} if "audio_rate" in kind.needs else {}
        arrays = {name: self.array(name, lengths[name]) for name in kind.needs if name not in rates}
        sound, rate = kind.needs[0], rates.get("audio_rate", PHONE_RATE)
        if rate != round(rate):
            raise self.error("audio_rate", f"is {rate!r} Hz, expected a whole number", "correct it")
        heard, seen = len(arrays[sound]) / rate, self.frames / self.fps
        if abs(heard - seen) > SOUND_TOLERANCE:
            raise self.error(
                f"array '{sound}'", f"lasts {heard:.2f} s, the picture {seen:.2f} s", "cut both to the same stretch"
            )
        try:
            return kind.compute({**arrays, **{name: np.asarray(rate) for name, rate in rates.items()}}, frames, fps)
        except ValueError as problem:
            raise self.error(f"array '{sound}'", f"is unusable ({problem})", "extract it again") from None

    def _number(self, name: str) -> float:
        """A scalar that the file holds, or else the manifest; both must agree."""
        values = [float(self.array(name, ()))] if name in self.arrays else []
        if self.row.get(name) is not None:
            values.append(self.row[name])
        if not values:
            raise self.error(f"array '{name}'", "is missing", "add it to the file or to the manifest")
        for value in values:
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e9:
                raise self.error(name, f"is {value!r}, expected a positive number", "correct it")
        held, stated = values[0], values[-1]
        if not math.isclose(stated, held, rel_tol=1e-4):
            raise self.error(name, f"is {held:g} in the file and {stated:g} in the manifest", "correct the wrong one")
        return float(held)

    def _image_size(self) -> tuple[int, int]:
        size = self.arrays["image_size"].tolist() if "image_size" in self.arrays else self.row.get("image_size")
        if not isinstance(size, list) or len(size) != 2 or not all(isinstance(n, int) and 0 < n < 10**5 for n in size):
            raise self.error("image_size", f"is {size!r}, expected width and height in pixels", "correct it")
        if self.row.get("image_size", size) != size:
            raise self.error("image_size", f"is {size}, in the manifest {self.row['image_size']}", "correct it")
        return size[0], size[1]

    def _recording(self) -> str:
        """Named, or the source; a clip of unknown source counts as the person's one recording, the cautious reading."""
        named = self.row.get("recording")
        origin = [self.row[key] for key in ("source_repository", "source_path") if self.row.get(key)]
        return str(named) if named else "/".join(map(str, origin)) or self.row["identity"]
