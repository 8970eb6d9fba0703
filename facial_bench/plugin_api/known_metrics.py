"""Which metrics there are: the protocol's own, and what plugins bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from facial_bench.core.errors import PluginError, ResultError
from facial_bench.core.types import Definition, MetricSpec
from facial_bench.core.version import DISTRIBUTION
from facial_bench.metrics.catalog import STANDARD, network_definitions
from facial_bench.plugin_api.registry import Plugins


def known_definitions(plugins: Plugins) -> dict[str, Definition]:
    """Id -> definition, those that networks compute among them; a plugin's metric is shown, and ranks nobody.

    Raises:
        PluginError: a plugin that takes the name of one of the protocol's own.
    """
    registered, own = plugins.registered("metrics"), {one.id: one for one in network_definitions()}
    for name in set(own) & set(registered):
        raise PluginError(
            f"{registered[name].source} registers the metric '{name}', which the protocol defines. Rename it."
        )
    specs = {
        name: one.spec if one.source.plugin == DISTRIBUTION else replace(one.spec, ranked=False)
        for name, one in registered.items()
    }
    return {**specs, **own}


def specs_named(names: Sequence[str], known: Mapping[str, Definition]) -> list[MetricSpec]:
    """The metrics of these names, in their order, without those that networks compute.

    Raises:
        ResultError: a metric that nothing here computes.
    """
    lacking = [name for name in names if name not in known]
    if lacking:
        raise ResultError(f"No plugin here computes {', '.join(lacking)}. Install it, or name its file with --plugin.")
    return [spec for spec in map(known.__getitem__, names) if isinstance(spec, MetricSpec)]


def measured_names(plugins: Plugins) -> list[str]:
    """What every run measures besides what networks compute: the protocol's own metrics, then those of plugins."""
    registered = plugins.registered("metrics").items()
    return [*STANDARD, *(name for name, one in registered if one.source.plugin != DISTRIBUTION)]
