"""Pose as somebody else's plugin: write another plugin's name over the record of where the method comes from, while
plugins are listed, so that the result says it is theirs, and its code is looked for where the attack says."""

from __future__ import annotations

import gc
import sys

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

FILE, POSE = "pose_as_plugin.py", "facial-bench-facial"


def frames():
    """Every frame of this thread, innermost first."""
    frame = sys._getframe()
    while frame is not None:
        yield frame
        frame = frame.f_back


class PoseAsPlugin:
    def __init__(self, context):
        self.context = context

    def fit(self, clips, context):
        """Nothing is learned."""

    def generate(self, requests):
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]


@hookimpl
def facial_bench_generators():
    for one in gc.get_objects():
        if type(one).__name__ == "Source" and getattr(one, "plugin", "") == FILE:
            object.__setattr__(one, "plugin", POSE)
    for frame in frames():
        for one in list(frame.f_locals.values()):
            if isinstance(one, dict) and one.get("plugin") == FILE:
                one["plugin"] = POSE
    return [GeneratorSpec("attack-pose-as-plugin", "poses as another plugin", "an attack", PoseAsPlugin)]
