"""How a fitted method behaves: how far ahead it looks, what its output depends on, how fast it is.

Measured from outside, on one request of each fold: nothing here trusts what a method says of itself.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from facial_bench.core.errors import FacialBenchError, one_line
from facial_bench.core.types import Motion, Request
from facial_bench.evaluation.requests import Task
from facial_bench.evaluation.result_schema import Behaviour
from facial_bench.isolation.door import Asked, ask
from facial_bench.metrics.identity import SELF

LONGEST = 400
"""Frames of the request that is asked for: 16 s at 25 fps."""
TOLERANCE = 1e-6
"""Change of a state, as a share of its largest value, below which two motions are the same: rounding of sums."""
PROBES = (0.25, 0.5, 0.75)
"""Where, as a share of the request, the audio begins to differ."""


@dataclass(frozen=True)
class LookAhead:
    """What an answer to changed audio shows."""

    uses_audio: bool
    """Whether any frame changes when all of the audio does."""
    frames: int | None
    """How many frames before the sound changes the motion does, at most: 0 is causal; None where nothing changes."""


def changed_frames(one: Motion, other: Motion, tolerance: float = TOLERANCE) -> np.ndarray:
    """(n,) int frames in which two motions of one length differ by more than rounding."""
    a, b = one.state().astype(np.float64), other.state().astype(np.float64)
    scale = np.maximum(np.abs(a).max(axis=0), np.abs(b).max(axis=0))
    return np.flatnonzero((np.abs(a - b) > tolerance * np.maximum(scale, 1e-3)).any(axis=1))


def other_audio(request: Request, source: np.ndarray, start: int = 0) -> Request:
    """The request with the audio from frame `start` on replaced by other audio (n, F), repeated where it is short."""
    audio = np.array(request.audio)
    rows = np.arange(start, len(audio)) % len(source)
    audio[start:] = source[rows]
    audio.setflags(write=False)
    return replace(request, audio=audio)


def look_ahead(method: Asked, request: Request, source: np.ndarray) -> LookAhead:
    """How far ahead of the sound the motion changes, learned by changing the sound from some frame on.

    Args:
        method: fitted.
        request: T frames.
        source: (n, F) other audio of the same kind.

    Raises:
        GenerationError: the method raised, or gave something else than such motions.
    """
    base = ask(method, request)
    if not len(changed_frames(base, ask(method, other_audio(request, source)))):
        return LookAhead(False, None)
    ahead = []
    for share in PROBES:
        start = int(share * request.frames)
        changed = changed_frames(base, ask(method, other_audio(request, source, start)))
        if len(changed):
            ahead.append(max(start - int(changed[0]), 0))
    return LookAhead(True, max(ahead, default=0))


def describe_behaviour(method: Asked, tasks: Sequence[Task]) -> tuple[Behaviour, float | None]:
    """What a result says of a method's behaviour, measured on (400 frames of) the longest self-driven request.

    Returns:
        The behaviour, and seconds of motion made in a second, one sequence at a time; None where that could not be
        measured.
    """
    own = sorted((task for task in tasks if task.driving == SELF), key=lambda task: -task.request.frames)
    others = [task for task in own if task.clip.id != own[0].clip.id]
    if not others:
        return Behaviour(reason="there is no second test clip to take other audio from"), None
    whole = own[0].request
    audio = whole.audio[:LONGEST]
    request = replace(whole, audio=audio)
    try:
        ask(method, request)  # what is slow only once is no part of the speed
        start = time.perf_counter()
        ask(method, request)
        seconds = time.perf_counter() - start
        ahead = look_ahead(method, request, others[0].request.audio)
    except FacialBenchError as problem:
        return Behaviour(reason=one_line(problem)), None
    milliseconds = None if ahead.frames is None else 1000 * ahead.frames / request.fps
    behaviour = Behaviour(
        uses_audio=ahead.uses_audio,
        look_ahead_frames=ahead.frames,
        look_ahead_ms=milliseconds,
        probed_frames=request.frames,
    )
    return behaviour, request.frames / request.fps / max(seconds, 1e-9)


def pool_behaviour(folds: Mapping[str, tuple[Behaviour, float | None]]) -> tuple[Behaviour, float | None]:
    """What a result says where the split is rotated: each fold has a method of its own.

    It uses the audio if that of any fold does, looks as far ahead as the one that looks farthest, was probed with the
    frames of all, and is as fast as the median. Where some fold could not be measured the rest counts, and the reason
    names that fold.

    Args:
        folds: name of the fold (empty where there is one) -> what `describe_behaviour` returns of it.
    """
    measured = [own for own, _ in folds.values() if not own.reason]
    speeds = [speed for _, speed in folds.values() if speed is not None]
    reasons = [f"{name}: {own.reason}" if name else own.reason for name, (own, _) in folds.items() if own.reason]
    speed, reason = median(speeds) if speeds else None, "; ".join(reasons)
    if not measured:
        return Behaviour(reason=reason), speed
    frames = [own.look_ahead_frames for own in measured if isinstance(own.look_ahead_frames, int)]
    milliseconds = [own.look_ahead_ms for own in measured if isinstance(own.look_ahead_ms, (int, float))]
    behaviour = Behaviour(
        uses_audio=any(own.uses_audio is True for own in measured),
        look_ahead_frames=max(frames, default=None),
        look_ahead_ms=max(milliseconds, default=None),
        probed_frames=sum(own.probed_frames for own in measured if isinstance(own.probed_frames, int)),
        reason=reason,
    )
    return behaviour, speed
