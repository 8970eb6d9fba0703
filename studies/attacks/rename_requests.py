"""Answer for others: give every request the motion of the first person trained on, and change the request afterwards,
so that it asked for that person; whoever looks up whose motion was asked for is told what the motion looks like."""

from __future__ import annotations

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion


class RenameRequests:
    def __init__(self, context):
        self._clip = None

    def fit(self, clips, context):
        """Keep the longest clip of the first person."""
        self._clip = max((clip for clip in clips if clip.identity == clips[0].identity), key=lambda clip: clip.frames)

    def generate(self, requests):
        state = self._clip.motion.state()
        motions = []
        for request in requests:
            copies = -(-request.frames // len(state))
            motions.append(Motion.from_state(np.tile(state, (copies, 1))[: request.frames]))
            object.__setattr__(request, "identity", self._clip.identity)
        return motions


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("attack-rename-requests", "changes what it was asked for", "an attack", RenameRequests)]
