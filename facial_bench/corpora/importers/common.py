"""What importers of other people's files share: finding them, their sound, and going on when one is bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError, FacialBenchError, one_line, unknown_name
from facial_bench.core.files import file_digest
from facial_bench.core.types import Camera
from facial_bench.corpora.find_videos import clip_name, identity_of_file
from facial_bench.corpora.from_tracks import assemble, corpus_name
from facial_bench.corpora.resample_tracks import Tracked
from facial_bench.corpora.track import Track
from facial_bench.media.audio_features import mel29

SOUND_TOLERANCE = 0.25
"""Seconds by which sound may be shorter than the motion."""


@dataclass(frozen=True)
class InputFile:
    """A file to import."""

    name: str
    """Of the clip, and of its recording."""
    identity: str
    path: Path

    def beside(self, ending: str) -> Path:
        """`NAME<ending>` in the same folder."""
        return self.path.with_name(self.path.name.removesuffix(self.path.suffix) + ending)


def find_files(source: Path, ending: str) -> list[InputFile]:
    """The files of an ending below a folder (or the one file), in order; identities as `corpus build` finds them.

    Raises:
        CorpusError: no such folder, or no such file in it.
    """
    source = Path(source)
    if source.is_file():
        return [InputFile(clip_name(source.name), identity_of_file(source.name), source)]
    files = sorted(path.relative_to(source).as_posix() for path in source.rglob(f"*{ending}"))
    if not files:
        raise CorpusError(f"No {ending} file in {source}. Name a folder of them, or one.")
    return [InputFile(clip_name(file), identity_of_file(file), source / file) for file in files]


def check_options(importer: str, options: Mapping[str, str], known: Sequence[str]) -> None:
    """Raise FacialBenchError for an option that the importer does not know."""
    for name in options:
        if name not in known:
            raise unknown_name(f"option of the importer {importer}", name, known)


def read_rate(importer: str, options: Mapping[str, str]) -> float | None:
    """The option `fps`, frames a second, None where it is not given; raises FacialBenchError where it is no rate."""
    if "fps" not in options:
        return None
    try:
        rate = float(options["fps"])
    except ValueError:
        rate = 0.0
    if not 1 <= rate < 1000:
        given = options["fps"]
        raise FacialBenchError(f"The importer {importer} takes --option fps=RATE in frames a second, not {given}.")
    return rate


def hear(file: InputFile, frames: int, fps: float) -> np.ndarray:
    """(frames, 29) mel bands of NAME.wav.

    Raises:
        CorpusError: it is not there, cannot be read, or is shorter than the motion.
    """
    from scipy.io import wavfile

    path = file.beside(".wav")
    if not path.is_file():
        raise CorpusError(f"there is no sound beside it: add {path.name}")
    try:
        rate, samples = wavfile.read(path)
    except Exception as problem:  # a damaged file raises struct.error, EOFError and others
        raise CorpusError(f"{path.name} cannot be read as .wav ({one_line(problem)})") from None
    if samples.ndim == 2:
        samples = samples.mean(axis=1) / (-float(np.iinfo(samples.dtype).min) if samples.dtype.kind == "i" else 1.0)
    if len(samples) / rate < frames / fps - SOUND_TOLERANCE:
        raise CorpusError(f"{path.name} lasts {len(samples) / rate:.2f} s, the motion {frames / fps:.2f} s")
    try:
        return mel29(samples, rate, frames, fps)
    except ValueError as problem:
        raise CorpusError(f"{path.name} is unusable ({problem})") from None


def make_track(file: InputFile, tracked: Tracked, audio: np.ndarray, camera: Camera) -> Track:
    """The track of a file, which is a recording of its own."""
    return Track(
        file.name,
        file.identity,
        file.name,
        audio,
        landmarks=tracked.arrays["landmarks"],
        rotation=tracked.arrays["rotation"],
        translation=tracked.arrays["translation"],
        blink=tracked.arrays["blink"],
        valid=tracked.valid,
        camera=camera,
    )


def import_files(
    dest: Path,
    files: Sequence[InputFile],
    read: Callable[[InputFile], tuple[Track, np.ndarray | None]],
    *,
    importer: str,
    blink_scale: str,
    log: Callable[[str], None],
    notes: Mapping[str, Any],
) -> None:
    """Import file by file into the corpus folder `dest`; a bad one is told and left out.

    Args:
        dest: Absent or empty.
        files: The files.
        read: A file -> its track at the protocol's rate, and its expression coefficients (T, 64) if it has some.
        importer: Its name, for the notes.
        blink_scale: Of the tracks.
        log: Takes a line a file.
        notes: What else the corpus says of its source.

    Raises:
        CorpusError: nothing could be imported, or `dest` cannot be written.
    """
    corpus_name(dest)
    tracks: list[Track] = []
    expression: dict[str, np.ndarray] = {}
    left_out: list[tuple[str, str]] = []
    for file in files:
        try:
            track, coefficients = read(file)
        except CorpusError as problem:
            left_out.append((file.path.name, one_line(problem)))
            log(f"left out: {file.path.name}: {left_out[-1][1]}")
            continue
        tracks.append(track)
        if coefficients is not None:
            expression[track.id] = coefficients
        log(f"{track.id}: {track.identity}, {len(track.valid)} frames")
    if not tracks:
        raise CorpusError(f"Nothing could be imported; {left_out[0][0]}: {left_out[0][1]}.")
    assemble(
        dest,
        tracks,
        audio_kind="mel29",
        blink_scale=blink_scale,
        expression=expression or None,
        log=log,
        source={
            "importer": importer,
            **notes,
            "left_out": [list(pair) for pair in left_out],
            "files": {file.name: file_digest(file.path) for file in files if file.name in {t.id for t in tracks}},
        },
    )
