"""Floor and chance of the realism metrics: real training clips in the place of generated ones, and a still face.

Source: docs/protocol.md, "references" and "refuse to score".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from facial_bench.evaluation.clip_scores import Fold
from facial_bench.evaluation.failed_clips import chance_motion
from facial_bench.evaluation.realism import floor_realism, fold_realism, make_layout
from facial_bench.evaluation.requests import Task
from facial_bench.evaluation.result_schema import Ceiling, Reference
from facial_bench.metrics.realism import realism_definitions
from facial_bench.statistics.aggregate import summarise
from facial_bench.statistics.rows import Entry, Row

CEILING, CHANCE = "real training clips", "mean training state"


def realism_references(own: Sequence[tuple[Fold, Sequence[Task]]]) -> dict[str, Reference]:
    """id of a realism metric -> its ceiling (a floor, lower being better) and chance, and why it is refused, or None.

    Args:
        own: each fold with its self-driven tasks.
    """
    protocol = own[0][0].classifiers.protocol
    refused = next((why for _, tasks in own if tasks and (why := make_layout(tasks, protocol).refused)), "")
    floor, still = [], []
    for fold, tasks in own if not refused else ():
        floor += _rows(tasks, floor_realism(tasks, fold))
        still += _rows(tasks, fold_realism(tasks, {task.request.id: chance_motion(task) for task in tasks}, fold))
    references = {}
    for one in realism_definitions():
        if refused:
            nothing = Ceiling(value=None, low=None, high=None)
            references[one.id] = Reference(
                ceiling=nothing, ceiling_is=CEILING, chance=None, chance_is=CHANCE, refused=refused
            )
            continue
        summary, chance = summarise([floor], one.id, protocol), summarise([still], one.id, protocol).value
        ceiling = Ceiling(value=summary.value, low=summary.low, high=summary.high)
        references[one.id] = Reference(
            ceiling=ceiling, ceiling_is=CEILING, chance=chance, chance_is=CHANCE, refused=_no_floor(ceiling, chance)
        )
    return references


def _no_floor(ceiling: Ceiling, chance: float | None) -> str | None:
    """Why real clips are told from real ones as well as a still face is; None where they are not."""
    if ceiling.value is None:
        return f"too few {CEILING} to stand beside the held-out ones"
    if chance is None or ceiling.high is None or ceiling.high < chance:
        return None
    ends = f"[{ceiling.low:.2f}, {ceiling.high:.2f}]"
    return f"{CEILING} {ceiling.value:.2f} {ends} are told from real held-out ones like a still face, {chance:.2f}"


def _rows(tasks: Sequence[Task], found: Mapping[str, Mapping[str, Entry]]) -> list[Row]:
    return [
        Row(
            request=task.request.id,
            clip=task.clip.id,
            start=task.clip.start,
            frames=task.clip.frames,
            driving=task.driving,
            identity=task.request.identity,
            status="ok",
            metrics=found.get(task.request.id, {}),
        )
        for task in tasks
    ]
