"""The promises of the contract, one function each."""

from __future__ import annotations

import time

import numpy as np

from facial_bench.core.device import choose_device
from facial_bench.core.types import Motion, Request, Stateful
from facial_bench.evaluation.behaviour import changed_frames, look_ahead, other_audio
from facial_bench.evaluation.generate import check_motion, check_motions
from facial_bench.evaluation.requests import mean_states
from facial_bench.plugin_api.conformance.check import BrokenPromiseError, Check, Finding, what_happened
from facial_bench.plugin_api.conformance.subject import Subject

LENGTHS = (1, 2, 7, 16, 127, 128, 129, 300, 2000)
"""Frames that a method is asked for."""
BATCH_TOLERANCE = 1e-5
"""Change of a state, as a share of its largest value, that a batch may make: float32 sums in another order."""


def checks() -> tuple[Check, ...]:
    """Every check, in the order in which they are worth reading."""
    create = Check("create", "the method is created", _is_created)
    fit = Check("fit", "fit takes the training clips and returns", _fits, (create,))
    request = Check("request", "the request is not changed", _leaves_the_request, (fit,))
    seed = Check("seed", "the same seed gives the same motion", _same_seed, (request,))
    memory = Check("state between clips", "what was asked before changes nothing", _no_memory, (seed,))
    same = (memory,)
    return (
        create,
        fit,
        Check("lengths", f"as many frames as asked for: {', '.join(map(str, LENGTHS))}", _lengths, (fit,)),
        Check("options", "every option that it reads is declared", _declares_options, (fit,)),
        request,
        seed,
        memory,
        Check("refit", "a second fit with the same seed gives the same motion", _same_fit, same),
        Check("batch", "a batch gives what its requests give alone, in any order", _batch, same),
        Check("save and load", "a stored fit gives the same motion", _save_load, same),
        Check("device", "it fits and answers on the GPU too", _on_cuda, (fit,)),
        Check("audio is used", "other audio gives other motion", _hears, same),
        Check("identity is used", "another identity gives other motion", _knows, same),
        Check("held-out motion", "the motion of a test clip is not given back", _no_truth, (fit,)),
        Check("look-ahead", "how far ahead of the sound the motion changes", _looks, same),
        Check("speed", "seconds of motion made in a second", _speed, (fit,)),
    )


def _expect(kept: bool, text: str) -> None:
    if not kept:
        raise BrokenPromiseError(text)


def _same(one: Motion, two: Motion) -> bool:
    return not len(changed_frames(one, two))


def _is_created(subject: Subject) -> None:
    try:
        subject.create()
    except (Exception, SystemExit) as problem:
        raise BrokenPromiseError(f"could not be created: {what_happened(problem)}") from problem


def _fits(subject: Subject) -> None:
    before = [clip.motion.state().copy() for clip in subject.training]
    try:
        _ = subject.fitted
    except (Exception, SystemExit) as problem:
        raise BrokenPromiseError(f"could not be fitted: {what_happened(problem)}") from problem
    for clip, state in zip(subject.training, before, strict=True):
        _expect(np.array_equal(clip.motion.state(), state), f"fit changed the training clip {clip.id}; copy it first")


def _lengths(subject: Subject) -> None:
    for frames in LENGTHS:
        try:
            subject.ask(subject.request(frames))
        except Exception as problem:
            raise BrokenPromiseError(f"{frames} frames: {what_happened(problem)}") from problem


def _declares_options(subject: Subject) -> None:
    undeclared = ", ".join(sorted(subject.asked - set(subject.spec.options)))
    how = "declare it: GeneratorSpec(..., options={NAME: MEANING})"
    _expect(not undeclared, f"reads {undeclared}, which nobody can set; {how}")


def _leaves_the_request(subject: Subject) -> None:
    request = subject.request()
    before = request.audio.copy(), request.initial_state.copy()
    subject.ask(request)
    kept = np.array_equal(before[0], request.audio) and np.array_equal(before[1], request.initial_state)
    _expect(kept, "audio or initial_state changed; they are shared: copy them first")


def _same_seed(subject: Subject) -> None:
    request = subject.request()
    subject.ask(request)  # what was asked before may change the first answer: that is another check's matter
    same = _same(subject.ask(request), subject.ask(request))
    _expect(same, "two calls with one seed differ; draw from numpy.random.default_rng(request.seed) and nothing else")


def _same_fit(subject: Subject) -> None:
    request = subject.request()
    again = subject.fit()
    (motion,) = check_motions(again.generate([request]), [request])
    same = _same(subject.ask(request), check_motion(motion, request))
    _expect(same, "two fits with one seed differ; take all randomness of fit from context.seed")


