"""The contract between facial-bench and its plugins: the hooks, and nothing else.

A plugin is a module, named by an entry point in the group `facial_bench`, with functions marked by
`facial_bench.hookimpl`. The functions that list things are called whenever a list is needed, so they
must be cheap: no torch, no files, no network. docs/plugins.md tells the whole story.
"""

from __future__ import annotations

from collections.abc import Sequence

import pluggy

from facial_bench.core.types import (
    AudioFeatureSpec,
    CorpusSpec,
    GeneratorSpec,
    ImporterSpec,
    MetricSpec,
    PictureMetricSpec,
    RendererSpec,
    TrackerSpec,
)
from facial_bench_worker.hooks import PROJECT, hookimpl

__all__ = ["PROJECT", "hookimpl", "spec_types"]

hookspec = pluggy.HookspecMarker(PROJECT)


@hookspec
def facial_bench_generators() -> Sequence[GeneratorSpec]:  # type: ignore[empty-body]
    """Methods that turn speech into facial motion; called to list them or to look one up."""


@hookspec
def facial_bench_corpora() -> Sequence[CorpusSpec]:  # type: ignore[empty-body]
    """Named corpora that can be made here; called to list them or to look one up."""


@hookspec
def facial_bench_importers() -> Sequence[ImporterSpec]:  # type: ignore[empty-body]
    """Foreign formats that can become a corpus folder; called by `corpus import`."""


@hookspec
def facial_bench_metrics() -> Sequence[MetricSpec]:  # type: ignore[empty-body]
    """Metrics that compare generated with real motion; called to list them and to score."""


@hookspec
def facial_bench_trackers() -> Sequence[TrackerSpec]:  # type: ignore[empty-body]
    """Face trackers; called by `corpus build`, and to track rendered videos."""


@hookspec
def facial_bench_audio_features() -> Sequence[AudioFeatureSpec]:  # type: ignore[empty-body]
    """Audio features that can be computed from sound; called by `corpus build`."""


@hookspec
def facial_bench_renderers() -> Sequence[RendererSpec]:  # type: ignore[empty-body]
    """Renderers that turn facial motion into pictures; called by `render`, to list them or to look one up."""


@hookspec
def facial_bench_picture_metrics() -> Sequence[PictureMetricSpec]:  # type: ignore[empty-body]
    """Metrics that compare rendered with real pictures; called to list them, and by `render` to score."""


def spec_types() -> dict[str, type]:
    """kind -> the type that `facial_bench_<kind>` lists."""
    return {
        "generators": GeneratorSpec,
        "corpora": CorpusSpec,
        "importers": ImporterSpec,
        "metrics": MetricSpec,
        "trackers": TrackerSpec,
        "audio_features": AudioFeatureSpec,
        "renderers": RendererSpec,
        "picture_metrics": PictureMetricSpec,
    }
