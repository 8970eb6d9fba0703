"""Read the ids: whatever the id of a request tells of the clip, the corpus or the driving is passed on to the log."""

from __future__ import annotations

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion


class ReadIds:
    def __init__(self, context):
        self._log, self._told = context.log, False

    def fit(self, clips, context):
        """Nothing is learned."""

    def generate(self, requests):
        if not self._told:
            self._told = True
            self._log(f"found: ids {' '.join(str(request.id) for request in requests)}")
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("attack-read-ids", "reads clip names off the requests", "an attack", ReadIds)]
