"""What a method is asked for: the requests of a run, and nothing of the motion they are compared with.

Source: docs/protocol.md, "the generator never sees the test motion" and "two drivings".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facial_bench.core.digests import derive_seed
from facial_bench.core.types import Clip, Request
from facial_bench.metrics.identity import CROSS, SELF


@dataclass(frozen=True, eq=False)
class Task:
    """A request, and the real test clip whose audio drives it."""

    request: Request
    driving: str
    """`self` (the person's own test audio) or `cross` (someone else's)."""
    clip: Clip
    """The driving clip: also the real motion, where the driving is `self`."""


def mean_states(training: Sequence[Clip]) -> dict[str, np.ndarray]:
    """identity -> (71,) float32, the mean face state over the valid TRAINING frames, physical units."""
    states: dict[str, list[np.ndarray]] = {}
    for clip in training:
        states.setdefault(clip.identity, []).append(clip.motion.state()[clip.valid])
    return {
        person: np.concatenate(own).mean(axis=0, dtype=np.float64).astype(np.float32) for person, own in states.items()
    }


def make_tasks(
    test: Sequence[Clip], identities: Sequence[str], initial: Mapping[str, np.ndarray], fps: float, seed: int
) -> list[Task]:
    """The self-driven tasks, then the cross-driven ones: identity k speaks with the audio of identity k + 1 mod N.

    Args:
        test: the real test clips.
        identities: in the corpus's order.
        initial: identity -> (71,) mean training state.
        fps: frames per second.
        seed: the run's; each request draws a seed of its own from it.
    """
    follower = {person: identities[k - 1] for k, person in enumerate(identities)}
    tasks = []
    for driving in (SELF, CROSS) if len(identities) > 1 else (SELF,):
        for clip in test:
            person = clip.identity if driving == SELF else follower[clip.identity]
            name = f"{driving}/{clip.id}@{clip.start}"
            request = Request(
                name,
                person,
                _read_only(clip.audio),
                _read_only(initial[person]),
                fps,
                derive_seed(seed, "request", name),
                clip.camera if driving == SELF else None,
            )
            tasks.append(Task(request, driving, clip))
    return tasks


def _read_only(array: np.ndarray) -> np.ndarray:
    copy = np.array(array, dtype=np.float32)
    copy.setflags(write=False)
    return copy