def _batch(subject: Subject) -> None:
    people = subject.corpus.info.identities
    requests = [
        subject.request(frames, people[k % len(people)], seed=k, shift=40 * k)
        for k, frames in enumerate((150, 90, 150, 33))
    ]
    alone = [subject.ask(request) for request in requests]
    for order in ((0, 1, 2, 3), (3, 1, 0, 2)):
        asked = [requests[k] for k in order]
        for k, motion in zip(order, check_motions(subject.fitted.generate(asked), asked), strict=True):
            changed = changed_frames(check_motion(motion, requests[k]), alone[k], BATCH_TOLERANCE)
            _expect(not len(changed), "a motion in a batch differs from the one made alone; pad and mask")


def _no_memory(subject: Subject) -> None:
    request = subject.request()
    first = subject.ask(request)
    subject.ask(subject.request(200, subject.corpus.info.identities[-1], seed=1, shift=77))
    _expect(
        _same(first, subject.ask(request)),
        "a request gives other motion after another one was answered; reset the state in generate",
    )


def _save_load(subject: Subject) -> Finding | None:
    if not isinstance(subject.fitted, Stateful):
        return Finding("skip", "no state_dict and load_state_dict: every run fits anew")
    state = dict(subject.fitted.state_dict())
    wrong = [name for name, array in state.items() if not isinstance(array, np.ndarray) or array.dtype == object]
    _expect(not wrong, f"state_dict holds {', '.join(wrong)}: give numpy arrays of numbers")
    other = subject.create()
    if not isinstance(other, Stateful):
        raise BrokenPromiseError("a fresh instance has no load_state_dict")
    other.load_state_dict({name: array.copy() for name, array in state.items()}, subject.context())
    request = subject.request()
    (motion,) = check_motions(other.generate([request]), [request])
    same = _same(subject.ask(request), check_motion(motion, request))
    _expect(same, "a loaded fit gives other motion; store all of it")
    return None


def _on_cuda(subject: Subject) -> Finding | None:
    if choose_device("auto") != "cuda":
        return Finding("skip", "no CUDA device here; checked on cpu")
    subject.on_device("cuda").ask(subject.request())
    return None


def _hears(subject: Subject) -> Finding | None:
    request = subject.request()
    changed = other_audio(request, subject.request(150, shift=311).audio)
    if not _same(subject.ask(request), subject.ask(changed)):
        return None
    if subject.is_null:
        return Finding("property", "does not hear: a null model need not")
    raise BrokenPromiseError("all of the audio changed and the motion did not")


def _knows(subject: Subject) -> None:
    one, two = (subject.request(identity=person) for person in subject.corpus.info.identities[:2])
    same = _same(subject.ask(one), subject.ask(two))
    _expect(not same, "another identity, with its own initial state, gives the same motion")


def _no_truth(subject: Subject) -> None:
    for clip in subject.test[:3]:
        state = np.array(mean_states(subject.training)[clip.identity])
        request = Request(f"self/{clip.id}@{clip.start}", clip.identity, clip.audio, state, subject.corpus.info.fps, 0)
        made = subject.ask(request)
        real = clip.motion.state()[clip.valid]
        spread = real.std(axis=0)
        error = np.sqrt(np.mean((made.state()[clip.valid] - real) ** 2, axis=0))
        close = (error < 0.01 * spread)[spread > 1e-6]
        given_back = close.mean() > 0.5
        _expect(not given_back, f"the motion of the test clip {clip.id} was given back: where does it come from?")


def _looks(subject: Subject) -> Finding:
    seen = look_ahead(subject.fitted, subject.request(400), subject.request(400, shift=501).audio)
    if seen.frames is None:
        return Finding("property", "does not follow the audio")
    milliseconds = 1000 * seen.frames / subject.corpus.info.fps
    text = f"{seen.frames} frames ({milliseconds:.0f} ms): not causal" if seen.frames else "causal: 0 frames"
    limit = subject.max_look_ahead
    if limit is None:
        return Finding("property", text)
    return Finding("fail" if seen.frames > limit else "pass", f"{text}; {limit} allowed")


def _speed(subject: Subject) -> Finding:
    request = subject.request(400)
    subject.ask(request)
    start = time.perf_counter()
    subject.ask(request)
    seconds = max(time.perf_counter() - start, 1e-9)
    return Finding("property", f"{request.frames / request.fps / seconds:.2g} times real time on {subject.device}")
