"""A null renderer: one rule, which learns a few arrays of each person and paints from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.types import Appearance, Camera, Context, FaceModel, Motion, VideoClip
from facial_bench.rendering.null_renderers.seen_landmarks import check_finite, check_in_front, seen_landmarks
from facial_bench.rendering.null_renderers.training_frames import BLOCK, by_person

Learned = Mapping[str, np.ndarray]
"""What a rule knows of one person: name -> array of numbers."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What is to be painted."""

    name: str
    """The renderer's, for messages."""
    motion: Motion
    """T frames, physical units, finite; T >= 1."""
    camera: Camera
    like: Appearance
    face_model: FaceModel | None

    def landmarks(self) -> np.ndarray:
        """(T, 68, 2) float64 pixels of the crop. Raises GenerationError for a head that is behind the camera."""
        seen = seen_landmarks(self.motion, self.like.identity, self.face_model, self.camera, self.like.crop)
        check_in_front(self.name, seen)
        return seen

    def blocks(self) -> Iterator[slice]:
        """The frames in stretches of at most 64."""
        return (slice(start, start + BLOCK) for start in range(0, self.motion.frames, BLOCK))


@dataclass(frozen=True)
class Rule:
    """What makes one null renderer another."""

    name: str
    learn: Callable[[Sequence[VideoClip], Context], Learned]
    """learn(a person's training clips, context) -> what to remember; the clips have usable frames."""
    paint: Callable[[Learned, Asked], Iterator[np.ndarray]]
    """paint(what it learned, what is asked) -> blocks (n, S, S, 3) uint8, T pictures in all. Whatever it refuses, it
    refuses when called, before the first block."""


class NullRenderer:
    """A `Renderer` and `Stateful`, deterministic: what a rule learned of each person, and the rule.

    Args:
        rule: Learns and paints.
        context: Of the run; its face model is kept, nothing else of it.
    """

    def __init__(self, rule: Rule, context: Context) -> None:
        self.rule = rule
        self._face_model = context.face_model
        self._people: dict[str, Learned] = {}
        self._sizes: dict[str, int] = {}

    def fit(self, videos: Sequence[VideoClip], context: Context) -> None:
        """Learn each person by themselves.

        Raises:
            FacialBenchError: there is no picture with a face, a person's pictures differ in size, or the rule needs a
                face model that is not there.
        """
        people = by_person(videos)
        learned: dict[str, Learned] = {}
        for done, (person, own) in enumerate(people.items()):
            context.progress(done, len(people), f"{self.rule.name}: people")
            learned[person] = self.rule.learn(own, context)
        context.progress(len(people), len(people), f"{self.rule.name}: people")
        self._face_model, self._people = context.face_model, learned
        self._sizes = {person: own[0].frames.shape[1] for person, own in people.items()}

    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Iterator[np.ndarray]:
        """Blocks (n, S, S, 3) uint8 RGB, n <= 64, a picture for each frame of the motion; no motion is one empty block.

        Raises:
            FacialBenchError: a person, or a size of picture, that was not trained on.
            GenerationError: motion that is not finite, lacks what the rule needs, or has its head behind the camera.
        """
        name, size = self.rule.name, like.crop.size
        if like.identity not in self._people:
            people = ", ".join(self._people) or "nobody"
            raise FacialBenchError(
                f"{name}: identity '{like.identity}' was not in the training clips; those were of {people}."
            )
        if size != self._sizes[like.identity]:
            trained = self._sizes[like.identity]
            raise FacialBenchError(f"{name}: asked for pictures of {size} pixels, trained on {trained}; fit anew.")
        if not motion.frames:
            return iter([np.zeros((0, size, size, 3), dtype=np.uint8)])
        check_finite(name, motion)
        return self.rule.paint(self._people[like.identity], Asked(name, motion, camera, like, self._face_model))

    def state_dict(self) -> Mapping[str, np.ndarray]:
        """`<number>/<array>` of each person, and in `about`, as UTF-8 JSON in bytes, their names and sizes."""
        about = {"renderer": self.rule.name, "sizes": self._sizes}
        arrays = {"about": np.frombuffer(json.dumps(about).encode(), np.uint8).copy()}
        for number, learned in enumerate(self._people.values()):
            arrays |= {f"{number}/{key}": array for key, array in learned.items()}
        return arrays

    def load_state_dict(self, state: Mapping[str, np.ndarray], context: Context) -> None:
        """Become the renderer that gave `state`. Raises FacialBenchError for a state that another kind gave."""
        name = self.rule.name
        try:
            about = json.loads(np.asarray(state["about"], dtype=np.uint8).tobytes())
            maker, sizes = about["renderer"], {str(person): int(side) for person, side in about["sizes"].items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            raise FacialBenchError(f"{name}: the stored state is not one of a null renderer; fit anew.") from None
        if maker != name:
            raise FacialBenchError(f"{name}: the stored state is one of {maker}; fit anew.")
        people: dict[str, Learned] = {}
        for number, person in enumerate(sizes):
            prefix = f"{number}/"
            people[person] = {k.removeprefix(prefix): np.asarray(v) for k, v in state.items() if k.startswith(prefix)}
            if not people[person]:
                raise FacialBenchError(f"{name}: the stored state holds nothing of '{person}'; fit anew.")
        self._face_model, self._people, self._sizes = context.face_model, people, sizes
