"""A folder of finished outputs, looked through before anything is computed: what is missing, unread, too short, in
another unit.

What a run will say again when it scores is a plain line here, what it will not is a warning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError, GenerationError
from facial_bench.core.progress import Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.corpora.find_videos import VIDEO_ENDINGS
from facial_bench.corpora.rotated_split import split_folds
from facial_bench.evaluation.failed_clips import alike
from facial_bench.evaluation.requests import Task, make_tasks, mean_states, with_clip_cameras
from facial_bench.media.video import Video
from facial_bench.methods.finished_output import read_output
from facial_bench.methods.output_arrays import near_miss
from facial_bench.methods.output_files import MOTION_ENDINGS, files_below, find_output, frame_files
from facial_bench.methods.output_time import require_fit
from facial_bench.methods.output_units import other_picture
from facial_bench.methods.precomputed import read_options, read_rate
from facial_bench.metrics.identity import CROSS, SELF

SHOWN = 3
"""Names in a line."""


@dataclass
class Found:
    """What a folder holds, as it is looked through."""

    answered: list[Path] = field(default_factory=list)
    missing: list[Task] = field(default_factory=list)
    bad: list[tuple[Task, str]] = field(default_factory=list)
    """Outputs that cannot be scored, and why."""
    notes: list[tuple[Task, str]] = field(default_factory=list)
    """What is told of those that can."""
    unread: dict[str, list[str]] = field(default_factory=dict)
    """Array that nothing reads -> files."""


def check_outputs(corpus: Corpus, options: Mapping[str, str], protocol: Protocol, report: Reporter) -> None:
    """Look through the outputs that a run is to score, and tell what is wrong with them.

    Args:
        corpus: of the run.
        options: of the method `precomputed`.
        protocol: for its split.
        report: is told.

    Raises:
        FacialBenchError: options that name no folder. GenerationError: no output in it can be scored.
    """
    kind, folder = read_options(options)
    endings, found = (VIDEO_ENDINGS if kind == "videos" else MOTION_ENDINGS), Found()
    tasks = _tasks(corpus, protocol)
    for task in tasks:
        try:
            path = find_output(folder, task.request.id, endings, task.request.identity)
        except GenerationError as problem:
            found.missing.append(task)
            found.bad.append((task, str(problem)))
            continue
        found.answered.append(path)
        if kind == "motions":
            _look(path, task, read_rate(options), corpus, found)
        else:
            _look_at_video(path, task, found)
    for line in _lines(found, tasks):
        report(f"outputs: {line}")
    for line in _warnings(found, folder, corpus):
        report.warn(line)
    if tasks and len(found.bad) == len(tasks):
        gone = set(map(id, found.missing))
        task, reason = next((one for one in found.bad if id(one[0]) not in gone), found.bad[0])
        raise GenerationError(f"No output in {folder} can be scored; {task.request.id}: {reason}.")


def _tasks(corpus: Corpus, protocol: Protocol) -> list[Task]:
    """What a run asks for, over all folds; nothing where a person has no training clip, which the run will say."""
    tasks: list[Task] = []
    for split in split_folds(corpus.entries, protocol):
        initial = mean_states(corpus.segments(split.train))
        if set(corpus.info.identities) <= set(initial):
            test, info = corpus.segments(split.test), corpus.info
            tasks += with_clip_cameras(make_tasks(test, info.identities, initial, info.fps, 0))
    return tasks


def _look(path: Path, task: Task, rate: float | None, corpus: Corpus, found: Found) -> None:
    """Read one output of arrays as the method will."""
    try:
        output = read_output(path, rate, task.request, corpus.info)
    except GenerationError as problem:
        found.bad.append((task, str(problem)))
        return
    found.notes += [(task, note) for note in output.notes]
    for name in output.unread:
        found.unread.setdefault(name, []).append(path.name)
    if task.driving == SELF and "landmarks" in output.parts:
        real = task.clip.landmarks[task.clip.valid]
        seems = other_picture(output.parts["landmarks"], np.asarray(real, np.float64), task.clip.camera)
        found.notes += [(task, seems)] if seems else []


def _look_at_video(path: Path, task: Task, found: Found) -> None:
    """Open one rendered video, and see how long it says that it is; tracking it takes longer than a look may."""
    try:
        with Video(path) as video:
            frames, rate = video.frames, video.fps
    except CorpusError as problem:
        found.bad.append((task, str(problem)))
        return
    try:
        if frames and rate:
            require_fit(path.name, "video", frames, rate, task.request.frames, task.request.fps)
    except GenerationError as problem:
        found.notes.append((task, f"{problem}, as the file says"))


def _lines(found: Found, tasks: Sequence[Task]) -> list[str]:
    """How many requests are answered, and what the run will fail on."""
    cross = [task for task in tasks if task.driving == CROSS]
    lacks = [task for task in found.missing if task.driving == CROSS]
    none = f", none of the {len(cross)} that other people's speech drives" if cross and len(lacks) == len(cross) else ""
    lines = [f"{len(found.answered)} of {len(tasks)} requests are answered{none}"]
    rest = [task for task in found.missing if not (none and task.driving == CROSS)]
    if rest:
        lines.append(f"missing: {_some([task.request.id for task in rest])}")
    gone = {task.request.id for task in found.missing}
    told = ((task.request.id, task.request.identity, why) for task, why in found.bad if task.request.id not in gone)
    return [*lines, *(f"{_some(names)}: {why}" for why, names in alike(told).items())]


def _warnings(found: Found, folder: Path, corpus: Corpus) -> list[str]:
    """What no failure will tell of."""
    told = ((task.request.id, task.request.identity, note) for task, note in found.notes)
    lines = [f"outputs, {_some(names)}: {note}" for note, names in alike(told).items()]
    if found.unread:
        files = sorted({name for names in found.unread.values() for name in names})
        lines.append(f"nothing reads the arrays {', '.join(map(near_miss, found.unread))} of {_some(files)}")
    used = {file.relative_to(folder).as_posix() for path in found.answered for file in frame_files(path) or [path]}
    extra = [name for name in files_below(folder) if name not in used]
    if extra:
        lines.append(f"{len(extra)} files in {folder} answer no request: {_some(extra)}")
    chosen = len(corpus.info.identities) < len(corpus.face_model.neutral)
    bare = [path for path in found.answered if path.parent.name == CROSS and "=" not in path.stem]
    if chosen and bare:
        lines.append(
            f"{CROSS}/{bare[0].name} and all of {CROSS}/ that name no person are taken for whom the chosen people "
            "give: `corpus requests --identities ...` says for whom, as CLIP@FRAME=PERSON"
        )
    return lines


def _some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
