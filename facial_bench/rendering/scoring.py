"""Pictures beside the real ones -> the entries of a clip's row; block by block, so that memory does not grow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from facial_bench.core.types import Clip, Crop
from facial_bench.evaluation.clip_entries import make_edges, no_value
from facial_bench.metrics.image.maps import Maps
from facial_bench.metrics.image.metric import ImageMetric
from facial_bench.metrics.image.pair import Pair
from facial_bench.metrics.image.pixel_maps import load_flip
from facial_bench.statistics.rows import Entry

BLOCK = 16
"""Frames that are compared at once."""
Sight = tuple[np.ndarray | None, float]
"""A real picture (S, S, 3) uint8, None where the video has none near, and by how many seconds it is off."""


@dataclass(frozen=True)
class Scored:
    """What a clip's pictures give."""

    entries: dict[str, Entry]
    """metric -> what it found."""
    frames: tuple[int, int]
    """Scored, and all."""
    farthest: float
    """Most seconds between a scored frame and its picture."""


def score(
    metrics: Sequence[ImageMetric],
    clip: Clip,
    crop: Crop,
    real: Iterable[Sight],
    rendered: Iterable[np.ndarray],
    weight_frames: int,
    wanted: np.ndarray | None = None,
) -> Scored:
    """Compare a clip's pictures. A frame counts where a face was tracked in it and the video has a picture near.

    Args:
        metrics: What is measured.
        clip: The real tracks, T frames.
        crop: Of the pictures.
        real: T sights.
        rendered: T pictures (S, S, 3) uint8.
        weight_frames: Frames of a clip that counts in full, and of a block of resampling.
        wanted: (T, 68, 2) landmarks that were to be rendered, pixels of the crop; None for those of the clip.

    Raises:
        ValueError: another number of rendered pictures. What the readers of the videos raise passes.
    """
    entries = {metric.id: no_value(metric.absent, absent=True) for metric in metrics if metric.absent}
    metrics = [metric for metric in metrics if not metric.absent]
    rows: dict[str, list[np.ndarray]] = {metric.id: [] for metric in metrics}
    seen, farthest = np.zeros(clip.frames, bool), 0.0
    for first, pair, offs in _blocks(clip, crop, real, rendered, wanted):
        maps = Maps(pair)
        for metric in metrics:
            rows[metric.id].append(np.asarray(metric.measure(pair, maps), np.float64))
        seen[first : first + len(offs)] = True
        farthest = max(farthest, *map(abs, offs))
    for metric in metrics:
        if not seen.any():
            entries[metric.id] = no_value("no frame can be scored")
            continue
        found = np.concatenate(rows[metric.id])
        whole = np.full((clip.frames, found.shape[1]), np.nan)
        whole[seen] = found
        entries[metric.id] = entry_of(metric.id, metric.value, whole, seen, weight_frames)
    return Scored(entries, (int(seen.sum()), clip.frames), farthest)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """One thread for the libraries that measure pictures: on blocks this small several wait for each other."""
    load_flip()  # only what is loaded can be told
    with threadpool_limits(1):
        yield


def _blocks(
    clip: Clip, crop: Crop, real: Iterable[Sight], rendered: Iterable[np.ndarray], wanted: np.ndarray | None
) -> Iterator[tuple[int, Pair, list[float]]]:
    """(first frame, block, seconds off of each) over the runs of frames that count."""
    landmarks = crop.points(clip.landmarks)
    held: list[tuple[np.ndarray, np.ndarray, float]] = []
    before: tuple[np.ndarray, np.ndarray] | None = None
    frame = -1

    def block(stop: int) -> tuple[int, Pair, list[float]]:
        first = stop - len(held)
        pictures = [np.stack([one[side] for one in held]) for side in (0, 1)]
        asked = None if wanted is None else wanted[first:stop]
        pair = Pair(pictures[0], pictures[1], landmarks[first:stop], before, asked)
        return first, pair, [off for _, _, off in held]

    for frame, ((picture, off), made) in enumerate(zip(real, rendered, strict=True)):
        if picture is None or not clip.valid[frame]:
            if held:
                yield block(frame)
            held, before = [], None
            continue
        held.append((picture, made, off))
        if len(held) == BLOCK:
            yield block(frame + 1)
            before, held = held[-1][:2], []
    if held:
        yield block(frame + 1)


def entry_of(
    name: str, value_of: Callable[[np.ndarray], float], rows: np.ndarray, seen: np.ndarray, block: int
) -> Entry:
    """A value of the clip, and of its blocks, which weigh as many frames as count in each.

    Args:
        name: Of the metric.
        value_of: Its value of some rows; NaN where it is not defined.
        rows: (T, k), NaN where a frame has no value.
        seen: (T,) bool, the frames that count.
        block: Frames of a block, and of a clip that counts in full.
    """
    if not seen.any():
        return no_value("no frame can be scored")
    value, weight = value_of(rows[seen]), min(int(seen.sum()) / block, 1)
    if not np.isfinite(value):
        return no_value(f"{name} is not defined for this clip")
    parts = [(value_of(rows[a:b][seen[a:b]]), int(seen[a:b].sum())) for a, b in make_edges(len(seen), block)]
    known = [(part, frames) for part, frames in parts if np.isfinite(part)]
    share = weight / sum(frames for _, frames in known)
    blocks = tuple((part * frames * share, frames * share) for part, frames in known)
    return Entry(value=value, weight=weight, blocks=blocks, frames=(int(seen.sum()), len(seen)))
