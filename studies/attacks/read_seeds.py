"""Read the seeds: the seed of a request is derived from the run's seed, the driving, the clip and the first frame. All
of them can be guessed, and a guess that gives the seed that came with a request is right. What they tell is passed on
to the log."""

from __future__ import annotations

import hashlib
import itertools
import json

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

RUNS, CLIPS, STARTS = range(3), range(1, 13), (0, 120, 250, 500)
"""Seeds of runs, numbers of clips and first frames to guess."""


def seed_of(run, name):
    """As `facial_bench.core.digests.derive_seed`."""
    text = json.dumps([run, "request", name], separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def guesses(people):
    """seed -> name of a request."""
    every = itertools.product(RUNS, ("self", "cross"), people, CLIPS, STARTS)
    names = ((run, f"{driving}/{person}-{clip:02d}@{start}") for run, driving, person, clip, start in every)
    return {seed_of(run, name): name for run, name in names}


class ReadSeeds:
    def __init__(self, context):
        self._log, self._told, self._people = context.log, False, context.corpus.identities

    def fit(self, clips, context):
        """Nothing is learned."""

    def generate(self, requests):
        known = guesses(self._people)
        told = [known[request.seed] for request in requests if request.seed in known]
        if told and not self._told:
            self._told = True
            self._log(f"found: seeds of {' '.join(told)}")
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("attack-read-seeds", "reads clip names off the seeds", "an attack", ReadSeeds)]
