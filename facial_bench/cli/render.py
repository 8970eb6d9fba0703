"""`facial-bench render`."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from facial_bench.cli.common import (
    device_option,
    isolation_options,
    json_option,
    make_session,
    option_option,
    parse_names,
    parse_options,
    path,
    plugin_option,
    verbosity_options,
    with_options,
)


@click.command()
@click.option("--renderer", required=True, metavar="NAME", help="`facial-bench plugins` lists them.")
@click.option(
    "--corpus",
    metavar="NAME|DIR",
    default="synthetic-video",
    show_default=True,
    help="A corpus that was built from videos: its name or its folder.",
)
@click.option(
    "--motion",
    metavar="real|RESULT",
    default="real",
    show_default=True,
    help="real: of the held-out videos. Or the folder of a method's result on this corpus.",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Training seed.")
@device_option
@click.option(
    "--budget",
    type=click.Choice(["quick", "standard", "paper"]),
    default="quick",
    show_default=True,
    help="How long a renderer may train.",
)
@option_option
@click.option(
    "--size", type=click.IntRange(64, 1024), default=128, show_default=True, help="Side of the pictures, pixels."
)
@click.option("--identities", metavar="A,B,...", help="Render these people only.")
@click.option("--model", type=path, metavar="PATH", help="Weights of the tracker that tracks the renderings again.")
@click.option(
    "--metric-plugin",
    "metric_plugins",
    multiple=True,
    metavar="FILE.py|DISTRIBUTION",
    help="Measure this plugin's picture metrics too, in this process: name only what you trust. Repeatable.",
)
@click.option(
    "--metric-model",
    "metric_models",
    multiple=True,
    metavar="ID=FILE",
    help="The weights of a plugin's metric. Repeatable. [default: where the metric looks]",
)
@click.option("--videos", type=path, metavar="DIR", help="The folder of videos. [default: where the corpus says]")
@plugin_option
@with_options(isolation_options[:2] + isolation_options[3:])
@click.option("--out", type=path, metavar="DIR", default="renders", show_default=True, help="Folder of renderings.")
@click.option("--as", "label", metavar="NAME", default="", help="Name of the rendering.")
@click.option("--fresh", is_flag=True, help="Reuse nothing of an earlier rendering, and replace it.")
@json_option
@verbosity_options
def render(as_json: bool, plugin_files: tuple[Path, ...], metric_plugins: tuple[str, ...], **given: Any) -> None:
    """Render held-out videos from their motion, and score the pictures.

    The renderer learns from the training videos of each person. It then renders the held-out stretches: from their
    real motion (video-based self-reenactment), or from what a method generated for their sound (audio-driven).

    Writes DIR/CORPUS/RENDERER/seed-N/: rendering.json, videos (the real beside the rendered, with sound, and the error
    maps), sheets of both, and the pictures without loss.
    """
    from facial_bench.core.errors import FacialBenchError
    from facial_bench.evaluation.result import as_json as plain
    from facial_bench.rendering.config import RenderConfig
    from facial_bench.reports.rendering_table import rendering_table

    given["options"], given["identities"] = parse_options(given["options"]), parse_names(given["identities"])
    given["metric_models"] = parse_options(given["metric_models"], "--metric-model takes ID=FILE")
    for name in ("videos", "model", "out"):
        given[name] = str(given[name] or "")
    given |= {"readable": tuple(map(str, given["readable"])), "timeout": given["timeout"] or RenderConfig("x").timeout}
    given["isolation"] = given["isolation"] or "process"
    if given["size"] % 2:
        raise FacialBenchError(f"--size {given['size']}: videos take even sizes only. Use {given['size'] + 1}.")
    config = RenderConfig(plugins=tuple(map(str, plugin_files)), **given)
    stdout = sys.stdout
    with redirect_stdout(sys.stderr):  # what a renderer prints is no part of the result
        file, rendering = make_session(metric_plugins).renderings.render(config)
    if as_json:
        click.echo(json.dumps(plain(rendering), indent=1), file=stdout)
    else:
        click.echo(f"{rendering_table(rendering)}\n\n{file.parent}", file=stdout)
