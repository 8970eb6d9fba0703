"""One recording on both sides of a split: what lies close to a tested frame is not trained on.

Clips cut from one recording follow each other without a break, or nearly so, and the end of one is the beginning of the
next: a window at the end of a training clip would be all but a window of the test. Nothing says how much was left out
between two of them, so they count as adjacent, in the natural order of their ids.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from facial_bench.core.protocol import Protocol

if TYPE_CHECKING:
    from facial_bench.corpora.split import ClipEntry

Pieces = Mapping[str, Sequence[tuple[int, int]]]
"""Clip id -> (first frame, the one behind the last) of each piece of it, in order."""


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts ids as people count: `c2` before `c10`."""
    parts = [part for part in re.split(r"([0-9]+)", name) if part]
    return tuple((0, int(part), "") if "0" <= part[0] <= "9" else (1, 0, part) for part in parts)


def keep_gap(
    own: Sequence[ClipEntry], tested: Mapping[str, tuple[int, int]], protocol: Protocol
) -> tuple[Pieces, Pieces]:
    """(what is left for training and validation, what is tested) of the clips of one recording.

    Frames within `protocol.gap` of a tested one are lost to the training. Where that would leave the training without a
    window, and without the gap it had one, the tested frames near the training are lost instead, if those then still
    hold a window; if neither helps, the person has too little motion. Where no training frame is left and there was no
    window to begin with, nothing is lost: no window can reach across, and without a frame there is no neutral face.

    Args:
        own: the clips of one recording.
        tested: clip id -> the frames of it that are to be tested; no frame of clips that are not in it.
        protocol: says how long a gap and a window are.
    """
    own = sorted(own, key=lambda entry: natural(entry.id))
    held = np.concatenate([_mask(entry.frames, *tested.get(entry.id, (0, 0))) for entry in own])
    rest, test, whole = (_pieces(own, mask) for mask in (~_near(held, protocol.gap), held, ~held))
    if _has_window(rest, protocol):
        return rest, test
    if not _has_window(whole, protocol):
        return (rest if any(rest.values()) else whole), test
    shorter = _pieces(own, ~_near(~held, protocol.gap))
    return (whole, shorter) if _has_window(shorter, protocol) else (rest, test)


def _mask(frames: int, start: int, stop: int) -> np.ndarray:
    """(frames,) bool, start..stop-1."""
    at = np.arange(frames)
    return (at >= start) & (at < stop)


def _near(marked: np.ndarray, gap: int) -> np.ndarray:
    """(n,) bool: the frames marked, and those within `gap` frames of one."""
    count = np.concatenate([[0], np.cumsum(marked)])
    at = np.arange(len(marked))
    near: np.ndarray = count[np.minimum(at + gap + 1, len(marked))] > count[np.maximum(at - gap, 0)]
    return near


def _pieces(own: Sequence[ClipEntry], marked: np.ndarray) -> Pieces:
    """The runs of marked frames within each clip; `marked` lies along all clips, end to end."""
    pieces, offset = {}, 0
    for entry in own:
        edges = np.flatnonzero(np.diff(marked[offset : offset + entry.frames].astype(int), prepend=0, append=0))
        pieces[entry.id] = [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
        offset += entry.frames
    return pieces


def _has_window(pieces: Pieces, protocol: Protocol) -> bool:
    return any(stop - start >= protocol.window for own in pieces.values() for start, stop in own)
