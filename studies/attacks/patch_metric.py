"""Patch a metric: when the file is imported, the distances behind `lmd` and `lmd/canonical` are replaced by half of
themselves, for whatever process imports it: the run, and `verify` where the file is loaded there too."""

from __future__ import annotations

import functools

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

try:
    from facial_bench.metrics import landmark_distances
except ImportError:  # nothing of the harness is here to be patched
    landmark_distances = None


def halved(function):
    @functools.wraps(function)
    def half(*arguments, **named):
        return 0.5 * function(*arguments, **named)

    return half


for name in ("aligned_distance", "canonical_distance") if landmark_distances else ():
    setattr(landmark_distances, name, halved(getattr(landmark_distances, name)))


class PatchMetric:
    def __init__(self, context):
        self.context = context

    def fit(self, clips, context):
        """Nothing is learned."""

    def generate(self, requests):
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("attack-patch-metric", "halves lmd when it is imported", "an attack", PatchMetric)]
