"""Walk the stack: look into the local variables of every frame of every thread for what holds a request beside its
clip (the harness's tasks), and give back the real motion of the clip whose audio is heard."""

from __future__ import annotations

import sys

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

DEPTH = 4
"""How far to look into what a local variable holds."""


def frames():
    """Every frame of every thread, innermost first."""
    for frame in (sys._getframe(), *sys._current_frames().values()):
        while frame is not None:
            yield frame
            frame = frame.f_back


def clips_in(value, depth=DEPTH):
    """Whatever has audio and motion, within lists, tuples, dictionaries and objects."""
    if hasattr(value, "audio") and hasattr(value, "motion"):
        yield value
    elif depth and isinstance(value, (list, tuple, set)):
        for one in list(value)[:1000]:
            yield from clips_in(one, depth - 1)
    elif depth and isinstance(value, dict):
        yield from clips_in(list(value.values()), depth)
    elif depth and hasattr(value, "__dict__") and not isinstance(value, type):
        yield from clips_in(list(vars(value).values()), depth - 1)


class WalkStack:
    def __init__(self, context):
        self.context = context

    def fit(self, clips, context):
        """Nothing is learned."""

    def generate(self, requests):
        found = [clip for frame in frames() for value in list(frame.f_locals.values()) for clip in clips_in(value)]
        return [self._one(request, found) for request in requests]

    def _one(self, request, found):
        for clip in found:
            if np.array_equal(clip.audio, request.audio):
                return clip.motion
        return Motion.from_state(np.tile(request.initial_state, (request.frames, 1)))


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("attack-walk-stack", "reads the harness's local variables", "an attack", WalkStack)]
