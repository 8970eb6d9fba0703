"""The commands that `studies.kills` kills: their inputs, what they leave, and what of it is finished."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from facial_bench.corpora.write_corpus import CorpusDescription, write_corpus
from studies.killed_process import run
from tests.helpers.faces import make_clip, make_model, openface_rows
from tests.helpers.media import TRACKER, moving, tone, write_sound, write_video

METHOD = '''"""Repeats the first frame; notes what it computes."""
from pathlib import Path

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion


def note(line):
    with Path(__file__).with_name("calls.txt").open("a") as stream:
        stream.write(line + chr(10))


class Noted:
    def __init__(self, context):
        self.context = context

    def fit(self, clips, context):
        note("fit")
        self.state = {"scale": np.array(0.5)}

    def generate(self, requests):
        return [Motion.from_state(np.tile(r.initial_state * np.float32(self.state["scale"]), (r.frames, 1)))
                for r in requests]

    def state_dict(self):
        return self.state

    def load_state_dict(self, state, context):
        self.state = dict(state)


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("noted", "repeats the first frame", "none", Noted)]
'''


class Command(Protocol):
    """A command, and how to look at what it did."""

    name: str
    arguments: Sequence[str]
    share: float
    """Of the trials."""

    def prepare(self, folder: Path) -> None:
        """Put its inputs into a folder, which is made."""

    def content(self, folder: Path) -> dict[str, bytes]:
        """Path -> bytes of what it is to make; without what says when and how fast."""

    def finished(self, folder: Path) -> set[str]:
        """What lies there finished, and need not be computed again."""

    def computed(self, folder: Path) -> set[str]:
        """What was computed since `forget_calls`."""

    def forget_calls(self, folder: Path) -> None:
        """Remove the notes on what was computed."""

    def left_over(self, folder: Path) -> list[str]:
        """Hidden and half-written files that nothing will ever use."""


class _Common:
    """What most commands need."""

    inputs: Path
    output: str

    def prepare(self, folder: Path) -> None:
        shutil.copytree(self.inputs, folder, dirs_exist_ok=True)

    def content(self, folder: Path) -> dict[str, bytes]:
        return read_tree(folder / self.output)

    def finished(self, folder: Path) -> set[str]:
        return set()

    def computed(self, folder: Path) -> set[str]:
        return set()

    def forget_calls(self, folder: Path) -> None:
        (folder / "calls.txt").unlink(missing_ok=True)

    def left_over(self, folder: Path) -> list[str]:
        known = {path.relative_to(self.inputs).as_posix() for path in self.inputs.rglob("*")}
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*")} - known
        kept = {name for name in found if not name.startswith(self.output) and name not in ("calls.txt", "said.txt")}
        inside = {name for name in found if re.search(r"(^|/)\.", name)}
        return sorted(name for name in kept | inside if "__pycache__" not in name)


def read_tree(folder: Path) -> dict[str, bytes]:
    """Path within a folder -> bytes of each file; hidden ones left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: path.read_bytes() for name, path in named.items() if not re.search(r"(^|/)\.", name)}


FRAMES = {"p1a": 50, "p1b": 60, "p2a": 70, "p2b": 80}
"""Of the videos that are built, all of them different."""


class Build(_Common):
    """`corpus build` of four videos by the tests' tracker; a video's clip is finished when its file is there."""

    name, output, share = "corpus build", "made", 0.35

    def __init__(self, place: Path) -> None:
        self.inputs = place / "build"
        for name, frames in FRAMES.items():
            write_video(self.inputs / "videos" / f"{name}.mp4", moving(frames), sound=tone(frames / 25))
        options = ["--tracker", "dot", "--plugin", str(TRACKER), "--workers", "1", "--quiet"]
        self.arguments = ["corpus", "build", "videos", "made", *options]

    def prepare(self, folder: Path) -> None:
        super().prepare(folder)
        os.environ["DOT_TRACKER_LOG"] = str(folder / "calls.txt")

    def finished(self, folder: Path) -> set[str]:
        if (folder / "made").is_dir():
            return set(FRAMES)
        return {path.parent.name for path in (folder / "made.building").glob("*/1.safetensors")}

    def computed(self, folder: Path) -> set[str]:
        log = folder / "calls.txt"
        shots: dict[str, int] = {}
        for line in log.read_text().splitlines() if log.is_file() else ():
            shots[line.split()[1]] = shots.get(line.split()[1], 0) + 1
        counted = {frames: name for name, frames in FRAMES.items()}
        return {counted.get(count, f"{count} frames") for count in shots.values()}


