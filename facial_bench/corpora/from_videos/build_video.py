"""One video -> its finished clips, each in a file of its own: a function of plain values, for any worker anywhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.digests import digest
from facial_bench.core.errors import CorpusError, one_line
from facial_bench.core.files import (
    cannot_read,
    current_digest,
    file_beside,
    read_arrays,
    read_json,
    write_arrays,
    write_json,
)
from facial_bench.core.types import Sound
from facial_bench.corpora.from_videos.notices import say_losses
from facial_bench.corpora.from_videos.settings import BuildSettings, ToolMaker, Tools
from facial_bench.corpora.from_videos.shot_tracks import resample_faces
from facial_bench.corpora.from_videos.tracking import Shot, blame, track_video
from facial_bench.corpora.resample_tracks import LONGEST_GAP, SAME_INSTANT, Tracked
from facial_bench.corpora.sources import Source, clip_name
from facial_bench.media.audio_features import FLOOR, frame_means
from facial_bench.media.sound import RATE, SoundReader
from facial_bench.media.video import Video

HEARD = 0.5
"""Share of a clip that must have sound."""
LOSSES = ("damaged", "retimed", "dropped", "undecoded")
"""Counts of a shot that its clip's entry names where they are not 0."""


@dataclass(frozen=True)
class VideoTask:
    """One video to build, in plain values: any worker that sees the folders can take it."""

    source: Source
    """Which video, and whose."""
    videos: Path
    """The folder that `source.file` lies in."""
    work: Path
    """Folder of finished work; clips go to `<work>/<source.id>/<number>.safetensors`, `report.json` beside them."""
    settings: BuildSettings
    make_tools: ToolMaker


def build_video(task: VideoTask, tools: Tools, progress: Callable[[int], None]) -> dict[str, Any]:
    """Track one video and write its clips. What an earlier call of the same key finished is used again, clip by clip.

    Args:
        task: What to build.
        tools: What its settings name.
        progress: Takes the number of frames that passed since the last call.

    Returns:
        The report, JSON: `key`, `sha256`, `sound` and `frames` of the video; `clips`, one object each; `rejected`,
        {`what`, `why`} each; `notices`, one clause each of what else there is to know.

    Raises:
        FacialBenchError: the work cannot go on (a full disk, a tracker that is not there). What is wrong with the video
            is not raised but reported.
    """
    source = task.source
    path, folder = task.videos / source.file, task.work / source.id
    report: dict[str, Any] = {"key": "", "clips": [], "rejected": [], "frames": 0, "notices": []}
    try:
        wav = file_beside(path, ".wav")
        digests = {"sha256": _digest(path), "wav_sha256": _digest(wav) if wav.is_file() else None}
        report |= {**digests, "key": digest({**tools.key, **asdict(source), **digests})}
        known = read_report(folder)
        if known and known["key"] == report["key"]:
            progress(known["frames"])
            return known
        with Video(path) as video:
            if not video.has_sound and not digests["wav_sha256"]:
                raise CorpusError(f"it has no sound, and there is no {wav.name} beside it")
            report["sound"] = source.file if video.has_sound else wav.name
            sound = SoundReader(path if video.has_sound else wav)

            def is_finished(number: int) -> bool:
                return read_clip(folder, number, report["key"]) is not None

            passed: list[Shot] = []
            longer = 0.0
            try:
                for shot in track_video(video, source, tools, is_finished, progress):
                    clock = shot.times[0] if video.has_sound else shot.start  # a .wav begins with the first frame
                    heard = _ShotSound(sound, clock + source.sound_offset, clip_name(source.file))
                    _enter(report, shot, heard, task, tools)
                    report["frames"] += len(shot.times)
                    if source.end is None and sound.end is not None:
                        longer = sound.end - shot.times[-1] + (0.0 if video.has_sound else shot.zero)
                    passed.append(replace(shot, times=[], faces=[]))
            finally:
                sound.close()
            report["notices"] = [*video.choices, *say_losses(video, passed, sound.damaged, longer)]
            if video.has_sound and digests["wav_sha256"]:
                report["notices"].append(f"{wav.name} beside it is not read: the video has sound of its own")
    except CorpusError as problem:  # of the video as a whole: nothing of it is kept
        why = one_line(problem).removeprefix(f"{path.name} ")
        report |= {"clips": [], "rejected": [{"what": source.shown, "why": why}]}
    write_json(folder / "report.json", report)
    return report


def _digest(path: Path) -> str:
    try:
        return current_digest(path)
    except OSError as problem:
        raise CorpusError(cannot_read(path.name, problem).rstrip(".")) from None


def read_report(folder: Path) -> dict[str, Any] | None:
    """The report of a video that is finished; None where there is none."""
    try:
        return read_json(folder / "report.json", CorpusError, "")
    except CorpusError:
        return None


