"""What it costs that a method has a process of its own: whole runs, apart and in the harness's process, in turns."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import msgspec

from facial_bench import RunConfig, Session
from facial_bench.evaluation.config import Isolation

Row = dict[str, object]
CPU: Mapping[str, Mapping[str, str]] = {
    "mean-motion": {},
    "ridge": {},
    "facial": {"steps": "10", "adversarial_steps": "0", "fine_tune_steps": "0"},
}
"""Method -> its options: what it computes is the same both ways, so it may be short."""


def process_rows(
    repetitions: int, methods: Mapping[str, Mapping[str, str]] = CPU, device: str = "cpu", plugins: tuple[str, ...] = ()
) -> list[Row]:
    """A row for each method, on the corpus `synthetic`, its classifiers ready: a run, and its generation."""
    session, rows = Session(), []
    with tempfile.TemporaryDirectory() as folder:
        for method, options in methods.items():
            config = RunConfig(
                method,
                out=folder,
                fresh=True,
                options=dict(options),
                device=device,
                plugins=plugins,  # type: ignore[arg-type]
            )
            runs: dict[Isolation, list[tuple[float, float]]] = {"process": [], "in-process": []}
            for turn in range(repetitions + 1):
                for isolation, taken in runs.items():
                    measured = _run(session, config, isolation)
                    if turn:
                        taken.append(measured)
            middle = {name: [median(column) for column in zip(*taken, strict=True)] for name, taken in runs.items()}
            (apart, generation), (here, generation_here) = middle["process"], middle["in-process"]
            rows.append(
                {
                    "what": f"run of {method}, {device}",
                    "apart, s": apart,
                    "in process, s": here,
                    "more, s": apart - here,
                    "generation apart, s": generation,
                    "generation in process, s": generation_here,
                    "apart / in process": generation / generation_here,
                }
            )
    return rows


def _run(session: Session, config: RunConfig, isolation: Isolation) -> tuple[float, float]:
    """Seconds of a run, and of its generation."""
    start = time.perf_counter()
    ((_, result),) = session.evaluate(msgspec.structs.replace(config, isolation=isolation, label=isolation))
    return time.perf_counter() - start, float(str(result.timing["generate_s"]))


def main() -> None:
    """Measure on a device that is named, with plugins by their files: DEVICE PLUGIN.py..."""
    from benchmarks.timing import markdown

    device, *plugins = sys.argv[1:]
    long = {"facial": {"steps": "200"}, **{name: CPU[name] for name in ("mean-motion", "ridge")}}
    print(markdown(process_rows(3, long, device, tuple(str(Path(file).resolve()) for file in plugins))))


if __name__ == "__main__":
    main()
