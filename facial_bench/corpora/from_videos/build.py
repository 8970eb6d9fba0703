"""`corpus build`: a folder of videos -> a corpus folder, going on where an earlier attempt stopped."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from facial_bench.core.digests import digest
from facial_bench.core.errors import CorpusError
from facial_bench.core.files import read_json, require_writable, write_json
from facial_bench.core.progress import Reporter
from facial_bench.core.types import Camera
from facial_bench.core.unfinished import sweep
from facial_bench.corpora.corpus import open_corpus
from facial_bench.corpora.from_tracks import assemble, corpus_name, require_apart
from facial_bench.corpora.from_videos.build_video import VideoTask, read_clip
from facial_bench.corpora.from_videos.parts import count_frames
from facial_bench.corpora.from_videos.settings import BuildSettings, ToolMaker, Tools
from facial_bench.corpora.from_videos.video_frames import PLACES
from facial_bench.corpora.from_videos.workers import build_all
from facial_bench.corpora.sources import Source, say_alike
from facial_bench.corpora.split import ClipEntry
from facial_bench.corpora.track import Track

WRITING = "writing.json"
"""In the folder of finished work while the corpus is written: the digest of the command that writes it."""


@dataclass(frozen=True)
class Built:
    """How much a build gave, and what it left out."""

    clips: int
    seconds: float
    rejected: tuple[tuple[str, str], ...]
    """(file and stretch, reason) of everything that was left out."""


@dataclass(frozen=True)
class _Made:
    """A finished clip: its place in the work folder, and what the corpus says of it."""

    id: str
    source: Source
    key: str
    entry: Mapping[str, Any]


class _Tracks(Sequence[Track]):
    """The tracks of finished clips, read from their files one at a time."""

    def __init__(self, made: Sequence[_Made], work: Path, tools: Tools) -> None:
        self._made, self._work, self._tools = made, work, tools

    def __len__(self) -> int:
        return len(self._made)

    def __getitem__(self, index: int) -> Track:  # type: ignore[override]
        made = self._made[index]
        stored = read_clip(self._work / made.source.id, int(made.entry["number"]), made.key)
        if stored is None:
            raise CorpusError(f"A finished clip of {made.source.file} has gone from {self._work}. Build again.")
        arrays = stored[0]
        width, height = int(made.entry["width"]), int(made.entry["height"])
        main = {name: arrays.pop(name) for name in ("audio", "landmarks", "rotation", "translation", "blink", "valid")}
        return Track(
            made.id,
            made.source.identity,
            made.source.recording,
            **main,
            extras=arrays,
            camera=Camera(width, height, self._tools.tracker.focal(width, height)),
        )


def build_corpus(
    sources: Sequence[Source],
    videos: Path,
    dest: Path,
    settings: BuildSettings,
    make_tools: ToolMaker,
    *,
    workers: int,
    report: Reporter,
    strict: bool = False,
) -> Built:
    """Build the corpus folder `dest` from videos. Finished clips wait in `<dest>.building`, which goes in the end.

    Args:
        sources: The videos, from `find_sources`.
        videos: The folder that they lie in.
        dest: Absent or empty; written whole or not at all.
        settings: What to build with.
        make_tools: Finds what the settings name; called here and, by its name, in every worker.
        workers: Videos at once.
        report: Told of every finished video, and of the frames that pass.
        strict: Whether to stop, before the corpus is written, when anything was left out.

    Raises:
        CorpusError: nothing could be built; or, when strict, something was left out.
        FacialBenchError: a tool that is not there, a folder that cannot be written.
    """
    corpus_name(dest)
    work = dest.absolute().with_name(f"{dest.absolute().name}.building")
    stands = dest.exists() and (not dest.is_dir() or any(dest.iterdir()))
    if stands and not (work / WRITING).is_file():
        raise CorpusError(f"{dest} exists already. Remove it or choose another folder.")
    require_writable(dest.absolute().parent)
    require_apart(dest, (source.id for source in sources))
    for line in say_alike(sources):
        report(line)
    tools = make_tools(settings)
    parts = {"key": tools.key, "settings": asdict(settings), "sources": [asdict(source) for source in sources]}
    command = digest({**parts, "videos": str(videos.absolute())})
    if stands:
        return _end(dest, videos, work, command)
    tasks = [VideoTask(source, videos, work, settings, make_tools) for source in sources]
    reports = _build_videos(tasks, tools, workers, report)
    rejected = tuple((row["what"], row["why"]) for s in sources for row in reports[s.id]["rejected"])
    taken = {source.id for source in sources}
    made = [one for source in sources for one in _name_clips(source, reports[source.id], taken)]
    for what, why in rejected:
        report(f"left out: {what}: {why}")
    if not made or (strict and rejected):
        what = "nothing could be built" if not made else f"{len(rejected)} left out, and --strict was given"
        first = f"; {rejected[0][0]}: {rejected[0][1]}" if rejected else ""
        raise CorpusError(f"{videos}: {what}{first}. Finished clips are kept in {work}.")
    write_json(work / WRITING, command)
    entries = [ClipEntry(one.id, one.source.identity, one.source.recording, int(one.entry["frames"])) for one in made]
    assemble(
        dest,
        _Tracks(made, work, tools),
        entries=entries,
        audio_kind=settings.audio,
        blink_scale=tools.tracker.blink_scale,
        length_unit=tools.tracker.length_unit,
        log=report,
        source=_describe(sources, reports, made, settings, tools, rejected),
    )
    return _end(dest, videos, work, command)


def _end(dest: Path, videos: Path, work: Path, command: str) -> Built:
    """What is left to do when the corpus is written, by this build or by one that was killed just then.

    Raises:
        CorpusError: `dest` is another command's.
    """
    if read_json(work / WRITING, CorpusError, f"Remove {work}.") != command:
        raise CorpusError(f"{dest} exists already. Remove it or choose another folder.")
    corpus = open_corpus(dest)
    sweep(dest)
    write_json(dest / PLACES, {"videos": os.path.relpath(videos.absolute(), dest.absolute())})
    shutil.rmtree(work, ignore_errors=True)
    rejected = tuple((what, why) for what, why in corpus.manifest["source"]["left_out_of_videos"])
    return Built(len(corpus.entries), sum(entry.frames for entry in corpus.entries) / corpus.info.fps, rejected)


def _build_videos(
    tasks: Sequence[VideoTask], tools: Tools, workers: int, report: Reporter
) -> dict[str, dict[str, Any]]:
    """Source id -> report, as `build_video` gives it; progress is told in frames of all videos together."""
    frames = {task.source.id: count_frames(task.source, task.videos) for task in tasks}
    total, done = max(sum(frames.values()), 1), 0
    reports: dict[str, dict[str, Any]] = {}

    def passed(more: int) -> None:
        nonlocal done
        done += more
        report.progress(min(done, total), total, "tracking, frames")

    longest_first = sorted(tasks, key=lambda task: -frames[task.source.id])  # or the last one keeps one core busy
    for source, outcome in build_all(longest_first, tools, workers, passed):
        reports[source.id] = outcome
        clips, left_out = len(outcome["clips"]), len(outcome["rejected"])
        report(f"{source.shown}: {clips} clip{'s' * (clips != 1)}" + (f", {left_out} left out" if left_out else ""))
        for notice in outcome.get("notices", ()):
            report(f"{source.shown}: {notice}")
    return reports


def _name_clips(source: Source, report: Mapping[str, Any], taken: Collection[str]) -> Iterator[_Made]:
    """Clips are called after their video; those of a video with cuts are numbered in order, after as many `-` as keep
    them apart from other videos (`talk-1` is a video: the first clip of `talk` is `talk--1`)."""
    alone, between = len(report["clips"]) + len(report["rejected"]) == 1, "-"
    while any(re.fullmatch(rf"{re.escape(source.id + between)}\d+", other) for other in taken):
        between += "-"
    for entry in report["clips"]:
        name = source.id if alone else f"{source.id}{between}{entry['number']}"
        yield _Made(name, source, report["key"], entry)


def _describe(
    sources: Sequence[Source],
    reports: Mapping[str, Any],
    made: Sequence[_Made],
    settings: BuildSettings,
    tools: Tools,
    rejected: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    """What the corpus tells of its making: no path outside the folder of videos, nothing of the machine."""
    used = {one.source.id for one in made}
    return {
        "builder": "facial_bench.building 1",
        "tracker": settings.tracker,
        "made_with": tools.note(),
        "videos": {
            source.id: {"file": source.file, "sound_offset": source.sound_offset}
            | ({"start": source.start, "end": source.end} if source.start or source.end is not None else {})
            | ({"crop": list(source.crop)} if source.crop else {})
            | {key: reports[source.id][key] for key in ("sha256", "wav_sha256", "sound")}
            | ({"notices": notices} if (notices := reports[source.id]["notices"]) else {})
            for source in sources
            if source.id in used
        },
        "clips": {one.id: {"video": one.source.id, **one.entry} for one in made},
        "left_out_of_videos": [list(pair) for pair in rejected],
    }
