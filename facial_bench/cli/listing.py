"""`facial-bench methods | corpora | plugins`: what is installed, where from, and what failed to load."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from facial_bench.cli.common import aligned, plugin_option, warn_failures
from facial_bench.core.errors import PluginError

if TYPE_CHECKING:
    from facial_bench.plugin_api.manager import Plugins, Registered

NAMED = 20
"""Offers of one plugin and kind that are named; of more the number is said."""


@click.command()
@click.argument("method", required=False, metavar="[NAME]")
@plugin_option
def methods(method: str | None, plugin_files: tuple[Path, ...]) -> None:
    """List the methods, or describe one and its options."""
    from facial_bench.plugin_api.manager import load_plugins

    plugins = load_plugins(plugin_files)
    if method is None:
        click.echo(_summaries(plugins, "generators"))
    else:
        found = plugins.get("generators", "method", method)
        lacks = "may lack parts; metrics that need them are then absent, with the reason"
        facts = [("reference", found.spec.reference), *([("outputs", lacks)] if found.spec.partial else [])]
        click.echo(_describe(method, found, facts))
    warn_failures(plugins)


@click.command()
@click.argument("corpus", required=False, metavar="[NAME]")
@plugin_option
def corpora(corpus: str | None, plugin_files: tuple[Path, ...]) -> None:
    """List the corpora and what builds and imports them, or describe one."""
    from facial_bench.plugin_api.manager import load_plugins

    plugins = load_plugins(plugin_files)
    if corpus is None:
        click.echo(_summaries(plugins, "corpora"))
        for kind in ("importers", "trackers", "audio_features"):
            click.echo(f"\n{_title(kind)}:\n{_summaries(plugins, kind)}")
    else:
        found = plugins.get("corpora", "corpus", corpus)
        click.echo(_describe(corpus, found, [("version", found.spec.version)]))
    warn_failures(plugins)


@click.command()
@plugin_option
def plugins(plugin_files: tuple[Path, ...]) -> None:
    """List what is installed, and what failed to load."""
    from facial_bench.plugin_api.hookspecs import spec_types
    from facial_bench.plugin_api.manager import load_plugins

    loaded = load_plugins(plugin_files)
    for kind in spec_types():
        click.echo(f"{_title(kind)}:\n{aligned(_by_source(loaded, kind))}\n")
    failures = [("  ", failure.source, failure.reason) for failure in loaded.failures]
    click.echo(f"failed to load:\n{aligned(failures)}" if failures else "failed to load: none")


def _title(kind: str) -> str:
    return {"generators": "methods"}.get(kind, kind.replace("_", " "))


def _summaries(plugins: Plugins, kind: str) -> str:
    """name, source and summary of everything of a kind."""
    rows = [(name, one.source, one.spec.summary) for name, one in plugins.registered(kind).items()]
    return aligned(rows) if rows else "none"


def _by_source(plugins: Plugins, kind: str) -> Iterator[tuple[str, str, str]]:
    """Who offers what of a kind; two plugins that claim one name are told of here, where all are listed."""
    try:
        offers = plugins.registered(kind)
    except PluginError as problem:
        yield "  ", "error", str(problem)
        return
    for source in dict.fromkeys(one.source for one in offers.values()):
        names = [name for name, one in offers.items() if one.source == source]
        yield "  ", str(source), ", ".join(names) if len(names) <= NAMED else f"{len(names)} {_title(kind)}"
    if not offers:
        yield "  ", "none", ""


def _describe(name: str, registered: Registered, facts: Iterable[tuple[str, str]]) -> str:
    """What a method or a corpus says of itself, and its options."""
    spec = registered.spec
    rows = [("source", registered.source), *facts]
    rows += [(f"--option {option}=", meaning) for option, meaning in spec.options.items()] or [("options", "none")]
    return f"{name}: {spec.summary}\n\n{aligned(rows)}"
