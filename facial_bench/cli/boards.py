"""`facial-bench leaderboard`."""

from __future__ import annotations

from pathlib import Path

import click

from facial_bench.cli.common import known_pools, plugin_option
from facial_bench.errors import ResultError


@click.command()
@click.option("--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True, metavar="DIR")
@click.option("--out", type=click.Path(path_type=Path), default=Path("leaderboards"), show_default=True, metavar="DIR")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 where the boards in --out are not what the results give."
)
@plugin_option
def leaderboard(results: Path, out: Path, check: bool, plugin_files: tuple[Path, ...]) -> None:
    """Turn results into Markdown boards, one per corpus and protocol."""
    from facial_bench.leaderboard import make_boards, stale_boards, write_boards
    from facial_bench.plugins import load_plugins
    from facial_bench.protocol import Protocol

    boards = make_boards(results, Protocol(), known_pools(load_plugins(plugin_files)))
    if check:
        stale = stale_boards(out, boards)
        if stale:
            raise ResultError(
                f"Not what {results} gives: {', '.join(str(out / n) for n in stale)}. Run without --check."
            )
    else:
        write_boards(out, boards)
    for name in boards:
        click.echo(f"{'checked' if check else 'board'}: {out / name}")
