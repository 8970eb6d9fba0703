"""A corpus as lines and rows: what it holds clip by clip, what a run will ask of it and what it lacks for one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from facial_bench.core.protocol import Protocol
from facial_bench.core.types import STATE_WIDTH
from facial_bench.corpora.clip_quality import clip_facts, show_offset
from facial_bench.corpora.corpus import Corpus
from facial_bench.corpora.enough_motion import motion_note, read_masks
from facial_bench.corpora.rotated_split import split_folds
from facial_bench.corpora.split import split_clips
from facial_bench.evaluation.requests import make_tasks
from facial_bench.methods.output_files import output_names
from facial_bench.metrics.identity import SELF


def corpus_line(corpus: Corpus) -> str:
    """Name, digest, rate and units."""
    info = corpus.info
    return (
        f"{info.name} {info.version}  digest {info.digest[:16]}  {info.fps:g} fps  "
        f"audio {info.audio_kind} x {info.audio_width}  landmarks {info.landmark_unit}  "
        f"length {info.length_unit}  blink {info.blink_scale}"
    )


def clip_rows(corpus: Corpus) -> Iterator[tuple[str, ...]]:
    """A heading, then a row a clip: length, quality, and the part of the split it belongs to."""
    yield ("clip", "identity", "seconds", "tracked", "blinks/min", "pitch, yaw, roll °", "sound offset s", "split")
    split = split_clips(corpus.entries, Protocol())
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    for entry in corpus.entries:
        facts = clip_facts(corpus.clip(entry.id), corpus.info)
        spans = [f"{name} {s.start}..{s.stop}" for name, part in parts.items() for s in part if s.clip == entry.id]
        yield (
            entry.id,
            entry.identity,
            f"{facts.seconds:.2f}",
            f"{facts.tracked:.3f}",
            f"{facts.blink_rate:.1f}",
            ", ".join(f"{one:.1f}" for one in facts.pose_spread),
            show_offset(facts.sound_offset, "–"),
            ", ".join(spans),
        )


def corpus_notes(corpus: Corpus) -> Iterator[str]:
    """How people with one recording are split, what the build left out, and what a run lacks."""
    for person, note in split_clips(corpus.entries, Protocol()).notes.items():
        yield f"{person}: {note}"
    left_out = corpus.note().get("left_out_of_videos")
    for pair in left_out if isinstance(left_out, list) else ():
        yield f"left out: {': '.join(map(str, pair if isinstance(pair, list) else ()))}"
    warning = motion_warning(corpus)
    if warning:
        yield warning


def motion_warning(corpus: Corpus) -> str:
    """Why a run could not train the identity classifiers; empty where it can."""
    note = motion_note(corpus.entries, read_masks(corpus), Protocol())
    return f"the identity classifiers cannot be trained: {note}" if note else ""


def request_rows(corpus: Corpus, folds: str = "one") -> Iterator[tuple[object, ...]]:
    """A heading, then a row for everything that a run asks a method for: the same stretches, the same people.

    `request` names the output (`methods.output_files`). `from_s` and `to_s` are times on the clock of `video`,
    `sound_from_s` that of `sound` in which the same stretch begins: the video itself, or a .wav beside it.

    Args:
        corpus: the people of the run only.
        folds: as the run's.
    """
    yield (
        *("request", "identity", "frames", "fps", "width", "height"),
        *("video", "from_s", "to_s", "sound", "sound_from_s"),
    )
    people, fps = corpus.info.identities, corpus.info.fps
    for split in split_folds(corpus.entries, replace(Protocol(), folds=folds)):
        test = corpus.segments(split.test)
        for task in make_tasks(test, people, dict.fromkeys(people, np.zeros(STATE_WIDTH)), fps, 0):
            clip, who = task.clip, task.request.identity
            size = (clip.camera.width, clip.camera.height) if task.driving == SELF else ("", "")
            times = _times(corpus, clip.id, clip.start / fps, clip.frames / fps)
            yield (output_names(task.request.id, who)[0], who, clip.frames, f"{fps:g}", *size, *times)


def _times(corpus: Corpus, clip_id: str, start: float, seconds: float) -> tuple[str, ...]:
    """The video of a clip and the times of a stretch in it, then the sound and the time in that; what is not known of
    an imported clip counts from the clip's own beginning."""
    clip = corpus.note("clips", clip_id)
    video = corpus.note("videos", clip.get("video", ""))
    file, sound = (str(video.get(name) or "") for name in ("file", "sound"))
    clock = _seconds(clip, "clock_s") + start
    heard = start + (_seconds(clip, "clock_s") if sound == file else _seconds(clip, "start_s"))
    heard += _seconds(video, "sound_offset")
    return (file or clip_id, f"{clock:.3f}", f"{clock + seconds:.3f}", sound or file or clip_id, f"{heard:.3f}")


def _seconds(note: Mapping[str, object], name: str) -> float:
    """A time that a corpus says of its source; 0 where it is none."""
    value = note.get(name)
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else 0.0
