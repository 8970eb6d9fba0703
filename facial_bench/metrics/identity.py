"""The personalization accuracies: which classifier looks at which driving, and what each number is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from facial_bench.core.types import Definition

SELF, CROSS = "self", "cross"
"""Driven by the person's own held-out speech, or by somebody else's."""


@dataclass(frozen=True)
class AccuracyDefinition(Definition):
    """The definition of an accuracy: classifiers trained on a corpus compute it, not a function of a sample."""

    form: str
    """Name of the classifiers' form (`classifier_training.forms`)."""
    driving: str
    """`SELF` or `CROSS`."""
    needs: tuple[str, ...]
    """The parts of a generated motion that the form looks at."""


@cache
def accuracy_definitions() -> tuple[AccuracyDefinition, ...]:
    """The personalization metrics of the protocol."""
    pose, rotation, blink = "head poses (T, 6)", "head rotations (T, 3)", "blinks (T, 1)"
    camera = "; the mean pose is the camera's, not the person's"
    return (
        _accuracy("pose_accuracy", pose, "pose", ranked=True),
        _accuracy("pose_accuracy/raw", pose, "pose/raw", centred=False, more_pitfalls=camera),
        _accuracy("pose_accuracy/rotation", rotation, "pose/rotation"),
        _accuracy("pose_accuracy/cross", pose, "pose", driving=CROSS),
        _accuracy("pose_accuracy/cross-raw", pose, "pose/raw", centred=False, driving=CROSS, more_pitfalls=camera),
        _accuracy("blink_accuracy", blink, "blink", part="blink", ranked=True),
        _accuracy("blink_accuracy/raw", blink, "blink/raw", part="blink", centred=False),
        _accuracy("blink_accuracy/cross", blink, "blink", part="blink", driving=CROSS),
        _accuracy("blink_accuracy/cross-raw", blink, "blink/raw", part="blink", centred=False, driving=CROSS),
    )


def _accuracy(
    id_: str,
    seen: str,
    form: str,
    *,
    part: str = "pose",
    centred: bool = True,
    driving: str = SELF,
    ranked: bool = False,
    more_pitfalls: str = "",
) -> AccuracyDefinition:
    """One accuracy; `seen` is what its classifiers see of a motion."""
    centring = "the mean of each window removed" if centred else "as they are"
    speech = {SELF: "the person's own held-out speech", CROSS: "the held-out speech of the next identity"}[driving]
    told = f"how often the {seen.rpartition(' (')[0]} tell the right person"
    return AccuracyDefinition(
        id=id_,
        version=1,
        unit="share",
        higher_is_better=True,
        formula=f"mean over identities of the share of windows of generated {seen}, {centring}, that classifiers "
        "trained on REAL training motion give to the right identity; the mean over the judge seeds; driven by "
        f"{speech}",
        meaning=told + ("" if centred else ", mean kept") + (", another speaking" if driving == CROSS else ""),
        origin="FACIAL (ICCV 2021), supplement, section 3, which reports the classifiers on real motion; the "
        "centred and cross-driven forms are ours",
        pitfalls="recognisable is not natural: exaggerated motion can pass the ceiling, and replay copies what the "
        f"classifiers were trained on{more_pitfalls}",
        family="people",
        every_run=True,
        ranked=ranked,
        perturbations=("identity swapped",),
        form=form,
        driving=driving,
        needs=(part,),
    )


@cache
def accuracies() -> Mapping[str, AccuracyDefinition]:
    """id -> definition of the personalization metrics."""
    return {one.id: one for one in accuracy_definitions()}
