"""What the types of a result cannot say: rules between its fields."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from facial_bench.evaluation.compact import only_clips
from facial_bench.evaluation.result_schema import SCHEMA, Metric, Result
from facial_bench.metrics.shares import window_shares
from facial_bench.statistics.aggregate import is_scored
from facial_bench.statistics.rows import Entry, Row


def contradictions(result: Result) -> Iterator[str]:
    """What is wrong with a result whose fields are all there and of the right types, each in a few words."""
    yield from _in_the_whole(result)
    yield from _in_the_metrics(result)
    yield from _in_the_clips(result)


def _in_the_whole(result: Result) -> Iterator[str]:
    if result.schema != SCHEMA:
        yield f"schema {result.schema!r}, this version reads {SCHEMA!r}"
    if not result.metrics or not result.clips:
        yield "it holds no metric or no clip"


def _in_the_metrics(result: Result) -> Iterator[str]:
    for name, metric in result.metrics.items():
        if name not in result.references:
            yield f"metrics[{name!r}] has no reference"
        if metric.status == "ok" and metric.value is None:
            yield f"metrics[{name!r}] is ok without a value"
        if metric.status != "ok" and (metric.value is not None or not metric.reason):
            yield f"metrics[{name!r}] is {metric.status}, but has a value, or no reason"


def _in_the_clips(result: Result) -> Iterator[str]:
    seen: set[str] = set()
    alone = only_clips(result.clips)
    for row in result.clips:
        if row.request in seen:
            yield f"clip {row.request} is listed twice"
        seen.add(row.request)
        for name, entry in row.metrics.items():
            problem = _in_the_entry(entry) or _in_the_failure(row, name, entry, result.metrics.get(name))
            if not problem and (name, row.identity) in alone and is_scored(row, name) and not entry.blocks:
                problem = "the only clip of a person has no blocks"
            if problem:
                yield f"clip {row.request}, {name}: {problem}"
            elif entry.part is not UNSET:
                reference = result.references.get(name)
                if reference is None or row.identity not in reference.parts:
                    yield f"clip {row.request}, {name}: the references hold no part of {row.identity}"


def _in_the_entry(entry: Entry) -> str:
    """What is wrong with an entry; empty where nothing is."""
    if entry.part is not UNSET:
        return ""
    if entry.value is UNSET:
        return "neither a value nor a part"
    if entry.value is None:
        return ""
    whole = entry.weight > 0 and all(len(block) == 2 and block[1] > 0 for block in entry.blocks)
    return "" if whole else "weight or blocks are damaged"


def _in_the_failure(row: Row, name: str, entry: Entry, metric: Metric | None) -> str:
    """What is wrong with how a failure is counted; empty where nothing is."""
    if not entry.failed:
        return "the clip failed, and the entry did not" if row.status == "failed" and not entry.absent else ""
    if entry.absent:
        return "it is failed and absent at once"
    if metric is None or entry.numbers is None:
        return ""
    if metric.higher_is_better is None:
        return "a metric without a better direction has no value where it failed"
    worst = 0 if metric.higher_is_better else 1
    return f"failed with {entry.value} of its windows" if name in window_shares() and entry.value != worst else ""
