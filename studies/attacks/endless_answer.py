"""Answer without end: in place of a list of motions, an iterator that gives motion after motion until the memory of
whoever makes a list of it is full. It gives `gigabytes` times 10**9 bytes and then stops, to spare the machine."""

from __future__ import annotations

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion


class EndlessAnswer:
    def __init__(self, context):
        self._gigabytes = float(context.options.get("gigabytes", "2"))

    def fit(self, clips, context):
        """Nothing is learned."""

    def generate(self, requests):
        if len(requests) == 1:  # what is asked for alone is answered, so that a result comes of it
            return [Motion.from_state(np.tile(requests[0].initial_state, (requests[0].frames, 1)))]
        return self._many(requests[0])

    def _many(self, request):
        for _ in range(int(self._gigabytes * 1e9 / (request.frames * 71 * 4))):
            yield Motion.from_state(np.tile(request.initial_state, (request.frames, 1)))


@hookimpl
def facial_bench_generators():
    options = {"gigabytes": "when to stop, 10**9 bytes; default 2"}
    return [GeneratorSpec("attack-endless-answer", "answers without end", "an attack", EndlessAnswer, options=options)]
