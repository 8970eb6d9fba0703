"""`facial-bench check`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from facial_bench.cli.common import (
    aligned,
    isolation_options,
    json_option,
    make_session,
    option_option,
    parse_options,
    plugin_option,
    verbosity_options,
    with_options,
)
from facial_bench.core.errors import FacialBenchError

if TYPE_CHECKING:
    from facial_bench.api import Session
    from facial_bench.isolation.conditions import Conditions, Isolation
    from facial_bench.plugin_api.find_method import Named


@click.command()
@click.argument("method", metavar="NAME|FILE.py|FILE.py:CLASS")
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
@with_options(isolation_options)
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
    isolation: Isolation | None,
    python: str | None,
    readable: tuple[Path, ...],
    timeout: float | None,
) -> None:
    """Check that a method keeps to the contract: many small named checks, and what it is like.

    A FILE.py is loaded as a plugin and all of its methods are checked. Exit 1 where a check fails; a `property` is no
    failure.
    """
    from facial_bench.isolation.conditions import DAY, Conditions

    files = (*plugin_files, Path(method)) if method.endswith(".py") else plugin_files
    session = make_session(plugin_files=files)
    conditions = Conditions(isolation or "process", python, timeout or DAY, readable)
    methods = _methods(method, session, files, conditions)  # before torch is imported
    opened = session.load_corpus(corpus)
    conditions = replace(conditions, hidden=(opened.path, session.cache))

    from facial_bench.core.device import choose_device
    from facial_bench.plugin_api.conformance import Subject, check_method, conclude

    failed, told = [], {}
    for name, one in methods.items():
        subject = Subject(
            one.method.code,
            opened,
            one.options,
            plugin=one.method.plugin,
            device=choose_device(device),
            options=parse_options(options),
            max_look_ahead=max_look_ahead,
            conditions=conditions,
            report=session.report,
        )
        findings = check_method(subject)
        told[name] = {promise: vars(finding) for promise, finding in findings.items()}
        failed += [f"{name}: {promise}" for promise, finding in findings.items() if finding.state == "fail"]
        if not as_json:
            rows = [(promise, finding.state, finding.text) for promise, finding in findings.items()]
            click.echo(f"{name} ({one.source})\n{aligned(rows)}\n{conclude(list(findings.values()))}\n")
    if as_json:
        click.echo(json.dumps(told, indent=1))
    if failed:
        count = "1 check" if len(failed) == 1 else f"{len(failed)} checks"
        raise FacialBenchError(f"{count} failed: {', '.join(failed)}.")


def _methods(method: str, session: Session, files: Sequence[Path], conditions: Conditions) -> dict[str, Named]:
    """name -> the method that is named, or each of a file."""
    from facial_bench.plugin_api.find_method import list_methods, pick

    every, failures = list_methods(method, session.plugins, files, conditions, session.report)
    if method.endswith(".py"):
        chosen = {name: one for name, one in every.items() if one.method.plugin == Path(method).name}
        if not chosen:
            failed = [f"{one}." for one in failures if one.source.plugin == Path(method).name]
            hint = " ".join(failed) or "Mark facial_bench_generators with facial_bench.hookimpl."
            raise FacialBenchError(f"{method} registers no method. {hint}")
    else:
        chosen = {method.rpartition(":")[2]: pick(method, every, failures)}
    for name, one in chosen.items():
        if one.method.code.partial:
            raise FacialBenchError(f"{name} scores motion that exists already: there is no method in it to check.")
    return chosen
