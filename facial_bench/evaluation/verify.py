"""Is a result true? Everything in it computed again from the stored motion and the corpus, and compared.

What that cannot know is told with it: where the motion comes from, for which the method is asked again
(`evaluation.regenerate`); the behaviour, which needs the method itself and is held by the result's digest alone; and
`timing` and `environment`, which differ from run to run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from facial_bench.evaluation.compact import without_spare_blocks
from facial_bench.evaluation.regenerate import Regenerated
from facial_bench.evaluation.rescore import rescore
from facial_bench.evaluation.result import Metric, Reference, Result, result_digest
from facial_bench.evaluation.run import make_metrics
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.statistics.rows import Row

ROUNDING = 1e-9
"""Relative difference up to which two numbers are one, computed by two machines."""


ORIGIN = "whether the motion is the method's, and whether what is said to have failed did fail"
"""What asking the method again tells; somebody can have deleted the motions of hard clips."""
NEVER = ("how the method behaves (look-ahead, use of the audio)", "timing and environment")
"""What no verification looks at."""


@dataclass(frozen=True)
class Verdict:
    """What a verification found."""

    differences: tuple[str, ...]
    """One line for each thing that is not what it should be; empty: the result is verified."""
    rounded: int
    """Numbers that agree but for their last digits."""
    compared: int
    """Numbers compared."""
    regenerated: Regenerated | None = None
    """What came of asking the method again; None where it was not."""

    @property
    def not_checked(self) -> tuple[str, ...]:
        """What the verdict cannot know."""
        return NEVER if self.regenerated else (ORIGIN, *NEVER)

    def with_regenerated(self, regenerated: Regenerated) -> Verdict:
        """The verdict over the stored motion and over what the method gives now."""
        return replace(self, differences=(*self.differences, *regenerated.differences), regenerated=regenerated)

    def lines(self) -> list[str]:
        """What is printed: differences, what came of asking the method again, the summary, what is not known."""
        again = self.regenerated
        told = [*(f"note: {note}" for note in again.notes), again.summary()] if again else []
        hint = "" if again else " (--regenerate asks the method again)"
        first, *rest = self.not_checked
        return [*self.differences, *told, self.summary(), f"not checked: {'; '.join([first + hint, *rest])}"]

    def summary(self) -> str:
        """One line over all of it."""
        state = f"{len(self.differences)} differences" if self.differences else "verified"
        note = f", {self.rounded} of them but for the last digits" if self.rounded else ""
        return f"{state}; {self.compared} values compared{note}"

    def as_json(self) -> dict[str, Any]:
        """Plain values: `verified`, `differences`, `compared`, `rounded`, `not_checked`, `regenerated`."""
        return {
            "verified": not self.differences,
            "differences": list(self.differences),
            "compared": self.compared,
            "rounded": self.rounded,
            "not_checked": list(self.not_checked),
            "regenerated": self.regenerated.as_json() if self.regenerated else None,
        }


def verify(setup: EvaluationSetup, folder: Path, result: Result) -> Verdict:
    """Recompute a result.

    Args:
        setup: of the result's corpus, with the result's metrics.
        folder: of the result, which holds its motions.
        result: as read.
    """
    differences = []
    if result.digest != result_digest(result):
        differences.append("digest: the file was changed after it was written (its content has another digest)")
    rules, corpus = setup.protocol.digest(), setup.corpus.info.digest
    if result.protocol.digest != rules:
        differences.append(f"protocol.digest: {result.protocol.digest[:12]} stored, {rules[:12]} is this version's")
    if result.corpus.digest != corpus:
        differences.append(f"corpus.digest: {result.corpus.digest[:12]} stored, {corpus[:12]} is the corpus given")
    if result.classifiers != setup.classifiers:
        ours = setup.classifiers[:12] or "none"
        differences.append(
            f"classifiers: {result.classifiers[:12] or 'none'} stored, {ours} here: name those of its board with "
            "--classifiers"
        )
    rows, problems = rescore(setup, folder, result)
    metrics = make_metrics(rows, setup)
    differences += _other_functions(result.metrics, metrics)
    differences += problems
    stored = content_of(result.metrics, result.references, result.clips)
    again = content_of(metrics, setup.references, without_spare_blocks(rows))
    wrong, rounded, compared = compare_contents(stored, again)
    return Verdict((*differences, *wrong), rounded, compared)


def compare_contents(stored: Any, again: Any) -> tuple[list[str], int, int]:
    """A line for each leaf of two JSON values that differs; how many agree but for rounding; how many there are."""
    differences, rounded, compared = [], 0, 0
    for where, one, two in _pairs(stored, again, ""):
        compared += 1
        numbers = _is_number(one) and _is_number(two)
        if numbers and one != two and math.isclose(one, two, rel_tol=ROUNDING, abs_tol=1e-12):
            rounded += 1
        elif one != two:
            differences.append(f"{where}: {_short(one)} stored, {_short(two)} recomputed")
    return differences, rounded, compared


def _other_functions(stored: Mapping[str, Metric], again: Mapping[str, Metric]) -> list[str]:
    """A line for each metric that other functions computed; one stored without a probe says nothing of them."""
    return [
        f"metrics[{name}].probe: {one.probe[:12]} stored, {again[name].probe[:12] or 'none'} recomputed: the function "
        "that computed it is another one"
        for name, one in stored.items()
        if name in again and one.probe not in ("", again[name].probe)
    ]


def content_of(metrics: Mapping[str, Metric], references: Mapping[str, Reference], rows: Sequence[Row]) -> Any:
    """What is compared, as it would be read from a file; probes are compared by themselves."""
    metrics = {name: msgspec.structs.replace(one, probe="") for name, one in metrics.items()}
    content = {"metrics": metrics, "references": references, "clips": {row.request: row for row in rows}}
    return json.loads(json.dumps(msgspec.to_builtins(content)))


def _pairs(one: Any, two: Any, where: str) -> Iterator[tuple[str, Any, Any]]:
    """(path, stored, recomputed) of every leaf of two JSON values; a missing one is `<nothing>`."""
    if isinstance(one, dict) and isinstance(two, dict):
        for key in [*one, *(key for key in two if key not in one)]:
            place = f"{where}[{key}]" if any(mark in key for mark in "/@.") else f"{where}.{key}" if where else key
            yield from _pairs(one.get(key, "<nothing>"), two.get(key, "<nothing>"), place)
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for k, (a, b) in enumerate(zip(one, two, strict=True)):
            yield from _pairs(a, b, f"{where}[{k}]")
    else:
        yield where, one, two


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 60 else f"{text[:57]}..."
