"""The command line: it parses, calls and prints. Heavy imports happen inside the commands."""

from __future__ import annotations

from typing import Any

import click

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.version import __version__


class ErrorGroup(click.Group):
    """A group whose commands' user errors become one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except FacialBenchError as problem:
            raise click.ClickException(" ".join(str(problem).split())) from None
        except KeyboardInterrupt:
            raise click.ClickException("Interrupted. The same command goes on with what was finished.") from None
        except BrokenPipeError:  # `| head`: click ends quietly
            raise
        except OSError as problem:
            where = f": {problem.filename}" if problem.filename else ""
            raise click.ClickException(
                f"{problem.strerror or problem}{where}. Check the path and the free space."
            ) from None


@click.group(cls=ErrorGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="facial-bench")
def main() -> None:
    """Measure methods that turn speech into facial motion, under one protocol."""


def _add_commands() -> None:
    from facial_bench.cli import boards, check, compare, corpora, listing, run, sensitivity, verify

    for command in (
        run.run,
        listing.methods,
        listing.corpora,
        listing.metrics,
        corpora.corpus,
        verify.score,
        verify.verify,
        compare.compare,
        check.check,
        sensitivity.sensitivity,
        boards.leaderboard,
    ):
        main.add_command(command)


_add_commands()
