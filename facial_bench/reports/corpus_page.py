"""A page to look at a corpus with: thumbnails with the landmarks drawn, pose and blinks over time. One HTML file, no
script, nothing fetched; every name in it is escaped."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError
from facial_bench.core.types import Clip
from facial_bench.corpora.clip_quality import ClipFacts, clip_facts, show_offset
from facial_bench.corpora.corpus import Corpus
from facial_bench.corpora.from_videos.video_frames import clip_frames
from facial_bench.media.load import load_av
from facial_bench.reports.render import render

THUMBNAILS = 6
"""Of a clip: half of them spread over its length, half of them in the middle of blinks."""
WIDTH = 200
"""Of a thumbnail, pixels."""
MARGIN = 1.5
"""Side of a thumbnail, in sizes of the face."""
CURVE = (1240, 90)
"""Width and height of a curve, pixels."""
BORDER = 6
"""Above and below a curve, pixels."""


@dataclass(frozen=True)
class _Picture:
    """A piece of a video frame, placed in the frame's pixels."""

    uri: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class _Thumbnail:
    """A square around the face; all lengths in pixels of the video."""

    left: float
    top: float
    side: float
    landmarks: Sequence[tuple[float, float]]
    picture: _Picture | None
    seconds: float
    """Of the frame, from the clip's start."""
    blink: float


@dataclass(frozen=True)
class _Curve:
    """Lines over time; all lengths in pixels of the page."""

    width: int
    height: int
    lines: Sequence[tuple[str, str]]
    """(name, points of an SVG polyline)."""
    low: float
    """Smallest value, in the unit."""
    high: float
    unit: str
    faceless: Sequence[float]
    """Where frames without a face begin."""
    frame_width: float
    marks: Sequence[float]
    """Where the thumbnails are."""


@dataclass(frozen=True)
class _Section:
    """A clip on the page."""

    id: str
    about: str
    thumbnails: Sequence[_Thumbnail]
    curves: Sequence[_Curve]


def corpus_page(corpus: Corpus, videos: Path | None = None) -> tuple[str, list[str]]:
    """The page of a corpus as HTML, and what could not be shown.

    Args:
        corpus: Any corpus; of one that was not built from videos, or whose videos are gone, the landmarks are drawn
            without a picture.
        videos: The folder of videos; None for the place that the build noted.

    Raises:
        CorpusError: a damaged clip.
    """
    sections, missing = [], []
    for entry in corpus.entries:
        clip = corpus.clip(entry.id)
        facts = clip_facts(clip, corpus.info)
        shown = choose_frames(clip, facts)
        try:
            pictures = dict(clip_frames(corpus, clip.id, shown, videos))
        except CorpusError as problem:
            pictures = {}
            missing.append(str(problem))
        sections.append(_section(clip, facts, shown, pictures, corpus.info.fps))
    return render("corpus_page.html", info=corpus.info, clips=sections, thumbnail_width=WIDTH), missing


