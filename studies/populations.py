"""Populations whose truth is known, for `studies.coverage`: people are fixed; clips, windows and seeds are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from facial_bench.core.types import Pool
from facial_bench.metrics.pools import frechet_pool, mean_pool, rate_distance_pool, ratio_pool, wasserstein_pool
from facial_bench.statistics.aggregate import estimator
from facial_bench.statistics.bootstrap import Estimate, Unit, ratio

PEOPLE = "abcde"
FEW = (2, 3, 4, 5, 8, 12)
Draw = Callable[[np.random.Generator, int], list[list[Unit]]]
"""(rng, clips a person) -> units per seed."""
Items = Callable[[np.random.Generator, float], np.ndarray]
"""(rng, how much a trained model is off) -> the items of a clip, for a person of size 1."""


@dataclass(frozen=True)
class Population:
    """Something to estimate."""

    draw: Draw
    clips: tuple[int, ...] = FEW
    """Numbers of clips to try."""
    proportion: bool = False
    estimate: Estimate = ratio


def distances(spread: float, seeds: int = 1, seed_spread: float = 0.0) -> Draw:
    """A distance of each clip: log-normal around the person's mean of 1, 1.1 ...; a factor per training seed."""

    def draw(rng: np.random.Generator, clips: int) -> list[list[Unit]]:
        values = {
            p: (1 + k / 10) * np.exp(spread * rng.standard_normal(clips) - spread**2 / 2) for k, p in enumerate(PEOPLE)
        }
        factors = 1 + seed_spread * rng.standard_normal(seeds)
        return [[Unit(p, (v * f, 1.0)) for p in PEOPLE for v in values[p]] for f in factors]

    return draw


def weighted_distances(spread: float) -> Draw:
    """As `distances`, of clips of 30 to 400 frames, whose weight is frames / 128 and at most 1."""
    every = distances(spread)

    def draw(rng: np.random.Generator, clips: int) -> list[list[Unit]]:
        weights = np.minimum(rng.uniform(30, 400, clips * len(PEOPLE)) / 128, 1)
        (units,) = every(rng, clips)
        pairs = zip(units, weights.tolist(), strict=True)
        return [[Unit(unit.identity, (unit.numbers[0] * weight, weight)) for unit, weight in pairs]]

    return draw


def accuracies(spread: float, windows: int = 12) -> Draw:
    """A share of windows of each clip: its logit is normal around the person's."""

    def draw(rng: np.random.Generator, clips: int) -> list[list[Unit]]:
        units = []
        for k, p in enumerate(PEOPLE):
            for chance in expit(logit(0.5 + 0.09 * k) + spread * rng.standard_normal(clips)):
                units.append(Unit(p, (float(rng.binomial(windows, chance)), float(windows))))
        return [units]

    return draw


def blocks(memory: float) -> Draw:
    """One clip a person, cut into blocks whose distances remember each other; `clips` counts the blocks."""

    def draw(rng: np.random.Generator, clips: int) -> list[list[Unit]]:
        units = []
        for k, p in enumerate(PEOPLE):
            value = rng.standard_normal()
            for _ in range(clips):
                units.append(Unit(p, (1 + k / 10 + 0.2 * value, 1.0)))
                value = memory * value + np.sqrt(1 - memory**2) * rng.standard_normal()
        return [units]

    return draw


def pooled(pool: Pool, items: Items, real: Items, seeds: int = 1, seed_spread: float = 0.0) -> Population:
    """A pooled metric of items against the real items of five clips, which are drawn once and stay."""

    def clips_of(k: int, rng: np.random.Generator, number: int, made: Items, off: float) -> list[np.ndarray]:
        return [(1 + k / 10) * made(rng, off) for _ in range(number)]

    fixed = np.random.default_rng(7)
    parts = {p: pool.reduce(np.concatenate(clips_of(k, fixed, 5, real, 0.0))) for k, p in enumerate(PEOPLE)}

    def draw(rng: np.random.Generator, clips: int) -> list[list[Unit]]:
        return [
            [
                Unit(p, tuple(pool.reduce(clip)))
                for k, p in enumerate(PEOPLE)
                for clip in clips_of(k, rng, clips, items, off)
            ]
            for off in seed_spread * rng.standard_normal(seeds)
        ]

    return Population(draw, estimate=estimator(pool, parts))