def read_clip(folder: Path, number: int, key: str) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """The arrays of a clip that was finished under a key, and its entry for the report; None where there is none."""
    try:
        arrays, notes = read_arrays(folder / f"{number}.safetensors", CorpusError, "")
    except CorpusError:
        return None
    if notes.pop("key", None) != key:
        return None
    return arrays, _as_entry(number, notes)


def _as_entry(number: int, notes: Mapping[str, float | str]) -> dict[str, Any]:
    """A clip's entry for the report; its file keeps the notes in no order."""
    return {"number": number, **{name: float(notes[name]) for name in sorted(notes)}}


@dataclass(frozen=True)
class _ShotSound:
    """Where the sound of a shot is."""

    reader: SoundReader
    start: float
    """Of the shot, seconds on the sound's clock."""
    video: str
    """Name of the video."""


def _enter(report: dict[str, Any], shot: Shot, sound: _ShotSound, task: VideoTask, tools: Tools) -> None:
    """Enter a shot in the report: a clip, finished now or before, or a rejection with its reason."""
    folder, key = task.work / task.source.id, report["key"]
    known = read_clip(folder, shot.number, key)
    if known is None:
        try:
            arrays, notes = _make_clip(shot, sound, task.settings, tools)
        except CorpusError as problem:
            span = f"{shot.start:.2f}..{shot.start + shot.seconds:.2f} s"
            report["rejected"].append({"what": f"{task.source.file}, {span}", "why": one_line(problem)})
            return
        texts = {"key": key, **{name: repr(float(value)) for name, value in notes.items()}}
        write_arrays(folder / f"{shot.number}.safetensors", arrays, texts)
        known = arrays, _as_entry(shot.number, notes)
    report["clips"].append(known[1])


def _make_clip(
    shot: Shot, sound: _ShotSound, settings: BuildSettings, tools: Tools
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Resample a shot, cut its sound, compute its features: arrays, and notes for the report.

    Raises:
        CorpusError: a shot that makes no clip; says why.
    """
    if shot.seconds < settings.min_seconds:
        raise CorpusError(f"shorter than {settings.min_seconds:g} s (--min-seconds)")
    share = sum(face is not None for face in shot.faces) / len(shot.faces)
    tracked = resample_faces(shot.times, shot.faces, settings.fps) if share else None
    if tracked is None or min(share, tracked.valid.mean()) < settings.min_tracked:
        raise CorpusError(_why_untracked(shot, share, tracked, settings))
    frames = len(tracked.valid)
    sound.reader.read(sound.start, 0.0)  # damage before the shot is not its own
    before = sound.reader.damaged
    samples, heard = sound.reader.read(sound.start, frames / settings.fps)
    silenced = sound.reader.damaged - before
    if heard < HEARD:
        why = f"{silenced:.2f} s of it cannot be decoded" if silenced else "cut sound and picture to match"
        raise CorpusError(f"there is sound for {math.floor(100 * heard)} % of it only; {why}")
    features, piece = tools.features, Sound(samples, RATE, sound.video, shot.start)
    audio = np.asarray(blame("the audio features", features.compute, piece, frames, settings.fps))
    if audio.shape != (frames, features.width) or not np.isfinite(audio).all():
        wanted = f"expected finite numbers ({frames}, {features.width})"
        raise CorpusError(f"the audio features {settings.audio} are {audio.shape}, {wanted}")
    power = frame_means(np.square(samples, dtype=np.float64)[:, None], RATE, 0.0, frames, settings.fps)[:, 0]
    arrays = {**tracked.arrays, "audio": audio, "loudness": 10 * np.log10(np.maximum(power, FLOOR))}
    stored = {name: np.asarray(array, np.float32) for name, array in arrays.items()}
    losses = {name: float(getattr(shot, name)) for name in LOSSES} | {"sound_damaged_s": silenced}
    return {**stored, "valid": tracked.valid}, {
        "start_s": shot.start,
        "clock_s": shot.times[0],
        "frames": frames,
        "tracked": share,
        "repeated": shot.repeated / len(shot.times),
        "heard": heard,
        "width": shot.view[0],
        "height": shot.view[1],
        **{name: count for name, count in losses.items() if count},
    }


def _why_untracked(shot: Shot, share: float, tracked: Tracked | None, settings: BuildSettings) -> str:
    """Why a shot of at least --min-seconds has too few frames with a face."""
    apart = float(np.median(np.diff(shot.times)))
    if share >= settings.min_tracked and apart > LONGEST_GAP + SAME_INSTANT:
        return f"its frames are {apart:.2f} s apart, {LONGEST_GAP:g} s at most"
    wanted = f"at least {100 * settings.min_tracked:g} % are wanted (--min-tracked)"
    hurt = f" ({shot.damaged} of {len(shot.times)} are damaged)" if shot.damaged else ""
    if tracked is None or share < settings.min_tracked:
        return f"a face was found in {math.floor(100 * share)} % of its frames{hurt}, {wanted}"
    covered = math.floor(100 * tracked.valid.mean())
    return f"frames with a face, {LONGEST_GAP:g} s apart at most, cover {covered} % of it{hurt}, {wanted}"
