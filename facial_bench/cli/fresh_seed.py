"""`facial-bench verify --fresh-seed`: does a method do on clips that nobody has seen what it did on the public ones?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facial_bench.cli.common import make_session
from facial_bench.core.errors import ResultError

if TYPE_CHECKING:
    from facial_bench.evaluation.config import RunConfig

method_plugin_option = click.option(
    "--method-plugin",
    "method_plugins",
    multiple=True,
    metavar="FILE.py[:CLASS]",
    help="The file of the method, for --regenerate and --fresh-seed; :CLASS for a class of a script. Repeatable.",
)


def require_running(ctx: click.Context, conditions: Mapping[str, Any]) -> None:
    """Raise a usage error for an option on the command line that only has a use where the method is run."""
    typed = [name for name in conditions if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE]
    if typed:
        names = {"method_plugins": "--method-plugin", "isolation": f"--{conditions['isolation']}"}
        named = ", ".join(names.get(name, f"--{name}") for name in typed)
        raise click.UsageError(f"{named}: only with --regenerate or --fresh-seed; nothing else runs the method.")


def verify_fresh(paths: Sequence[Path], device: str, conditions: Mapping[str, Any], *, as_json: bool) -> None:
    """Run the methods of results on one fresh seed, and print what each does there.

    Args:
        paths: of result.json files.
        device: `auto` for the one that a result was made on.
        conditions: options of the command line: how the method is found and kept apart.
        as_json: whether to print JSON and nothing else.

    Raises:
        ResultError: a result falls apart; FacialBenchError: the method cannot be run, or the corpus is another.
    """
    from facial_bench.evaluation.result import read_result, require_unchanged
    from facial_bench.reports.fresh_seed import fresh_table

    results = [require_unchanged(path, read_result(path)) for path in paths]
    session = make_session()
    verdicts = session.verify_fresh(results, run_like(results[0].method.name, device, conditions))
    if as_json:
        objects = {str(path): one.as_json() for path, one in zip(paths, verdicts, strict=True)}
        click.echo(json.dumps(objects, indent=1))
    else:
        for path, result, verdict in zip(paths, results, verdicts, strict=True):
            click.echo(f"{path}: {result.method.label}, training seed {result.seed}\n\n{fresh_table(verdict)}\n")
        click.echo(f"The same clips again: facial-bench corpus make synthetic DEST --option seed={verdicts[0].seed}")
    fallen = [str(path) for path, verdict in zip(paths, verdicts, strict=True) if verdict.falls_apart]
    if fallen:
        raise ResultError(f"Falls apart on a fresh seed: {', '.join(fallen)}.")


def run_like(method: str, device: str, conditions: Mapping[str, Any]) -> RunConfig:
    """The run that finds a method.

    Args:
        method: its name.
        device: `auto` for the one that a result was made on.
        conditions: options of the command line: how the method is found and kept apart.
    """
    from facial_bench.evaluation.config import make_config

    named = conditions["method_plugins"]
    classes = [one for one in named if not one.endswith(".py") and ".py:" in one]
    if len(classes) > 1:
        raise click.UsageError(f"--method-plugin names one class, got {', '.join(classes)}.")
    values = {
        "method": classes[0] if classes else method,
        "device": device,
        "plugins": [one for one in named if one not in classes],
        "readable": [str(place) for place in conditions["readable"]],
        **{name: conditions[name] for name in ("isolation", "python", "timeout")},
    }
    return make_config({name: value for name, value in values.items() if value is not None})
