"""The command line: it parses, calls `facial_bench.api` and prints. Heavy imports happen inside the commands."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from facial_bench.core.errors import FacialBenchError, one_line, printable
from facial_bench.core.progress import OutputClosed
from facial_bench.core.threads import wait_passively
from facial_bench.core.version import __version__

COMMANDS = {
    "run": "run",
    "render": "render",
    "show": "show",
    "compare": "compare",
    "leaderboard": "boards",
    "verify": "verify",
    "score": "verify",
    "corpus": "corpora",
    "methods": "listing",
    "corpora": "listing",
    "metrics": "metrics",
    "plugins": "listing",
    "check": "check",
    "sensitivity": "sensitivity",
}
"""Command -> the module of this package that holds it, in the order of `--help`."""


class InterruptedByUser(click.ClickException):
    """Ends with 130, as a shell says of a program that SIGINT ended."""

    exit_code = 130


class Commands(click.Group):
    """Commands that are imported when they are named; the errors of users become one line and exit status 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which one needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        return getattr(import_module(f"facial_bench.cli.{COMMANDS[cmd_name]}"), cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        wait_passively()  # before the command imports NumPy or torch
        try:
            return super().invoke(ctx)
        except FacialBenchError as problem:
            if ctx.obj and ctx.obj.get("verbose") and problem.__cause__ is not None:
                import traceback

                lines = "".join(traceback.format_exception(problem.__cause__)).splitlines()
                click.echo("\n".join(line if line.isprintable() else printable(line) for line in lines), err=True)
            raise click.ClickException(printable(one_line(problem, 2000))) from None
        except KeyboardInterrupt:
            raise InterruptedByUser("Interrupted. The same command goes on with what was finished.") from None
        except (BrokenPipeError, OutputClosed):  # `| head`: nobody reads any more, so there is nothing to say
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        except OSError as problem:
            from facial_bench.core.files import ADVICE

            where = f": {problem.filename}" if problem.filename else ""
            advice = ADVICE.get(problem.errno or 0, "Check the path")
            raise click.ClickException(printable(f"{problem.strerror or problem}{where}. {advice}.")) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="facial-bench")
def main() -> None:
    """Measure methods that turn speech into facial motion, under one protocol."""
