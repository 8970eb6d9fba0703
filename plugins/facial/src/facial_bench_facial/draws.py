"""Which windows every update of a phase learns from: drawn before it, kept on the device and read there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from facial_bench_facial.data import Batch, TrainingSet, plan


class Draws(NamedTuple):
    """The windows of a phase, one row an update, int64."""

    own: Tensor
    """(steps, B)."""
    others: Tensor
    """(steps, B'), of which only the audio is taken; B' may be 0."""


def draw(data: TrainingSet, windows: Tensor, steps: int, batch: int, others: int, rng: torch.Generator) -> Draws:
    """`batch` of the given windows an update and `others` of everybody's, both in epochs of fresh orders."""
    everyone = torch.arange(len(data.starts), device=data.starts.device)
    return Draws(plan(windows, batch, steps, rng), plan(everyone, others, steps, rng))


def joined(people: Sequence[Draws]) -> Draws:
    """The draws of P people who are trained at once: (steps, P B), one person's windows after the other's."""
    return Draws(torch.cat([one.own for one in people], dim=1), torch.cat([one.others for one in people], dim=1))


class Batches:
    """The batches of a phase, one a call, in the order of the draws.

    A call reads the row that a counter on the device points at, and moves the counter on. So it takes nothing from the
    host, and a call that is recorded and repeated gives the next batch all the same. Raises IndexError (on the CPU)
    past the last row.
    """

    def __init__(self, data: TrainingSet, draws: Draws) -> None:
        self._data = data
        self._rows = torch.cat(draws, dim=1)
        self._widths = [part.shape[1] for part in draws]
        self._next = torch.zeros(1, dtype=torch.int64, device=self._rows.device)

    def __call__(self) -> Batch:
        """The next batch."""
        own, others = self._rows.index_select(0, self._next)[0].split(self._widths)
        self._next.add_(1)
        return self._data.batch(own, others)
