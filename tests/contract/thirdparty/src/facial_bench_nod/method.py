"""A method that uses the audio: louder than usual is down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from facial_bench.errors import FacialBenchError
from facial_bench.types import Clip, Context, Motion, Request


class Nod:
    """Pitch follows the standardised sum of the audio features.

    Args:
        context: option `size`, rad for one deviation of loudness.
    """

    def __init__(self, context: Context) -> None:
        unknown = set(context.options) - {"size"}
        if unknown:
            raise FacialBenchError(f"'nod' knows no option {', '.join(sorted(unknown))}; it has: size.")
        self._size = float(context.options.get("size", "0.05"))
        self._level = np.zeros(2)

    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        """Learn how loud is usual."""
        loudness = np.concatenate([clip.audio.sum(axis=1) for clip in clips])
        self._level = np.array([loudness.mean(), loudness.std() + 1e-6], np.float64)

    def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
        """One motion a request."""
        motions = []
        for request in requests:
            state = np.tile(request.initial_state, (request.frames, 1))
            state[:, 64] += self._size * (request.audio.sum(axis=1) - self._level[0]) / self._level[1]
            motions.append(Motion.from_state(state.astype(np.float32)))
        return motions

    def state_dict(self) -> Mapping[str, np.ndarray]:
        """Mean and deviation of loudness."""
        return {"level": self._level}

    def load_state_dict(self, state: Mapping[str, np.ndarray], context: Context) -> None:
        """Take them back."""
        self._level = state["level"]
