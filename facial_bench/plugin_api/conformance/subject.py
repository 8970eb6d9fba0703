"""What is checked: a method on a small part of a corpus, made and fitted once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from facial_bench.core.digests import derive_seed
from facial_bench.core.progress import QUIET, Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Clip, Context, GeneratorSpec, Motion, Request
from facial_bench.corpora.corpus import Corpus
from facial_bench.corpora.split import split_clips
from facial_bench.evaluation.requests import mean_states
from facial_bench.isolation.conditions import Conditions
from facial_bench.isolation.door import Door, ask
from facial_bench.isolation.method_code import MethodCode
from facial_bench.isolation.opening import open_method
from facial_bench.methods.null_models import is_null


@dataclass(frozen=True, eq=False)
class Subject:
    """A method under test. It is fitted when a check first needs it, and once."""

    code: MethodCode
    corpus: Corpus
    declared: Mapping[str, str]
    """The options that its spec declares."""
    plugin: str = ""
    """The distribution or file that registered the method: `facial-bench` for the built-in ones."""
    device: str = "cpu"
    """`cpu` or `cuda`."""
    options: Mapping[str, str] = field(default_factory=dict)
    """What the method is made with; short training, for example."""
    max_look_ahead: int | None = None
    """Frames that the method may look ahead of the sound; None for any number."""
    conditions: Conditions = field(default_factory=lambda: Conditions("in-process"))
    """Under which it runs."""
    report: Reporter = QUIET
    """Told which check runs; the method's own lines and progress go there too."""
    findings: dict[str, Any] = field(default_factory=dict)
    """Check -> what it found: each check runs once on a subject."""
    causes: dict[str, str] = field(default_factory=dict)
    """What the method did wrong when it was asked (without the numbers in it) -> the check that met it first."""
    opened: list[Door] = field(default_factory=list)
    """What `close` ends."""

    @property
    def name(self) -> str:
        """Of the method."""
        return self.code.name

    @cached_property
    def training(self) -> list[Clip]:
        """The training clips."""
        return self.corpus.segments(split_clips(self.corpus.entries, Protocol()).train)

    @cached_property
    def test(self) -> list[Clip]:
        """The held-out clips."""
        return self.corpus.segments(split_clips(self.corpus.entries, Protocol()).test)

    @cached_property
    def fitted(self) -> Door:
        """The method, fitted on the training clips."""
        return self.fit()

    @property
    def is_null(self) -> bool:
        """Whether it is one of the benchmark's own null models, which need not hear or know anybody."""
        return is_null(self.plugin, self.name)

    def context(self) -> Context:
        """What the method is told."""
        return Context(
            self.corpus.info,
            derive_seed(0, "fit"),
            self.device,
            options=dict(self.options),
            face_model=self.corpus.face_model,
            log=self.report,
            progress=self.report.progress,
        )

    def create(self) -> Door:
        """A fresh instance, unfitted; options that the method does not declare are refused before."""
        door = open_method(self.code, self.context(), replace(self.conditions, inspect=True), self.report)
        self.opened.append(door)
        return door

    def fit(self) -> Door:
        """A fresh instance, fitted."""
        door = self.create()
        door.fit(list(self.training))
        return door

    def close(self) -> None:
        """End all instances."""
        for door in self.opened:
            door.close()

    def ask(self, request: Request) -> Motion:
        """The fitted method's motion for one request, checked."""
        return ask(self.fitted, request)

    def on_device(self, device: str) -> Subject:
        """The same method on another device, not fitted yet."""
        return replace(self, device=device, findings={}, causes={})

    def request(self, frames: int = 150, identity: str | None = None, seed: int = 7, shift: int = 0) -> Request:
        """A request with held-out audio.

        Args:
            frames: how many; the audio is repeated where it is short.
            identity: whose motion; the first of the corpus, if None.
            seed: of the request.
            shift: frame of the held-out audio with which it begins.
        """
        sound = np.concatenate([clip.audio for clip in self.test])
        audio = np.array(sound[(np.arange(frames) + shift) % len(sound)], np.float32)
        audio.setflags(write=False)
        person = identity or self.corpus.info.identities[0]
        state = np.array(mean_states(self.training)[person])
        state.setflags(write=False)
        return Request(f"self/check-{frames}-{shift}@0", person, audio, state, self.corpus.info.fps, seed)


def make_subject(spec: GeneratorSpec, corpus: Corpus, **more: Any) -> Subject:
    """A subject of a spec that is at hand: it runs in this process; see `Subject` for what `more` may be."""
    return Subject(MethodCode(spec.name, {}, spec.partial, spec=spec), corpus, spec.options, **more)
