"""Pose as a built-in: claim to be a null model, and write the benchmark's own name over the record of where the method
comes from, so that the result stands on a board as one of its references."""

from __future__ import annotations

import gc

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

FILE = "pose_as_builtin.py"


class PoseAsBuiltin:
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
            object.__setattr__(one, "plugin", "facial-bench")
    return [GeneratorSpec("attack-pose-as-builtin", "poses as a built-in", "null model", PoseAsBuiltin)]
