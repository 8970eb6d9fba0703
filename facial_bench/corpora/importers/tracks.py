"""Importer `tracks`: a folder of tracked clips (`manifest.json` + one `.npz` per clip) -> a corpus folder.

The manifest (`format`: "facial-bench track folder 1") lists clips: `clip`, `identity`, `file`, `frames`, `fps`,
`image_size`, and, if known, `recording`, `source_repository`, `source_path`. Arrays of a clip, at its own rate:
`landmarks` (T,68,3) pixels, `rotation` (T,3) rad, `translation` (T,3) cm, `blink` (T,) closure, `valid` (T,) bool,
`audio` with `audio_rate`, and, if known, `phone_logposterior` (n,42) and `expression` (T,64). The camera is
MediaPipe's: a vertical field of view of 63 degrees.

Options: `audio` = mel29 | phones; `expression` = fit (PCA of the training landmarks) | stored (only clips that
have it).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError, unknown_name
from facial_bench.core.files import file_digest, read_json, safe_name
from facial_bench.core.protocol import Protocol
from facial_bench.core.resampling import (
    fill_invalid,
    fill_invalid_rotation,
    resample,
    resample_rotation,
    resample_valid,
)
from facial_bench.core.types import EXPRESSION_WIDTH, LANDMARKS, Camera
from facial_bench.corpora.from_tracks import assemble, corpus_name
from facial_bench.corpora.track import Track
from facial_bench.media.audio_features import PHONE_RATE, AudioKind, audio_kinds

FORMAT = "facial-bench track folder 1"
FIELD_OF_VIEW = math.radians(63.0)
"""Vertical field of view that MediaPipe's face geometry assumes."""
SOUND_TOLERANCE = 0.25
"""Seconds by which sound and picture may differ in length."""
_PROVENANCE = ("source_repository", "source_commit", "source_path", "source_frames", "code_licence")


@dataclass(frozen=True)
class _Choice:
    """The options, understood."""

    audio: AudioKind
    stored: bool


def import_tracks(source: Path | str, dest: Path | str, options: Mapping[str, str], log: Callable[[str], None]) -> None:
    """Read the track folder `source`, bring it to the protocol's rate, and write the corpus folder `dest`.

    Args:
        source: The track folder.
        dest: Absent or empty; written whole or not at all. Its last part names the corpus.
        options: `audio` and `expression`, as in the module's docstring.
        log: Takes one line of progress.

    Raises:
        CorpusError: A manifest, file or array that is missing, damaged or inconsistent.
        FacialBenchError: An unknown option or option value.
    """
    source, protocol, choice = Path(source), Protocol(), _choice(options)
    corpus_name(dest)  # before the work
    manifest = _manifest(source)
    tracks: list[Track] = []
    stored: dict[str, np.ndarray] = {}
    left_out: list[str] = []
    for row in manifest["clips"]:
        clip = _ClipFile(source, row)
        if choice.stored and "expression" not in clip.arrays:
            left_out.append(row["clip"])
            continue
        tracks.append(clip.track(choice.audio, protocol.fps))
        if choice.stored:
            stored[row["clip"]] = clip.expression(protocol.fps)
        log(f"{row['clip']}: {len(tracks[-1].valid)} frames at {protocol.fps:g} fps, from {clip.fps:g} fps")
    gone = sorted({row["identity"] for row in manifest["clips"]} - {track.identity for track in tracks})
    if not tracks:
        raise CorpusError(f"{source}: no clip has the array 'expression'; use the option expression=fit.")
    if left_out:
        vanished = f"; without any clip: {', '.join(gone)}" if gone else ""
        log(f"Left out, no stored expression: {', '.join(left_out)}{vanished}.")
    kept = {track.id for track in tracks}
    assemble(
        dest,
        tracks,
        audio_kind=choice.audio.name,
        expression=stored if choice.stored else None,
        log=log,
        source={
            "importer": "tracks",
            "manifest_sha256": file_digest(source / "manifest.json"),
            "tracker": str(manifest.get("tracker", "")),
            "expression": "stored" if choice.stored else "fit",
            "left_out": left_out,
            "identities_left_out": gone,
            "clips": {
                row["clip"]: {key: row[key] for key in _PROVENANCE if key in row}
                for row in manifest["clips"]
                if row["clip"] in kept
            },
        },
    )


def _choice(options: Mapping[str, str]) -> _Choice:
    for name in options:
        if name not in ("audio", "expression"):
            raise unknown_name("option of the importer tracks", name, ("audio", "expression"))
    kinds, audio, expression = audio_kinds(), options.get("audio", "mel29"), options.get("expression", "fit")
    if audio not in kinds:
        raise unknown_name("value of the option audio", audio, kinds)
    if expression not in ("fit", "stored"):
        raise unknown_name("value of the option expression", expression, ("fit", "stored"))
    return _Choice(kinds[audio], expression == "stored")


