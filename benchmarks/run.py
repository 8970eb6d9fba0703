"""`python -m benchmarks.run`: the table on standard output, and build/bench.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
from pathlib import Path

import torch

from benchmarks.arithmetic import matrix_rate
from benchmarks.busy import busy_rows
from benchmarks.core import core_rows
from benchmarks.facial import attribute_rows, generation_rows, memory_rows, training_rows, variant_rows
from benchmarks.pictures import picture_rows
from benchmarks.processes import process_rows
from benchmarks.timing import markdown
from benchmarks.video import video_rows


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=7, help="measured turns of each row (default 7)")
    parser.add_argument("--quick", action="store_true", help="leave out bfloat16 and torch.compile")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    options = parser.parse_args()
    machine = {
        "threads": torch.get_num_threads(),
        "matrix GFLOP/s": matrix_rate() / 1e9,
        "torch": torch.__version__,
        "processor": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
    }
    print(", ".join(f"{k} {v:.0f}" if isinstance(v, float) else f"{k} {v}" for k, v in machine.items()), "\n")
    jobs = {
        "training": training_rows,
        "attributes": attribute_rows,
        "generation": generation_rows,
        "core": core_rows,
        "memory": memory_rows,
        "processes": process_rows,
        "busy": busy_rows,
        "video": video_rows,
        "pictures": picture_rows,
    }
    if not options.quick:
        jobs["variants"] = variant_rows
    groups = {}
    for name, job in jobs.items():
        groups[name] = job(options.repetitions)
        if groups[name]:
            print(markdown(groups[name]), "\n", flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    part = options.out.with_name(options.out.name + ".part")
    part.write_text(json.dumps({"machine": machine, "rows": groups}, indent=1) + "\n")
    os.replace(part, options.out)


if __name__ == "__main__":
    main()
