"""`facial-bench leaderboard`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from facial_bench.cli.common import Benches, known_pools, plugin_option, reporter
from facial_bench.core.errors import FacialBenchError, ResultError

if TYPE_CHECKING:
    from facial_bench.evaluation.result import Result
    from facial_bench.reports.ledger import Entry


@click.command()
@click.option("--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True, metavar="DIR")
@click.option("--out", type=click.Path(path_type=Path), default=Path("leaderboards"), show_default=True, metavar="DIR")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 where the boards in --out are not what the results give."
)
@click.option("--corpus", metavar="NAME|DIR", help="The corpus of the results, where it is not found by itself.")
@plugin_option
def leaderboard(results: Path, out: Path, check: bool, corpus: str | None, plugin_files: tuple[Path, ...]) -> None:
    """Turn verified results into Markdown boards, one per corpus and protocol.

    A result that is not in the ledger of --out yet is verified first: every number is computed again from its stored
    motion. What cannot be verified is named and left out.
    """
    from facial_bench.core.files import require_writable
    from facial_bench.core.protocol import Protocol
    from facial_bench.evaluation.result import find_results
    from facial_bench.plugin_api.manager import load_plugins
    from facial_bench.reports.board_markdown import first_difference, make_boards, write_boards
    from facial_bench.reports.ledger import read_ledger, write_ledger

    plugins = load_plugins(plugin_files)
    if not check:
        require_writable(out)
    benches = None if check else Benches(plugins, corpus, "auto", reporter())
    found, entries = _admit(find_results(results), read_ledger(out), benches)
    if not found:
        raise ResultError(f"No verified result below {results}. What is wrong with each is said above.")
    boards = make_boards(found, Protocol(), known_pools(plugins), entries)
    if check:
        wrong = first_difference(out, boards)
        if wrong:
            raise ResultError(f"Not what {results} gives: {wrong}. Run without --check.")
    else:
        write_ledger(out, entries)
        write_boards(out, boards)
    for name in boards:
        click.echo(f"{'checked' if check else 'board'}: {out / name}")


def _admit(paths: Sequence[Path], entries: list[Entry], benches: Benches | None) -> tuple[list[Result], list[Entry]]:
    """The results that are in the ledger, or can be entered now; the others are named on standard error.

    Args:
        paths: of result files.
        entries: of the ledger.
        benches: to verify with; None enters nothing: a result that is not in the ledger is an error then.
    """
    from facial_bench.core.version import __version__
    from facial_bench.evaluation.result import read_result, result_digest
    from facial_bench.evaluation.verify import verify
    from facial_bench.reports.ledger import enter, is_entered

    admitted = []
    for path in paths:
        try:
            result = read_result(path)
            if result["digest"] != result_digest(result):
                raise ResultError("the file was changed after it was written")
            if not is_entered(result, entries):
                if benches is None:
                    raise ResultError("it is not in the ledger; run without --check")
                differences = verify(benches.of(result), path.parent, result).differences
                if differences:
                    raise ResultError(f"{differences[0]} ({len(differences)} differences in all)")
                entries = enter(entries, result, __version__)
            admitted.append(result)
        except FacialBenchError as problem:
            if benches is None:
                raise ResultError(f"{path}: {problem}") from None
            click.echo(f"left out: {path}: {problem}", err=True)
    return admitted, entries
