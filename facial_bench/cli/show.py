"""`facial-bench show`, and how results are printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from facial_bench.cli.common import Command, make_session, metric_plugin_option, results_argument, verbosity_options

if TYPE_CHECKING:
    from facial_bench.api import Session
    from facial_bench.evaluation.result import Result


def shown_options(command: Command) -> Command:
    """What of a result is printed, and in which form."""
    options: list[Callable[[Command], Command]] = [
        click.option("--all", "everything", is_flag=True, help="Show every metric."),
        click.option(
            "--family",
            type=click.Choice(["lips", "head", "blinks", "pictures", "people", "other"]),
            help="Show the metrics of one family.",
        ),
        click.option(
            "--format",
            "format_",
            type=click.Choice(["table", "json", "csv", "markdown"]),
            default="table",
            show_default=True,
            help="Output format. json: the whole result, several as an array.",
        ),
        click.option("--json", "format_", flag_value="json", help="Short for --format json."),
        click.option("--clips", is_flag=True, help="Show every clip instead of the values over all of them."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@results_argument
@metric_plugin_option
@shown_options
@verbosity_options
def show(results: tuple[Path, ...], plugin_files: tuple[str, ...], **shown: Any) -> None:
    """Show finished results.

    RESULT is a result.json, its folder, or a method's folder for all of its seeds.
    """
    from facial_bench.evaluation.named_results import expand
    from facial_bench.evaluation.result import read_result, require_unchanged

    session, paths = make_session(plugin_files), expand(results)
    opened = ((path, require_unchanged(path, read_result(path))) for path in paths)
    print_results(session, opened, file=None, several=len(paths) > 1, **shown)


def print_results(
    session: Session,
    results: Iterable[tuple[Path, Result]],
    *,
    file: IO[str] | None,
    several: bool,
    everything: bool,
    family: str | None,
    format_: str,
    clips: bool,
) -> None:
    """Print each result when it is there; JSON at the end, as one value."""
    shown = family or ("all" if everything else "ranked")
    objects, first = [], None
    for path, result in results:  # first: a misspelt method is answered before these are imported
        from facial_bench.evaluation.result import as_json
        from facial_bench.reports.result_table import clips_table, result_table

        first = first or path
        if format_ == "json":
            objects.append(as_json(result))
            continue
        definitions = session.definitions()
        make_table = clips_table if clips else result_table
        text = make_table(result, definitions, shown, format_)
        if format_ == "csv" and path != first:
            text = text.partition("\n")[2]  # one header for all
        if format_ == "table":
            title = f"{result.method.label} on {result.corpus.label}, seed {result.seed}, {result.device}"
            text = f"\n{title}\n\n{text}\n\nresult: {path}"
        click.echo(text, file=file)
    if format_ == "json":
        click.echo(json.dumps(objects if several else objects[0], indent=1), file=file)
