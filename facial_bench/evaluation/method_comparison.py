"""Methods beside each other: which results belong together, every pair tested on every metric, what was left out."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from facial_bench.core.errors import ResultError, unknown_name
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Definition, MetricSpec
from facial_bench.evaluation.result import Result, disagreement, is_of_one_source
from facial_bench.statistics.aggregate import count_failed, estimator
from facial_bench.statistics.compare import Difference, compare, holm

Named = Sequence[tuple[Path, Result]]
"""Results, each with the path that the user named it by."""


@dataclass(frozen=True)
class Pair:
    """Two methods on one metric."""

    metric: str
    a: str
    """Label of the first method."""
    b: str
    higher_is_better: bool
    difference: Difference
    holm_p: float
    """p after Holm's correction over the pairs of this metric. Pairs of methods that failed on no clip are corrected
    among themselves, as if there were no others."""
    verdict: str
    """Who is better, or that nothing was found, or that so few clips cannot decide."""
    failed: Mapping[str, int]
    """label -> clips that count as failed, over its seeds; only of methods that failed on some."""


@dataclass(frozen=True)
class Comparison:
    """Every pair of the methods on every metric that both have."""

    groups: Mapping[str, Sequence[Result]]
    """label -> its results, one per seed."""
    pairs: Sequence[Pair]
    skipped: Mapping[str, Sequence[str]]
    """Why something was not compared -> the metrics that it concerns."""
    notes: Sequence[str] = ()
    """What else to know; one line each."""


class _Tested(NamedTuple):
    """A pair before Holm's correction; fields as in `Pair`."""

    metric: str
    a: str
    b: str
    higher_is_better: bool
    difference: Difference
    failed: Mapping[str, int]


def group_results(named: Named) -> dict[str, list[Result]]:
    """label -> its results, one per seed, all of one corpus and protocol. Two versions of one method, named by two
    folders, are told apart by these.

    Raises:
        ResultError: results of two corpora or protocols, one seed named twice, or fewer than two methods.
    """
    first = named[0][1]
    clashing = _clashing(named)
    groups: dict[str, list[Result]] = {}
    for path, result in named:
        if (result.corpus.digest, result.protocol.digest) != (first.corpus.digest, first.protocol.digest):
            raise ResultError(
                f"{path} is of another corpus or protocol than {named[0][0]}: their numbers are different "
                "quantities. Run both on one corpus."
            )
        label = f"{result.method.label} ({path})" if result.method.label in clashing else result.method.label
        if any(other.seed == result.seed for other in groups.get(label, [])):
            raise ResultError(f"{path}: seed {result.seed} of {label} is named twice. Name each result once.")
        groups.setdefault(label, []).append(result)
    if len(groups) < 2:
        raise ResultError(f"All of these are results of {next(iter(groups))}. Name two methods or more.")
    return groups


def _clashing(named: Named) -> set[str]:
    """Labels of which two paths hold one seed with two results: two versions of one method."""
    places: dict[tuple[str, int], dict[Path, str]] = {}
    for path, result in named:
        places.setdefault((result.method.label, result.seed), {})[path] = result.digest
    return {label for (label, _), results in places.items() if len(results) == len(set(results.values())) > 1}


