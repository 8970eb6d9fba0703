"""What a method is asked for: the requests of a run, and nothing of the motion they are compared with.

A request tells who is to speak, the audio, and what is the person's own: the mean training state and the view of a
training clip. Its seed is derived from the run's seed and from these, and requests are handed over in the order of a
digest of these. So neither tells the clip that the audio is from, or whether the person's own audio drives.

Source: docs/protocol.md, "What a method gets" and "two drivings".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from facial_bench.core.digests import derive_seed
from facial_bench.core.types import Camera, Clip, Request
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


def own_cameras(training: Iterable[Clip]) -> dict[str, Camera]:
    """identity -> the view of the person's first training clip."""
    cameras: dict[str, Camera] = {}
    for clip in training:
        cameras.setdefault(clip.identity, clip.camera)
    return cameras


def make_tasks(
    test: Sequence[Clip],
    identities: Sequence[str],
    initial: Mapping[str, np.ndarray],
    fps: float,
    seed: int,
    cameras: Mapping[str, Camera] | None = None,
) -> list[Task]:
    """The self-driven tasks, then the cross-driven ones: identity k speaks with the audio of identity k + 1 mod N.

    Args:
        test: the real test clips.
        identities: in the corpus's order.
        initial: identity -> (71,) mean training state.
        fps: frames per second.
        seed: the run's; the seed of a request is derived from it and from what the request holds. Two requests that
            hold the same have the same seed.
        cameras: identity -> the view that every request of the person names; None for none.
    """
    follower = {person: identities[k - 1] for k, person in enumerate(identities)}
    tasks = []
    for driving in (SELF, CROSS) if len(identities) > 1 else (SELF,):
        for clip in test:
            person = clip.identity if driving == SELF else follower[clip.identity]
            name = f"{driving}/{clip.id}@{clip.start}"
            audio, camera = _read_only(clip.audio), (cameras or {}).get(person)
            request = Request(name, person, audio, _read_only(initial[person]), fps, 0, camera)
            request = replace(request, seed=derive_seed(seed, "request", content_digest(request)))
            tasks.append(Task(request, driving, clip))
    return tasks


def content_digest(request: Request) -> str:
    """SHA-256, in hexadecimal, of what tells one request of a person from another: audio, identity, length."""
    content = hashlib.sha256(f"{request.identity}\0{request.frames}\0".encode())
    content.update(np.ascontiguousarray(request.audio, dtype="<f4").tobytes())
    return content.hexdigest()


def in_asking_order(requests: Iterable[Request]) -> list[Request]:
    """Requests in the order in which a method is asked for them, which tells nothing that they do not hold."""
    return sorted(requests, key=content_digest)


def with_clip_cameras(tasks: Iterable[Task]) -> list[Task]:
    """The tasks with the view of the clip that each is compared with: for what reads motion that was made before,
    whose pixels are those of that view. Somebody else's speech is compared with no clip, and has none."""
    return [
        replace(task, request=replace(task.request, camera=task.clip.camera if task.driving == SELF else None))
        for task in tasks
    ]


def _read_only(array: np.ndarray) -> np.ndarray:
    copy = np.array(array, dtype=np.float32)
    copy.setflags(write=False)
    return copy
