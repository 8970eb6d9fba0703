"""`facial-bench compare`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from facial_bench.cli.common import json_option, make_session, metric_plugin_option, path, verbosity_options


@click.command()
@click.argument("methods", nargs=-1, required=True, type=path, metavar="A B [C ...]")
@click.option(
    "--metric",
    "wanted",
    multiple=True,
    metavar="ID",
    help="Compare on this metric. Repeatable. [default: the ranked ones]",
)
@click.option("--picture", type=path, metavar="FILE.svg|.png", help="Draw a critical-difference picture.")
@metric_plugin_option
@json_option
@verbosity_options
def compare(
    methods: tuple[Path, ...],
    wanted: tuple[str, ...],
    picture: Path | None,
    plugin_files: tuple[str, ...],
    as_json: bool,
) -> None:
    """Test whether one method is better than another.

    The test is a paired permutation over clips that takes training seeds into account, with Holm's correction over the
    pairs of a metric.

    A, B ... are results: a method's folder (all of its seeds), a seed's folder, or a result.json.
    """
    from facial_bench import api
    from facial_bench.reports.comparison import as_json as to_json
    from facial_bench.reports.comparison import comparison_table, draw_ranks

    if len(methods) < 2:
        raise click.UsageError("compare takes two results or more.")
    session = make_session(plugin_files)
    comparison = api.compare(*methods, metrics=wanted, session=session)
    if picture:
        draw_ranks(comparison, picture, session.protocol.significance)
    click.echo(json.dumps(to_json(comparison), indent=1) if as_json else comparison_table(comparison))
