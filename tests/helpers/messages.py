"""All that the command line says, to be read in a row: `python -m tests.helpers.messages` writes the files again.

`cli_help.txt` holds the help of every command, `error_messages.txt` every error that the core raises, by file. What is
put in at run time stands as `{...}`.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path

import click
from click.testing import CliRunner

import facial_bench
import facial_bench_worker
from facial_bench.cli import main
from tests.helpers.commands import commands

DATA = Path(__file__).parents[1] / "data"
HELP, ERRORS = DATA / "cli_help.txt", DATA / "error_messages.txt"
PACKAGES = [Path(package.__file__).parent for package in (facial_bench, facial_bench_worker)]
RAISED = ("Error", "error", "Usage", "BadParameter", "unknown_name")


def help_text() -> str:
    """The help of the program and of every command, 100 columns wide."""
    texts = []
    for path, _ in [("facial-bench", main), *commands(main)]:
        clean = {name: None for name in os.environ if name.startswith("FACIAL_BENCH")}
        result = CliRunner().invoke(
            main, [*path.split()[1:], "--help"], env=clean, prog_name="facial-bench", terminal_width=100
        )
        texts.append(f"$ {path} --help\n{result.output.rstrip()}\n")
    return "\n".join(texts)


def error_messages() -> str:
    """Every message that is raised with its text in place, in the order of the source."""
    lines = []
    for package in PACKAGES:
        for path in sorted(package.rglob("*.py")):
            found = [text for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) for text in _raised(node)]
            if found:
                lines += [f"{path.relative_to(package.parent)}", *(f"  {text}" for text in found), ""]
    return "\n".join(lines)


def _raised(node: ast.AST) -> list[str]:
    if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
        return []
    name = ast.unparse(node.exc.func).rsplit(".", 1)[-1]
    return [text for given in node.exc.args[:1] if name.endswith(RAISED) and (text := _text(given))]


def _text(node: ast.expr) -> str:
    """A literal with `{...}` for what is put in; empty for what is no literal."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "{...}" for one in node.values)
    return ""


if __name__ == "__main__":
    HELP.write_text(help_text(), encoding="utf-8")
    ERRORS.write_text(error_messages(), encoding="utf-8")
    click.echo(f"{HELP}\n{ERRORS}")
