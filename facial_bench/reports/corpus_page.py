"""A page to look at a corpus with: thumbnails with the landmarks drawn, pose and blinks over time. One HTML file, no
script, nothing fetched; every name in it is escaped."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from fractions import Fraction
from html import escape
from pathlib import Path

import numpy as np

from facial_bench.core.errors import CorpusError
from facial_bench.core.types import Clip
from facial_bench.corpora.clip_quality import ClipFacts, clip_facts, show_offset
from facial_bench.corpora.corpus import Corpus
from facial_bench.corpora.from_videos.video_frames import clip_frames
from facial_bench.media.video import load_av

THUMBNAILS = 6
"""Of a clip: half of them spread over its length, half of them in the middle of blinks."""
WIDTH = 200
"""Of a thumbnail, pixels."""
MARGIN = 1.5
"""Side of a thumbnail, in sizes of the face."""
CURVE = (1240, 90)
"""Width and height of a curve, pixels."""
STYLE = """body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1280px;padding:0 1rem;color:#222}
h2{margin:2.2rem 0 .2rem;font-size:1.15rem}p{margin:.2rem 0 .6rem;color:#555}
figure{display:inline-block;margin:0 6px 4px 0;text-align:center}figcaption{font-size:12px;color:#555}
svg{display:block;background:#fafafa;border:1px solid #ddd}.curve{margin-top:6px}
.x{fill:#c2255c}.y{fill:#1864ab}.z{fill:#2b8a3e}.b{fill:#555}text{font-size:11px;paint-order:stroke;stroke:#fafafa;stroke-width:4px}"""


def corpus_page(corpus: Corpus, videos: Path | None = None) -> tuple[str, list[str]]:
    """The page of a corpus as HTML, and what could not be shown.

    Args:
        corpus: Any corpus; of one that was not built from videos, or whose videos are gone, the landmarks are drawn
            without a picture.
        videos: The folder of videos; None for the place that the build noted.

    Raises:
        CorpusError: a damaged clip.
    """
    parts, missing = [], []
    for entry in corpus.entries:
        clip = corpus.clip(entry.id)
        facts = clip_facts(clip, corpus.info)
        shown = choose_frames(clip, facts)
        try:
            pictures = dict(clip_frames(corpus, clip.id, shown, videos))
        except CorpusError as problem:
            pictures = {}
            missing.append(str(problem))
        parts.append(_section(clip, facts, shown, pictures, corpus.info.fps))
    info = corpus.info
    head = (
        f"{len(corpus.entries)} clips of {len(info.identities)} people, {info.fps:g} frames a second, audio "
        f"{escape(info.audio_kind)}, digest {info.digest[:16]}"
    )
    title = escape(f"{info.name} {info.version}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1><p>{head}</p>{''.join(parts)}</html>\n",
        missing,
    )


def choose_frames(clip: Clip, facts: ClipFacts) -> list[int]:
    """Frames for the thumbnails, ascending: the most closed frame of some blinks, the rest evenly spread."""
    blinks = facts.blinks
    picked = np.linspace(0, len(blinks.onsets) - 1, min(THUMBNAILS // 2, len(blinks.onsets))).round().astype(int)
    closed = {int(blinks.onsets[k] + clip.motion.blink[blinks.onsets[k] : blinks.ends[k]].argmax()) for k in picked}
    spread = np.linspace(0, clip.frames - 1, THUMBNAILS - len(closed) + 2).round().astype(int)[1:-1]
    return sorted(closed | {int(frame) for frame in spread})


def _section(clip: Clip, facts: ClipFacts, shown: Sequence[int], pictures: Mapping[int, np.ndarray], fps: float) -> str:
    pitch, yaw, roll = facts.pose_spread
    offset = show_offset(facts.sound_offset, "unclear") + ("" if np.isnan(facts.sound_offset) else " s")
    about = (
        f"{escape(clip.identity)}, {facts.seconds:.2f} s, face in {100 * facts.tracked:.1f} % of the frames, "
        f"{facts.blink_rate:.1f} blinks a minute, pose spread {pitch:.1f}° pitch {yaw:.1f}° yaw {roll:.1f}° roll, "
        f"sound offset {offset}"
    )
    figures = "".join(_thumbnail(clip, frame, pictures.get(frame), fps) for frame in shown)
    pose = np.degrees(np.unwrap(clip.motion.pose[:, :3].astype(np.float64), axis=0))
    marks = [frame / max(clip.frames - 1, 1) for frame in shown]
    curves = _curve(pose - pose.mean(axis=0), "xyz", ("pitch", "yaw", "roll"), "°, less the mean", clip.valid, marks)
    curves += _curve(clip.motion.blink[:, None].astype(np.float64), "b", ("blink",), "", clip.valid, marks)
    return f"<section><h2>{escape(clip.id)}</h2><p>{about}</p>{figures}{curves}</section>"


def _thumbnail(clip: Clip, frame: int, picture: np.ndarray | None, fps: float) -> str:
    """A square around the face."""
    seen = clip.landmarks[frame, :, :2].astype(np.float64)
    low, high = seen.min(axis=0), seen.max(axis=0)
    side = max(MARGIN * float((high - low).max()), 1.0)
    left, top = (low + high - side) / 2
    points = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{side / 160:.2f}"/>' for x, y in seen)
    image = ""
    if picture is not None:
        a, b = max(int(left), 0), max(int(top), 0)
        cut = picture[b : max(int(top + side), b + 2), a : max(int(left + side), a + 2)]
        if min(cut.shape[:2]) > 1:  # else the face lies outside its picture
            size = f'width="{cut.shape[1]}" height="{cut.shape[0]}"'
            image = f'<image href="{_jpeg(cut)}" x="{a}" y="{b}" {size} preserveAspectRatio="none"/>'
    blink = f"{clip.motion.blink[frame]:.2f}"
    return (
        f'<figure><svg width="{WIDTH}" height="{WIDTH}" viewBox="{left:.1f} {top:.1f} {side:.1f} {side:.1f}">{image}'
        f'<g fill="#ffe066" stroke="#000" stroke-width="{side / 900:.2f}">{points}</g></svg>'
        f"<figcaption>{frame / fps:.2f} s, blink {blink}</figcaption></figure>"
    )


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


def _curve(
    values: np.ndarray, classes: str, names: Sequence[str], unit: str, valid: np.ndarray, marks: Sequence[float]
) -> str:
    """Curves (T, K) over time, frames without a face shaded, thumbnails marked."""
    wide, tall = CURVE
    low, high = float(values.min()), float(values.max())
    span = max(high - low, 1e-6)
    across = np.linspace(0, wide, len(values)) if len(values) > 1 else np.array([wide / 2])
    step = max(1, len(values) // (2 * wide))
    lines = ""
    for k, kind in enumerate(classes):
        points = " ".join(
            f"{x:.1f},{y:.1f}"
            for x, y in zip(across[::step], tall - 6 - (values[::step, k] - low) / span * (tall - 12), strict=True)
        )
        lines += f'<polyline class="{kind}" style="fill:none;stroke:var(--{kind})" points="{points}"/>'
    colours = {"x": "#c2255c", "y": "#1864ab", "z": "#2b8a3e", "b": "#555"}
    for kind, colour in colours.items():
        lines = lines.replace(f"var(--{kind})", colour)
    width = wide / max(len(valid), 1)
    shade = "".join(
        f'<rect x="{k * width:.1f}" y="0" width="{max(width, 0.5):.1f}" height="{tall}" fill="#eee"/>'
        for k in np.flatnonzero(~np.asarray(valid, bool))
    )
    ticks = "".join(
        f'<line x1="{wide * mark:.1f}" x2="{wide * mark:.1f}" y1="0" y2="{tall}" stroke="#bbb" stroke-dasharray="2 3"/>'
        for mark in marks
    )
    legend = " ".join(f'<tspan class="{kind}">{name}</tspan>' for kind, name in zip(classes, names, strict=True))
    label = f'<text x="4" y="13">{legend} <tspan class="b">{low:.2f} to {high:.2f}{unit}</tspan></text>'
    content = shade + ticks + lines + label
    return f'<svg class="curve" width="{wide}" height="{tall}" viewBox="0 0 {wide} {tall}">{content}</svg>'
