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
    """List the corpora that can be made here, and what corpora are built and imported with."""
    _list("corpora", plugin_files, "importers", "trackers", "audio_features")


@click.command()
@click.argument("metric", required=False, metavar="[ID]")
@click.option(
    "--certification",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="Add the verdicts of `facial-bench certify`; repeatable.",
)
@click.option("--markdown", is_flag=True, help="Print the page of the whole registry.")
@plugin_option
def metrics(
    metric: str | None, certification: tuple[Path, ...], markdown: bool, plugin_files: tuple[Path, ...]
) -> None:
    """List all definitions of metrics, or say of one what it is: formula, origin, pitfalls."""
    from facial_bench.cli.common import metrics_of
    from facial_bench.core.errors import unknown_name
    from facial_bench.plugin_api.manager import load_plugins
    from facial_bench.reports.metric_pages import describe, page, read_marks
    from facial_bench.reports.tables import arrow

    plugins = load_plugins(plugin_files)
    known, marks = metrics_of(plugins), dict(map(read_marks, certification))
    sources = {name: str(registered.source) for name, registered in plugins.registered("metrics").items()}
    if metric is not None and metric not in known:
        raise unknown_name("metric", metric, known)
    if metric is not None:
        click.echo(describe(known[metric], sources.get(metric, "facial-bench, the protocol"), marks))
    elif markdown:
        click.echo(page(list(known.values()), marks))
    else:
        rows = [
            (name, f"v{one.version}", one.unit, arrow(vars(one)), sources.get(name, "the protocol"), one.formula)
            for name, one in known.items()
        ]
        click.echo(aligned(rows))
    warn_failures(plugins)


def _list(kind: str, plugin_files: tuple[Path, ...], *more: str) -> None:
    """What is offered of a kind, then of further kinds under their names."""
    from facial_bench.plugin_api.manager import load_plugins

    plugins = load_plugins(plugin_files)
    for one in (kind, *more):
        available = plugins.registered(one)
        if one != kind:
            click.echo(f"\n{one.replace('_', ' ')}:")
        if available:
            click.echo(
                aligned((name, registered.source, registered.spec.summary) for name, registered in available.items())
            )
    warn_failures(plugins)
