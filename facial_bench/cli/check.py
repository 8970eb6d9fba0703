"""`facial-bench check`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facial_bench.cli.common import aligned, find_corpus, option_option, parse_options, plugin_option, reporter
from facial_bench.core.errors import FacialBenchError

if TYPE_CHECKING:
    from facial_bench.plugin_api.manager import Plugins

HEAVY = ("torch", "tensorflow", "jax", "matplotlib", "transformers", "mediapipe", "cv2", "pandas", "sklearn")
"""Libraries that listing the methods must not import: `--help` and `methods` would wait for them."""


@click.command()
@click.argument("method", metavar="NAME|FILE.py")
@click.option("--corpus", default="synthetic", show_default=True, metavar="NAME|DIR", help="What to fit and ask with.")
@option_option
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="cpu", show_default=True)
@plugin_option
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def check(
    method: str, corpus: str, options: tuple[str, ...], device: str, plugin_files: tuple[Path, ...], as_json: bool
) -> None:
    """Check that a method keeps to the contract: many small named checks, and what it is like.

    A FILE.py is loaded as a plugin and all of its methods are checked. Exit 1 where a check fails; a `property` is no
    failure.
    """
    from facial_bench.core.device import choose_device, deterministic
    from facial_bench.plugin_api.conformance import Subject, checks, conclude
    from facial_bench.plugin_api.manager import load_plugins

    files = (*plugin_files, Path(method)) if method.endswith(".py") else plugin_files
    plugins, log = load_plugins(files), reporter()
    chosen, failed, told = choose_device(device), [], {}
    available = {name: plugins.get("generators", "method", name) for name in _names(method, plugins)}
    partial = [name for name, registered in available.items() if registered.spec.partial]
    if partial:
        raise FacialBenchError(f"{partial[0]} scores motion that exists already: there is no method in it to check.")
    opened = find_corpus(corpus, plugins, log)
    for name, registered in available.items():
        subject = Subject(registered.spec, opened, chosen, parse_options(options), log)
        findings = {"light import": _import_finding(name, files)}
        with deterministic():
            findings |= {one.name: one.run(subject) for one in checks()}
        told[name] = {check_name: vars(finding) for check_name, finding in findings.items()}
        failed += [f"{name}: {check_name}" for check_name, finding in findings.items() if finding.state == "fail"]
        if not as_json:
            rows = [(promise, finding.state, finding.text) for promise, finding in findings.items()]
            click.echo(f"{name} ({registered.source})\n{aligned(rows)}\n{conclude(list(findings.values()))}\n")
    if as_json:
        click.echo(json.dumps(told, indent=1))
    if failed:
        raise FacialBenchError(f"{len(failed)} checks failed: {', '.join(failed)}.")


def _names(method: str, plugins: Plugins) -> list[str]:
    """The methods of a file, or the one that is named."""
    if not method.endswith(".py"):
        return [method]
    available = plugins.registered("generators").items()
    found = [name for name, registered in available if registered.source.plugin == Path(method).name]
    if not found:
        hint = "Mark facial_bench_generators with facial_bench.hookimpl."
        raise FacialBenchError(f"{method} registers no method. {hint}")
    return found


def _import_finding(name: str, files: tuple[Path, ...]) -> Any:
    """Whether listing the method in a fresh process imports a heavy library."""
    from facial_bench.plugin_api.conformance import Finding

    code = (
        "import sys\nfrom pathlib import Path\nfrom facial_bench.plugin_api.manager import load_plugins\n"
        "load_plugins([Path(f) for f in sys.argv[2:]]).get('generators', 'method', sys.argv[1])\n"
        f"print(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    command = [sys.executable, "-c", code, name, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return Finding("fail", " ".join(done.stderr.split())[-300:])
    heavy = done.stdout.split()
    if heavy:
        return Finding("fail", f"listing it imports {', '.join(heavy)}; import inside `create`")
    return Finding("pass")
