"""FACIAL's rendering stage as a `Renderer` of facial-bench: clips with pictures in, pictures out, state as arrays."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict

import numpy as np
import torch

from facial_bench.core.device import deterministic
from facial_bench.errors import FacialBenchError, GenerationError
from facial_bench.rendering.null_renderers.seen_landmarks import check_finite, check_in_front, seen_landmarks
from facial_bench.rendering.null_renderers.training_frames import by_person
from facial_bench.types import Appearance, Camera, Context, Motion, VideoClip
from facial_bench_renderer.data import FULL_CLOSURE, Track, make_person
from facial_bench_renderer.options import Settings, Variant, settings_for
from facial_bench_renderer.painter import Painter, average_picture
from facial_bench_renderer.training import train

BLOCK_PIXELS = 64 * 128 * 128
"""Of a block of pictures: 64 of 128 pixels a side, fewer of larger ones."""


class FacialRenderer:
    """A `Renderer` and `Stateful`: one network for each person, deterministic in the context's seed.

    Args:
        context: Of the run; its budget and options decide, its face model is kept.
        variant: Which renderer.

    Raises:
        FacialBenchError: an unknown budget, or an option with a value that it does not take.
    """

    def __init__(self, context: Context, variant: Variant) -> None:
        self.variant = variant
        self.settings: Settings = settings_for(variant, context.budget, context.options)
        self._device, self._face_model = context.device, context.face_model
        self._closed = FULL_CLOSURE[context.corpus.blink_scale]
        self._people: dict[str, Painter] = {}

    def fit(self, videos: Sequence[VideoClip], context: Context) -> None:
        """Train a network for each person by themselves.

        Raises:
            FacialBenchError: no picture with a face, pictures of a person that differ in size, motion that cannot be
                decoded, or a loss that is not finite.
        """
        name, people, painters = self.variant.name, by_person(videos), dict[str, Painter]()
        self._face_model = context.face_model
        for done, (identity, own) in enumerate(people.items()):
            person = make_person(identity, own, self._face_model, self._closed)
            average = person.average()

            def tell(steps: int, total: int, done: int = done) -> None:
                context.progress(done + steps / total, len(people), f"{name}: people")

            with deterministic(), self._threads():
                texture = average_picture(person, average)
                painter = Painter(average, texture, self.settings, context.seed, self._device)
                loss = train(painter, person, self.settings, context.seed + 1, name, tell)
            context.log(f"{name}: {identity}, {len(person.frames)} frames, L1 {127.5 * loss:.2f} grey levels")
            painters[identity] = painter
        self._people = painters

    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Iterator[np.ndarray]:
        """Blocks (n, S, S, 3) uint8 RGB, n <= 64, a picture for each frame of the motion; no motion is one empty block.

        Raises:
            FacialBenchError: a person, or a size of picture, that was not trained on.
            GenerationError: motion that is not finite, has no blink, or has its head behind the camera.
        """
        name, size = self.variant.name, like.crop.size
        if like.identity not in self._people:
            people = ", ".join(self._people) or "nobody"
            raise FacialBenchError(
                f"{name}: identity '{like.identity}' was not in the training clips; those were of {people}."
            )
        painter = self._people[like.identity]
        if size != painter.size:
            raise FacialBenchError(f"{name}: asked for pictures of {size} pixels, trained on {painter.size}; fit anew.")
        if not motion.frames:
            return iter([np.zeros((0, size, size, 3), dtype=np.uint8)])
        check_finite(name, motion)
        if motion.blink is None:
            raise GenerationError(f"{name}: the motion has no blink, which the eyes are drawn from.")
        landmarks = seen_landmarks(motion, like.identity, self._face_model, camera, like.crop)
        check_in_front(name, landmarks)
        closure = np.asarray(motion.blink, dtype=np.float32) / np.float32(self._closed)
        return self._blocks(painter, Track(landmarks.astype(np.float32), closure))

    def state_dict(self) -> Mapping[str, np.ndarray]:
        """`<number>/...` of each person (see `Painter.arrays`), and in `about`, as UTF-8 JSON in bytes, the renderer,
        their names and the settings that the network's shape depends on."""
        about = {"renderer": self.variant.name, "people": list(self._people), "shape": _shape(self.settings)}
        arrays = {"about": np.frombuffer(json.dumps(about).encode(), np.uint8).copy()}
        for number, painter in enumerate(self._people.values()):
            arrays |= {f"{number}/{key}": array for key, array in painter.arrays().items()}
        return arrays

    def load_state_dict(self, state: Mapping[str, np.ndarray], context: Context) -> None:
        """Become the renderer that gave `state`. Raises FacialBenchError for a state of another renderer or budget."""
        name = self.variant.name
        try:
            about = json.loads(np.asarray(state["about"], dtype=np.uint8).tobytes())
            maker, shape, people = about["renderer"], about["shape"], [str(person) for person in about["people"]]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise FacialBenchError(f"{name}: the stored state is not one of this renderer; fit anew.") from None
        if maker != name or shape != _shape(self.settings):
            raise FacialBenchError(f"{name}: the stored state is one of {maker} with {shape}; fit anew.")
        try:
            painters = {
                person: Painter.from_arrays(_below(state, f"{number}/"), self.settings, self._device)
                for number, person in enumerate(people)
            }
        except (KeyError, ValueError, RuntimeError, TypeError, IndexError) as problem:
            reason = str(problem).splitlines()[0]
            raise FacialBenchError(f"{name}: the stored state does not fit ({reason}); fit anew.") from None
        self._face_model, self._people = context.face_model, painters

    def _blocks(self, painter: Painter, track: Track) -> Iterator[np.ndarray]:
        block = max(1, min(64, BLOCK_PIXELS // painter.size**2))
        for start in range(0, len(track), block):
            with deterministic(), self._threads():
                made = painter.paint(track, start, min(start + block, len(track)))
            yield made

    @contextmanager
    def _threads(self) -> Iterator[None]:
        """The number of threads that the options ask for, for the time of a block."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.settings.threads or before)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def _shape(settings: Settings) -> dict[str, object]:
    """What of the settings decides the network's shape, as JSON gives it back."""
    kept = asdict(settings)
    return {"before": kept["before"], "after": kept["after"], "channels": list(settings.channels)}


def _below(state: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(prefix): np.asarray(value) for key, value in state.items() if key.startswith(prefix)}
