"""Fixtures: the toy corpus and methods fitted to it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from facial_bench.types import Clip

sys.path.insert(0, str(Path(__file__).parent))  # toy_corpus, whatever the import mode


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small are slowed by threads, most of all beside other work."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def clips() -> Sequence[Clip]:
    from toy_corpus import make_clip

    rng = np.random.default_rng(0)
    return [make_clip(f"{who}{i}", who, 200, rng) for who in ("ann", "bob") for i in range(2)]


@pytest.fixture(scope="session")
def fitted(clips: Sequence[Clip]) -> Callable[..., object]:
    """fitted("facial", option=value, ...) -> the method, fitted; each combination once."""
    from toy_corpus import make_context

    from facial_bench_facial.plugin import facial_bench_generators

    specs = {spec.name: spec for spec in facial_bench_generators()}
    cache: dict[tuple, object] = {}

    def fit(name: str = "facial", seed: int = 3, **options: str) -> object:
        key = (name, seed, *sorted(options.items()))
        if key not in cache:
            context = make_context(seed=seed, **options)
            cache[key] = specs[name].create(context)
            cache[key].fit(clips, context)
        return cache[key]

    return fit