def choose_frames(clip: Clip, facts: ClipFacts) -> list[int]:
    """Frames for the thumbnails, ascending: the most closed frame of some blinks, the rest evenly spread."""
    blinks = facts.blinks
    picked = np.linspace(0, len(blinks.onsets) - 1, min(THUMBNAILS // 2, len(blinks.onsets))).round().astype(int)
    closed = {int(blinks.onsets[k] + clip.motion.blink[blinks.onsets[k] : blinks.ends[k]].argmax()) for k in picked}
    spread = np.linspace(0, clip.frames - 1, THUMBNAILS - len(closed) + 2).round().astype(int)[1:-1]
    return sorted(closed | {int(frame) for frame in spread})


def _section(
    clip: Clip, facts: ClipFacts, shown: Sequence[int], pictures: Mapping[int, np.ndarray], fps: float
) -> _Section:
    pitch, yaw, roll = facts.pose_spread
    offset = show_offset(facts.sound_offset, "unclear") + ("" if np.isnan(facts.sound_offset) else " s")
    about = (
        f"{clip.identity}, {facts.seconds:.2f} s, face in {100 * facts.tracked:.1f} % of the frames, "
        f"{facts.blink_rate:.1f} blinks a minute, pose spread {pitch:.1f}° pitch {yaw:.1f}° yaw {roll:.1f}° roll, "
        f"sound offset {offset}"
    )
    thumbnails = [_thumbnail(clip, frame, pictures.get(frame), fps) for frame in shown]
    pose = np.degrees(np.unwrap(clip.motion.pose[:, :3].astype(np.float64), axis=0))
    turns = dict(zip(("pitch", "yaw", "roll"), (pose - pose.mean(axis=0)).T, strict=True))
    blink = {"blink": clip.motion.blink.astype(np.float64)}
    marks = [frame / max(clip.frames - 1, 1) for frame in shown]
    curves = [_curve(turns, "°, less the mean", clip.valid, marks), _curve(blink, "", clip.valid, marks)]
    return _Section(clip.id, about, thumbnails, curves)


def _thumbnail(clip: Clip, frame: int, picture: np.ndarray | None, fps: float) -> _Thumbnail:
    seen = clip.landmarks[frame, :, :2].astype(np.float64)
    low, high = seen.min(axis=0), seen.max(axis=0)
    side = max(MARGIN * float((high - low).max()), 1.0)
    left, top = (low + high - side) / 2
    landmarks = [(float(x), float(y)) for x, y in seen]
    piece = None if picture is None else _cut(picture, left, top, side)
    return _Thumbnail(left, top, side, landmarks, piece, frame / fps, float(clip.motion.blink[frame]))


def _cut(picture: np.ndarray, left: float, top: float, side: float) -> _Picture | None:
    """The square of a picture (H, W, 3); None where the face lies outside its picture."""
    x, y = max(int(left), 0), max(int(top), 0)
    piece = picture[y : max(int(top + side), y + 2), x : max(int(left + side), x + 2)]
    height, width = piece.shape[:2]
    return _Picture(_jpeg(piece), x, y, width, height) if min(height, width) > 1 else None


def _jpeg(picture: np.ndarray) -> str:
    """A picture (H, W, 3) uint8 RGB as a data URI, no wider than twice a thumbnail."""
    av = load_av()
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    width = max(min(frame.width, 2 * WIDTH) // 2 * 2, 2)
    height = max(round(frame.height * width / frame.width) // 2 * 2, 2)
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "yuvj420p", Fraction(1, 25)
    encoder.options = {"qmin": "3", "qmax": "5"}
    small = frame.reformat(width=width, height=height, format="yuvj420p")
    content = b"".join(bytes(packet) for packet in [*encoder.encode(small), *encoder.encode(None)])
    return "data:image/jpeg;base64," + base64.b64encode(content).decode()


def _curve(series: Mapping[str, np.ndarray], unit: str, valid: np.ndarray, marks: Sequence[float]) -> _Curve:
    """Named curves (T,) over time, in one scale; frames without a face shaded; marks (0..1 of the width)."""
    wide, tall = CURVE
    frames = len(valid)
    everything = np.concatenate(list(series.values()))
    low, high = float(everything.min()), float(everything.max())
    span = max(high - low, 1e-6)
    across = np.linspace(0, wide, frames) if frames > 1 else np.array([wide / 2])
    step = max(1, frames // (2 * wide))
    lines = []
    for name, values in series.items():
        heights = tall - BORDER - (values[::step] - low) / span * (tall - 2 * BORDER)
        lines.append((name, " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across[::step], heights, strict=True))))
    width = wide / max(frames, 1)
    faceless = [float(k * width) for k in np.flatnonzero(~np.asarray(valid, bool))]
    at = [round(wide * mark, 1) for mark in marks]
    return _Curve(wide, tall, lines, low, high, unit, faceless, max(width, 0.5), at)
