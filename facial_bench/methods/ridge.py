"""The linear baseline: ridge regression from a window of audio to the face state, for each person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from facial_bench.core.types import Clip, Context, Motion, Request

WINDOW = 16
"""Audio frames seen for a frame t: t-8 .. t+7, as G_loc (supplement, Table 2)."""
PENALTIES = (1e-2, 1e-1, 1.0, 10.0, 100.0)
"""Candidates, times the number of training frames; the one that predicts left-out training clips best is kept."""


def stack_context(audio: np.ndarray) -> np.ndarray:
    """(T, F) -> (T, 16 * F) float64, the frames t-8 .. t+7 of each t; the ends are repeated."""
    padded = np.pad(np.asarray(audio, np.float64), ((WINDOW // 2, WINDOW // 2 - 1), (0, 0)), mode="edge")
    return sliding_window_view(padded, WINDOW, axis=0).transpose(0, 2, 1).reshape(len(audio), -1)


def solve_ridge(x: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """argmin_W |y - x W|^2 + penalty |W|^2, by the normal equations: (N, P), (N, Q) -> (P, Q)."""
    return np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)


class Ridge:
    """Audio standardised over everyone; weights and mean state of each person.

    Args:
        context: of the run; nothing of it is looked at.
    """

    def __init__(self, context: Context) -> None:
        self._state: dict[str, np.ndarray] = {}

    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        """Fit each person's regression; the penalty is chosen on left-out training clips."""
        usable = [clip for clip in clips if clip.valid.any()]
        audio = np.concatenate([clip.audio for clip in usable]).astype(np.float64)
        self._state = {"audio_mean": audio.mean(0), "audio_std": audio.std(0) + 1e-6}
        for person in dict.fromkeys(clip.identity for clip in usable):
            own = [clip for clip in usable if clip.identity == person]
            parts = [(self._inputs(clip.audio)[clip.valid], clip.motion.state()[clip.valid]) for clip in own]
            mean = np.concatenate([state for _, state in parts]).mean(0)
            scale = np.concatenate([state for _, state in parts]).std(0) + 1e-6
            pairs = _thirds(parts[0]) if len(parts) == 1 else parts
            data = [(x, (y - mean) / scale) for x, y in pairs]
            penalty = min(PENALTIES, key=lambda candidate: _held_out_error(data, candidate))
            x, y = (np.concatenate(arrays) for arrays in zip(*data, strict=True))
            self._state[f"mean|{person}"], self._state[f"scale|{person}"] = mean, scale
            self._state[f"weights|{person}"] = solve_ridge(x, y, penalty * len(x))

    def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
        """Each request's audio through its person's weights, about the person's mean."""
        motions = []
        for request in requests:
            mean, scale = self._state[f"mean|{request.identity}"], self._state[f"scale|{request.identity}"]
            state = mean + scale * (self._inputs(request.audio) @ self._state[f"weights|{request.identity}"])
            motions.append(Motion.from_state(state.astype(np.float32)))
        return motions

    def state_dict(self) -> Mapping[str, np.ndarray]:
        """`audio_mean`, `audio_std` (F,) of everybody; for each person `mean|NAME`, `scale|NAME` (71,), physical units,
        and `weights|NAME` (16 F, 71), both sides standardised."""
        return self._state

    def load_state_dict(self, state: Mapping[str, np.ndarray], context: Context) -> None:
        """Become the regression that `state_dict` gave."""
        self._state = dict(state)

    def _inputs(self, audio: np.ndarray) -> np.ndarray:
        return stack_context((audio - self._state["audio_mean"]) / self._state["audio_std"])


def _thirds(part: tuple[np.ndarray, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """The one clip of a person in three stretches of time."""
    x, y = part
    cuts = np.linspace(0, len(x), 4).astype(int)
    return [(x[a:b], y[a:b]) for a, b in pairwise(cuts)]


def _held_out_error(data: Sequence[tuple[np.ndarray, np.ndarray]], penalty: float) -> float:
    """Mean squared error on each part when fitted to the others."""
    errors = []
    for k, (x, y) in enumerate(data):
        others = [pair for j, pair in enumerate(data) if j != k]
        tx, ty = (np.concatenate(arrays) for arrays in zip(*others, strict=True))
        errors.append(np.mean((y - x @ solve_ridge(tx, ty, penalty * len(tx))) ** 2))
    return float(np.mean(errors))
