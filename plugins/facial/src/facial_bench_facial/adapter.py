"""FACIAL-GAN as a `Generator` of facial-bench: clips in, motion in physical units out, and its state as arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from scipy.signal import savgol_filter

from facial_bench.errors import FacialBenchError, GenerationError
from facial_bench.types import STATE_WIDTH, Clip, Context, CorpusInfo, Motion, Request
from facial_bench_facial.data import Statistics, measure, training_set
from facial_bench_facial.folded import FoldedGenerator
from facial_bench_facial.generation import generate_states
from facial_bench_facial.networks import FaceGenerator, temporal_features
from facial_bench_facial.options import Settings, Variant, settings_for
from facial_bench_facial.training import train

SMOOTHING_FRAMES, SMOOTHING_ORDER = 7, 3
COUNTER = "num_batches_tracked"


class FacialMethod:
    """A `Generator` and `Stateful`. Fine-tuned networks per identity stand beside the general one.

    Motion is deterministic: `request.seed` is not used. It is computed in float32, whatever the training used, by the
    networks' folded form (see `folded`), which is made when a person is first asked for and never saved.
    """

    def __init__(self, context: Context, variant: Variant) -> None:
        self.variant = variant
        self.settings: Settings = settings_for(context.budget, {"weights": variant.weights} | dict(context.options))
        self.blink_range = blink_range(context.corpus)
        temporal_features(context.corpus.audio_width)
        self.device = context.device
        self.statistics: Statistics | None = None
        self.base: FaceGenerator | None = None
        self.tuned: Mapping[str, FaceGenerator] = {}
        self._folded: dict[str, FoldedGenerator] = {}

    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        """Train on the clips; see `training`. Raises CorpusError when they hold nothing to learn from."""
        width = context.corpus.audio_width
        for clip in clips:
            if clip.audio.shape != (clip.frames, width):
                raise FacialBenchError(
                    f"facial: clip '{clip.id}' has audio of shape {clip.audio.shape}, and {(clip.frames, width)} was "
                    "expected; verify the corpus."
                )
        self.statistics = measure(clips)
        data = training_set(clips, self.statistics, self.settings.stride, self.device)
        context.log(f"{self.variant.name}: {len(data.starts)} training windows of {len(data.windows)} identities")
        self.base, self.tuned = train(data, width, self.settings, self.variant, context)
        self._folded = {}

    def generate(self, requests: Sequence[Request]) -> list[Motion]:
        """One motion per request, in order. Raises GenerationError, naming the request, for one it cannot serve."""
        if self.statistics is None or self.base is None:
            raise GenerationError(f"{self.variant.name} is not fitted; call fit or load_state_dict first.")
        for request in requests:
            self._check(request, self.statistics)
        motions: dict[int, Motion] = {}
        for name in dict.fromkeys(request.identity for request in requests):
            mine = [i for i, request in enumerate(requests) if request.identity == name]
            audio = [self.statistics.standard_audio(requests[i].audio) for i in mine]
            initial = [self.statistics.standard_state(name, requests[i].initial_state) for i in mine]
            states = generate_states(self._ready(name, self.base), audio, initial, self.device)
            physical = [self.statistics.physical_state(name, state) for state in states]
            motions |= {i: self._motion(state) for i, state in zip(mine, physical, strict=True)}
        return [motions[i] for i in range(len(requests))]

    def state_dict(self) -> dict[str, np.ndarray]:
        """Networks (`base/...`, `tuned/<number>/...`), statistics and, as UTF-8 JSON in bytes, the names."""
        if self.statistics is None or self.base is None:
            raise FacialBenchError(f"{self.variant.name} is not fitted, so there is nothing to save.")
        people = list(self.statistics.states)
        about = {"variant": self.variant.name, "identities": people, "tuned": [n for n in people if n in self.tuned]}
        arrays = {
            "about": np.frombuffer(json.dumps(about).encode(), np.uint8).copy(),
            "statistics/audio": self.statistics.audio,
            "statistics/states": np.stack(list(self.statistics.states.values())),
        }
        networks = {"base": self.base} | {f"tuned/{i}": self.tuned[n] for i, n in enumerate(about["tuned"])}
        for prefix, network in networks.items():
            for key, value in network.state_dict().items():
                if not key.endswith(COUNTER):  # counts steps; nothing that is computed depends on it
                    arrays[f"{prefix}/{key}"] = value.detach().cpu().numpy().copy()
        return arrays

    def load_state_dict(self, state: Mapping[str, np.ndarray], context: Context) -> None:
        """Become the method that gave `state`. Raises FacialBenchError for a state of another method or corpus."""
        try:
            about = json.loads(np.asarray(state["about"]).tobytes())
            if about["variant"] != self.variant.name:
                raise FacialBenchError(f"{self.variant.name}: the stored state is one of {about['variant']}; fit anew.")
            people = dict(zip(about["identities"], np.asarray(state["statistics/states"]), strict=True))
            statistics = Statistics(np.asarray(state["statistics/audio"]), people)
            if statistics.audio.shape != (2, context.corpus.audio_width):
                raise ValueError(f"it is for {statistics.audio.shape[-1]} audio features")
            base = self._network(state, "base", context)
            tuned = {name: self._network(state, f"tuned/{i}", context) for i, name in enumerate(about["tuned"])}
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise FacialBenchError(
                f"{self.variant.name}: the stored state does not fit ({reason}); fit anew."
            ) from error
        self.statistics, self.base, self.tuned, self._folded = statistics, base, tuned, {}

    def _network(self, state: Mapping[str, np.ndarray], prefix: str, context: Context) -> FaceGenerator:
        network = FaceGenerator(context.corpus.audio_width, self.variant.temporal, self.variant.local)
        own = {key: value for key, value in network.state_dict().items() if key.endswith(COUNTER)}
        for key, value in state.items():
            if key.startswith(f"{prefix}/"):
                own[key.removeprefix(f"{prefix}/")] = torch.from_numpy(np.array(value))
        network.load_state_dict(own)
        return network.to(self.device).eval()

    def _ready(self, identity: str, base: FaceGenerator) -> FoldedGenerator:
        """The network that speaks for a person, folded: once, until other weights come."""
        own = identity if identity in self.tuned else ""
        if own not in self._folded:
            self._folded[own] = FoldedGenerator(self.tuned.get(identity, base))
        return self._folded[own]

    def _check(self, request: Request, statistics: Statistics) -> None:
        name, width = self.variant.name, statistics.audio.shape[1]
        if request.identity not in statistics.states:
            people = ", ".join(statistics.states)
            raise GenerationError(
                f"{name}: request '{request.id}' asks for identity '{request.identity}', which was not in the training "
                f"clips; those were of {people}."
            )
        if request.audio.ndim != 2 or request.audio.shape[1] != width or not request.frames:
            raise GenerationError(
                f"{name}: request '{request.id}' has audio {request.audio.shape}; expected (1 or more, {width})."
            )
        for what, values in (("audio", request.audio), ("initial state", request.initial_state)):
            if not np.isfinite(values).all():
                raise GenerationError(f"{name}: request '{request.id}' has {what} that is not finite.")
        if np.shape(request.initial_state) != (STATE_WIDTH,):
            raise GenerationError(f"{name}: request '{request.id}' has an initial state that is not ({STATE_WIDTH},).")

    def _motion(self, state: np.ndarray) -> Motion:
        """(T, 71) physical units -> a motion, its pose smoothed as the release does, its blink within the scale."""
        motion = Motion.from_state(state)
        pose = motion.pose
        if self.settings.smooth and len(pose) >= SMOOTHING_FRAMES:
            pose = savgol_filter(pose, SMOOTHING_FRAMES, SMOOTHING_ORDER, axis=0).astype(np.float32)
        blink = np.clip(motion.blink, *self.blink_range)
        return Motion(np.ascontiguousarray(motion.expression), np.ascontiguousarray(pose), blink)


def blink_range(corpus: CorpusInfo) -> tuple[float, float]:
    """(lowest, highest) of the corpus's blink scale. Raises FacialBenchError for a scale that is not known."""
    ranges = {"closure": (0.0, 1.0), "AU45": (0.0, 5.0)}
    if corpus.blink_scale not in ranges:
        raise FacialBenchError(
            f"facial: corpus '{corpus.name}' has blink scale '{corpus.blink_scale}'; known: {', '.join(ranges)}."
        )
    return ranges[corpus.blink_scale]
