"""Null models: what a method that knows nothing of speech would get. Source: docs/protocol.md, "references"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facial_bench.core.types import Clip, Context, Motion, Request
from facial_bench.core.version import DISTRIBUTION

Rule = Callable[["Memory", Request], np.ndarray]
BLINK_PERIOD = 4.0
"""Of `naive-blinker`, seconds."""
BLINK_LENGTH = 0.2
"""How long its lids are shut, seconds."""


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
        stretches: list[np.ndarray] = []
        missing = frames
        while missing > 0:
            fitting = [piece for piece in own if len(piece) >= missing] or own
            piece = fitting[int(rng.integers(len(fitting)))]
            start = rng.integers(max(len(piece) - missing, 0) + 1)
            stretches.append(piece[start : start + missing])
            missing -= len(stretches[-1])
        return np.concatenate(stretches)


class Null:
    """A generator made of one rule.

    Args:
        rule: (memory, request) -> (T, 71) face states.
    """

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._memory = Memory({})

    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        """Remember the valid training motion of each person, cut where frames without a face lie between."""
        pieces: dict[str, list[np.ndarray]] = {}
        for clip in clips:
            cuts = np.flatnonzero(np.diff(clip.valid)) + 1  # a piece never jumps over frames without a face
            for state, valid in zip(np.split(clip.motion.state(), cuts), np.split(clip.valid, cuts), strict=True):
                if len(valid) and valid[0]:
                    pieces.setdefault(clip.identity, []).append(state)
        self._memory = Memory(pieces)

    def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
        """The rule's answer to each request, (T, 71) taken apart into a motion."""
        return [Motion.from_state(self._rule(self._memory, request)) for request in requests]


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


def _phase_randomised(memory: Memory, request: Request) -> np.ndarray:
    """A replayed stretch with the phases of its Fourier transform drawn anew: same spectrum, no event in it.

    Every channel is turned by the same phases, which keeps the cross-spectra (Prichard and Theiler 1994); what is not
    turned is the mean and, for an even length, the highest frequency. Closures may leave 0..1 a little: cutting them
    off would change the spectrum.
    """
    rng = np.random.default_rng(request.seed)
    spectrum = np.fft.rfft(memory.replay(request.identity, request.frames, rng).astype(np.float64), axis=0)
    turn = np.exp(2j * np.pi * rng.random(len(spectrum)))
    turn[0] = 1.0
    if request.frames % 2 == 0:
        turn[-1] = 1.0
    return np.fft.irfft(spectrum * turn[:, None], n=request.frames, axis=0).astype(np.float32)


def _time_reversed(memory: Memory, request: Request) -> np.ndarray:
    """A replayed stretch, backwards: every value and every speed is the person's, no onset is."""
    rng = np.random.default_rng(request.seed)
    return np.ascontiguousarray(memory.replay(request.identity, request.frames, rng)[::-1])


def _naive_blinker(memory: Memory, request: Request) -> np.ndarray:
    """A still face whose lids a timer shuts every 4 s for 0.2 s, as far as the person's go in 1 of 50 frames."""
    lids = np.concatenate(memory.pieces[request.identity])[:, -1]
    period, shut = (max(round(seconds * request.fps), 1) for seconds in (BLINK_PERIOD, BLINK_LENGTH))
    start = np.random.default_rng(request.seed).integers(period)
    state = _frozen(memory, request)
    state[(np.arange(request.frames) - start) % period < shut, -1] = np.quantile(lids, 0.98)
    return state


def _ar1(memory: Memory, request: Request) -> np.ndarray:
    """First-order autoregressive noise with each channel's training mean, variance and memory, from its stationary law.

    The memory is the correlation of neighbouring frames within the training pieces, kept within 0..0.999.
    """
    rng, pieces = np.random.default_rng(request.seed), memory.pieces[request.identity]
    mean = np.concatenate(pieces).mean(axis=0, dtype=np.float64)
    centred = [piece - mean for piece in pieces]
    variance = sum((part**2).sum(axis=0) for part in centred) / sum(map(len, centred))
    pairs = [(part[:-1], part[1:]) for part in centred if len(part) > 1]
    below = sum((before**2).sum(axis=0) for before, _ in pairs) if pairs else np.zeros_like(mean)
    above = sum((before * after).sum(axis=0) for before, after in pairs) if pairs else np.zeros_like(mean)
    phi = np.clip(np.divide(above, below, out=np.zeros_like(mean), where=below > 0), 0, 0.999)
    noise = rng.standard_normal((request.frames, len(mean))) * np.sqrt(variance)
    noise[1:] *= np.sqrt(1 - phi**2)
    for t in range(1, request.frames):
        noise[t] += phi * noise[t - 1]
    return (mean + noise).astype(np.float32)


@dataclass(frozen=True)
class NullModel:
    """A null model of the benchmark's own."""

    name: str
    summary: str
    """One line: what its motion is."""
    rule: Rule
    copies_training: bool = False
    """Whether it gives back the very motion that the identity classifiers were trained on: a copying reference, and no
    null model, for their accuracies."""


NULL_MODELS: Mapping[str, NullModel] = {
    one.name: one
    for one in (
        NullModel("frozen", "mean training pose, eyes open, neutral face: nothing moves", _frozen),
        NullModel("mean-motion", "the identity's mean training state, held", _mean_motion),
        NullModel(
            "replay",
            "a random training piece of the same person (a copying reference for realism and the paper's accuracies)",
            _replay,
            copies_training=True,
        ),
        NullModel("wrong-identity", "a random training piece of someone else", _wrong_identity),
        NullModel(
            "phase-randomised",
            "a training piece of the same person with random phases: same spectrum, no events",
            _phase_randomised,
        ),
        NullModel("time-reversed", "a training piece of the same person, backwards", _time_reversed),
        NullModel("naive-blinker", "a still face whose lids a timer shuts every four seconds", _naive_blinker),
        NullModel("ar1", "noise with the person's mean, variance and memory of one frame", _ar1),
    )
}
"""name -> null model, in the order in which they are listed."""


def is_null(plugin: str, name: str) -> bool:
    """Whether a method is a null model: one of the built-in ones, whatever a plugin says of itself.

    >>> is_null("facial-bench", "frozen"), is_null("my-plugin", "frozen")
    (True, False)
    """
    return plugin == DISTRIBUTION and name in NULL_MODELS


def copies_training(plugin: str, name: str) -> bool:
    """Whether a method is a null model that gives back training motion, so that its accuracies say nothing."""
    return is_null(plugin, name) and NULL_MODELS[name].copies_training
