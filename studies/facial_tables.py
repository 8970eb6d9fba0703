"""The tables of docs/facial.md: `python -m studies.facial_tables RESULTS ...`, folders of finished runs.

A row is a method, the mean of its seeds; the first one is real motion, the ceiling. `worst` is the person whose blink
rate, over all seeds, is furthest off, as a share of the person's real rate.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import UNSET
from tabulate import tabulate

from facial_bench import load_results
from facial_bench.evaluation.result import Result
from facial_bench.metrics.identity import SELF

SHOWN = {
    "lmd": "lmd",
    "blink_rate": "blinks/s",
    "blink_duration": "duration, s",
    "blink_accuracy": "blink accuracy",
    "blink_realism": "blink realism",
    "pose_accuracy": "pose accuracy",
    "pose_realism": "pose realism",
    "speech_coupling/head": "coupling, head",
    "speech_coupling/lids": "coupling, lids",
    "pose_speed": "pose speed",
    "frechet/pose": "Frechet, pose",
    "pose_std_distance": "pose std distance",
    "fdd": "fdd",
}
RATE = "blink_rate/distance"


def blink_rates(result: Result) -> dict[str, tuple[float, float]]:
    """identity -> blinks a second of the method and of the person's real held-out motion."""
    seen: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(2))
    for row in result.clips:
        entry = row.metrics.get(RATE)
        if row.driving == SELF and entry is not None and entry.part is not UNSET:
            seen[row.identity] += entry.part
    real = result.references[RATE].parts
    return {name: (float(s / n), real[name][1] / real[name][0]) for name, (n, s) in seen.items()}


def row(results: Sequence[Result]) -> dict[str, object]:
    """One method; results of its seeds."""
    shown: dict[str, object] = {"method": results[0].method.label, "seeds": len(results)}
    for metric, name in SHOWN.items():
        values = [r.metrics[metric].value for r in results if metric in r.metrics]
        known = [value for value in values if value is not None]
        shown[name] = np.mean(known) if known else None
        if metric == "blink_rate":
            rates = [blink_rates(result) for result in results]
            people = {who: np.mean([rate[who] for rate in rates], axis=0) for who in rates[0]}
            shown["worst"] = max((generated / real - 1 for generated, real in people.values()), key=abs)
        if metric == "blink_accuracy":
            skills = [skill for r in results if (skill := r.metrics[metric].skill) is not None]
            shown["its skill"] = np.mean(skills) if skills else None
    return shown


def ceiling(result: Result) -> dict[str, object]:
    """What real motion gets."""
    values = {name: result.references[m].ceiling.value for m, name in SHOWN.items() if m in result.references}
    return {"method": "real motion"} | values


def main() -> None:
    """Print the table of the results in some folders."""
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path, nargs="+")
    methods: dict[str, list[Result]] = defaultdict(list)
    for folder in parser.parse_args().results:
        for result in load_results(folder):
            methods[result.method.label].append(result)
    rows = [ceiling(next(iter(methods.values()))[0]), *map(row, methods.values())]
    columns = list(rows[-1])
    lines = [[line.get(name) for name in columns] for line in rows]
    print(tabulate(lines, headers=columns, tablefmt="github", floatfmt=".3g"))


if __name__ == "__main__":
    main()
