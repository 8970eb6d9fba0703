"""`facial-bench methods | corpora | metrics`: what is installed, where from, and what failed to load."""

from __future__ import annotations

from pathlib import Path

import click

from facial_bench.cli.common import aligned, plugin_option, warn_failures


@click.command()
@plugin_option
def methods(plugin_files: tuple[Path, ...]) -> None:
    """List the methods that can be run."""
    _list("generators", plugin_files)


@click.command()
@plugin_option
def corpora(plugin_files: tuple[Path, ...]) -> None:
    """List the corpora that can be made here."""
    _list("corpora", plugin_files)


@click.command()
@plugin_option
def metrics(plugin_files: tuple[Path, ...]) -> None:
    """List the metrics that compare motion with motion."""
    _list("metrics", plugin_files)


def _list(kind: str, plugin_files: tuple[Path, ...]) -> None:
    from facial_bench.plugins import load_plugins

    plugins = load_plugins(plugin_files)
    offers = plugins.offers(kind)
    if offers:
        click.echo(
            aligned((name, o.source, getattr(o.spec, "summary", None) or o.spec.formula) for name, o in offers.items())
        )
    warn_failures(plugins)
