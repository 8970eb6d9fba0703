"""A chimera: the mouth of a linear regression on the speech, and head and lids cut from the person's training motion.

Each part is as good as such a part can be, and nothing holds them together."""

from __future__ import annotations

import numpy as np

from facial_bench import hookimpl
from facial_bench.methods.null_models import NULL_MODELS, Null
from facial_bench.methods.ridge import Ridge
from facial_bench.types import GeneratorSpec, Motion


class Chimera:
    def __init__(self, context):
        self._mouth, self._rest = Ridge(context), Null(NULL_MODELS["replay"].rule)

    def fit(self, clips, context):
        """Fit the regression, and remember the training motion."""
        self._mouth.fit(clips, context)
        self._rest.fit(clips, context)

    def generate(self, requests):
        """Expression of the one, pose and blink of the other."""
        pairs = zip(self._mouth.generate(requests), self._rest.generate(requests), strict=True)
        return [Motion(np.asarray(mouth.expression), rest.pose, rest.blink) for mouth, rest in pairs]


@hookimpl
def facial_bench_generators():
    """One method, made of two."""
    return [GeneratorSpec("chimera", "ridge's mouth, replayed head and lids", "none", Chimera)]
