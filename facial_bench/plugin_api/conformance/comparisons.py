"""Checks that compare two motions of a method: what must not change them, and what must."""

from __future__ import annotations

from facial_bench.core.types import Motion
from facial_bench.evaluation.behaviour import changed_frames, other_audio
from facial_bench.isolation.door import ask
from facial_bench.plugin_api.conformance.check import BrokenPromiseError, Finding, expect
from facial_bench.plugin_api.conformance.subject import Subject

BATCH_TOLERANCE = 1e-5
"""Change of a state, as a share of its largest value, that a batch may make: float32 sums in another order."""


def _same(one: Motion, two: Motion) -> bool:
    return not len(changed_frames(one, two))


def same_seed(subject: Subject) -> None:
    """Two answers to one request are the same motion."""
    request = subject.request()
    subject.ask(request)  # what was asked before may change the first answer: that is another check's matter
    same = _same(subject.ask(request), subject.ask(request))
    expect(same, "two calls with one seed differ; draw from numpy.random.default_rng(request.seed) and nothing else")


def same_fit(subject: Subject) -> None:
    """Two fits with one seed answer with the same motion."""
    request = subject.request()
    same = _same(subject.ask(request), ask(subject.fit(), request))
    expect(same, "two fits with one seed differ; take all randomness of fit from context.seed")


def batch(subject: Subject) -> None:
    """Requests together, in two orders, get what each gets alone, up to the rounding of float32."""
    people = subject.corpus.info.identities
    requests = [
        subject.request(frames, people[k % len(people)], seed=k, shift=40 * k)
        for k, frames in enumerate((150, 90, 150, 33))
    ]
    alone = [subject.ask(request) for request in requests]
    for order in ((0, 1, 2, 3), (3, 1, 0, 2)):
        asked = [requests[k] for k in order]
        for k, outcome in zip(order, subject.fitted.generate(asked), strict=True):
            if outcome.motion is None:
                raise BrokenPromiseError(f"in a batch: {outcome.reason}")
            changed = changed_frames(outcome.motion, alone[k], BATCH_TOLERANCE)
            expect(not len(changed), "a motion in a batch differs from the one made alone; pad and mask")


def no_memory(subject: Subject) -> None:
    """A request is answered as before after another one was answered."""
    request = subject.request()
    first = subject.ask(request)
    subject.ask(subject.request(200, subject.corpus.info.identities[-1], seed=1, shift=77))
    expect(
        _same(first, subject.ask(request)),
        "a request gives other motion after another one was answered; reset the state in generate",
    )


def save_and_load(subject: Subject) -> Finding | None:
    """A fresh instance that loads the stored fit answers with the same motion."""
    if not subject.fitted.stateful:
        return Finding("skip", "no state_dict and load_state_dict: every run fits anew")
    state = subject.fitted.state()
    other = subject.create()
    other.load_state({name: array.copy() for name, array in state.items()})
    request = subject.request()
    same = _same(subject.ask(request), ask(other, request))
    expect(same, "a loaded fit gives other motion; store all of it")
    return None


def hears(subject: Subject) -> Finding | None:
    """Other audio gives another motion; a null model need not hear."""
    request = subject.request()
    changed = other_audio(request, subject.request(150, shift=311).audio)
    if not _same(subject.ask(request), subject.ask(changed)):
        return None
    if subject.is_null:
        return Finding("property", "does not hear: a null model need not")
    raise BrokenPromiseError("all of the audio changed and the motion did not")


def knows(subject: Subject) -> None:
    """Another identity, with its own initial state, gives another motion."""
    one, two = (subject.request(identity=person) for person in subject.corpus.info.identities[:2])
    same = _same(subject.ask(one), subject.ask(two))
    expect(not same, "another identity, with its own initial state, gives the same motion")
