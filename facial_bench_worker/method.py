"""What a method is, what it is told and what it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from facial_bench_worker.errors import FacialBenchError, unknown_name
from facial_bench_worker.face import Camera, Clip, CorpusInfo, FaceModel, Motion
from facial_bench_worker.specs import TrackerSpec


@dataclass(frozen=True, eq=False)
class Request:
    """One piece of motion to generate. It holds nothing of the motion that it will be compared with."""

    id: str
    """Unique within a run: `<driving>/<clip>@<first frame>`."""
    identity: str
    """Whose motion is asked for."""
    audio: np.ndarray
    """(T, F) float32, the driving audio features; read-only."""
    initial_state: np.ndarray
    """(71,) float32, the identity's mean TRAINING state, physical units; read-only."""
    fps: float
    """Frames per second."""
    seed: int
    """The only source of randomness that a method may use here."""
    camera: Camera | None = None
    """The view of the identity's first training clip, whoever's speech drives; given landmarks are in its pixels."""

    @property
    def frames(self) -> int:
        """T, the number of frames to return."""
        return len(self.audio)


@dataclass(frozen=True, eq=False)
class Context:
    """What a method is told when it is created and fitted."""

    corpus: CorpusInfo
    seed: int
    """Seed of the fit."""
    device: str
    """`cpu` or `cuda`."""
    budget: str = "quick"
    """`quick` (minutes on two CPU cores), `standard` (under an hour on two CPU cores, a minute or two on a GPU) or
    `paper` (what the publication did)."""
    options: Mapping[str, str] = field(default_factory=dict)
    """`--option K=V`, as text: names that the method's spec declares; the method rejects values it cannot use."""
    face_model: FaceModel | None = None
    """The corpus's linear face."""
    log: Callable[[str], None] = lambda line: None
    """Takes one line of what happened; few of them: a long part of the work goes to `progress`."""
    progress: Callable[[float, float, str], None] = lambda done, total, text: None
    """progress(done, total, text): so much of a long part of the fit is done; `text` names the part and is the same
    from call to call."""
    trackers: Mapping[str, TrackerSpec] = field(default_factory=dict)
    """The face trackers that are installed, by name."""


@runtime_checkable
class Generator(Protocol):
    """A method, fitted once to a corpus's training clips, then asked for motion."""

    def fit(self, clips: Sequence[Clip], context: Context) -> None:
        """Learn from the training clips; called once, before `generate`, unless a state is loaded."""

    def generate(self, requests: Sequence[Request]) -> Sequence[Motion]:
        """One motion per request, in order, `request.frames` long, in physical units."""


@runtime_checkable
class Stateful(Protocol):
    """A generator whose fit can be stored and used again. Optional."""

    def state_dict(self) -> Mapping[str, np.ndarray]:
        """name -> array of numbers, any shape: all that `fit` learned, so that motion is the same without it."""

    def load_state_dict(self, state: Mapping[str, np.ndarray], context: Context) -> None:
        """Become what the generator was that gave `state` (arrays of its own shapes); called instead of `fit`."""


@dataclass(frozen=True)
class GeneratorSpec:
    """A method on offer. Making a spec is cheap: no torch, no files."""

    name: str
    summary: str
    """One line."""
    reference: str
    """Where it was published, or what it stands for."""
    create: Callable[[Context], Generator]
    """Makes an unfitted generator; heavy imports belong inside."""
    partial: bool = False
    """Whether its motions may lack parts (None); what needs them is then absent, with the reason."""
    fingerprint: Callable[[Mapping[str, str]], str] | None = None
    """fingerprint(options) -> digest of the files that its options name: other files are another run."""
    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Every `--option K=V` that it takes: K -> one line, what it means and its default. Any other is refused."""


def check_options(spec: Any, options: Mapping[str, str], kind: str = "method") -> None:
    """Refuse options that a method, or another `kind`, does not declare: a misspelt one would silently change nothing.

    Args:
        spec: With `name` and `options`.
        options: As given.
        kind: What users call it.

    Raises:
        FacialBenchError: the first unknown option, with the nearest match and what there is.
    """
    for name in options:
        if name not in spec.options:
            reason = str(unknown_name("option", name, spec.options))
            raise FacialBenchError(f"{kind} {spec.name}: {reason[0].lower()}{reason[1:]}")
