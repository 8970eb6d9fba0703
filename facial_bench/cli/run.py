"""`facial-bench run`."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from facial_bench.cli.common import (
    cache_folder,
    find_corpus,
    option_option,
    parse_options,
    plugin_option,
    reporter,
    standard_metrics,
)


@click.command()
@click.option("--method", required=True, metavar="NAME", help="The method; `facial-bench methods` lists them.")
@click.option(
    "--corpus", default="synthetic", show_default=True, metavar="NAME|DIR", help="A named corpus or a folder."
)
@click.option("--seed", "seeds", type=click.IntRange(0, 2**31 - 1), multiple=True, help="Repeatable. [default: 0]")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option(
    "--budget",
    type=click.Choice(["quick", "paper"]),
    default="quick",
    show_default=True,
    help="How long a method may train: minutes on two cores, or what its paper did.",
)
@option_option
@click.option(
    "--fold",
    type=click.Choice(["one", "all"]),
    default="one",
    show_default=True,
    help="all: rotate the split so that every unit is tested once, and pool; for small corpora.",
)
@click.option("--identities", metavar="A,B,...", help="Use these people only; part of the corpus digest.")
@plugin_option
@click.option("--out", type=click.Path(path_type=Path), default=Path("results"), show_default=True, metavar="DIR")
@click.option("--fresh", is_flag=True, help="Reuse nothing of an earlier run of the same kind.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON and nothing else.")
def run(method: str, seeds: tuple[int, ...], as_json: bool, out: Path, **choices: Any) -> None:
    """Evaluate a method on a corpus: fit, generate, score; writes DIR/CORPUS/METHOD/seed-N/result.json."""
    from facial_bench.reports.tables import result_table

    choices["options"] = parse_options(choices["options"])
    seeds = tuple(dict.fromkeys(seeds)) or (0,)
    log = reporter()
    results = []
    runs = _runs(method, seeds, out, log, **choices)
    while True:
        with redirect_stdout(sys.stderr):  # what a method prints is no part of the result
            result, path = next(runs, (None, None))
        if result is None:
            break
        results.append(result)
        if not as_json:
            label = (
                f"{result['method']['label']} on {result['corpus']['label']}, seed {result['seed']}, {result['device']}"
            )
            click.echo(f"\n{label}\n\n{result_table(result)}\n\nresult: {path}")
    if as_json:
        click.echo(json.dumps(results if len(seeds) > 1 else results[0], indent=1))


def _runs(method: str, seeds: tuple[int, ...], out: Path, log: Any, **choices: Any) -> Any:
    """Prepare once, then evaluate each seed: pairs of result and path."""
    from facial_bench.core.device import choose_device
    from facial_bench.evaluation.run import evaluate
    from facial_bench.evaluation.method import Method, Settings
    from facial_bench.evaluation.run_folder import rehearse, run_folder
    from facial_bench.evaluation.setup import prepare
    from facial_bench.plugin_api.manager import load_plugins, source_digest

    plugins = load_plugins(choices["plugin_files"])
    specs, protocol = standard_metrics(plugins, choices["fold"])
    registered = plugins.get("generators", "method", method)
    trackers = {name: one.spec for name, one in plugins.registered("trackers").items()}
    device = choose_device(choices["device"])
    corpus = find_corpus(choices["corpus"], plugins, log)
    if choices["identities"]:
        corpus = corpus.select([name.strip() for name in choices["identities"].split(",") if name.strip()])
    chosen = Method(
        registered.spec, registered.source.plugin, registered.source.version, source_digest(registered.spec)
    )
    runs = [Settings(seed, device, choices["budget"], choices["options"], choices["fresh"], trackers) for seed in seeds]
    rehearse(chosen, corpus, runs[0], out, protocol)
    setup = prepare(corpus, protocol, specs, device=device, cache=cache_folder(), report=log)
    for settings in runs:
        result = evaluate(chosen, setup, settings, out, log)
        yield result, run_folder(out, chosen, corpus, settings, protocol) / "result.json"
