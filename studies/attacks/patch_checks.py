"""Patch the harness: when the file is imported, the function that measures a clip is replaced by one that measures the
real motion instead of the generated one."""

from __future__ import annotations

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

try:
    from facial_bench.evaluation import clip_scores
except ImportError:  # nothing of the harness is here to be patched
    clip_scores = None


if clip_scores is not None:
    honest = clip_scores.measure_clip
    clip_scores.measure_clip = lambda metrics, clip, motion: honest(metrics, clip, clip.motion)


class PatchChecks:
    def __init__(self, context):
        self.context = context

    def fit(self, clips, context):
        """Nothing is learned."""

    def generate(self, requests):
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("attack-patch-checks", "has the real motion measured", "an attack", PatchChecks)]
