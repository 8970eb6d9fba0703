"""`facial-bench run`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from facial_bench.cli.common import (
    classifiers_option,
    device_option,
    isolation_options,
    make_session,
    option_option,
    parse_names,
    parse_options,
    path,
    plugin_option,
    verbosity_options,
    with_options,
)
from facial_bench.cli.show import print_results, shown_options

if TYPE_CHECKING:
    from facial_bench.api import Session
    from facial_bench.evaluation.config import RunConfig

PRECOMPUTED = "precomputed"
"""The method, and the renderer, that stands for finished videos."""


class SeedType(click.ParamType):
    """A training seed; `0,1` is a common slip."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; a usage error for anything else."""
        if isinstance(value, str) and "," in value:
            seeds = " ".join(f"--seed {seed.strip()}" for seed in value.split(","))
            self.fail(f"'{value}' is no seed: repeat --seed for each, as in {seeds}", param, ctx)
        return click.IntRange(0, 2**31 - 1).convert(value, param, ctx)


@click.command()
@click.option(
    "--config", type=path, metavar="FILE.toml|.json", help="Read the run from a file. Options given here override it."
)
@click.option("--method", metavar="NAME", help="The method, or FILE.py:CLASS. `facial-bench methods` lists them.")
@click.option(
    "--corpus",
    metavar="NAME|DIR",
    envvar="FACIAL_BENCH_CORPUS",
    help="A named corpus or a folder. [default: synthetic]",
)
@click.option("--seed", "seeds", type=SeedType(), multiple=True, help="Training seed. Repeatable. [default: 0]")
@device_option
@click.option(
    "--budget",
    type=click.Choice(["quick", "standard", "paper"]),
    default="quick",
    show_default=True,
    envvar="FACIAL_BENCH_BUDGET",
    help="How long a method may train: minutes on two cores, under an hour, or as in its paper.",
)
@option_option
@click.option(
    "--fold",
    "folds",
    type=click.Choice(["one", "all"]),
    default="one",
    show_default=True,
    help="all: rotate the split so that every unit is tested once, and pool. For small corpora.",
)
@click.option("--identities", metavar="A,B,...", help="Use only these people. The corpus digest depends on them.")
@plugin_option
@click.option(
    "--metric-plugin",
    "metric_plugins",
    multiple=True,
    metavar="FILE.py|DISTRIBUTION",
    help="Also measure this plugin's metrics. It runs in this process: name only what you trust.",
)
@with_options(isolation_options)
@classifiers_option
@click.option(
    "--out", type=path, metavar="DIR", envvar="FACIAL_BENCH_OUT", help="Folder of results. [default: results]"
)
@click.option("--as", "label", metavar="NAME", help="Name of the result, so that two versions can be kept.")
@click.option("--fresh", is_flag=True, help="Reuse nothing of an earlier run, and replace its result.")
@shown_options
@verbosity_options
@click.pass_context
def run(ctx: click.Context, config: Path | None, **given: Any) -> None:
    """Evaluate a method on a corpus: fit, generate, score. Writes DIR/CORPUS/METHOD/seed-N/result.json."""
    from facial_bench.evaluation.config import make_config, read_config

    shown = {name: given.pop(name) for name in ("everything", "family", "format_", "clips")}
    chosen = {name: value for name, value in given.items() if _is_given(ctx, name)}
    values = {**(read_config(config) if config else {}), **_plain(chosen)}
    if "method" not in values:
        raise click.UsageError("Missing option '--method' (or `method` in the file of --config).")
    asked = make_config(values)
    session, stdout = make_session(asked.metric_plugins), sys.stdout
    with redirect_stdout(sys.stderr):  # what a method prints is no part of the result
        print_results(session, session.evaluate(asked), file=stdout, several=len(asked.seeds) > 1, **shown)
        if asked.method == PRECOMPUTED and "videos" in asked.options and asked.folds == "one":
            _score_pictures(session, asked, stdout if shown["format_"] == "table" else sys.stderr)


def _score_pictures(session: Session, asked: RunConfig, file: IO[str]) -> None:
    """Score the pictures of finished videos too, as `facial-bench render --renderer precomputed` does; where that
    cannot be, say why: the result of their motion stands."""
    from facial_bench.core.errors import FacialBenchError
    from facial_bench.rendering.config import RenderConfig
    from facial_bench.reports.rendering_table import rendering_table

    config = RenderConfig(
        renderer=PRECOMPUTED,
        corpus=asked.corpus,
        identities=asked.identities,
        options={"videos": asked.options["videos"]},
        plugins=asked.plugins,
        model=asked.options.get("model", ""),
        out=asked.out,
        label=asked.label or (f"{PRECOMPUTED}@{asked.options['name']}" if "name" in asked.options else ""),
        fresh=asked.fresh,
    )
    try:
        written, rendering = session.renderings.render(config)
    except FacialBenchError as problem:
        session.report.warn(f"the pictures of these videos are not scored: {problem}")
        return
    click.echo(f"\n{rendering_table(rendering)}\n\npictures: {written}", file=file)


def _is_given(ctx: click.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source in (click.core.ParameterSource.COMMANDLINE, click.core.ParameterSource.ENVIRONMENT)


def _plain(chosen: dict[str, Any]) -> dict[str, Any]:
    """Options of the command line as values of a RunConfig."""
    convert: dict[str, Callable[[Any], Any]] = {
        "seeds": lambda seeds: list(dict.fromkeys(seeds)),
        "options": parse_options,
        "identities": lambda text: list(parse_names(text)),
        "plugin_files": lambda files: [str(file) for file in files],
        "classifiers": str,
        "out": str,
        "readable": lambda places: [str(place) for place in places],
    }
    plain = {name: convert[name](value) if name in convert else value for name, value in chosen.items()}
    if "plugin_files" in plain:
        plain["plugins"] = plain.pop("plugin_files")
    return plain
