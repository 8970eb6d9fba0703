"""Results as rows for a data frame: `pandas.DataFrame(results.to_rows())`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

from facial_bench.evaluation.result_schema import Result
from facial_bench.statistics.aggregate import count_undefined


class Results(Sequence[Result]):
    """Results in a fixed order.

    Args:
        results: Checked, as `read_result` gives them.
    """

    def __init__(self, results: Sequence[Result]) -> None:
        self._results = tuple(results)

    def __len__(self) -> int:
        return len(self._results)

    @overload
    def __getitem__(self, index: int) -> Result: ...
    @overload
    def __getitem__(self, index: slice) -> Results: ...
    def __getitem__(self, index: int | slice) -> Result | Results:
        return Results(self._results[index]) if isinstance(index, slice) else self._results[index]

    def __repr__(self) -> str:
        return f"<{len(self)} results of {', '.join(dict.fromkeys(one.method.label for one in self)) or 'no method'}>"

    def to_rows(self, *, clips: bool = False) -> list[dict[str, Any]]:
        """A row for each result and metric, plain values only.

        Args:
            clips: Whether to give a row for each clip instead of one over all clips.

        Returns:
            Columns `corpus`, `method`, `seed`, `device`, `metric`, `unit`, `value`, and over all clips
            `higher_is_better`, `low`, `high`, `chance`, `ceiling`, `skill`, `n_clips`, `n_failed`, `n_undefined`,
            `status`, `reason`; by clip `request`, `clip`, `identity`, `driving`, `weight`, `status`, `failed`,
            `reason`. Where `failed` is true the value is not the method's own but what the failure counts as. A value
            that is not there is None.
        """
        return [
            row
            for result in self._results
            for row in (_clip_rows(result) if clips else (metric_row(result, name) for name in result.metrics))
        ]


def _named(result: Result, metric: str) -> dict[str, Any]:
    return {
        "corpus": result.corpus.label,
        "method": result.method.label,
        "seed": result.seed,
        "device": result.device,
        "metric": metric,
        "unit": result.metrics[metric].unit,
    }


def metric_row(result: Result, name: str) -> dict[str, Any]:
    """One metric of a result, as plain values."""
    metric, reference = result.metrics[name], result.references[name]
    return {
        **_named(result, name),
        "higher_is_better": metric.higher_is_better,
        "value": metric.value,
        "low": metric.low,
        "high": metric.high,
        "chance": reference.chance,
        "ceiling": reference.ceiling.value,
        "skill": metric.skill,
        "n_clips": metric.n_clips,
        "n_failed": metric.n_failed,
        "n_undefined": count_undefined(result.clips, name),
        "status": metric.status,
        "reason": metric.reason,
    }


def _clip_rows(result: Result) -> Iterator[dict[str, Any]]:
    """Pooled metrics have no value of a clip: theirs is None."""
    for row in result.clips:
        for name, entry in row.metrics.items():
            if name in result.metrics:
                yield {
                    **_named(result, name),
                    "request": row.request,
                    "clip": row.clip,
                    "identity": row.identity,
                    "driving": row.driving,
                    "value": entry.value if isinstance(entry.value, (int, float)) else None,
                    "weight": entry.weight,
                    "status": row.status,
                    "failed": entry.failed,
                    "reason": entry.reason,
                }
