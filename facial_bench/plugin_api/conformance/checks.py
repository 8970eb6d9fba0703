"""The promises of the contract, one function each."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from facial_bench.core.device import choose_device
from facial_bench.core.errors import FacialBenchError
from facial_bench.core.types import Motion, Request, Stateful
from facial_bench.evaluation.behaviour import ask, changed_frames, look_ahead, other_audio
from facial_bench.evaluation.generate import check_motion
from facial_bench.evaluation.requests import mean_states
from facial_bench.plugin_api.conformance.subject import BrokenPromiseError, Check, Finding, Subject

LENGTHS = (1, 2, 7, 16, 127, 128, 129, 300, 2000)
"""Frames that a method is asked for."""
BATCH_TOLERANCE = 1e-5
"""Change of a state, as a share of its largest value, that a batch may make: float32 sums in another order."""


def checks() -> tuple[Check, ...]:
    """Every check, in the order in which they are worth reading."""
    return (
        Check("fit", "fit takes the training clips and returns", _fits),
        Check("options", "an unknown option is refused in one line", _refuses_options),
        Check("lengths", f"as many frames as asked for: {', '.join(map(str, LENGTHS))}", _lengths),
        Check("request", "the request is not changed", _leaves_the_request),
        Check("seed", "the same seed gives the same motion", _same_seed),
        Check("refit", "a second fit with the same seed gives the same motion", _same_fit),
        Check("batch", "a batch gives what its requests give alone, in any order", _batch),
        Check("state between clips", "what was asked before changes nothing", _no_memory),
        Check("save and load", "a stored fit gives the same motion", _save_load),
        Check("device", "it fits and answers on the GPU too", _on_cuda),
        Check("audio is used", "other audio gives other motion", _hears),
        Check("identity is used", "another identity gives other motion", _knows),
        Check("held-out motion", "the motion of a test clip is not given back", _no_truth),
        Check("look-ahead", "how far ahead of the sound the motion changes", _looks),
        Check("speed", "seconds of motion made in a second", _speed),
    )


def _expect(kept: bool, text: str) -> None:
    if not kept:
        raise BrokenPromiseError(text)


def _same(one: Motion, two: Motion) -> bool:
    return not len(changed_frames(one, two))


def _fits(subject: Subject) -> None:
    before = [clip.motion.state().copy() for clip in subject.training]
    _expect(subject.fitted is not None, "expected a generator")
    for clip, state in zip(subject.training, before, strict=True):
        _expect(np.array_equal(clip.motion.state(), state), f"fit changed the training clip {clip.id}; copy it first")


def _refuses_options(subject: Subject) -> None:
    try:
        subject.spec.create(subject.context(options={"no-such-option": "1"}))
    except FacialBenchError as problem:
        _expect("\n" not in str(problem), "the error has more than one line")
        return
    raise BrokenPromiseError(
        "expected a FacialBenchError for --option no-such-option=1, got none: a misspelt option "
        "would change nothing in silence"
    )


def _lengths(subject: Subject) -> None:
    for frames in LENGTHS:
        request = subject.request(frames)
        try:
            ask(subject.fitted, request)
        except Exception as problem:
            raise BrokenPromiseError(f"{frames} frames: {' '.join(str(problem).split())}") from None


def _leaves_the_request(subject: Subject) -> None:
    request = subject.request()
    before = request.audio.copy(), request.initial_state.copy()
    ask(subject.fitted, request)
    kept = np.array_equal(before[0], request.audio) and np.array_equal(before[1], request.initial_state)
    _expect(kept, "audio or initial_state changed; they are shared: copy them first")


def _same_seed(subject: Subject) -> None:
    request = subject.request()
    same = _same(ask(subject.fitted, request), ask(subject.fitted, request))
    _expect(same, "two calls with one seed differ; draw from numpy.random.default_rng(request.seed) and nothing else")


def _same_fit(subject: Subject) -> None:
    request = subject.request()
    same = _same(ask(subject.fitted, request), ask(subject.fit(), request))
    _expect(same, "two fits with one seed differ; take all randomness of fit from context.seed")


def _batch(subject: Subject) -> None:
    people = subject.corpus.info.identities
    requests = [
        subject.request(frames, people[k % len(people)], seed=k, shift=40 * k)
        for k, frames in enumerate((150, 90, 150, 33))
    ]
    alone = [ask(subject.fitted, request) for request in requests]
    for order in ((0, 1, 2, 3), (3, 1, 0, 2)):
        motions = list(subject.fitted.generate([requests[k] for k in order]))
        _expect(len(motions) == 4, f"expected 4 motions for 4 requests, got {len(motions)}")
        for k, motion in zip(order, motions, strict=True):
            changed = changed_frames(check_motion(motion, requests[k]), alone[k], BATCH_TOLERANCE)
            _expect(not len(changed), "a motion in a batch differs from the one made alone; pad and mask")


def _no_memory(subject: Subject) -> None:
    request = subject.request()
    first = ask(subject.fitted, request)
    ask(subject.fitted, subject.request(200, subject.corpus.info.identities[-1], seed=1, shift=77))
    _expect(
        _same(first, ask(subject.fitted, request)),
        "a request gives other motion after another one was answered; reset the state in generate",
    )


def _save_load(subject: Subject) -> Finding | None:
    if not isinstance(subject.fitted, Stateful):
        return Finding("skip", "no state_dict and load_state_dict: every run fits anew")
    state = dict(subject.fitted.state_dict())
    wrong = [name for name, array in state.items() if not isinstance(array, np.ndarray) or array.dtype == object]
    _expect(not wrong, f"state_dict holds {', '.join(wrong)}: give numpy arrays of numbers")
    other = subject.spec.create(subject.context())
    _expect(isinstance(other, Stateful), "a fresh instance has no load_state_dict")
    other.load_state_dict({name: array.copy() for name, array in state.items()}, subject.context())  # type: ignore
    request = subject.request()
    same = _same(ask(subject.fitted, request), ask(other, request))
    _expect(same, "a loaded fit gives other motion; store all of it")
    return None


def _on_cuda(subject: Subject) -> Finding | None:
    if choose_device("auto") != "cuda":
        return Finding("skip", "no CUDA device here; checked on cpu")
    other = replace(subject, device="cuda")
    ask(other.fitted, subject.request())
    return None


def _hears(subject: Subject) -> Finding | None:
    request = subject.request()
    changed = other_audio(request, subject.request(150, shift=311).audio)
    if not _same(ask(subject.fitted, request), ask(subject.fitted, changed)):
        return None
    if subject.is_null:
        return Finding("property", "does not hear: a null model need not")
    raise BrokenPromiseError("all of the audio changed and the motion did not")


def _knows(subject: Subject) -> Finding | None:
    one, two = (subject.request(identity=person) for person in subject.corpus.info.identities[:2])
    if not _same(ask(subject.fitted, one), ask(subject.fitted, two)):
        return None
    raise BrokenPromiseError("another identity, with its own initial state, gives the same motion")


def _no_truth(subject: Subject) -> None:
    for clip in subject.test[:3]:
        state = np.array(mean_states(subject.training)[clip.identity])
        request = Request(f"self/{clip.id}@{clip.start}", clip.identity, clip.audio, state, subject.corpus.info.fps, 0)
        made = ask(subject.fitted, request)
        real = clip.motion.state()[clip.valid]
        spread = real.std(axis=0)
        error = np.sqrt(np.mean((made.state()[clip.valid] - real) ** 2, axis=0))
        close = (error < 0.01 * spread)[spread > 1e-6]
        given_back = close.mean() > 0.5
        _expect(not given_back, f"the motion of the test clip {clip.id} was given back: where does it come from?")


def _looks(subject: Subject) -> Finding:
    found = look_ahead(subject.fitted, subject.request(400), subject.request(400, shift=501).audio)
    if found.frames is None:
        return Finding("property", "does not follow the audio")
    milliseconds = 1000 * found.frames / subject.corpus.info.fps
    text = f"{found.frames} frames ({milliseconds:.0f} ms): not causal" if found.frames else "causal: 0 frames"
    return Finding("property", text)


def _speed(subject: Subject) -> Finding:
    request = subject.request(400)
    ask(subject.fitted, request)
    start = time.perf_counter()
    ask(subject.fitted, request)
    seconds = max(time.perf_counter() - start, 1e-9)
    return Finding("property", f"{request.frames / request.fps / seconds:.2g} times real time on {subject.device}")