def durations(rng: np.random.Generator, off: float) -> np.ndarray:
    """Frames of each blink of a clip."""
    return np.exp(np.log(6) + off + 0.15 * rng.standard_normal() + 0.3 * rng.standard_normal(1 + rng.poisson(4)))


def blinks(rate: float) -> Items:
    """400 frames, 1 where a blink begins; clips differ by 20 %."""

    def items(rng: np.random.Generator, off: float) -> np.ndarray:
        count = min(rng.poisson(6 * rate * np.exp(off + 0.2 * rng.standard_normal() - 0.02)), 400)
        return np.repeat([1.0, 0.0], [count, 400 - count])

    return items


def energies(rng: np.random.Generator, off: float) -> np.ndarray:
    """One pair of sums a clip: generated and real energy, which go together."""
    real = np.exp(0.4 * rng.standard_normal())
    return np.array([[real * np.exp(off + 0.3 * rng.standard_normal()), real]])


def samples(width: int, shift: float, scale: float, between: float, count: int | None = None) -> Items:
    """Normal items around the mean of their clip; a few of them, or so many."""

    def items(rng: np.random.Generator, off: float) -> np.ndarray:
        n = 3 + rng.poisson(6) if count is None else count
        middle = shift + off + between * rng.standard_normal(width)
        return middle + scale * np.exp(0.15 * rng.standard_normal()) * rng.standard_normal((n, width))

    return items


def populations() -> dict[str, Population]:
    """Name -> population."""
    one, three, six = samples(1, 0, 1, 0.3), samples(3, 0, 1, 0.3, 60), samples(6, 0, 1, 0.5, 60)
    return {
        "distance, clips differ by 10 %": Population(distances(0.1)),
        "distance, clips differ by 30 %": Population(distances(0.3)),
        "distance, 30 %, clips of unequal weight": Population(weighted_distances(0.3)),
        "distance, 30 %, three seeds that differ by 3 %": Population(distances(0.3, 3, 0.03), (2, 3, 5, 12)),
        "accuracy, clips alike (logit spread 0.3)": Population(accuracies(0.3), proportion=True),
        "accuracy, clips unlike (logit spread 1.5)": Population(accuracies(1.5), proportion=True),
        "one clip in blocks, no memory": Population(blocks(0.0), (3, 5, 10)),
        "one clip in blocks, memory 0.5": Population(blocks(0.5), (3, 5, 10)),
        "mean of events (blink durations)": pooled(mean_pool(), durations, durations),
        "ratio of sums (energies)": pooled(ratio_pool(), energies, energies),
        "distance of rates, twice the real rate": pooled(rate_distance_pool(), blinks(2), blinks(1)),
        "distance of rates, the real rate": pooled(rate_distance_pool(), blinks(1), blinks(1)),
        "W1, elsewhere and wider": pooled(wasserstein_pool(), samples(1, 1, 1.5, 0.3), one),
        "W1, hardly moving": pooled(wasserstein_pool(), samples(1, 0, 0.3, 0.1), one),
        "W1, the real process itself": pooled(wasserstein_pool(), one, one),
        "W1, elsewhere, three seeds": pooled(wasserstein_pool(), samples(1, 1, 1.5, 0.3), one, 3, 0.1),
        "Frechet of 3, elsewhere and wider": pooled(frechet_pool(3), samples(3, 1, 1.5, 0.3, 60), three),
        "Frechet of 3, hardly moving": pooled(frechet_pool(3), samples(3, 0, 0.2, 0.1, 60), three),
        "Frechet of 3, the real process itself": pooled(frechet_pool(3), three, three),
        "Frechet of 6, elsewhere": pooled(frechet_pool(6), samples(6, 0.5, 1, 0.5, 60), six),
        "Frechet of 6, the real process itself": pooled(frechet_pool(6), six, six),
    }
