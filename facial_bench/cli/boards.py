"""`facial-bench leaderboard`."""

from __future__ import annotations

from pathlib import Path

import click

from facial_bench.cli.common import classifiers_option, make_session, metric_plugin_option, path, verbosity_options


@click.command()
@click.option(
    "--results",
    type=path,
    multiple=True,
    default=("results",),
    show_default=True,
    metavar="DIR",
    help="Results, or boards with their results. Repeatable.",
)
@click.option(
    "--renders",
    type=path,
    multiple=True,
    metavar="DIR",
    help="Folders of renderings: make their boards instead. Repeatable.",
)
@click.option("--out", type=path, default="leaderboards", show_default=True, metavar="DIR", help="Folder of boards.")
@click.option("--check", is_flag=True, help="Write nothing. Exit 1 if --out is not what the results give.")
@click.option("--corpus", metavar="NAME|DIR", help="The corpus of the results, if it is not found automatically.")
@classifiers_option
@metric_plugin_option
@verbosity_options
def leaderboard(
    results: tuple[Path, ...],
    renders: tuple[Path, ...],
    out: Path,
    check: bool,
    corpus: str | None,
    classifiers: Path | None,
    plugin_files: tuple[str, ...],
) -> None:
    """Turn verified results into Markdown boards.

    Each corpus, protocol and set of identity classifiers has its own board. A result that is not in the ledger of --out
    yet is verified first: every number is computed again from its stored motion. What cannot be verified is named and
    left out. Beside each board stand the results that it rests on, and the identity classifiers that judged them.
    """
    session = make_session(plugin_files, corpus=corpus, classifiers=classifiers)
    if renders:
        published = session.renderings.boards(list(renders), out, check=check)
    else:
        published = session.leaderboard(list(results), out, check=check)
    for line in published.notes:
        click.echo(line, err=True)
    for board in published.boards:
        click.echo(f"{'checked' if check else 'board'}: {board}")
