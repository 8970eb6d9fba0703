"""The personalization accuracies: which classifiers look at which driving, and what each number is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from facial_bench.core.types import Definition

SELF, CROSS = "self", "cross"
"""Driven by the person's own held-out speech, or by somebody else's."""
HELD_OUT, TRAINING = "held-out", "training"
"""The real clips that classifiers are trained on. No method has seen the held-out ones."""


@dataclass(frozen=True)
class AccuracyDefinition(Definition):
    """The definition of an accuracy: classifiers trained on a corpus compute it, not a function of a sample."""

    form: str
    """Name of the classifiers' form (`classifier.forms`)."""
    driving: str
    """`SELF` or `CROSS`."""
    needs: tuple[str, ...]
    """The parts of a generated motion that the form looks at."""
    trained_on: str = HELD_OUT
    """`HELD_OUT`: the ceiling is then the real training clips; `TRAINING`, as in the paper: the real held-out ones."""


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
        _accuracy("pose_accuracy/paper", pose, "pose", trained_on=TRAINING),
        _accuracy("blink_accuracy", blink, "blink", part="blink", ranked=True),
        _accuracy("blink_accuracy/raw", blink, "blink/raw", part="blink", centred=False),
        _accuracy("blink_accuracy/cross", blink, "blink", part="blink", driving=CROSS),
        _accuracy("blink_accuracy/cross-raw", blink, "blink/raw", part="blink", centred=False, driving=CROSS),
        _accuracy("blink_accuracy/paper", blink, "blink", part="blink", trained_on=TRAINING),
    )


def _accuracy(
    id_: str,
    seen: str,
    form: str,
    *,
    part: str = "pose",
    centred: bool = True,
    driving: str = SELF,
    trained_on: str = HELD_OUT,
    ranked: bool = False,
    more_pitfalls: str = "",
) -> AccuracyDefinition:
    """One accuracy; `seen` is what its classifiers see of a motion."""
    paper = trained_on == TRAINING
    centring = "the mean of each window removed" if centred else "as they are"
    speech = {SELF: "the person's own held-out speech", CROSS: "the held-out speech of the next identity"}[driving]
    told = f"how often the {seen.rpartition(' (')[0]} tell the right person"
    judges = "TRAINING motion, which methods are given too," if paper else "HELD-OUT motion, which no method has seen,"
    ceiling = "held-out clips" if paper else "training clips"
    qualities = ("" if centred else ", mean kept") + (", another speaking" if driving == CROSS else "")
    return AccuracyDefinition(
        id=id_,
        version=1 if paper else 2,
        unit="share",
        higher_is_better=True,
        formula=f"mean over identities of the share of windows of generated {seen}, {centring}, that classifiers "
        f"trained on REAL {judges} give to the right identity; the mean over the classifier seeds; driven by {speech}; "
        f"its ceiling is real {ceiling}",
        meaning=f"{told}{qualities}{', as in the paper' if paper else ''}",
        origin="FACIAL (ICCV 2021), supplement, section 3, which reports the classifiers on real motion"
        + ("" if paper else "; trained on the held-out part, and the centred and cross-driven forms, are ours"),
        pitfalls=(
            "a copy of training motion is what the classifiers were trained on, and passes the ceiling"
            if paper
            else "it says whose motion it looks like, not that it is natural or goes with the speech: a copy of the "
            f"person's training motion scores at the ceiling, and exaggerated motion can pass it{more_pitfalls}"
        ),
        family="people",
        every_run=True,
        ranked=ranked,
        perturbations=("identity swapped",),
        form=form,
        driving=driving,
        needs=(part,),
        trained_on=trained_on,
    )


@cache
def accuracies() -> Mapping[str, AccuracyDefinition]:
    """id -> definition of the personalization metrics."""
    return {one.id: one for one in accuracy_definitions()}


def forms_trained_on(part: str) -> tuple[str, ...]:
    """Names of the classifiers' forms that are trained on a part, `HELD_OUT` or `TRAINING`, in order."""
    return tuple(dict.fromkeys(one.form for one in accuracy_definitions() if one.trained_on == part))


def judged_by_training(metric: str) -> bool:
    """Whether a metric's classifiers were trained on what methods are given, so that a copy of it is recognised for
    being a copy."""
    return metric in accuracies() and accuracies()[metric].trained_on == TRAINING
