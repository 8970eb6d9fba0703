"""Null models: what a method that knows nothing of speech would get. Source: docs/protocol.md, "references"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from facial_bench.errors import FacialBenchError
from facial_bench.types import Clip, Context, Generator, Motion, Request

Rule = Callable[["Memory", Request], np.ndarray]


class Memory:
    """The training motion of each person, as valid pieces, and what can be read off it.

    Args:
        pieces: identity -> (T, 71) face states of its training clips, physical units.
    """

    def __init__(self, pieces: Mapping[str, Sequence[np.ndarray]]) -> None:
        self.pieces = pieces

    def replay(self, identity: str, frames: int, rng: np.random.Generator) -> np.ndarray:
        """(frames, 71): a random stretch of a random training piece, continued by others where it is too short.

        Pieces that are long enough are preferred, so that a stretch is cut only where no piece would do.
        """
        own = self.pieces[identity]
        found: list[np.ndarray] = []
        missing = frames
        while missing > 0:
            fitting = [piece for piece in own if len(piece) >= missing] or own
            piece = fitting[rng.integers(len(fitting))]
            start = rng.integers(max(len(piece) - missing, 0) + 1)
            found.append(piece[start : start + missing])
            missing -= len(found[-1])
        return np.concatenate(found)


class Null:
    """A generator made of one rule.

    Args:
        rule: (memory, request) -> (T, 71) face states.
    """

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._memory = Memory({})

    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        """Remember the training motion."""
        pieces: dict[str, list[np.ndarray]] = {}
        for clip in clips:
            cuts = np.flatnonzero(np.diff(clip.valid)) + 1  # a piece never jumps over frames without a face
            for state, valid in zip(np.split(clip.motion.state(), cuts), np.split(clip.valid, cuts), strict=True):
                if len(valid) and valid[0]:
                    pieces.setdefault(clip.identity, []).append(state)
        self._memory = Memory(pieces)

    def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
        """One motion a request."""
        return [Motion.from_state(self._rule(self._memory, request)) for request in requests]


def make_null(name: str, context: Context) -> Generator:
    """The null model of that name.

    Raises:
        FacialBenchError: options; the nulls have none.
    """
    if context.options:
        raise FacialBenchError(f"'{name}' has no options, got {', '.join(context.options)}.")
    rules: dict[str, Rule] = {
        "frozen": _frozen, "mean-motion": _mean_motion, "replay": _replay, "wrong-identity": _wrong_identity,
    }  # fmt: skip
    return Null(rules[name])


def _mean_motion(memory: Memory, request: Request) -> np.ndarray:
    return np.tile(request.initial_state, (request.frames, 1))


def _frozen(memory: Memory, request: Request) -> np.ndarray:
    """Eyes open: the median of training closure, since a person blinks for much less than half of the time."""
    state = _mean_motion(memory, request)
    state[:, -1] = np.median(np.concatenate(memory.pieces[request.identity])[:, -1])
    return state


def _replay(memory: Memory, request: Request) -> np.ndarray:
    return memory.replay(request.identity, request.frames, np.random.default_rng(request.seed))


def _wrong_identity(memory: Memory, request: Request) -> np.ndarray:
    rng = np.random.default_rng(request.seed)
    others = sorted(set(memory.pieces) - {request.identity})
    return memory.replay(others[rng.integers(len(others))], request.frames, rng)