def _manifest(source: Path) -> dict[str, Any]:
    path = source / "manifest.json"
    manifest = read_json(path, CorpusError, "A track folder has a manifest.json that lists its clips.")
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
        raise CorpusError(f"{path}: format is {found!r}, expected {FORMAT!r}; choose the importer of that format.")
    rows, seen = manifest.get("clips"), set()
    if not isinstance(rows, list) or not rows:
        raise CorpusError(f"{path}: 'clips' is not a list with a clip in it; list the clips to import.")
    for number, row in enumerate(rows):
        for key in ("clip", "identity", "file"):
            if not isinstance(row, dict) or not isinstance(row.get(key), str):
                raise CorpusError(f"{path}: clip number {number} has no text field '{key}'; add it.")
        safe_name(row["clip"], "clip", CorpusError)
        safe_name(row["identity"], "identity", CorpusError)
        if row["clip"] in seen:
            raise CorpusError(f"{path}: two clips are named '{row['clip']}'; give every clip a name of its own.")
        seen.add(row["clip"])
    return manifest


class _ClipFile:
    """One clip's arrays, checked as they are asked for."""

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
            reason = " ".join(str(problem).split())
            raise self.error("the file", f"cannot be read ({reason})", "damaged or no .npz: copy it again") from None
        self.fps = self._number("fps")
        if not 1 <= self.fps < 1000:
            raise self.error("fps", f"is {self.fps:g}, expected 1 to 1000", "correct it")
        valid = self.array("valid", (None,), "b")
        self.frames, self.valid = len(valid), valid
        if not valid.any():
            raise self.error("valid", "names no frame with a face", "take the clip out of the manifest")
        if self.row.get("frames", self.frames) != self.frames:
            raise self.error("valid", f"has {self.frames} frames, the manifest {self.row['frames']}", "copy it again")

    def error(self, what: str, found: str, remedy: str) -> CorpusError:
        """The one form of a complaint: clip, file, array, what is wrong, what to do."""
        return CorpusError(f"Clip '{self.row['clip']}' ({self.path}): {what} {found}; {remedy}.")

    def array(self, name: str, shape: Sequence[int | None], kinds: str = "fiu") -> np.ndarray:
        """An array of that shape (None: any length) and of one of these numpy kinds."""
        if name not in self.arrays:
            raise self.error(f"array '{name}'", "is missing", f"it holds {', '.join(sorted(self.arrays))}; add it")
        found = self.arrays[name]
        fits = [want in (None, have) for want, have in zip(shape, found.shape, strict=False)]
        if found.ndim != len(shape) or not all(fits) or found.dtype.kind not in kinds:
            wanted = ", ".join("n" if want is None else str(want) for want in shape)
            kind = "bool" if kinds == "b" else "numbers"
            raise self.error(
                f"array '{name}'",
                f"is {found.dtype} of shape {found.shape}, expected {kind} of shape ({wanted})",
                "track the clip again",
            )
        return found

    def motion(self, name: str, *shape: int) -> np.ndarray:
        """A float64 array per frame, finite in the valid frames."""
        values = self.array(name, (self.frames, *shape)).astype(np.float64)
        finite = np.isfinite(values).reshape(self.frames, -1).all(axis=1)
        if not finite[self.valid].all():
            bad = int(np.flatnonzero(self.valid & ~finite)[0])
            raise self.error(f"array '{name}'", f"holds NaN or infinity in the valid frame {bad}", "mark it invalid")
        return values

    def track(self, audio: AudioKind, fps: float) -> Track:
        """The clip at the rate `fps`."""
        landmarks, rotation = self.motion("landmarks", LANDMARKS, 3), self.motion("rotation", 3)
        translation, blink = self.motion("translation", 3), self.motion("blink")
        limits = {
            "rotation": (np.abs(rotation) <= 2 * math.pi, "is beyond 2 pi", "angles are in rad"),
            "translation": (translation[:, 2] < 0, "has z >= 0", "z is negative in front of the camera"),
            "blink": ((blink > -0.01) & (blink < 1.01), "is not within 0..1", "it is eye closure, 0 open .. 1 closed"),
        }
        for name, (good, found, remedy) in limits.items():
            bad = np.flatnonzero(self.valid & ~good.reshape(self.frames, -1).all(axis=1))
            if len(bad):
                raise self.error(f"array '{name}'", f"{found} in frame {bad[0]}", remedy)
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
            return kind.compute({**arrays, **rates}, frames, fps)
        except ValueError as problem:
            raise self.error(f"array '{sound}'", f"is unusable ({problem})", "extract it again") from None

    def _number(self, name: str) -> float:
        """A scalar that the file holds, or else the manifest; both must agree."""
        stated = self.row.get(name)
        if name not in self.arrays and stated is None:
            raise self.error(f"array '{name}'", "is missing", "add it to the file or to the manifest")
        held = float(self.array(name, ())) if name in self.arrays else stated
        for value in (held, held if stated is None else stated):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e9:
                raise self.error(name, f"is {value!r}, expected a positive number", "correct it")
        if stated is not None and not math.isclose(stated, held, rel_tol=1e-4):
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
