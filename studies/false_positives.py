"""How often two methods that are ONE process are said to differ: `python -m studies.false_positives`.

Both methods are drawn from the same process: a trained model (a training seed) is off by something of its own, and off
by something else in each clip. Every pair that is said to differ is a false positive.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from scipy.special import expit
from scipy.stats import binomtest

from facial_bench.metrics.pools import wasserstein_pool
from facial_bench.statistics.aggregate import estimator
from facial_bench.statistics.bootstrap import Estimate, ratio
from facial_bench.statistics.permutation import permute
from facial_bench.statistics.rows import Entry, Row

PEOPLE, CLIPS, LEVEL = "abcd", 3, 0.05
RATIOS = (0.0, 0.1, 1.0, 10.0)
"""Variance of trained models / variance of a trained model's clips."""
SEEDS = (1, 3, 5)
HEADERS = ("metric", "seeds", "seeds' variance / clips'", "read as a claim about", "p < 0.05", "of clips alone")
Draw = Callable[[np.random.Generator, float], Entry]
"""(rng, how much a trained model is off in a clip) -> what a metric finds there."""


def distance(rng: np.random.Generator, off: float) -> Entry:
    """A distance; clips count alike."""
    return Entry(value=float(np.exp(0.1 * off)), weight=1)


def share(rng: np.random.Generator, off: float) -> Entry:
    """A share of 24 windows."""
    return Entry(value=float(rng.binomial(24, expit(0.4 + 0.5 * off)) / 24), weight=24)


def pooled(rng: np.random.Generator, off: float) -> Entry:
    """Items of a distribution that is compared with a real one."""
    return Entry(part=tuple(np.sort(0.5 + 0.3 * off + rng.standard_normal(8)).tolist()), items=8)


def metrics() -> dict[str, tuple[str, Draw, Estimate]]:
    """Name -> id that decides how people are balanced, what is drawn, and the estimate."""
    real = {person: np.random.default_rng(k).standard_normal(60).tolist() for k, person in enumerate(PEOPLE)}
    return {
        "mean (a distance)": ("lmd", distance, ratio),
        "share (an accuracy)": ("pose_accuracy", share, ratio),
        "pooled (W1)": ("w1", pooled, estimator(wasserstein_pool(), real)),
    }


def trained_models(rng: np.random.Generator, seeds: int, spread: float, metric: str, draw: Draw) -> list[list[Row]]:
    """The rows of a method's training seeds."""
    return [
        [
            Row(
                request=f"self/{person}{clip}@0",
                clip=f"{person}{clip}",
                start=0,
                frames=200,
                driving="self",
                identity=person,
                status="ok",
                metrics={metric: draw(rng, own + rng.standard_normal())},
            )
            for person in PEOPLE
            for clip in range(CLIPS)
        ]
        for own in np.sqrt(spread) * rng.standard_normal(seeds)
    ]


def false_positives(name: str, seeds: int, spread: float, draws: int, seed: int = 0) -> tuple[int, int]:
    """How many of the draws are said to differ: by the test, and by clips alone."""
    rng, (metric, draw, estimate) = np.random.default_rng(seed), metrics()[name]
    found = alone = 0
    for _ in range(draws):
        a, b = (trained_models(rng, seeds, spread, metric, draw) for _ in "ab")
        tested = permute(a, b, metric, estimate)
        if tested is not None:
            found += tested.p < LEVEL
            alone += tested.test.p_clips(0.0) < LEVEL
    return found, alone


def rate(hits: int, draws: int) -> str:
    """A share with its Wilson interval."""
    ends = binomtest(hits, draws).proportion_ci(method="wilson")
    return f"{hits / draws:.3f} [{ends.low:.3f}, {ends.high:.3f}]"


def claim(seeds: int, spread: float) -> str:
    """What a p of so many seeds is about."""
    return "methods" if seeds > 1 else "trained models" if spread == 0 else "methods (not claimed)"


def main() -> None:
    """Simulate, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--only", default="", help="metrics whose name holds this text")
    given = parser.parse_args()
    draws = given.draws
    print("| " + " | ".join(HEADERS) + " |\n" + "|---" * len(HEADERS) + "|", flush=True)
    for name in (one for one in metrics() if given.only in one):
        for seeds in SEEDS:
            for spread in RATIOS:
                found, alone = false_positives(name, seeds, spread, draws)
                cells = (name, seeds, spread, claim(seeds, spread), rate(found, draws), rate(alone, draws))
                print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
