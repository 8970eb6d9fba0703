"""`facial-bench verify` and `facial-bench score`: results looked at again, from their stored motion."""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from facial_bench.cli.common import Benches, metrics_of, plugin_option, reporter
from facial_bench.core.errors import ResultError

if TYPE_CHECKING:
    from facial_bench.plugin_api.manager import Plugins

results_argument = click.argument(
    "results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULT..."
)
corpus_option = click.option("--corpus", metavar="NAME|DIR", help="The corpus, where it is not found by itself.")
device_option = click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)


@click.command()
@results_argument
@corpus_option
@device_option
@plugin_option
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def verify(
    results: tuple[Path, ...], corpus: str | None, device: str, plugin_files: tuple[Path, ...], as_json: bool
) -> None:
    """Compute every number of a result again, from its stored motion and the corpus, and say what differs.

    RESULT is a result.json, its folder, or a method's folder for all of its seeds. Timing and environment are not
    looked at; how the method behaves (`conduct`) is held by the digest alone. `leaderboard --check` does the same for
    the lines of a board.
    """
    from facial_bench.evaluation.rescore import expand, open_result
    from facial_bench.evaluation.verify import verify as check
    from facial_bench.plugin_api.manager import load_plugins

    benches, found = Benches(load_plugins(plugin_files), corpus, device, reporter()), {}
    for path in expand(results):
        folder, result = open_result(path)
        found[str(path)] = verdict = check(benches.of(result), folder, result)
        if not as_json:
            for line in verdict.differences:
                click.echo(f"{path}: {line}")
            state = f"{len(verdict.differences)} differences" if verdict.differences else "verified"
            note = f", {verdict.rounded} of them but for the last digits" if verdict.rounded else ""
            click.echo(f"{path}: {state}; {verdict.compared} values compared{note}")
    if as_json:
        shown = {
            name: {
                "verified": not v.differences,
                "differences": v.differences,
                "compared": v.compared,
                "rounded": v.rounded,
            }
            for name, v in found.items()
        }
        click.echo(json.dumps(shown, indent=1))
    wrong = [name for name, verdict in found.items() if verdict.differences]
    if wrong:
        raise ResultError(
            f"Not verified: {', '.join(wrong)}. The classifiers were trained here; on another kind of "
            "machine accuracies may differ. Everything else is to be the same anywhere."
        )


@click.command()
@results_argument
@click.option(
    "--metric",
    "wanted",
    multiple=True,
    required=True,
    metavar="ID|GLOB",
    help="A definition, or several: 'lmd*' for all of LMD; repeatable.",
)
@corpus_option
@device_option
@plugin_option
@click.option("--json", "as_json", is_flag=True, help="Print the entries as JSON.")
def score(
    results: tuple[Path, ...],
    wanted: tuple[str, ...],
    corpus: str | None,
    device: str,
    plugin_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Score stored motion under any definition, without generating anew."""
    from facial_bench.evaluation.rescore import expand, open_result, require_whole, rescore
    from facial_bench.evaluation.run import make_metrics
    from facial_bench.plugin_api.manager import load_plugins
    from facial_bench.reports.tables import metrics_table

    plugins, found = load_plugins(plugin_files), []
    chosen, benches = _chosen(wanted, plugins), Benches(plugins, corpus, device, reporter())
    for path in expand(results):
        folder, result = open_result(path)
        setup = benches.of(result, chosen)
        rows, problems = rescore(setup, folder, result)
        require_whole(problems)
        metrics = {name: entry for name, entry in make_metrics(rows, setup).items() if name in chosen}
        found.append({"result": str(path), "metrics": metrics})
        if not as_json:
            method, label, seed = result["method"]["label"], result["corpus"].get("label", ""), result["seed"]
            click.echo(f"\n{method} on {label}, seed {seed}\n\n{metrics_table(metrics, setup.references)}")
    if as_json:
        click.echo(json.dumps(found if len(found) > 1 else found[0], indent=1))


def _chosen(wanted: tuple[str, ...], plugins: Plugins) -> list[str]:
    """The ids that patterns name, in the registry's order."""
    from facial_bench.core.errors import unknown_name

    known = list(metrics_of(plugins))
    for pattern in wanted:
        if not fnmatch.filter(known, pattern):
            raise unknown_name("metric", pattern, known)
    return [name for name in known if any(fnmatch.fnmatchcase(name, pattern) for pattern in wanted)]
