"""What exposes motion that does not do the job: `python -m studies.exposed [--corpus synthetic] [--out build/exposed]`.

Runs each method, once, and prints a table of the accuracies, the realism and the speech coupling as Markdown, and what
exposes each: a value that is worse than the interval of the ceiling by more than the method's own interval.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from facial_bench import RunConfig, Session
from facial_bench.evaluation.result_schema import Result

METRICS = (
    "pose_accuracy",
    "blink_accuracy",
    "pose_realism",
    "blink_realism",
    "speech_coupling/head",
    "speech_coupling/lids",
)
METHODS = ("replay", "time-reversed", "phase-randomised", "wrong-identity", "ar1", "frozen", "chimera")
CHIMERA = Path(__file__).parent / "attacks" / "chimera.py"


def exposed_by(result: Result) -> list[str]:
    """The metrics in which a result is worse than the real motion, its interval and the ceiling's apart."""
    found = []
    for name in METRICS:
        metric, ceiling = result.metrics[name], result.references[name].ceiling
        ends = (metric.low, metric.high, ceiling.low, ceiling.high)
        if metric.value is None or None in ends:
            continue
        low, high, best_low, best_high = (float(end) for end in ends if end is not None)
        if (high < best_low) if metric.higher_is_better else (low > best_high):
            found.append(name)
    return found


def table(results: dict[str, Result]) -> str:
    """A Markdown table, the real motion first."""
    first = next(iter(results.values()))
    lines = [f"| motion | {' | '.join(METRICS)} | exposed by |", f"|---|{'---|' * (len(METRICS) + 1)}"]
    ceilings = [first.references[name].ceiling.value for name in METRICS]
    lines.append(f"| real | {' | '.join(map(_number, ceilings))} | |")
    for name, result in results.items():
        values = [_number(result.metrics[metric].value) for metric in METRICS]
        lines.append(f"| {name} | {' | '.join(values)} | {', '.join(exposed_by(result)) or 'nothing'} |")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def main() -> None:
    """Run what is not finished, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", default="synthetic")
    parser.add_argument("--out", default="build/exposed")
    given = parser.parse_args()
    session = Session(plugin_files=[CHIMERA], device="cpu")
    results = {}
    for method in METHODS:
        ((_, result),) = session.evaluate(RunConfig(method, corpus=given.corpus, out=given.out, device="cpu"))
        results[method] = result
    print(table(results))
    for name, metric in next(iter(results.values())).references.items():
        if name in METRICS and metric.refused:
            print(f"\n{name}: {metric.refused}")


if __name__ == "__main__":
    main()
