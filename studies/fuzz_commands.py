"""Command lines: words of commands that work, changed."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from facial_bench.cli import main
from facial_bench.errors import FacialBenchError
from facial_bench.evaluation.result import write_result
from studies.fuzz_case import Reader
from studies.fuzz_mutations import NUMBERS, VALUES
from studies.fuzz_records import small_corpus, unjudged
from tests.helpers.faces import openface_rows
from tests.helpers.media import tone, write_sound
from tests.helpers.results import make_result, make_row

WORDS = ("--option", "--nothing", "=", "a=", "fps=0", "face=-1", "x" * 300)


def _commands(folder: Path) -> Sequence[bytes]:
    corpus = str(small_corpus(folder))
    with (folder / "face.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(openface_rows(20))
    write_sound(folder / "face.wav", tone(0.8))
    rows = [make_row(person, f"{person}0", {"lmd": 0.5}) for person in ("a", "b")]
    seed = folder / "r" / "tiny" / "echo" / "seed-0"
    write_result(seed / "result.json", make_result(rows))
    commands: list[list[str | Path]] = [
        ["corpus", "import", folder, "made", "--format", "openface", "--option", "fps=25", "--audio", "mel29"],
        ["corpus", "import", folder / "face.csv", "made", "--format", "openface", "--option", "fps=25"],
        ["corpus", "info", corpus],
        ["corpus", "requests", corpus, "--identities", "a,b", "--fold", "one"],
        ["corpus", "verify", corpus],
        ["corpus", "build", folder, "made", "--min-seconds", "1", "--min-tracked", "0.8", "--workers", "1"],
        ["show", seed],
        ["run", "--method", "none", "--corpus", corpus, "--seeds", "0", "--option", "a=b", "--out", "o"],
        ["leaderboard", "--results", folder / "none", "--out", "boards", "--check"],
        ["compare", seed.parent, folder / "none"],
        ["metrics", "lmd"],
    ]
    return [json.dumps([str(word) for word in command]).encode() for command in commands]


def change_words(rng: np.random.Generator, content: bytes) -> bytes:
    """Words of a command line that are changed, lost, moved or doubled."""
    words = json.loads(content)
    values = [value for value in VALUES if isinstance(value, str) and value.isprintable() and len(value) < 100]
    for _ in range(int(rng.integers(1, 3))):
        place, kind = int(rng.integers(1, len(words) + 1)), int(rng.integers(5))
        other = str(rng.choice([*NUMBERS, *values, *WORDS]))
        if kind == 0 or place >= len(words):
            words.insert(place, other)
        elif kind == 1:
            words[place] = words[place].partition("=")[0] + "=" + other
        elif kind == 2:
            words[place] = other
        elif kind == 3 and len(words) > 2:
            del words[place]
        else:
            words.insert(place, words[int(rng.integers(1, len(words)))])
    return json.dumps(words).encode()


def _command(path: Path) -> str:
    with CliRunner().isolated_filesystem(path.parent) as place:
        done = CliRunner().invoke(main, json.loads(path.read_bytes()))
    shutil.rmtree(place, ignore_errors=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    if done.exit_code:
        raise FacialBenchError((done.output.strip().splitlines() or [""])[-1])
    return done.output


def command_readers() -> list[Reader]:
    """Command lines, within one process. What a command prints has no second reading: none may raise."""
    return [Reader("command lines", "command.json", 300, _commands, (change_words,), _command, unjudged)]
