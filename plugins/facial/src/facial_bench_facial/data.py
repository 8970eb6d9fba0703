"""The training clips as tensors: one for the audio, one for the states, and an index of windows.

Standardisation uses training clips only:
- audio: each feature by its mean and deviation over all valid training frames;
- expression: around 0, the identity's training neutral, by ONE number, the root mean square of all coefficients,
  so that the directions keep their proportions and noisy ones do not count more than they move the face;
- pose: per identity and column (the release: per video), so the personal level and spread of the pose are put
  back from that identity's training statistics and are not learnt;
- blink: around the identity's median, which is the open eye, so that the personal openness is put back and not
  learnt; by one deviation for everybody, so that the network has to learn each person's rate and closing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from facial_bench.core.windows import window_starts
from facial_bench.errors import CorpusError
from facial_bench.types import EXPRESSION_WIDTH, STATE_WIDTH, Clip
from facial_bench_facial.networks import AFTER, BEFORE, CONTEXT, WINDOW


@dataclass(frozen=True, eq=False)
class Statistics:
    """What turns physical units into the network's, and back."""

    audio: np.ndarray
    """(2, F) float32, mean and deviation of every audio feature."""
    states: Mapping[str, np.ndarray]
    """identity -> (2, 71) float32, mean and deviation of every number of the face state, physical units."""

    def standard_audio(self, audio: np.ndarray) -> np.ndarray:
        """(T, F) -> (T, F) float32, standardised."""
        return ((audio - self.audio[0]) / self.audio[1]).astype(np.float32)

    def standard_state(self, identity: str, state: np.ndarray) -> np.ndarray:
        """(..., 71) physical units -> float32, standardised."""
        mean, deviation = self.states[identity]
        return ((state - mean) / deviation).astype(np.float32)

    def physical_state(self, identity: str, state: np.ndarray) -> np.ndarray:
        """(..., 71) standardised -> float32, physical units of that identity's training statistics."""
        mean, deviation = self.states[identity]
        return (state * deviation + mean).astype(np.float32)


def measure(clips: Sequence[Clip]) -> Statistics:
    """Statistics of the valid frames of training clips, as the module's text says.

    Raises CorpusError, naming the clip, for a number in a valid frame (or in the audio) that is not finite.
    """
    audio: list[np.ndarray] = []
    states: dict[str, list[np.ndarray]] = {}
    for clip in clips:
        state = clip.motion.state()[clip.valid].astype(np.float64)
        for what, values in (("audio", clip.audio), ("motion", state)):
            if not np.isfinite(values).all():
                raise CorpusError(f"facial: clip '{clip.id}' has {what} that is not finite; mend or leave it out.")
        audio.append(clip.audio[clip.valid].astype(np.float64))
        states.setdefault(clip.identity, []).append(state)
    if not any(map(len, audio)):
        raise CorpusError("facial: the training clips hold no valid frame; give the method clips to learn from.")
    people = {name: np.concatenate(parts) for name, parts in states.items()}
    everyone = np.concatenate(list(people.values()))
    expression = np.sqrt(np.mean(everyone[:, :EXPRESSION_WIDTH] ** 2))
    lids = everyone[:, -1]
    shut = np.concatenate([own[:, -1] - np.median(own[:, -1]) for own in people.values() if len(own)])
    pose = everyone[:, EXPRESSION_WIDTH:-1]
    result = {}
    for name, frames in people.items():
        own = frames[:, EXPRESSION_WIDTH:-1] if len(frames) else pose
        mean, deviation = np.zeros(STATE_WIDTH), np.full(STATE_WIDTH, expression)
        mean[EXPRESSION_WIDTH:-1], mean[-1] = own.mean(axis=0), np.median(frames[:, -1] if len(frames) else lids)
        deviation[EXPRESSION_WIDTH:-1], deviation[-1] = own.std(axis=0), np.sqrt(np.mean(shut**2))
        result[name] = np.stack([mean, _floor(deviation)]).astype(np.float32)
    rows = np.concatenate(audio)
    return Statistics(np.stack([rows.mean(axis=0), _floor(rows.std(axis=0))]).astype(np.float32), result)


