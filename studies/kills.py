"""`kill -9` at random moments of the four long commands: the same command must then end in the same bytes.

    python -m studies.kills --trials 200 --seed 1

A trial starts a command in a fresh folder, kills it after a time drawn between nothing and the whole, and gives the
same command again. What it then has is compared, byte for byte, with an undisturbed run of the same command; what the
killed one had finished (a video's clips, a fit) must not be computed again. `studies.obstacles` has full disks and
read-only folders.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tabulate import tabulate

from studies.kill_commands import Command, commands
from studies.killed_process import run


@dataclass(frozen=True)
class Trial:
    """What became of one command that was killed."""

    command: str
    after: float
    """Seconds."""
    died: bool
    """Whether it was still at work then."""
    fault: str
    """What was wrong afterwards; empty where nothing was."""


def try_once(command: Command, after: float, whole: dict[str, bytes], folder: Path) -> Trial:
    """One trial in a new folder."""
    command.prepare(folder)
    code, said = run(command.arguments, folder, after)
    died = code == -signal.SIGKILL
    if not died and code:
        return Trial(command.name, after, died, f"exit {code}: {said[-300:]}")
    finished = command.finished(folder)
    command.forget_calls(folder)
    if died:
        code, said = run(command.arguments, folder)
        if code and "made exists already" not in said:  # it was killed when all was done: its output is compared below
            return Trial(command.name, after, died, f"again: exit {code}: {said.strip()[-300:]}")
    found = command.content(folder)
    unlike = sorted(name for name in set(found) | set(whole) if found.get(name) != whole.get(name))
    if unlike:
        return Trial(command.name, after, died, f"other bytes: {', '.join(unlike[:5])}")
    again = sorted(finished & command.computed(folder)) if died else []
    left = command.left_over(folder)
    fault = f"computed again: {', '.join(again[:5])}" if again else f"left over: {', '.join(left[:5])}" if left else ""
    return Trial(command.name, after, died, fault)


def main() -> None:
    """Run the trials, and print a row for each command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="one command")
    chosen = parser.parse_args()
    import facial_bench.api  # noqa: F401 - what every copy of this process has then

    trials, rows = [], []
    with tempfile.TemporaryDirectory(prefix="facial-bench-kills-") as place:
        os.environ["FACIAL_BENCH_CACHE"] = str(Path(place) / "cache")
        for number, command in enumerate(commands(Path(place) / "inputs")):
            if chosen.only not in (None, command.name):
                continue
            rng, whole, spans = np.random.default_rng([chosen.seed, number]), {}, []
            for again in range(2):  # the second with what the first put in the cache
                folder = Path(place) / "whole" / command.name / str(again)
                command.prepare(folder)
                begun = time.monotonic()
                code, said = run(command.arguments, folder)
                spans.append(time.monotonic() - begun)
                if code:
                    raise SystemExit(f"{command.name} fails undisturbed: {said[-2000:]}")
                before, whole = whole, command.content(folder)
                if again and before != whole:
                    raise SystemExit(f"{command.name} gives other bytes each time: {sorted(whole)[:9]}")
            mine = []
            for _ in range(round(chosen.trials * command.share)):
                folder = Path(tempfile.mkdtemp(dir=place))
                mine.append(try_once(command, float(rng.uniform(0, spans[-1])), whole, folder))
                shutil.rmtree(folder, ignore_errors=True)
                if mine[-1].fault:
                    print(f"{command.name}, killed after {mine[-1].after:.3f} s: {mine[-1].fault}", flush=True)
            died, faults = sum(one.died for one in mine), sum(bool(one.fault) for one in mine)
            rows.append([command.name, f"{spans[-1]:.1f}", len(mine), died, faults])
            trials += mine
    rows.append(["all", "", len(trials), sum(one.died for one in trials), sum(bool(one.fault) for one in trials)])
    print(tabulate(rows, ["command", "seconds undisturbed", "trials", "killed at work", "faults"], "github"))


if __name__ == "__main__":
    main()
