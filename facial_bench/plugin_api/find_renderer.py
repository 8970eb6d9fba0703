"""Finding renderers by their names, without loading the code of plugins here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from facial_bench.core.progress import Reporter
from facial_bench.core.types import check_options
from facial_bench.isolation.conditions import Conditions
from facial_bench.plugin_api.discovery import discover
from facial_bench.plugin_api.registry import Plugins, Registered, nobody_offers, two_claim
from facial_bench.rendering.renderer import RendererCode
from facial_bench_worker.source import source_digest


def find_renderer(
    name: str,
    options: Mapping[str, str],
    plugins: Plugins,
    files: Sequence[Path],
    conditions: Conditions,
    report: Reporter,
) -> RendererCode:
    """A renderer by its name: a built-in, one of a module of this process, or whatever plugins offer.

    Args:
        name: Of the renderer.
        options: That it is to take.
        plugins: Loaded in this process.
        files: Single files that may offer it.
        conditions: Under which it will run.
        report: Is told what plugins print when they are listed.

    Raises:
        FacialBenchError: nobody offers it, or it does not declare an option. PluginError: two plugins claim the name.
    """
    here = plugins.registered("renderers")
    if name in here and not files:
        return _registered(here[name], options)
    found = discover("renderers", files, conditions, report)
    for both in set(here) & set(found.offers):
        if here[both].source != found.offers[both].by:
            raise two_claim("renderers", both, here[both].source, found.offers[both].by)
    if name in here:
        return _registered(here[name], options)
    if name not in found.offers:
        raise nobody_offers("renderer", name, [*here, *found.offers], [*plugins.failures, *found.failures])
    offer = found.offers[name]
    check_options(offer, options, "renderer")
    return RendererCode(name, offer.reference, offer.by.plugin, offer.by.version, offer.source, offer.by.origin)


def _registered(registered: Registered, options: Mapping[str, str]) -> RendererCode:
    spec, by = registered.spec, registered.source
    check_options(spec, options, "renderer")
    own = None if by.origin else spec
    return RendererCode(spec.name, spec.reference, by.plugin, by.version, source_digest(spec), by.origin, own)
