"""Mutated inputs for every reader: none may end in a traceback, none may hang, none may be read as something else.

    python -m studies.fuzz --inputs 10000 --seed 1

Each input is made from a sound file and its number, so that `--only NUMBER` makes it again. Of every reader stands in
`fuzz_arrays`, `fuzz_records` and `fuzz_media` what is true of one of its files, and by which other code. A reader may
refuse any input, in one line; what it takes must be what the file says.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

from facial_bench.errors import FacialBenchError
from studies.fuzz_case import Reader, judge
from studies.fuzz_pool import run_guarded

PATIENCE = 20.0
"""Seconds after which a reader hangs."""
OUTCOMES = ("refused", "same", "unjudged", "wrong", "traceback", "untidy", "hang", "died")
FAULTS = OUTCOMES[3:]


@dataclass(frozen=True)
class Finding:
    """What became of one input."""

    number: int
    reader: str
    outcome: str
    said: str
    seconds: float


def readers() -> list[Reader]:
    """Every kind of input."""
    from studies.fuzz_arrays import array_readers
    from studies.fuzz_commands import command_readers
    from studies.fuzz_media import media_readers
    from studies.fuzz_records import record_readers

    return [*array_readers(), *record_readers(), *command_readers(), *media_readers()]


def schedule(inputs: int, kinds: Sequence[Reader]) -> list[int]:
    """(inputs,) the reader of each input: by shares, spread evenly."""
    total, made = sum(one.share for one in kinds), np.zeros(len(kinds))
    order = []
    for count in range(1, inputs + 1):
        due = int(np.argmax(np.array([one.share for one in kinds]) * count / total - made))
        made[due] += 1
        order.append(due)
    return order


def make_task(seed: int, inputs: int, folder: str, keep: str | None) -> Callable[[int], tuple[str, str, str]]:
    """What a process of the campaign does: number of an input -> its reader, outcome, and what was said."""
    warnings.simplefilter("ignore")
    kinds, home = readers(), Path(tempfile.mkdtemp(dir=folder))
    order = schedule(inputs, kinds)
    os.chdir(home)

    def place(number: int) -> Path:
        return home / f"{number:02d}" / "in" / "its" / "folder" / kinds[number].file  # deep: `..` stays within

    def prepare(number: int) -> list[tuple[bytes, Any]]:
        reader, path = kinds[number], place(number)
        path.parent.mkdir(parents=True)
        root = path.parents[1] if "/" in reader.file else path.parent
        contents = reader.seeds(root)
        made = []
        for content in contents:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            try:
                made.append((content, reader.read(path)))
            except FacialBenchError:  # a command that says, for one, that there is no such method
                made.append((content, None))
        return made

    sound = [prepare(number) for number in range(len(kinds))]

    def answer(task: int) -> tuple[str, str, str]:
        number = order[task]
        reader, rng = kinds[number], np.random.default_rng([seed, task])
        content, held = sound[number][int(rng.integers(len(sound[number])))]
        changed = reader.mutations[int(rng.integers(len(reader.mutations)))](rng, content)
        if keep:
            (Path(keep) / f"{task}-{Path(reader.file).name}").write_bytes(changed)
        outcome, said = judge(reader, place(number), changed, held)
        return reader.name, outcome, said

    return answer


def campaign(
    inputs: int, seed: int, workers: int = 2, only: Sequence[int] = (), keep: Path | None = None
) -> Iterator[Finding]:
    """The findings as they come. Where `keep` is a folder, each input is left there."""
    kinds = readers()
    order = schedule(inputs, kinds)
    with tempfile.TemporaryDirectory(prefix="facial-bench-fuzz-") as folder:
        make = partial(make_task, seed, inputs, folder, str(keep) if keep else None)
        for task, answer, seconds in run_guarded(make, only or range(inputs), workers, PATIENCE):
            name, outcome, said = (kinds[order[task]].name, answer, "") if isinstance(answer, str) else answer
            yield Finding(task, name, outcome, said, seconds)


def make_table(findings: Sequence[Finding]) -> str:
    """A row for each reader, and the sum."""
    counts = Counter((one.reader, one.outcome) for one in findings)
    names = list(dict.fromkeys(one.name for one in readers()))
    rows = [
        [name, sum(counts[name, one] for one in OUTCOMES), *(counts[name, one] for one in OUTCOMES)] for name in names
    ]
    total = ["all", *np.sum([row[1:] for row in rows], axis=0).tolist()]
    return tabulate([*rows, total], ["reader", "inputs", *OUTCOMES], "github")


def main() -> None:
    """Run the campaign and print its table, and every fault with its number."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", type=int, nargs="*", default=(), help="numbers of inputs to run again")
    parser.add_argument("--keep", type=Path, help="leave the inputs in this folder")
    parser.add_argument("--out", type=Path, help="write all findings there, lines of JSON")
    chosen = parser.parse_args()
    if chosen.keep:
        chosen.keep.mkdir(parents=True, exist_ok=True)
    findings = []
    for one in campaign(chosen.inputs, chosen.seed, chosen.workers, chosen.only, chosen.keep and chosen.keep.resolve()):
        findings.append(one)
        if one.outcome in FAULTS or chosen.only:
            print(f"{one.number} {one.reader}: {one.outcome}: {one.said[:300]}", flush=True)
    if chosen.out:
        chosen.out.write_text("".join(json.dumps(asdict(one)) + "\n" for one in findings))
    print(make_table(sorted(findings, key=lambda one: one.number)))
    print(f"slowest: {max(one.seconds for one in findings):.1f} s")


if __name__ == "__main__":
    main()
