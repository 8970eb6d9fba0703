"""Pick the best draw: forty variants of a ridge regression with drawn head motion and lids, and of them, for each
person, the one that does best on the training clips by the method's own measures: how the lips fit, and how near the
spectra of pose and lids are to the person's. The seed of the fit draws the variants, so runs with other seeds differ,
and one who publishes a run can run many of them and take the best."""

from __future__ import annotations

import numpy as np

from facial_bench import hookimpl
from facial_bench.methods.ridge import Ridge
from facial_bench.types import GeneratorSpec, Motion

VARIANTS, TABLE = 40, 1500
"""How many are drawn; frames of the head motion that a variant holds."""


def rough(rng, frames, states):
    """(frames, 7) head motion and lids of first-order noise, with memories drawn anew and the person's spread."""
    memory = 1 - 10.0 ** rng.uniform(-2.5, -0.5, 7)
    noise = rng.standard_normal((frames, 7))
    noise[1:] *= np.sqrt(1 - memory**2)
    for t in range(1, frames):
        noise[t] += memory * noise[t - 1]
    return rng.uniform(0.5, 1.2, 7) * states[:, 64:].std(0) * noise


def speeds(motion):
    """(7, 3) log spread of the motion and of its differences over one and eight frames."""
    return np.log([np.std(part, axis=0) + 1e-9 for part in (motion, np.diff(motion, axis=0), motion[8:] - motion[:-8])])


class BestDraw:
    def __init__(self, context):
        self._ridge, self._rng = Ridge(context), np.random.default_rng(context.seed)
        self._chosen = {}

    def fit(self, clips, context):
        """Draw variants for each person, and keep the best: of the lips the fit to a drawn half of the training clips,
        of the rest the one whose speeds are most like the person's."""
        lips = {}
        for person in dict.fromkeys(clip.identity for clip in clips):
            own = [clip for clip in clips if clip.identity == person]
            states = np.concatenate([clip.motion.state()[clip.valid] for clip in own]).astype(np.float64)
            wanted = speeds(states[:, 64:])
            drawn = [rough(self._rng, TABLE, states) for _ in range(VARIANTS)]
            best = min(drawn, key=lambda table: np.square(speeds(table) - wanted).mean())
            half = max(len(own) // 2, 1)
            lips[person] = [own[k] for k in self._rng.permutation(len(own))[:half]]
            self._chosen[person] = best
        self._ridge.fit([clip for own in lips.values() for clip in own], context)

    def generate(self, requests):
        return [self._one(request) for request in requests]

    def _one(self, request):
        rng, table = np.random.default_rng(request.seed), self._chosen[request.identity]
        start = rng.integers(len(table))
        state = self._ridge.generate([request])[0].state()
        state[:, 64:] = request.initial_state[64:] + table[(start + np.arange(request.frames)) % len(table)]
        return Motion.from_state(state.astype(np.float32))


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("attack-best-draw", "keeps the best of many drawn variants", "an attack", BestDraw)]
