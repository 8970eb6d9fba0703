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
from facial_bench.core.types import Clip, Context, Generator, GeneratorSpec, Motion, Request, check_options
from facial_bench.corpora.corpus import Corpus
from facial_bench.corpora.split import split_clips
from facial_bench.evaluation.behaviour import ask
from facial_bench.evaluation.requests import mean_states
from facial_bench.methods.null_models import is_null


class NotedOptions(dict[str, str]):
    """Options that note which names are looked for.

    Args:
        options: name -> text.
        asked: takes the names.
    """

    def __init__(self, options: Mapping[str, str], asked: set[str]) -> None:
        super().__init__(options)
        self._asked = asked

    def __getitem__(self, name: str) -> str:
        self._asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._asked.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The text of an option, or the default."""
        self._asked.add(name)
        return super().get(name, default)


@dataclass(frozen=True, eq=False)
class Subject:
    """A method under test. It is fitted when a check first needs it, and once."""

    spec: GeneratorSpec
    corpus: Corpus
    plugin: str = ""
    """The distribution or file that registered the method: `facial-bench` for the built-in ones."""
    device: str = "cpu"
    """`cpu` or `cuda`."""
    options: Mapping[str, str] = field(default_factory=dict)
    """What the method is made with; short training, for example."""
    max_look_ahead: int | None = None
    """Frames that the method may look ahead of the sound; None for any number."""
    report: Reporter = QUIET
    """Told which check runs; the method's own lines and progress go there too."""
    asked: set[str] = field(default_factory=set)
    """Options that the method looked for by name."""
    findings: dict[str, Any] = field(default_factory=dict)
    """Check -> what it found: each check runs once on a subject."""
    causes: dict[str, str] = field(default_factory=dict)
    """What the method did wrong when it was asked (without the numbers in it) -> the check that met it first."""

    @cached_property
    def training(self) -> list[Clip]:
        """The training clips."""
        return self.corpus.segments(split_clips(self.corpus.entries, Protocol()).train)

    @cached_property
    def test(self) -> list[Clip]:
        """The held-out clips."""
        return self.corpus.segments(split_clips(self.corpus.entries, Protocol()).test)

    @cached_property
    def fitted(self) -> Generator:
        """The method, fitted on the training clips."""
        return self.fit()

    @property
    def is_null(self) -> bool:
        """Whether it is one of the benchmark's own null models, which need not hear or know anybody."""
        return is_null(self.plugin, self.spec.name)

    def context(self) -> Context:
        """What the method is told."""
        return Context(
            self.corpus.info,
            derive_seed(0, "fit"),
            self.device,
            options=NotedOptions(self.options, self.asked),
            face_model=self.corpus.face_model,
            log=self.report,
            progress=self.report.progress,
        )

    def create(self) -> Generator:
        """A fresh instance, unfitted; options that the method does not declare are refused before."""
        check_options(self.spec, self.options)
        return self.spec.create(self.context())

    def fit(self) -> Generator:
        """A fresh instance, fitted."""
        generator = self.create()
        generator.fit(list(self.training), self.context())
        return generator

    def ask(self, request: Request) -> Motion:
        """The fitted method's motion for one request, checked."""
        return ask(self.fitted, request)

    def on_device(self, device: str) -> Subject:
        """The same method on another device, not fitted yet."""
        return replace(self, device=device, asked=set(), findings={}, causes={})

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
    """A subject; see `Subject` for what `more` may be."""
    return Subject(spec, corpus, **more)
