"""What is checked: a method on a corpus, fitted once; and what a check is and finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from facial_bench.core.digests import derive_seed
from facial_bench.core.errors import FacialBenchError
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Clip, Context, Generator, GeneratorSpec, Request
from facial_bench.corpora.corpus import Corpus
from facial_bench.corpora.split import split_clips
from facial_bench.evaluation.requests import mean_states

NULL = "null model"
"""Reference of the methods that need not hear or know anybody."""


@dataclass(frozen=True)
class Finding:
    """What a check found."""

    state: str
    """`pass`, `fail`, `skip`, or `property`: neither good nor bad, but worth knowing."""
    text: str = ""
    """What was expected and what was found; or what the property is."""


@dataclass(frozen=True)
class Check:
    """A promise of the contract, and how it is tested."""

    name: str
    promise: str
    """One line."""
    test: Callable[[Subject], Finding | None]
    """None passes; what it raises fails."""

    def run(self, subject: Subject) -> Finding:
        """Test the promise; whatever the method raises is a failure with its reason."""
        try:
            return self.test(subject) or Finding("pass")
        except BrokenPromiseError as problem:
            return Finding("fail", str(problem))
        except (Exception, SystemExit) as problem:
            return Finding("fail", " ".join(f"raised {type(problem).__name__}: {problem}".split())[:300])


class BrokenPromiseError(FacialBenchError):
    """A promise that is not kept: expected and found."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A method under test, on a small part of a corpus. It is fitted when a check first needs it, and once."""

    spec: GeneratorSpec
    corpus: Corpus
    device: str = "cpu"
    options: Mapping[str, str] = field(default_factory=dict)
    log: Callable[[str], None] = lambda line: None

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
        """Whether it says of itself that it is a null model."""
        return self.spec.reference == NULL

    def context(self, **changes: object) -> Context:
        """What the method is told."""
        base = Context(
            self.corpus.info,
            derive_seed(0, "fit"),
            self.device,
            options=dict(self.options),
            face_model=self.corpus.face_model,
            log=self.log,
        )
        return replace(base, **changes)

    def fit(self) -> Generator:
        """A fresh instance, fitted."""
        generator = self.spec.create(self.context())
        generator.fit(list(self.training), self.context())
        return generator

    def request(self, frames: int = 150, identity: str | None = None, seed: int = 7, shift: int = 0) -> Request:
        """A request with held-out audio, repeated where it is short."""
        sound = np.concatenate([clip.audio for clip in self.test])
        audio = np.array(sound[(np.arange(frames) + shift) % len(sound)], np.float32)
        audio.setflags(write=False)
        person = identity or self.corpus.info.identities[0]
        state = np.array(mean_states(self.training)[person])
        state.setflags(write=False)
        return Request(f"self/check-{frames}-{shift}@0", person, audio, state, self.corpus.info.fps, seed)


def make_subject(spec: GeneratorSpec, corpus: Corpus, **more: object) -> Subject:
    """A subject; see `Subject` for what `more` may be."""
    return Subject(spec, corpus, **more)  # type: ignore[arg-type]


def conclude(findings: Sequence[Finding]) -> str:
    """One line over all findings."""
    counts = {
        state: sum(finding.state == state for finding in findings) for state in ("pass", "fail", "skip", "property")
    }
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count)
