"""`facial-bench compare`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facial_bench.cli.common import known_pools, plugin_option
from facial_bench.core.errors import ResultError, unknown_name

if TYPE_CHECKING:
    from facial_bench.evaluation.result import Result


@click.command()
@click.argument("methods", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="A B [C ...]")
@click.option(
    "--metric",
    "wanted",
    multiple=True,
    metavar="ID",
    help="Compare on this metric; repeatable. [default: the main ones of the board]",
)
@click.option(
    "--picture", type=click.Path(path_type=Path), metavar="FILE.svg|.png", help="Draw a critical-difference picture."
)
@plugin_option
@click.option("--json", "as_json", is_flag=True, help="Print the comparisons as JSON.")
def compare(
    methods: tuple[Path, ...],
    wanted: tuple[str, ...],
    picture: Path | None,
    plugin_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Say whether one method is better than another: paired permutation over clips, Holm over metrics and pairs.

    A, B ... are results: a method's folder (all of its seeds), a seed's folder, or a result.json.
    """
    from facial_bench.core.protocol import Protocol
    from facial_bench.plugin_api.manager import load_plugins
    from facial_bench.reports.board import MAIN
    from facial_bench.reports.tables import plain
    from facial_bench.statistics.aggregate import estimator
    from facial_bench.statistics.compare import compare as difference_of
    from facial_bench.statistics.compare import holm, mean_ranks

    if len(methods) < 2:
        raise click.UsageError("compare takes two results or more.")
    protocol, pools = Protocol(), known_pools(load_plugins(plugin_files))
    groups = _read(methods)
    first = next(iter(groups.values()))[0]
    metrics = _metrics(wanted or [name for name in MAIN if name in first["metrics"]], groups)
    found: list[dict[str, Any]] = []
    for metric, (a, b) in itertools.product(metrics, itertools.combinations(groups, 2)):
        estimate = estimator(pools.get(metric), first["references"][metric])
        pair = [[result["clips"] for result in groups[label]] for label in (a, b)]
        difference = difference_of(*pair, metric, estimate, protocol)
        if difference is None:
            raise ResultError(f"{a} and {b} have no clip in common that {metric} is scored on. Name others.")
        found.append({"metric": metric, "a": a, "b": b, "higher_is_better": metrics[metric], **asdict(difference)})
        found[-1] |= {"value_a": difference.a, "value_b": difference.b, "a": a, "b": b}
    for row, adjusted in zip(found, holm([row["p"] for row in found]), strict=True):
        row["holm_p"] = adjusted
        row["verdict"] = _verdict(row, protocol.significance)
    if picture:
        from facial_bench.reports.figures import critical_differences

        panels = {}
        for metric, higher in metrics.items():
            own = [row for row in found if row["metric"] == metric]
            apart = [(row["a"], row["b"]) for row in own if row["holm_p"] < protocol.significance]
            note = f"{min(row['clips'] for row in own)} clips; a bar joins methods that the tests do not tell apart"
            rows = {label: [result["clips"] for result in results] for label, results in groups.items()}
            ranks = mean_ranks(rows, metric, higher)
            if ranks is not None:
                panels[metric] = (ranks, apart, note)
        if not panels:
            raise ResultError("None of these metrics has a value for each clip: there are no ranks to draw.")
        critical_differences(picture, panels)
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    headers = [
        "metric",
        "A",
        "B",
        "A's value",
        "B's value",
        "A - B [95 %]",
        "p",
        "Holm p",
        "d_z",
        "A higher",
        "clips",
        "verdict",
    ]
    click.echo(plain([_line(row) for row in found], headers))
    smallest = max(row["smallest_p"] for row in found)
    click.echo(
        f"\nThe smallest p that so few clips can give: {smallest:.3g}; after Holm over {len(found)} tests: "
        f"{min(smallest * len(found), 1):.3g}."
    )


def _read(paths: Sequence[Path]) -> dict[str, list[Result]]:
    """label -> its results, one per seed, all of one corpus and protocol."""
    from facial_bench.evaluation.rescore import expand, open_result

    groups: dict[str, list[Result]] = {}
    origin: tuple[Any, ...] | None = None
    for file in expand(paths):
        _, result = open_result(file)
        place = (result["corpus"]["digest"], result["protocol"]["digest"])
        if origin not in (None, place):
            raise ResultError(
                f"{file} is of another corpus or protocol than {paths[0]}: their numbers are "
                "different quantities. Run both on one corpus."
            )
        origin = place
        label = result["method"]["label"]
        if any(other["seed"] == result["seed"] for other in groups.get(label, [])):
            raise ResultError(f"{file}: seed {result['seed']} of {label} is named twice. Name each result once.")
        groups.setdefault(label, []).append(result)
    if len(groups) < 2:
        raise ResultError(f"All of these are results of {next(iter(groups))}. Name two methods or more.")
    return groups


def _metrics(wanted: Sequence[str], groups: Mapping[str, list[Result]]) -> dict[str, bool]:
    """metric -> whether higher is better, of those that rank and that all results give a number for."""
    chosen: dict[str, bool] = {}
    for name in wanted:
        for label, results in groups.items():
            for result in results:
                entry = result["metrics"].get(name)
                if entry is None:
                    raise unknown_name("metric of the result", name, result["metrics"])
                if entry["higher_is_better"] is None:
                    raise ResultError(f"{name} ranks nothing: only its distance to the real value means anything.")
                if entry["status"] == "refused":
                    raise ResultError(f"{label} has no score on {name}: {entry['reason']}. Name another metric.")
                chosen[name] = entry["higher_is_better"]
    return chosen


def _verdict(row: Mapping[str, Any], significance: float) -> str:
    if row["holm_p"] >= significance:
        return "cannot be decided"
    ahead = (row["value_a"] > row["value_b"]) == row["higher_is_better"]
    return f"{row['a'] if ahead else row['b']} is better"


def _line(row: Mapping[str, Any]) -> list[str]:
    from facial_bench.reports.tables import number

    ends = "no interval" if row["low"] is None else f"{row['low']:.3g}, {row['high']:.3g}"
    return [
        row["metric"],
        row["a"],
        row["b"],
        number(row["value_a"], ""),
        number(row["value_b"], ""),
        f"{row['value_a'] - row['value_b']:.3g} [{ends}]",
        f"{row['p']:.3g}",
        f"{row['holm_p']:.3g}",
        "–" if row["effect"] is None else f"{row['effect']:.2f}",
        "–" if row["a_higher"] is None else f"{row['a_higher']:.2f}",
        f"{row['clips']}" + (f" ({row['left_out']} left out)" if row["left_out"] else ""),
        row["verdict"],
    ]