class Import(_Common):
    """`corpus import` of OpenFace's tables; nothing of it is kept."""

    name, output, share = "corpus import", "made", 0.2

    def __init__(self, place: Path) -> None:
        self.inputs = place / "import"
        (self.inputs / "tables").mkdir(parents=True)
        for number in range(6):
            rows = openface_rows(150 + 10 * number)
            (self.inputs / "tables" / f"p{number}.csv").write_text("\n".join(map(",".join, rows)))
            write_sound(self.inputs / "tables" / f"p{number}.wav", tone(len(rows) / 25))
        self.arguments = ["corpus", "import", "tables", "made", "--format", "openface", "--quiet"]


def _small_corpus(folder: Path) -> None:
    """Two people, three short clips each: too short for identity classifiers."""
    model = make_model(("a", "b"))
    clips = [
        make_clip(model, person, f"{person}{k}", 120, 10 * p + k) for p, person in enumerate("ab") for k in range(3)
    ]
    write_corpus(folder, CorpusDescription(name="few", audio_kind="noise29"), model, clips)


class Run(_Common):
    """`run` of a small method; its fit and each of its motions are finished when their files are there."""

    name, output, share = "run", "results", 0.25

    def __init__(self, place: Path) -> None:
        self.inputs = place / "run"
        _small_corpus(self.inputs / "few")
        (self.inputs / "noted.py").write_text(METHOD)
        self.arguments = ["run", "--method", "noted", "--plugin", "noted.py", "--corpus", "few", "--out", "results"]

    def content(self, folder: Path) -> dict[str, bytes]:
        found = super().content(folder)
        return {
            name: _timeless(content) if name.endswith("result.json") else content for name, content in found.items()
        }

    def finished(self, folder: Path) -> set[str]:
        return {"fit"} if list((folder / "results").rglob("fitted.safetensors")) else set()

    def computed(self, folder: Path) -> set[str]:
        log = folder / "calls.txt"
        return set(log.read_text().splitlines()) if log.is_file() else set()


def _timeless(content: bytes) -> bytes:
    """A result without the machine and the time of its run."""
    held = json.loads(content)
    return json.dumps({key: held[key] for key in held if key not in ("environment", "timing")}).encode()


class Leaderboard(_Common):
    """`leaderboard` over the results of the small method and of built-in ones, which it verifies first."""

    name, output, share = "leaderboard", "boards", 0.2

    def __init__(self, place: Path, made: Sequence[tuple[Sequence[str], Path]]) -> None:
        self.inputs = place / "leaderboard"
        for _, folder in made:
            shutil.copytree(folder, self.inputs, dirs_exist_ok=True)
        self.arguments = ["leaderboard", "--results", "results", "--out", "boards", "--corpus", "few"]


def commands(place: Path) -> list[Command]:
    """The four commands, their inputs made below a folder."""
    running = Run(place)
    made = []
    for method in ("mean-motion", "frozen", "replay"):
        folder = place / "results" / method
        running.prepare(folder)
        arguments = ["run", "--method", method, "--corpus", "few", "--out", "results", "--quiet"]
        code, said = run(arguments, folder)
        if code:
            raise SystemExit(f"the run of {method} fails: {said[-1000:]}")
        (folder / "said.txt").unlink()
        made.append((arguments, folder))
    return [Build(place), Import(place), running, Leaderboard(place, made)]
