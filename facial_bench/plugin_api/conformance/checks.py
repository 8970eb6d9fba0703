"""The promises of the contract, one function each."""

from __future__ import annotations

import time

import numpy as np

from facial_bench.core.device import choose_device
from facial_bench.core.errors import FacialBenchError
from facial_bench.core.types import Request
from facial_bench.evaluation.behaviour import look_ahead
from facial_bench.evaluation.physical_bounds import beyond_bounds
from facial_bench.evaluation.requests import mean_states
from facial_bench.plugin_api.conformance.check import BrokenPromiseError, Check, Finding, expect, what_happened
from facial_bench.plugin_api.conformance.comparisons import (
    batch,
    hears,
    knows,
    no_memory,
    same_fit,
    same_seed,
    save_and_load,
)
from facial_bench.plugin_api.conformance.subject import Subject

LENGTHS = (1, 2, 7, 16, 127, 128, 129, 300, 2000)
"""Frames that a method is asked for."""


def checks() -> tuple[Check[Subject], ...]:
    """Every check, in the order in which they are worth reading."""
    create = Check("create", "the method is created", _is_created)
    fit = Check("fit", "fit takes the training clips and returns", _fits, (create,))
    request = Check("request", "the request is not changed", _leaves_the_request, (fit,))
    seed = Check("seed", "the same seed gives the same motion", same_seed, (request,))
    memory = Check("state between clips", "what was asked before changes nothing", no_memory, (seed,))
    same = (memory,)
    return (
        create,
        fit,
        Check("lengths", f"as many frames as asked for: {', '.join(map(str, LENGTHS))}", _lengths, (fit,)),
        Check("bounds", "a face can make the motion", _stays_within_bounds, (fit,)),
        Check("options", "every option that it reads is declared", _declares_options, (fit,)),
        request,
        seed,
        memory,
        Check("refit", "a second fit with the same seed gives the same motion", same_fit, same),
        Check("batch", "a batch gives what its requests give alone, in any order", batch, same),
        Check("save and load", "a stored fit gives the same motion", save_and_load, same),
        Check("device", "it fits and answers on the GPU too", _on_cuda, (fit,)),
        Check("audio is used", "other audio gives other motion", hears, same),
        Check("identity is used", "another identity gives other motion", knows, same),
        Check("held-out motion", "the motion of a test clip is not given back", _no_truth, (fit,)),
        Check("look-ahead", "how far ahead of the sound the motion changes", _looks, same),
        Check("speed", "seconds of motion made in a second", _speed, (fit,)),
    )


def _is_created(subject: Subject) -> None:
    try:
        subject.create()
    except FacialBenchError as problem:
        raise BrokenPromiseError(f"could not be created: {what_happened(problem)}") from problem


def _fits(subject: Subject) -> None:
    try:
        changed = subject.fitted.notes()["changed_clip"]
    except FacialBenchError as problem:
        raise BrokenPromiseError(f"could not be fitted: {what_happened(problem)}") from problem
    expect(changed is None, f"fit changed the training clip {changed}; copy it first")


def _lengths(subject: Subject) -> None:
    for frames in LENGTHS:
        try:
            subject.ask(subject.request(frames))
        except Exception as problem:
            raise BrokenPromiseError(f"{frames} frames: {what_happened(problem)}") from problem


def _stays_within_bounds(subject: Subject) -> None:
    model, info, camera = subject.corpus.face_model, subject.corpus.info, subject.training[0].camera
    for person in info.identities:
        request = subject.request(300, person)
        beyond = beyond_bounds(subject.ask(request), person, request.initial_state, model, info, camera)
        expect(not beyond, f"{beyond}; such a clip fails")


def _declares_options(subject: Subject) -> None:
    undeclared = ", ".join(sorted(set(subject.fitted.notes()["asked"]) - set(subject.declared)))
    how = "declare it: GeneratorSpec(..., options={NAME: MEANING})"
    expect(not undeclared, f"reads {undeclared}, which nobody can set; {how}")


def _leaves_the_request(subject: Subject) -> None:
    subject.ask(subject.request())
    expect(
        not subject.fitted.notes()["changed_request"],
        "audio or initial_state changed; they are shared: copy them first",
    )


def _on_cuda(subject: Subject) -> Finding | None:
    if choose_device("auto") != "cuda":
        return Finding("skip", "no CUDA device here; checked on cpu")
    subject.on_device("cuda").ask(subject.request())
    return None


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
        expect(not given_back, f"the motion of the test clip {clip.id} was given back: where does it come from?")


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
