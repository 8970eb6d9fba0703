"""The promises of renderers, one function each."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from dataclasses import replace

import numpy as np

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.types import Motion
from facial_bench.isolation.door import MethodRaisedError
from facial_bench.isolation.worker_renderer import RendererDoor
from facial_bench.plugin_api.conformance.check import (
    BrokenPromiseError,
    Check,
    Finding,
    expect,
    run_checks,
    what_happened,
)
from facial_bench.plugin_api.conformance.renderer_subject import RendererSubject
from facial_bench.plugin_api.conformance.renderer_world import HELD_OUT, SIZE

LENGTHS = (HELD_OUT, 7)
"""Frames that a renderer is asked for: more than a block of most, and few."""
NOBODY = "somebody else"
"""A person whom no renderer was trained on."""


def renderer_checks() -> tuple[Check[RendererSubject], ...]:
    """Every check of a renderer, in the order in which they are worth reading."""
    creates = Check("creates", "the renderer is created", _is_created)
    fits = Check("fits", "fit takes the training clips and returns", _fits, (creates,))
    pictures = Check("pictures", "a uint8 picture of the right size for each frame", _gives_pictures, (fits,))
    repeatable = Check("repeatable", "the same motion twice gives the same pictures", _repeats, (pictures,))
    order = Check("order", "what was rendered before changes nothing", _forgets, (repeatable,))
    same = (order,)
    return (
        creates,
        fits,
        pictures,
        Check("one-frame", "one frame gives one picture", _one_frame, (pictures,)),
        Check("no-frames", "no frame gives no picture", _no_frames, (pictures,)),
        repeatable,
        order,
        Check("state", "a stored fit gives the same pictures", _stores, same),
        Check("seed", "a second fit with the same seed gives the same pictures", _fits_again, same),
        Check("people", "each person is rendered, and looks different", _tells_people_apart, same),
        Check("unknown-person", "somebody who was not trained is refused in one line", _refuses_people, (pictures,)),
        Check("not-finite", "motion that is not finite is refused in one line", _refuses_nan, (pictures,)),
        Check("follows", "what of the motion the pictures change with", _follows, same),
        Check("speed", "pictures made in a second", _speed, (pictures,)),
    )


def check_renderer(subject: RendererSubject) -> dict[str, Finding]:
    """check -> what it found, of all checks; the subject is closed, and its reporter is told which check runs."""
    return run_checks(renderer_checks(), subject)


def _is_created(subject: RendererSubject) -> None:
    try:
        subject.create().close()
    except FacialBenchError as problem:
        raise BrokenPromiseError(f"could not be created: {what_happened(problem)}") from problem


def _fits(subject: RendererSubject) -> None:
    try:
        _ = subject.fitted
    except FacialBenchError as problem:
        raise BrokenPromiseError(f"could not be fitted: {what_happened(problem)}") from problem


def _gives_pictures(subject: RendererSubject) -> None:
    for frames in LENGTHS:
        _render(subject, frames)


def _one_frame(subject: RendererSubject) -> None:
    _render(subject, 1)


def _no_frames(subject: RendererSubject) -> None:
    _render(subject, 0)


def _render(subject: RendererSubject, frames: int) -> None:
    try:
        subject.pictures(subject.world.motion(frames))
    except FacialBenchError as problem:
        raise BrokenPromiseError(f"{frames} frames: {what_happened(problem)}") from problem


def _same(subject: RendererSubject, motion: Motion, other: RendererDoor) -> bool:
    """Whether another instance renders a motion as the fitted one does."""
    return np.array_equal(subject.pictures(motion), subject.pictures(motion, door=other))


def _repeats(subject: RendererSubject) -> None:
    motion = subject.world.motion()
    subject.pictures(motion)  # what was rendered before may change the first pictures: that is another check's matter
    same = np.array_equal(subject.pictures(motion), subject.pictures(motion))
    expect(same, "the same motion gives other pictures; render without randomness, or draw from context.seed each time")


def _forgets(subject: RendererSubject) -> None:
    motion, before = subject.world.motion(), subject.world.motion(30, start=60)
    first = subject.pictures(motion)
    subject.pictures(before)
    with suppress(FacialBenchError):  # that nobody else can be rendered is another check's matter
        subject.pictures(before, subject.world.info.identities[1])
    same = np.array_equal(first, subject.pictures(motion))
    expect(same, "a motion gives other pictures after another one was rendered; reset in render what it changes")


def _stores(subject: RendererSubject) -> Finding | None:
    if not subject.fitted.stateful:
        return Finding("skip", "no state_dict and load_state_dict: an interrupted rendering is fitted again")
    with closing(subject.create()) as other:
        other.load_state({name: np.array(array) for name, array in subject.fitted.state().items()})
        expect(_same(subject, subject.world.motion(), other), "a loaded fit gives other pictures; store all of it")
    return None


def _fits_again(subject: RendererSubject) -> None:
    with closing(subject.fit()) as other:
        same = _same(subject, subject.world.motion(), other)
    expect(same, "two fits with one seed give other pictures; take all randomness of fit from context.seed")


def _tells_people_apart(subject: RendererSubject) -> None:
    seen = []
    for number, person in enumerate(subject.world.info.identities):
        try:
            seen.append(subject.pictures(subject.world.motion(), person))
        except FacialBenchError as problem:
            raise BrokenPromiseError(f"person {number + 1}: {what_happened(problem)}") from problem
    expect(not np.array_equal(seen[0], seen[1]), "two people look the same; render whom like.identity names")


def _refuses_people(subject: RendererSubject) -> None:
    _is_refused(subject, subject.world.motion(), NOBODY, "a person who was not trained")


def _refuses_nan(subject: RendererSubject) -> None:
    state = subject.world.motion().state()
    state[len(state) // 2] = np.nan
    _is_refused(subject, Motion.from_state(state), None, "a frame that is not a number")


def _is_refused(subject: RendererSubject, motion: Motion, identity: str | None, what: str) -> None:
    advice = "raise a FacialBenchError of one line"
    try:
        subject.pictures(motion, identity)
    except MethodRaisedError as problem:
        if problem.kind:  # an error of ours, which says all in its line
            return
        raise BrokenPromiseError(f"{what}: {what_happened(problem)}; {advice}") from problem
    except FacialBenchError as problem:
        raise BrokenPromiseError(f"{what}: {what_happened(problem)}; {advice}") from problem
    raise BrokenPromiseError(f"{what} was rendered; {advice}")


def _follows(subject: RendererSubject) -> Finding:
    """Which parts of a motion change the pictures, when each takes the values of another stretch."""
    motion, other = subject.world.motion(), subject.world.motion(start=60)
    before = subject.pictures(motion)
    changed = {
        "expression": replace(motion, expression=other.expression),
        "pose": replace(motion, pose=other.pose),
        "blink": replace(motion, blink=1 - motion.blink),
    }
    follows = [name for name, made in changed.items() if not np.array_equal(before, subject.pictures(made))]
    still = [name for name in changed if name not in follows]
    if not follows:
        return Finding("property", "the same pictures whatever the motion")
    return Finding("property", "; not ".join(", ".join(names) for names in (follows, still) if names))


def _speed(subject: RendererSubject) -> Finding:
    motion = subject.world.motion(HELD_OUT)
    start = time.perf_counter()
    subject.pictures(motion)
    seconds = max(time.perf_counter() - start, 1e-9)
    size = f"{SIZE} x {SIZE} pixels"
    return Finding("property", f"{motion.frames / seconds:.1f} pictures of {size} a second on {subject.device}")
