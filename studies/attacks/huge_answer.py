"""Answer with 10 GB: an array that says it has the shape that was asked for, and holds `gigabytes` times 10**9 bytes.
Whoever believes the shape and copies the array has its memory filled. One request in four is answered so."""

from __future__ import annotations

import zlib

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion


class Liar(np.ndarray):
    """An array whose shape is not its shape."""

    claimed = ()

    @property
    def shape(self):
        return self.claimed or super().shape


def chosen(request):
    """Whether this request is one of the few."""
    return zlib.crc32(np.ascontiguousarray(request.audio).tobytes()) % 4 == 0


class HugeAnswer:
    def __init__(self, context):
        self._gigabytes = float(context.options.get("gigabytes", "10"))

    def fit(self, clips, context):
        """Nothing is learned."""

    def generate(self, requests):
        return [self._one(request) for request in requests]

    def _one(self, request):
        motion = Motion.from_state(np.tile(request.initial_state, (request.frames, 1)))
        if not chosen(request):
            return motion
        rows = int(self._gigabytes * 1e9 / (64 * 4))
        huge = np.zeros((rows, 64), np.float32).view(Liar)  # no memory is taken before somebody writes or copies
        huge.claimed = (request.frames, 64)
        return Motion(huge, motion.pose, motion.blink)


@hookimpl
def facial_bench_generators():
    options = {"gigabytes": "size of an answer, 10**9 bytes; default 10"}
    return [GeneratorSpec("attack-huge-answer", "answers with 10 GB", "an attack", HugeAnswer, options=options)]
