"""`facial-bench metrics`: what is measured, and what each number means."""

from __future__ import annotations

from pathlib import Path

import click

from facial_bench.cli.common import aligned, plugin_option, warn_failures


@click.command()
@click.argument("metric", required=False, metavar="[ID]")
@click.option(
    "--sensitivity",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add what a metric was found to respond to: a file of `facial-bench sensitivity`. Repeatable.",
)
@click.option("--markdown", is_flag=True, help="Print all of every metric as a page.")
@plugin_option
def metrics(metric: str | None, sensitivity: tuple[Path, ...], markdown: bool, plugin_files: tuple[Path, ...]) -> None:
    """List the metrics, or describe one: formula, origin, pitfalls, what it needs."""
    from facial_bench.api import Session
    from facial_bench.evaluation.sensitivity.record import read_sensitivity
    from facial_bench.metrics.catalog import unknown_metric
    from facial_bench.plugin_api.manager import load_plugins
    from facial_bench.reports import metric_pages

    session = Session(load_plugins(plugin_files))  # listed, not computed with
    known, measured = session.definitions(), [read_sensitivity(path) for path in sensitivity]
    if metric is not None and metric not in known:
        raise unknown_metric(metric, known)
    if metric is not None:
        registered = session.plugins.registered("metrics")
        source = str(registered[metric].source) if metric in registered else "facial-bench, the protocol"
        click.echo(metric_pages.describe(known[metric], source, measured))
    elif markdown:
        click.echo(metric_pages.page(known, measured))
    else:
        click.echo(aligned(metric_pages.rows(known)))
        click.echo(f"\n{metric_pages.ARROWS}.\nAll of one: `facial-bench metrics ID`.")
    warn_failures(session.plugins)
