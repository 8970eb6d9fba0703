"""What stands beside every score: the ceiling (real held-out motion), chance, and whether the judge can judge at all.

Source: docs/protocol.md, "references beside every score" and "refuse to score".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from facial_bench.driving import SELF, Task
from facial_bench.generation import Outcome
from facial_bench.personalization import Judges, forms
from facial_bench.protocol import derive_seed
from facial_bench.scoring import accuracies, distance_row, score_row
from facial_bench.split import window_starts
from facial_bench.stats import label_permutation_p
from facial_bench.summary import summarise
from facial_bench.types import Clip, FaceModel, MetricSpec, Motion


def make_references(
    tasks: Sequence[Task], model: FaceModel, judges: Judges, distances: Sequence[MetricSpec]
) -> dict[str, dict[str, Any]]:
    """metric id -> {ceiling: {value, low, high}, chance, chance_is, ...}.

    The ceiling of an accuracy is that of its classifier on the real test clips; of a distance, the real motion after
    a passage through the face model (what the representation costs). Chance is 1/N for an accuracy, and for a distance
    the identity's mean training state held still (the best constant guess).
    Accuracies add `p` (label permutation over clips) and `refused` (the reason, or None).
    """
    own = [task for task in tasks if task.driving == SELF]
    real = [score_row(t, Outcome(t.clip.motion), model=model, judges=judges, distances=distances) for t in own]
    still = [
        distance_row(t, Outcome(_still(t)), model=model, distances=distances, protocol=judges.protocol) for t in own
    ]
    found: dict[str, dict[str, Any]] = {}
    for spec in distances:
        ceiling = summarise([real], spec.id, judges.protocol)
        found[spec.id] = {
            "ceiling": {end: ceiling[end] for end in ("value", "low", "high")},
            "ceiling_is": "real motion decoded by the face model",
            "chance": summarise([still], spec.id, judges.protocol)["value"], "chance_is": "mean training state",
        }  # fmt: skip
    p_values = _permutation_p([task.clip for task in own], judges)
    by_form = {form: _judge_reference(form, p_values[form], real, judges) for form in forms()}
    found.update({metric: by_form[form] for metric, (form, _) in accuracies().items()})
    return found


def _judge_reference(form: str, p: float, real: Sequence[Mapping[str, Any]], judges: Judges) -> dict[str, Any]:
    metric = next(m for m, (name, driving) in accuracies().items() if name == form and driving == SELF)
    ceiling = summarise([real], metric, judges.protocol)
    chance = 1 / len(judges.identities)
    refused = None
    if ceiling["low"] is None or ceiling["low"] <= chance:
        ends = "no interval" if ceiling["low"] is None else f"[{ceiling['low']:.2f}, {ceiling['high']:.2f}]"
        found = f"{ceiling['value']:.2f} {ends} on real held-out clips"
        refused = f"the classifier's ceiling {found} touches chance {chance:.2f}"
    elif p >= judges.protocol.significance:
        refused = f"the classifier's ceiling {ceiling['value']:.2f} is no better than shuffled labels (p = {p:.3f})"
    return {
        "ceiling": {end: ceiling[end] for end in ("value", "low", "high")},
        "ceiling_is": "real held-out clips", "chance": chance, "chance_is": "1/N", "p": p, "refused": refused,
    }  # fmt: skip


def _permutation_p(clips: Sequence[Clip], judges: Judges) -> dict[str, float]:
    """form -> p of the label permutation over the real test clips that have a window, all forms together."""
    protocol, n = judges.protocol, len(judges.identities)
    starts = [window_starts(clip.valid, protocol.window, protocol.scoring_stride) for clip in clips]
    scored = [(clip, own) for clip, own in zip(clips, starts, strict=True) if len(own)]
    votes = np.array([
        [np.bincount(judges.predict(form, clip.motion, own).ravel(), minlength=n) for clip, own in scored]
        for form in forms().values()
    ]) / len(protocol.judges.seeds)  # fmt: skip
    p_values = label_permutation_p(
        votes, np.array([len(own) for _, own in scored], float),
        np.array([judges.identities.index(clip.identity) for clip, _ in scored]),
        permutations=protocol.resamples, rng=np.random.default_rng(derive_seed(0, "label permutation")),
    )  # fmt: skip
    return dict(zip(forms(), p_values.tolist(), strict=True))


def _still(task: Task) -> Motion:
    return Motion.from_state(np.tile(task.request.initial_state, (task.request.frames, 1)))
