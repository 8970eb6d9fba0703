"""`facial-bench check`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
    from facial_bench.plugin_api.conformance import Finding
    from facial_bench.plugin_api.find_method import Named


@click.command()
@click.argument("method", metavar="NAME|FILE.py|FILE.py:CLASS")
@click.option("--renderer", is_flag=True, help="NAME is a renderer. It is checked on a small corpus made for that.")
@click.option("--corpus", default="synthetic", show_default=True, metavar="NAME|DIR", help="Corpus for the checks.")
@option_option
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="cpu", show_default=True)
@click.option(
    "--max-look-ahead",
    type=click.IntRange(min=0),
    metavar="N",
    help="Frames that the method may look ahead of the sound. More is a failure.",
)
@plugin_option
@with_options(isolation_options)
@json_option
@verbosity_options
def check(
    method: str,
    renderer: bool,
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
    """Check that a method or renderer keeps the plugin contract.

    A FILE.py is loaded as a plugin and all of its methods are checked. Exit 1 where a check fails; a `property` is no
    failure.
    """
    from facial_bench.isolation.conditions import DAY, Conditions

    if renderer:
        _refuse_of_methods()
        session, conditions = make_session(), Conditions(isolation or "process", python, timeout or DAY, readable)
        conditions = replace(conditions, hidden=(session.cache,))
        _check_renderer(method, session, plugin_files, conditions, parse_options(options), device, as_json)
        return
    files = (*plugin_files, Path(method)) if method.endswith(".py") else plugin_files
    session = make_session(plugin_files=files)
    conditions = Conditions(isolation or "process", python, timeout or DAY, readable)
    methods = _methods(method, session, files, conditions)  # before torch is imported
    opened = session.load_corpus(corpus)
    conditions = replace(conditions, hidden=(opened.path, session.cache))

    from facial_bench.core.device import choose_device
    from facial_bench.plugin_api.conformance import Subject, check_method

    told = {}
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
        told[name] = check_method(subject)
        if not as_json:
            _print(name, str(one.source), told[name])
    _end(told, as_json)


def _refuse_of_methods() -> None:
    """Refuse the options that say something of methods only. Raises UsageError."""
    context = click.get_current_context()
    given = {
        "--corpus": context.get_parameter_source("corpus") is click.core.ParameterSource.COMMANDLINE,
        "--max-look-ahead": context.params["max_look_ahead"] is not None,
        "--in-process": context.params["isolation"] == "in-process",
    }
    for option in (name for name, is_given in given.items() if is_given):
        raise click.UsageError(f"{option} is for methods. Leave it out with --renderer.")


def _check_renderer(
    name: str,
    session: Session,
    files: Sequence[Path],
    conditions: Conditions,
    options: Mapping[str, str],
    device: str,
    as_json: bool,
) -> None:
    from facial_bench.core.device import choose_device
    from facial_bench.plugin_api.conformance import RendererSubject, check_renderer
    from facial_bench.plugin_api.find_renderer import find_renderer

    code = find_renderer(name, options, session.plugins, files, conditions, session.report)
    subject = RendererSubject(code, choose_device(device), options, conditions, session.report)
    findings = check_renderer(subject)
    if not as_json:
        _print(name, f"{code.plugin} {code.version}".strip(), findings)
    _end({name: findings}, as_json)


def _print(name: str, source: str, findings: Mapping[str, Finding]) -> None:
    from facial_bench.plugin_api.conformance import conclude

    rows = [(promise, finding.state, finding.text) for promise, finding in findings.items()]
    click.echo(f"{name} ({source})\n{aligned(rows)}\n{conclude(list(findings.values()))}\n")


def _end(told: Mapping[str, Mapping[str, Finding]], as_json: bool) -> None:
    """Print all findings as JSON where that is asked for. Raises FacialBenchError: some checks failed."""
    if as_json:
        plain = {name: {check: vars(finding) for check, finding in own.items()} for name, own in told.items()}
        click.echo(json.dumps(plain, indent=1))
    failed = [f"{name}: {check}" for name, own in told.items() for check, one in own.items() if one.state == "fail"]
    if failed:
        count = "1 check" if len(failed) == 1 else f"{len(failed)} checks"
        raise FacialBenchError(f"{count} failed: {', '.join(failed)}.")


def _methods(method: str, session: Session, files: Sequence[Path], conditions: Conditions) -> dict[str, Named]:
    """name -> the method that is named, or each of a file."""
    from facial_bench.plugin_api.find_method import list_methods, pick

    every, failures = list_methods(method, session.plugins, files, conditions, session.report)
    if method.endswith(".py"):
        known = {name: make() for name, make in every.items()}
        chosen = {name: one for name, one in known.items() if one.method.plugin == Path(method).name}
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
