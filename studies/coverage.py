"""How often a 95 % interval covers the truth, for as many clips as the corpora have: `python -m studies.coverage`.

Populations are made whose truth is known: people are fixed, their clips, windows and training seeds are drawn. How much
clips differ is read off results: pass their folder with --results to print it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.special import expit, logit
from scipy.stats import binomtest
from tabulate import tabulate

from facial_bench.core.protocol import Protocol
from facial_bench.reports.archive import read_every
from facial_bench.statistics.aggregate import make_shares, make_units
from facial_bench.statistics.bootstrap import Unit, interval, point

PEOPLE = "abcde"
Population = Callable[[np.random.Generator, int], tuple[list[list[Unit]], bool]]
"""(rng, clips a person) -> units per seed, and whether they are proportions."""


def distances(spread: float, seeds: int = 1, seed_spread: float = 0.0) -> Population:
    """A distance of each clip: log-normal around the person's mean of 1, 1.1 ...; a factor per training seed."""

    def draw(rng: np.random.Generator, clips: int) -> tuple[list[list[Unit]], bool]:
        values = {
            p: (1 + k / 10) * np.exp(spread * rng.standard_normal(clips) - spread**2 / 2) for k, p in enumerate(PEOPLE)
        }
        factors = 1 + seed_spread * rng.standard_normal(seeds)
        return [[Unit(p, (v * f, 1.0)) for p in PEOPLE for v in values[p]] for f in factors], False

    return draw


def accuracies(spread: float, windows: int = 12) -> Population:
    """A share of windows of each clip: its logit is normal around the person's."""

    def draw(rng: np.random.Generator, clips: int) -> tuple[list[list[Unit]], bool]:
        units = []
        for k, p in enumerate(PEOPLE):
            for chance in expit(logit(0.5 + 0.09 * k) + spread * rng.standard_normal(clips)):
                units.append(Unit(p, (float(rng.binomial(windows, chance)), float(windows))))
        return [units], True

    return draw


def blocks(memory: float) -> Population:
    """One clip a person, cut into blocks whose distances remember each other; `clips` counts the blocks."""

    def draw(rng: np.random.Generator, clips: int) -> tuple[list[list[Unit]], bool]:
        units = []
        for k, p in enumerate(PEOPLE):
            value = rng.standard_normal()
            for _ in range(clips):
                units.append(Unit(p, (1 + k / 10 + 0.2 * value, 1.0)))
                value = memory * value + np.sqrt(1 - memory**2) * rng.standard_normal()
        return [units], False

    return draw


def truth(population: Population, clips: int) -> float:
    """The expectation, from many clips."""
    rng = np.random.default_rng(1)
    drawn = [population(rng, clips)[0][0] for _ in range(4000)]
    return float(np.mean([point([units], dict.fromkeys(PEOPLE, 1 / 5)) for units in drawn]))


def coverage(population: Population, clips: int, draws: int, resamples: int) -> tuple[int, float]:
    """How many of the intervals hold the truth, and their mean width."""
    rng, protocol, expected = np.random.default_rng(0), Protocol(), truth(population, clips)
    hits, widths = 0, []
    for _ in range(draws):
        groups, proportion = population(rng, clips)
        ends = interval(
            groups,
            dict.fromkeys(PEOPLE, 1 / 5),
            resamples=resamples,
            confidence=protocol.confidence,
            rng=rng,
            proportion=proportion,
        )
        hits += ends is not None and ends[0] <= expected <= ends[1]
        widths.append(ends[1] - ends[0] if ends else np.nan)
    return hits, float(np.nanmean(widths))


def populations() -> dict[str, tuple[Population, tuple[int, ...]]]:
    """Name -> population, and the numbers of clips to try."""
    few = (2, 3, 4, 5, 8, 12)
    return {
        "distance, clips differ by 10 %": (distances(0.1), few),
        "distance, clips differ by 30 %": (distances(0.3), few),
        "distance, 30 %, three seeds that differ by 3 %": (distances(0.3, 3, 0.03), (2, 5, 12)),
        "accuracy, clips alike (logit spread 0.3)": (accuracies(0.3), few),
        "accuracy, clips unlike (logit spread 1.5)": (accuracies(1.5), few),
        "one clip in blocks, no memory": (blocks(0.0), (3, 5, 10)),
        "one clip in blocks, memory 0.5": (blocks(0.5), (3, 5, 10)),
    }


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
    given = parser.parse_args()
    if given.results:
        print(tabulate(measured(given.results), ["method", "metric", "spread of units within a person"], "github"))
        return
    rows = []
    for name, (population, numbers) in populations().items():
        for clips in numbers:
            hits, width = coverage(population, clips, given.draws, given.resamples)
            ends = binomtest(hits, given.draws).proportion_ci(method="wilson")
            share = hits / given.draws
            inside = "yes" if 0.93 <= share <= 0.97 else "no"
            rows.append([name, clips, f"{share:.3f} [{ends.low:.3f}, {ends.high:.3f}]", f"{width:.3g}", inside])
    print(tabulate(rows, ["population", "units a person", "covered [95 %]", "mean width", "93-97 %"], "github"))


if __name__ == "__main__":
    main()
