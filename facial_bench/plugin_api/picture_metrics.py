"""Pixel metrics of plugins, ready to measure: their weights found, their code called with care."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import numpy as np

from facial_bench.core.errors import FacialBenchError, PluginError, ResultError, one_line, unknown_name
from facial_bench.core.files import file_digest
from facial_bench.core.types import Definition, PictureMetricSpec
from facial_bench.metrics.image.cycle import cycle_definitions
from facial_bench.metrics.image.maps import Maps
from facial_bench.metrics.image.metric import ImageMetric, mean_of_rows
from facial_bench.metrics.image.pair import Pair
from facial_bench.plugin_api.registry import Plugins, Registered, call
from facial_bench.rendering.protocol import PictureProtocol
from facial_bench_worker.source import source_digest


def find_picture_metrics(
    plugins: Plugins, protocol: PictureProtocol, models: Mapping[str, Path] | None = None
) -> list[ImageMetric]:
    """The pixel metrics of the plugins of this process. One whose weights are not found is absent, and says why.

    Args:
        plugins: Loaded in this process: what computes metrics must be trusted.
        protocol: Its own metrics keep their names.
        models: Id -> the file of weights that was chosen for it.

    Raises:
        FacialBenchError: a chosen file cannot be used, or no plugin has such a metric. PluginError: a plugin takes the
            name of one of the protocol's own.
    """
    registered, own = plugins.registered("picture_metrics"), (*protocol.metrics(), *cycle_definitions())
    for name in {one.id for one in own} & set(registered):
        raise PluginError(
            f"{registered[name].source} registers the metric '{name}', which the protocol defines. Rename it."
        )
    for name in models or {}:
        if name not in registered:
            hint = "Load its plugin: --metric-plugin FILE.py|DISTRIBUTION."
            raise unknown_name("metric with a model", name, registered, hint)
    return [_ready(one, (models or {}).get(name)) for name, one in registered.items()]


def named_in(names: Sequence[str], brought: Sequence[ImageMetric], protocol: PictureProtocol) -> list[ImageMetric]:
    """Those of the metrics of plugins that a rendering holds.

    Raises:
        ResultError: it holds a metric that nothing here computes.
    """
    known = {one.id for one in (*protocol.metrics(), *cycle_definitions(), *brought)}
    lacking = [name for name in names if name not in known]
    if lacking:
        raise ResultError(f"No plugin here computes {', '.join(lacking)}. Install it, and name it with --plugin.")
    return [one for one in brought if one.id in names]


def _ready(registered: Registered, chosen: Path | None) -> ImageMetric:
    spec: PictureMetricSpec = registered.spec
    values = {one.name: getattr(spec, one.name) for one in fields(Definition)} | {"ranked": False}
    metric = ImageMetric(**values, measure=_never, value=mean_of_rows, source=source_digest(spec))
    metric = replace(metric, same_moment=spec.same_moment)
    try:
        weights = call(registered, f"looking for the weights of {spec.id}", spec.weights, chosen)
        digest = file_digest(weights) if weights else ""
    except PluginError:
        raise
    except FacialBenchError as problem:
        if chosen is not None:
            raise
        return replace(metric, absent=one_line(problem))
    formula = f"{spec.formula}; weights SHA-256 {digest}" if digest else spec.formula
    return replace(metric, formula=formula, measure=_measuring(registered, weights))


def _never(pair: Pair, maps: Maps) -> np.ndarray:
    raise ValueError("the metric is absent")


def _measuring(registered: Registered, weights: Path | None) -> Callable[[Pair, Maps], np.ndarray]:
    """What measures a block; the network is loaded when the first one comes."""
    spec: PictureMetricSpec = registered.spec

    @cache
    def loaded() -> Callable[..., np.ndarray]:
        return call(registered, f"loading the metric {spec.id}", spec.create, weights)

    def measure(pair: Pair, maps: Maps) -> np.ndarray:
        arrays = [pair.real, pair.rendered, pair.landmarks]
        arrays += [] if spec.same_moment else [pair.landmarks if pair.wanted is None else pair.wanted]
        values = np.asarray(call(registered, f"the metric {spec.id}", loaded(), *arrays), np.float64)
        if values.shape != (len(pair.real),) or np.isinf(values).any():
            what = "infinite values" if np.isinf(values).any() else f"{values.shape} values"
            raise PluginError(f"{registered.source}: {spec.id} gave {what} for {len(pair.real)} frames.")
        return values[:, None]

    return measure