def _floor(deviation: np.ndarray) -> np.ndarray:
    """A column that never moves is divided by 1, not by nothing."""
    return np.where(deviation > 1e-6, deviation, 1.0)


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """All training clips on the device. A batch is an index of windows, nothing is copied per window."""

    audio: Tensor
    """(R, F) float32 standardised rows: every clip with 8 copies of its first and 7 of its last row around it."""
    states: Tensor
    """(R, 71) float32 standardised, in the same rows."""
    starts: Tensor
    """(W,) int64, the row where a window's context begins; its own first frame is 8 rows on."""
    people: Tensor
    """(W,) int64, whose window it is: a position in `windows`."""
    windows: Mapping[str, Tensor]
    """identity -> (w,) int64, which of the W windows are that person's."""

    def batch(self, index: Tensor, other: Tensor) -> Batch:
        """The windows `index` (B,), and the audio of the windows `other` (B',)."""
        rows = self.starts[index].unsqueeze(1) + torch.arange(CONTEXT, device=self.starts.device)
        elsewhere = self.starts[other].unsqueeze(1) + torch.arange(CONTEXT, device=self.starts.device)
        states = self.states[rows[:, BEFORE : BEFORE + WINDOW]]
        return Batch(self.audio[rows], states, self.people[index], self.audio[elsewhere])


@dataclass(frozen=True, eq=False)
class Batch:
    """What one update learns from."""

    audio: Tensor
    """(B, 143, F), with its context."""
    states: Tensor
    """(B, 128, 71)."""
    people: Tensor
    """(B,) int64."""
    other: Tensor
    """(B, 143, F) audio of windows drawn from everybody's, no target with it; (0, 143, F) for none."""


def with_context(audio: np.ndarray) -> np.ndarray:
    """(T, F) -> (8 + T + 7, F): at a clip's edges its first and last rows are held."""
    return np.pad(audio, ((BEFORE, AFTER), (0, 0)), mode="edge")


def training_set(clips: Sequence[Clip], statistics: Statistics, stride: int, device: str) -> TrainingSet:
    """Windows of 128 valid frames, every `stride` frames of every clip long enough.

    Raises CorpusError when no clip has one.
    """
    audio, states, starts, owners, offset = [], [], [], [], 0
    for clip in clips:
        if clip.frames < WINDOW:
            continue
        audio.append(with_context(statistics.standard_audio(clip.audio)))
        states.append(with_context(statistics.standard_state(clip.identity, np.nan_to_num(clip.motion.state()))))
        first = window_starts(clip.valid, WINDOW, stride)
        starts.append(first + offset)
        owners += [clip.identity] * len(first)
        offset += clip.frames + BEFORE + AFTER
    if not owners:
        raise CorpusError(
            f"facial: no training clip has {WINDOW} valid frames in a row, so there is nothing to learn from; "
            "use longer clips or leave out the identities that have none (--identities)."
        )
    names, people = np.unique(owners, return_inverse=True)
    return TrainingSet(
        torch.from_numpy(np.concatenate(audio)).to(device),
        torch.from_numpy(np.concatenate(states)).to(device),
        torch.from_numpy(np.concatenate(starts)).to(device),
        torch.from_numpy(people).to(device),
        {str(name): torch.from_numpy(np.flatnonzero(people == i)).to(device) for i, name in enumerate(names)},
    )


def plan(windows: Tensor, batch: int, steps: int, rng: torch.Generator) -> Tensor:
    """(steps, batch) of the given windows, epoch after epoch in fresh orders drawn from `rng` (a CPU generator)."""
    needed, count = batch * steps, len(windows)
    orders = [torch.randperm(count, generator=rng) for _ in range(-(-needed // count))]
    order = torch.cat([torch.zeros(0, dtype=torch.int64), *orders])
    return windows[order[:needed].to(windows.device)].view(steps, batch)
