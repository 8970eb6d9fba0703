"""The hooks: cheap, everything else is imported when it is needed."""

from __future__ import annotations

from collections.abc import Sequence

from facial_bench import hookimpl
from facial_bench.types import Context, Generator, GeneratorSpec, MetricSpec


@hookimpl
def facial_bench_generators() -> Sequence[GeneratorSpec]:
    """The method `nod`."""

    def create(context: Context) -> Generator:
        from facial_bench_nod.method import Nod

        return Nod(context)

    options = {"size": "pitch for one deviation of loudness, rad; default 0.05"}
    return [GeneratorSpec("nod", "the mean state, nodding with the sound", "nobody, 2024", create, options=options)]


@hookimpl
def facial_bench_metrics() -> Sequence[MetricSpec]:
    """The metric `nod_size`."""
    from facial_bench_nod.metric import nod_size

    formula = "mean over t of |pitch^(t) - pitch(t)|"
    return [MetricSpec("nod_size", 1, "rad", False, formula, nod_size)]