def compare_methods(
    groups: Mapping[str, Sequence[Result]],
    wanted: Sequence[str],
    definitions: Mapping[str, Definition],
    protocol: Protocol,
) -> Comparison:
    """Compare all methods pairwise; Holm's correction runs over the pairs of one metric, as on boards.

    Args:
        groups: label -> its results, one per seed.
        wanted: ids of metrics; none for the ranked ones.
        definitions: of every metric known here.
        protocol: for resampling and significance.

    Raises:
        FacialBenchError: a wanted metric that no result has, or nothing that can be compared.
    """
    results = [result for own in groups.values() for result in own]
    held = dict.fromkeys(name for result in results for name in result.metrics)
    for name in wanted:
        if name not in held:
            raise unknown_name("metric of the results", name, held)
    metrics = dict.fromkeys(wanted) or [name for name in held if name in definitions and definitions[name].ranked]
    tested: list[_Tested] = []
    skipped: dict[str, list[str]] = {}
    for metric in metrics:
        reason = _no_number(metric, groups)
        if reason:
            skipped.setdefault(reason, []).append(metric)
            continue
        reference, spec = results[0].references[metric], definitions.get(metric)
        failed = {label: sum(count_failed(one.clips, metric) for one in own) for label, own in groups.items()}
        estimate = estimator(spec.pool if isinstance(spec, MetricSpec) else None, reference.parts)
        for a, b in itertools.combinations(groups, 2):
            rows = [[result.clips for result in groups[label]] for label in (a, b)]
            difference = compare(rows[0], rows[1], metric, estimate, protocol)
            if difference is None:
                skipped.setdefault(f"{a} and {b} have no clip in common that is scored", []).append(metric)
            else:
                higher = bool(results[0].metrics[metric].higher_is_better)
                lost = {label: failed[label] for label in (a, b) if failed[label]}
                tested.append(_Tested(metric, a, b, higher, difference, lost))
    if not tested:
        reasons = (f"{', '.join(names)}: {reason}" for reason, names in skipped.items())
        raise ResultError(f"Nothing can be compared: {'; '.join(reasons) or 'no metric ranks methods'}.")
    pairs = [pair for metric in metrics for pair in _corrected([t for t in tested if t.metric == metric], protocol)]
    notes = [*_one_seed(pairs), *_unequal_seeds(groups), *_mixed_versions(groups)]
    return Comparison(groups, pairs, skipped, notes)


def _corrected(tested: Sequence[_Tested], protocol: Protocol) -> list[Pair]:
    """The pairs of one metric with Holm's correction: over all of them where a method failed, else over the others."""
    sound = [one for one in tested if not one.failed]
    among_all, among_sound = (iter(holm([t.difference.p for t in some])) for some in (tested, sound))
    pairs = []
    for one in tested:
        p = next(among_all)
        p, tests = (p, len(tested)) if one.failed else (next(among_sound), len(sound))
        verdict = _verdict(one, p, tests, protocol.significance)
        pairs.append(Pair(one.metric, one.a, one.b, one.higher_is_better, one.difference, p, verdict, one.failed))
    return pairs


def _one_seed(pairs: Sequence[Pair]) -> list[str]:
    if not any(pair.difference.about_trained_models for pair in pairs):
        return []
    return [
        "one training seed each: p is about these trained models, not about what other seeds of the methods would give"
    ]


def _no_number(metric: str, groups: Mapping[str, Sequence[Result]]) -> str:
    """Why a metric cannot be compared; empty where it can."""
    for label, results in groups.items():
        for result in results:
            entry = result.metrics.get(metric)
            if entry is None:
                return f"{label} was not measured by it"
            if entry.higher_is_better is None:
                return "it ranks nothing: only the distance to the real value means anything"
            if entry.status != "ok":
                return f"{label} has no value ({entry.reason})"
    return disagreement(result.metrics[metric] for results in groups.values() for result in results)


def _unequal_seeds(groups: Mapping[str, Sequence[Result]]) -> list[str]:
    counts = {label: len(own) for label, own in groups.items()}
    if len(set(counts.values())) == 1:
        return []
    text = ", ".join(f"{label} {count}" for label, count in counts.items())
    return [f"training seeds differ in number ({text}); of a pair as many are used as both have"]


def _mixed_versions(groups: Mapping[str, Sequence[Result]]) -> list[str]:
    mixed = [label for label, own in groups.items() if not is_of_one_source(own)]
    return [f"the seeds of {label} come from different versions of it; run them again" for label in mixed]


def _verdict(tested: _Tested, holm_p: float, tests: int, significance: float) -> str:
    one = tested.difference
    if holm_p < significance:
        ahead = tested.a if (one.difference > 0) == tested.higher_is_better else tested.b
        if ahead in tested.failed:
            return f"not decided: {ahead} is ahead, and failed on {tested.failed[ahead]} clips"
        return f"{ahead} is better"
    if min(one.smallest_p * tests, 1.0) >= significance:
        return f"cannot be decided with {one.clips} clips"
    return "no difference found"
