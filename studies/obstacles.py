"""Full disks and folders that may not be written in: each command says so in one line, and leaves nothing half-written.

    python -m studies.obstacles

Each command of `studies.kill_commands` runs in a namespace of its own (bubblewrap), where the folder that it writes in,
its cache or the system's temporary folder is a file system of some size, or read-only. Afterwards every file that it
left there is read.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

from studies.kill_commands import Command, commands

ROOT = Path(__file__).resolve().parents[1]
SHARES = (0.0, 0.2, 0.5, 0.8, 0.95)
"""Of what a command writes in a place: how much room it is given there."""
PAGE = 4096
PLACES = ("work", "cache", "temporary")
"""Where it runs and writes its output; $FACIAL_BENCH_CACHE; $TMPDIR."""


@dataclass(frozen=True)
class Trial:
    """A command before an obstacle."""

    command: str
    place: str
    obstacle: str
    ended: int
    """Its exit status."""
    fault: str
    """What was wrong; empty where nothing was."""


def available() -> bool:
    """Whether a namespace with a small file system can be made here."""
    bwrap = shutil.which("bwrap")
    probe = [str(bwrap), "--dev-bind", "/", "/", "--size", "65536", "--tmpfs", "/mnt", "true"]
    return bwrap is not None and subprocess.run(probe, capture_output=True).returncode == 0


def try_obstacles(command: Command, home: Path, shares: Sequence[float] = SHARES) -> Iterator[Trial]:
    """All trials of one command. What it writes undisturbed says how much room is how much."""
    folder = home / command.name.replace(" ", "-")
    for place in PLACES:
        (folder / place).mkdir(parents=True, exist_ok=True)
    command.prepare(folder / "work")
    inputs = _sizes(folder / "work")
    ended, said, sizes = _inside(command, folder, [])
    if ended:
        raise SystemExit(f"{command.name} fails without an obstacle: {said[-1000:]}")
    written = sizes["work"] - inputs
    for place in PLACES:
        room = [("a page of room", PAGE)]
        if place == "work":
            room = [(f"{share:.0%} of what it needs", inputs + int(written * share)) for share in shares]
        for obstacle, size in room:
            yield _trial(command, folder, place, obstacle, ["--size", str(max(size // PAGE, 1) * PAGE), "--tmpfs"])
        yield _trial(command, folder, place, "read-only", ["--remount-ro"])


def _trial(command: Command, folder: Path, place: str, obstacle: str, how: Sequence[str]) -> Trial:
    for other in PLACES:
        shutil.rmtree(folder / other, ignore_errors=True)
        (folder / other).mkdir()
    command.prepare(folder / "work")
    target = str(folder / place)
    bind = ["--bind", target, target, *how, target] if how[0] == "--remount-ro" else [*how, target]
    ended, said, found = _inside(command, folder, bind)
    return Trial(command.name, place, obstacle, ended, _fault(ended, said, found))


def _fault(ended: int, said: str, found: dict[str, int | str]) -> str:
    """What is wrong with the end of a command; a command that needs nothing of a place may end well."""
    lines = said.strip().splitlines()
    if "Traceback" in said:
        return f"traceback: {lines[-1][:200]}"
    if ended not in (0, 1):
        return f"exit {ended}: {said[-200:]}"
    errors = [line for line in lines if line.startswith("Error: ")]
    if ended and (len(errors) != 1 or not re.search("space|Read-only|written|permitted|denied", errors[0])):
        return f"says: {lines[-1][:300] if lines else 'nothing'}"
    return str(found.get("damaged", ""))


def _inside(command: Command, folder: Path, bind: Sequence[str]) -> tuple[int, str, dict[str, int]]:
    """Run a command in a namespace: its exit status, what it said, and what the places hold then."""
    environment = os.environ | {
        "FACIAL_BENCH_CACHE": str(folder / "cache"),
        "TMPDIR": str(folder / "temporary"),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    inner = [sys.executable, "-m", "studies.obstacles", "--inside", str(folder), *command.arguments]
    outer = ["bwrap", "--dev-bind", "/", "/", "--bind", str(folder), str(folder), *bind, "--chdir", str(folder)]
    if "--tmpfs" in bind:  # an empty file system: the inputs go in first
        inner = [*inner[:3], "--inputs", str(folder / "inputs"), *inner[3:]]
        shutil.rmtree(folder / "inputs", ignore_errors=True)
        shutil.copytree(folder / "work", folder / "inputs")
    done = subprocess.run([*outer, *inner], env=environment, capture_output=True, text=True)
    if done.returncode:
        return done.returncode, done.stdout + done.stderr, {}
    answer = json.loads(done.stdout.splitlines()[-1])
    return answer["ended"], answer["said"], answer["found"]


def _look(folder: Path, arguments: Sequence[str], inputs: Path | None) -> dict[str, object]:
    """Within the namespace: run, and look at what is there."""
    if inputs is not None and not any((folder / "work").iterdir()):
        shutil.copytree(inputs, folder / "work", dirs_exist_ok=True)
    command = [sys.executable, "-m", "facial_bench", *arguments]
    done = subprocess.run(command, cwd=folder / "work", capture_output=True, text=True)
    found: dict[str, object] = {place: _sizes(folder / place) for place in PLACES}
    return {"ended": done.returncode, "said": done.stdout + done.stderr, "found": found | {"damaged": _damaged(folder)}}


def _sizes(folder: Path) -> int:
    """Bytes of the pages that a folder takes."""
    return sum(-(-path.lstat().st_size // PAGE) * PAGE for path in folder.rglob("*") if path.is_file())


def _damaged(folder: Path) -> str:
    """The first file that is not whole: hidden, empty or unreadable."""
    from safetensors import SafetensorError, safe_open

    for place in PLACES:
        for path in sorted((folder / place).rglob("*")):
            if path.name == "calls.txt":  # the notes of the tests' tracker
                continue
            if path.name.startswith(".") or (path.is_file() and not path.stat().st_size):
                return f"{path.relative_to(folder)} is left"
            try:
                if path.suffix == ".safetensors":
                    with safe_open(path, framework="numpy") as file:
                        [file.get_tensor(name) for name in file.keys()]  # noqa: SIM118
                elif path.suffix == ".json":
                    json.loads(path.read_text())
            except (SafetensorError, ValueError) as problem:
                return f"{path.relative_to(folder)}: {problem}"
    return ""


def main() -> None:
    """Run the trials, and print a row for each place and obstacle of each command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="one command")
    parser.add_argument("--inputs", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    chosen, arguments = parser.parse_known_args()
    if chosen.inside:
        print(json.dumps(_look(chosen.inside, arguments, chosen.inputs)))
        return
    if not available():
        raise SystemExit("No namespace can be made here: bubblewrap is not there, or may not.")
    trials = []
    with tempfile.TemporaryDirectory(prefix="facial-bench-obstacles-") as place:
        os.environ["FACIAL_BENCH_CACHE"] = str(Path(place) / "cache")
        for command in commands(Path(place) / "inputs"):
            if chosen.only in (None, command.name):
                for trial in try_obstacles(command, Path(place)):
                    trials.append(trial)
                    print(
                        f"{trial.command}, {trial.place}, {trial.obstacle}: exit {trial.ended} {trial.fault}",
                        flush=True,
                    )
    groups = dict.fromkeys((one.command, one.place) for one in trials)
    rows = []
    for group in groups:
        own = [one for one in trials if (one.command, one.place) == group]
        rows.append([*group, len(own), sum(one.ended == 1 for one in own), sum(bool(one.fault) for one in own)])
    print(tabulate(rows, ["command", "place", "obstacles", "refused in one line", "faults"], "github"))


if __name__ == "__main__":
    main()
