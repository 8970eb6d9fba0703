"""What importers of other people's files share: options, sound, and going on when a file is bad."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.errors import CorpusError, FacialBenchError, one_line, unknown_name
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.from_tracks import assemble, corpus_name
from facial_bench.corpora.importers.file_track import FileTrack
from facial_bench.corpora.importers.input_files import InputFile
from facial_bench.corpora.resample_tracks import resample_tracks
from facial_bench.corpora.track import Track
from facial_bench.media.audio_features import mel29

SOUND_TOLERANCE = 0.25
"""Seconds by which sound may be shorter than the motion."""
LONGER_SOUND = 2.0
"""Times the length of the motion, and seconds more than it, beyond which a sound may be that of something longer."""


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


def hear(file: InputFile) -> tuple[np.ndarray, int]:
    """Samples (n,) of NAME.wav, mono, floats within -1..1 or integers of their type's full scale, and their rate in Hz.

    Raises:
        CorpusError: it is not there, or cannot be read.
    """
    from scipy.io import wavfile

    path = file.beside(".wav")
    if not path.is_file():
        raise CorpusError(f"there is no sound beside it: add {path.name}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks that are no sound, or a missing end
            rate, samples = wavfile.read(path)
    except Exception as problem:  # a damaged file raises struct.error, EOFError and others
        raise CorpusError(f"{path.name} cannot be read as .wav ({one_line(problem)})") from None
    if rate < 1 or not len(samples):
        raise CorpusError(f"{path.name} holds {len(samples)} samples at {rate} Hz")
    if samples.dtype == np.uint8:  # 8 bits are stored about 128
        samples = (samples.astype(np.int16) - 128) * 256
    if samples.ndim == 2:
        samples = samples.mean(axis=1) / (-float(np.iinfo(samples.dtype).min) if samples.dtype.kind == "i" else 1.0)
    return samples, rate


def make_track(file: InputFile, held: FileTrack) -> tuple[Track, Mapping[str, np.ndarray]]:
    """A file at the protocol's rate with the 29 mel bands of its sound, a recording of its own; and all its arrays.

    Raises:
        CorpusError: no sound, one that cannot be read, or one that is shorter than the motion.
    """
    samples, rate = hear(file)
    sound, seconds, fps = file.beside(".wav").name, len(samples) / rate, Protocol().fps
    placed = held.with_gaps().on_sound(seconds)
    duration = float(placed.times[-1]) + float(np.median(np.diff(held.times))) if len(held.times) > 1 else 1 / fps
    if seconds < duration - SOUND_TOLERANCE:
        raise CorpusError(f"{sound} lasts {seconds:.2f} s, the motion {duration:.2f} s")
    tracked = resample_tracks(placed.times, placed.faces, placed.arrays, fps)
    try:
        audio = mel29(samples, rate, len(tracked.valid), fps)
    except ValueError as problem:
        raise CorpusError(f"{sound} is unusable ({problem})") from None
    track = Track(
        file.name,
        file.identity,
        file.name,
        audio,
        landmarks=tracked.arrays["landmarks"],
        rotation=tracked.arrays["rotation"],
        translation=tracked.arrays["translation"],
        blink=tracked.arrays["blink"],
        valid=tracked.valid,
        camera=held.camera,
    )
    return track, tracked.arrays


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
        lost = int((~track.valid).sum())
        log(f"{track.id}: {track.identity}, {len(track.valid)} frames" + (f", {lost} without a face" if lost else ""))
        _tell_longer_sound(file, len(track.valid) / Protocol().fps, log)
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
            "files": {file.name: file.digest() for file in files if file.name in {t.id for t in tracks}},
        },
    )


def _tell_longer_sound(file: InputFile, seen: float, log: Callable[[str], None]) -> None:
    """Say of a file whose sound goes on long after the motion that its rate may be another one."""
    samples, rate = hear(file)
    heard = len(samples) / rate
    if heard > max(LONGER_SOUND * seen, seen + LONGER_SOUND):
        what = f"{file.name}: its sound lasts {heard:.2f} s, the motion {seen:.2f} s; the rest is not used"
        log(f"{what}. If the rate of the motion is another one, name it with --option fps=RATE")
