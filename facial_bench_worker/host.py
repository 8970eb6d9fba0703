"""A method in this process, called as the contract says; what it does wrong becomes words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from facial_bench_worker.errors import GenerationError
from facial_bench_worker.face import Clip
from facial_bench_worker.method import Context, GeneratorSpec, Request, Stateful, check_options
from facial_bench_worker.motions import Outcome, check_motion, check_motions
from facial_bench_worker.noted_trackers import NotedTrackers
from facial_bench_worker.problems import describe


class NotedOptions(dict):
    """Options that note which names are looked for.

    Args:
        options: name -> text.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        super().__init__(options)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(str(name))
        return str(super().__getitem__(name))

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The text of an option, or the default."""
        self.asked.add(str(name))
        return super().get(name, default)


class Host:
    """A method, created.

    Args:
        spec: Of the method.
        context: What it is told.

    Raises:
        FacialBenchError: an option that the spec does not declare. Whatever the method raises passes, here and below.
    """

    def __init__(self, spec: GeneratorSpec, context: Context) -> None:
        check_options(spec, context.options)
        self._spec, self.options = spec, NotedOptions(context.options)
        noted = NotedTrackers(context.trackers)
        self._context = replace(context, options=self.options, trackers=noted)
        self._generator = spec.create(self._context)
        self.trackers = noted.digests()
        """name -> digest of each face tracker that it took when it was created, and of its weights."""
        self.changed_request = False
        """Whether the method changed an array of a request that it was given."""

    @property
    def stateful(self) -> bool:
        """Whether its fit can be stored."""
        return isinstance(self._generator, Stateful)

    def fit(self, clips: Sequence[Clip]) -> None:
        """Fit the method to the training clips."""
        self._generator.fit(clips, self._context)

    def state(self) -> dict[str, np.ndarray]:
        """All that `fit` learned; raises GenerationError where it is no arrays of numbers."""
        return checked_state(self._generator)

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Become what the method was that gave the state."""
        self._generator.load_state_dict(state, self._context)  # type: ignore[attr-defined]

    def generate(self, requests: Sequence[Request]) -> list[Outcome]:
        """An outcome for each request; raises GenerationError where the answer is no list of them."""
        before = [(request.audio.copy(), request.initial_state.copy()) for request in requests]
        answer = check_motions(self._generator.generate(list(requests)), requests)
        outcomes = []
        for motion, request, (audio, state) in zip(answer, requests, before):
            same = np.array_equal(audio, request.audio, equal_nan=True) and np.array_equal(state, request.initial_state)
            self.changed_request = self.changed_request or not same
            try:
                outcomes.append(Outcome(check_motion(motion, request, self._spec.partial)))
            except Exception as problem:
                told = describe(problem)
                outcomes.append(Outcome(None, told.line, told.trace))
        return outcomes


def checked_state(made: Any) -> dict[str, np.ndarray]:
    """What the `state_dict` of a method or renderer gives; raises GenerationError where it is no arrays of numbers."""
    state = dict(made.state_dict())
    for name, array in state.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
            kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
            raise GenerationError(f"state_dict holds {name}, {kind}: give numpy arrays of numbers")
    return state
