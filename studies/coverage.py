"""How often a 95 % interval covers the truth, for as many clips as the corpora have: `python -m studies.coverage`.

The truth is the value that clips of the population, as many of them, give on average. How much clips differ is read off
results: pass their folder with --results to print it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import binomtest
from tabulate import tabulate

from facial_bench.core.protocol import Protocol
from facial_bench.reports.archive import read_every
from facial_bench.statistics.aggregate import make_shares, make_units
from facial_bench.statistics.bootstrap import interval, point, ratio
from facial_bench.statistics.jackknife import jackknife_interval
from studies.populations import PEOPLE, Population, populations

HEADERS = ("population", "units a person", "covered [95 %]", "mean width", "93-97 %")
SHARES = dict.fromkeys(PEOPLE, 1 / len(PEOPLE))


def truth(population: Population, clips: int) -> float:
    """The expectation of the estimate at this number of clips, from many draws of them."""
    rng = np.random.default_rng(1)
    return float(np.mean([point(population.draw(rng, clips), SHARES, population.estimate) for _ in range(2000)]))


def coverage(population: Population, clips: int, draws: int, resamples: int) -> tuple[int, float]:
    """How many of the intervals hold the truth, and their mean width."""
    rng, confidence, expected = np.random.default_rng(0), Protocol().confidence, truth(population, clips)
    hits, widths = 0, []
    for _ in range(draws):
        groups, estimate = population.draw(rng, clips), population.estimate
        if estimate is ratio:
            proportion = population.proportion
            ends = interval(groups, SHARES, resamples=resamples, confidence=confidence, rng=rng, proportion=proportion)
        else:
            value = point(groups, SHARES, estimate)
            ends = jackknife_interval(groups, SHARES, confidence=confidence, estimate=estimate, value=value)
        hits += ends is not None and ends[0] <= expected <= ends[1]
        widths.append(ends[1] - ends[0] if ends else np.nan)
    return hits, float(np.nanmean(widths))


def measured(folder: Path) -> list[list[str]]:
    """How much units differ within a person, in the results below a folder."""
    spreads: dict[tuple[str, str], list[float]] = {}
    for result in read_every([folder]):
        for metric in ("lmd", "pose_accuracy"):
            own = [row for row in result.clips if metric in row.metrics]
            units, shares = make_units(own, metric), make_shares(own, metric)
            for person in shares:
                values = np.array([u.numbers[0] / u.numbers[1] for u in units if u.identity == person])
                if len(values) > 1 and values.mean() > 0:
                    spread = values.std(ddof=1) / (values.mean() if metric == "lmd" else 1)
                    spreads.setdefault((result.method.label, metric), []).append(float(spread))
    return [[method, metric, f"{np.median(values):.2f}"] for (method, metric), values in spreads.items()]


def main() -> None:
    """Simulate, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=Protocol().resamples)
    parser.add_argument("--results", type=Path, help="print how much clips differ in these results, and stop")
    parser.add_argument("--only", default="", help="populations whose name holds this")
    given = parser.parse_args()
    if given.results:
        print(tabulate(measured(given.results), ["method", "metric", "spread of units within a person"], "github"))
        return
    print(f"| {' | '.join(HEADERS)} |\n{'|---' * len(HEADERS)}|", flush=True)
    for name, population in populations().items():
        for clips in population.clips if given.only in name else ():
            hits, width = coverage(population, clips, given.draws, given.resamples)
            ends = binomtest(hits, given.draws).proportion_ci(method="wilson")
            share = hits / given.draws
            inside = "yes" if 0.93 <= share <= 0.97 else "no"
            covered = f"{share:.3f} [{ends.low:.3f}, {ends.high:.3f}]"
            print(f"| {name} | {clips} | {covered} | {width:.3g} | {inside} |", flush=True)


if __name__ == "__main__":
    main()
