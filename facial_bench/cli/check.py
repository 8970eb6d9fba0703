"""`facial-bench check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from facial_bench.cli.common import (
    aligned,
    json_option,
    make_session,
    option_option,
    parse_options,
    plugin_option,
    verbosity_options,
)
from facial_bench.core.errors import FacialBenchError

if TYPE_CHECKING:
    from facial_bench.plugin_api.manager import Plugins, Registered


@click.command()
@click.argument("method", metavar="NAME|FILE.py")
@click.option("--corpus", default="synthetic", show_default=True, metavar="NAME|DIR", help="What to fit and ask with.")
@option_option
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="cpu", show_default=True)
@click.option(
    "--max-look-ahead",
    type=click.IntRange(min=0),
    metavar="N",
    help="Frames that the method may look ahead of the sound; more is a failure.",
)
@plugin_option
@json_option
@verbosity_options
def check(
    method: str,
    corpus: str,
    options: tuple[str, ...],
    device: str,
    max_look_ahead: int | None,
    plugin_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Check that a method keeps to the contract: many small named checks, and what it is like.

    A FILE.py is loaded as a plugin and all of its methods are checked. Exit 1 where a check fails; a `property` is no
    failure.
    """
    files = (*plugin_files, Path(method)) if method.endswith(".py") else plugin_files
    session = make_session(files)
    methods = _methods(method, session.plugins)  # before torch is imported
    opened = session.load_corpus(corpus)

    from facial_bench.core.device import choose_device
    from facial_bench.plugin_api.conformance import Subject, check_method, conclude

    failed, told = [], {}
    for name, registered in methods.items():
        subject = Subject(
            registered.spec,
            opened,
            plugin=registered.source.plugin,
            device=choose_device(device),
            options=parse_options(options),
            max_look_ahead=max_look_ahead,
            report=session.report,
        )
        findings = check_method(subject, files)
        told[name] = {promise: vars(finding) for promise, finding in findings.items()}
        failed += [f"{name}: {promise}" for promise, finding in findings.items() if finding.state == "fail"]
        if not as_json:
            rows = [(promise, finding.state, finding.text) for promise, finding in findings.items()]
            click.echo(f"{name} ({registered.source})\n{aligned(rows)}\n{conclude(list(findings.values()))}\n")
    if as_json:
        click.echo(json.dumps(told, indent=1))
    if failed:
        count = "1 check" if len(failed) == 1 else f"{len(failed)} checks"
        raise FacialBenchError(f"{count} failed: {', '.join(failed)}.")


def _methods(method: str, plugins: Plugins) -> dict[str, Registered]:
    """name -> the method that is named, or each of a file."""
    if method.endswith(".py"):
        registered = plugins.registered("generators").items()
        chosen = {name: one for name, one in registered if one.source.plugin == Path(method).name}
        if not chosen:
            failed = [f"{one}." for one in plugins.failures if one.source.plugin == Path(method).name]
            hint = " ".join(failed) or "Mark facial_bench_generators with facial_bench.hookimpl."
            raise FacialBenchError(f"{method} registers no method. {hint}")
    else:
        chosen = {method: plugins.get("generators", "method", method)}
    for name, one in chosen.items():
        if one.spec.partial:
            raise FacialBenchError(f"{name} scores motion that exists already: there is no method in it to check.")
    return chosen
