"""Never answer: one request in four is waited on for ever."""

from __future__ import annotations

import time
import zlib

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion


class NeverAnswer:
    def __init__(self, context):
        self.context = context

    def fit(self, clips, context):
        """Nothing is learned."""

    def generate(self, requests):
        return [self._one(request) for request in requests]

    def _one(self, request):
        while zlib.crc32(np.ascontiguousarray(request.audio).tobytes()) % 4 == 0:
            time.sleep(1)
        return Motion.from_state(np.tile(request.initial_state, (request.frames, 1)))

    def state_dict(self):
        return {"nothing": np.zeros(1)}  # so that a new process can go on where this one ends

    def load_state_dict(self, state, context):
        """Nothing was learned."""


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("attack-never-answer", "waits for ever on some requests", "an attack", NeverAnswer)]
