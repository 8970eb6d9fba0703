"""Fixtures: the tiny person and renderers fitted to it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tiny_person, whatever the import mode


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small are slowed by threads, most of all beside other work."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def fitted() -> Callable[..., object]:
    """fitted("facial", option=value, ...) -> the renderer, fitted to two people; each combination once."""
    from tiny_person import make_context, make_motion, make_video

    from facial_bench_renderer.plugin import facial_bench_renderers

    specs = {spec.name: spec for spec in facial_bench_renderers()}
    videos = [make_video(make_motion(40, 1), "ann"), make_video(make_motion(30, 2), "bob")]
    cache: dict[tuple, object] = {}

    def fit(name: str = "facial", seed: int = 3, **options: str) -> object:
        key = (name, seed, *sorted(options.items()))
        if key not in cache:
            context = make_context(seed, **options)
            cache[key] = specs[name].create(context)
            cache[key].fit(videos, context)
        return cache[key]

    return fit
