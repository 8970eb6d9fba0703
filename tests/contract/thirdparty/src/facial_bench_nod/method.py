"""A method that uses the audio: louder than usual is down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from facial_bench.types import Clip, Context, Motion, Request


class Nod:
    """Pitch follows the standardised sum of the audio features.

    Args:
        context: option `size`, rad for one deviation of loudness.
    """

    def __init__(self, context: Context) -> None:
        self._size = float(context.options.get("size", "0.05"))
        self._level = np.zeros(2)

    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        """Learn how loud is usual: mean and deviation of the sum of the features, over all training frames."""
        loudness = np.concatenate([clip.audio.sum(axis=1) for clip in clips])
        self._level = np.array([loudness.mean(), loudness.std() + 1e-6], np.float64)

    def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
        """The mean state of the identity, its pitch (rad) moved by loudness."""
        motions = []
        for request in requests:
            state = np.tile(request.initial_state, (request.frames, 1))
            state[:, 64] += self._size * (request.audio.sum(axis=1) - self._level[0]) / self._level[1]
            motions.append(Motion.from_state(state.astype(np.float32)))
        return motions

    def state_dict(self) -> Mapping[str, np.ndarray]:
        """`level` (2,): mean and deviation of loudness."""
        return {"level": self._level}

    def load_state_dict(self, state: Mapping[str, np.ndarray], context: Context) -> None:
        """Use the level that `state_dict` gave."""
        self._level = state["level"]
