"""`facial-bench verify` and `facial-bench score`: results looked at again, from their stored motion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from facial_bench.cli.common import (
    classifiers_option,
    device_option,
    isolation_options,
    json_option,
    make_session,
    metric_plugin_option,
    result_corpus_option,
    results_argument,
    verbosity_options,
    with_options,
)
from facial_bench.cli.fresh_seed import method_plugin_option, require_running, run_like, verify_fresh
from facial_bench.core.errors import ResultError

RENDERING = "rendering.json"


@click.command()
@results_argument
@result_corpus_option
@classifiers_option
@device_option
@metric_plugin_option
@click.option("--regenerate", is_flag=True, help="Also ask the method again, from its stored fit, and compare.")
@click.option("--fresh-seed", is_flag=True, help="Run the method on a synthetic corpus of a new seed instead.")
@method_plugin_option
@with_options(isolation_options)
@json_option
@verbosity_options
@click.pass_context
def verify(
    ctx: click.Context,
    results: tuple[Path, ...],
    corpus: str | None,
    classifiers: Path | None,
    device: str,
    plugin_files: tuple[str, ...],
    regenerate: bool,
    fresh_seed: bool,
    as_json: bool,
    **conditions: Any,
) -> None:
    """Compute every number of a result again, and show what differs.

    The numbers come from the stored motion and the corpus. RESULT is a result.json, its folder, or a method's folder
    for all of its seeds. For a rendering (rendering.json, or its folder) the stored pictures are scored again. Timing
    and environment are not checked. How the method behaves is protected by the digest only. The output lists what is
    not checked. `leaderboard --check` does the same for the lines of a board.

    With --regenerate the method is asked again, from the fit that is stored beside the result and with the same seed.
    Motion that it does not give, and failures that did not happen, are differences.

    With --fresh-seed the method runs again on clips of a new seed of the corpus `synthetic`, and its skill there is
    compared with the result's. The stored motion is not checked. --method-plugin, --python, --sandbox, --readable,
    --timeout and --in-process belong to the two options that run the method.
    """
    from facial_bench.evaluation.named_results import expand, open_result

    if fresh_seed:
        if regenerate:
            raise click.UsageError("--fresh-seed looks at other clips: leave --regenerate out.")
        if corpus:
            raise click.UsageError("--fresh-seed makes a corpus of its own: leave --corpus out.")
        if plugin_files:
            raise click.UsageError("--plugin names metrics; with --fresh-seed name the method's file: --method-plugin.")
        verify_fresh(expand(results), device, conditions, as_json=as_json)
        return
    if not regenerate:
        require_running(ctx, conditions)
    session = make_session(plugin_files, corpus=corpus, device=device, classifiers=classifiers)
    verdicts: dict[str, Any] = {}
    for path in [path for path in results if path.name == RENDERING or (path / RENDERING).is_file()]:
        results = tuple(one for one in results if one != path)
        verdicts[str(path)] = seen = session.renderings.verify(path)
        for line in [] if as_json else seen.lines():
            click.echo(f"{path}: {line}")
    for path in expand(results):
        folder, result = open_result(path)
        like = run_like(result.method.name, device, conditions) if regenerate else None
        verdicts[str(path)] = verdict = session.verify(folder, result, regenerate=regenerate, like=like)
        for line in [] if as_json else verdict.lines():
            click.echo(f"{path}: {line}")
    if as_json:
        click.echo(json.dumps({path: verdict.as_json() for path, verdict in verdicts.items()}, indent=1))
    wrong = [path for path, verdict in verdicts.items() if verdict.differences]
    if wrong:
        raise ResultError(
            f"Not verified: {', '.join(wrong)}. Identity classifiers that were trained on another kind of machine may "
            "give other accuracies: name those of the board with --classifiers. All else is to be the same anywhere."
        )


@click.command()
@results_argument
@click.option(
    "--metric",
    "wanted",
    multiple=True,
    required=True,
    metavar="ID|GLOB",
    help="A definition, or several: 'lmd*' for all of LMD. Repeatable.",
)
@result_corpus_option
@classifiers_option
@device_option
@metric_plugin_option
@json_option
@verbosity_options
def score(
    results: tuple[Path, ...],
    wanted: tuple[str, ...],
    corpus: str | None,
    classifiers: Path | None,
    device: str,
    plugin_files: tuple[str, ...],
    as_json: bool,
) -> None:
    """Score stored motion under any definition, without generating it again."""
    import msgspec

    from facial_bench.evaluation.named_results import expand, open_result
    from facial_bench.metrics.catalog import select
    from facial_bench.reports.result_table import metrics_table

    session = make_session(plugin_files, corpus=corpus, device=device, classifiers=classifiers)
    chosen = select(wanted, session.definitions())
    objects = []
    for path in expand(results):
        folder, result = open_result(path)
        metrics, references = session.rescore(folder, result, chosen)
        objects.append({"result": str(path), "metrics": msgspec.to_builtins(metrics)})
        if not as_json:
            title = f"{result.method.label} on {result.corpus.label}, seed {result.seed}"
            click.echo(f"\n{title}\n\n{metrics_table(metrics, references)}")
    if as_json:
        click.echo(json.dumps(objects if len(objects) > 1 else objects[0], indent=1))
