"""A run that is killed, and the same command again."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.result import read_result
from tests.helpers.warm_start import WarmStart

SCRIPT = '''
import os, signal, sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from facial_bench.evaluation.generate import generate
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import open_corpus
from facial_bench.corpora.split import split_clips
from facial_bench.evaluation.requests import make_tasks, mean_states
from facial_bench.types import GeneratorSpec, Motion
from tests.helpers.sessions import make_session, run_one

folder, corpus, killed = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "killed"
generate.__kwdefaults__["batch"] = 2


def note(line):
    with (folder / "log").open("a") as stream:
        stream.write(line + chr(10))


def key(request):
    """What a method sees of a request; its id says nothing."""
    return request.identity, request.seed, request.audio.tobytes()


class Slow:
    def __init__(self, context):
        self.context = context

    def fit(self, clips, context):
        note("fit")
        self.state = {"scale": np.array(0.5)}

    def generate(self, requests):
        for request in requests:
            note(names.get(key(request), "a probe"))
            if killed and len(list((folder / "out").rglob("motions/**/*.safetensors"))) >= 2:
                os.kill(os.getpid(), signal.SIGKILL)
        return [Motion.from_state(np.tile(r.initial_state * np.float32(self.state["scale"]), (r.frames, 1)))
                for r in requests]

    def state_dict(self):
        return self.state

    def load_state_dict(self, state, context):
        self.state = dict(state)


opened = open_corpus(Path(corpus))
split = split_clips(opened.entries, Protocol())
states = mean_states(opened.segments(split.train))
tasks = make_tasks(opened.segments(split.test), opened.info.identities, states, 25.0, 0)
names = {key(task.request): task.request.id for task in tasks}
protocol = replace(Protocol(), resamples=200, name="small")
session = make_session(folder / "cache", protocol, GeneratorSpec("slow", "waits", "none", Slow), metrics=["lmd"])
run_one(session, "slow", corpus, folder / "out")
'''


@pytest.mark.slow
def test_a_killed_run_goes_on_and_gives_the_same(
    warm: WarmStart, make_corpus: Callable[..., Corpus], tmp_path: Path
) -> None:
    """SIGKILL between two motions: the fit and the finished motions are used again, and the result is the one that an
    undisturbed run gives."""
    corpus = make_corpus(clips=8, frames=100, name="short")  # no classifiers are trained
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()

    def command(name: str, end: str) -> list[str]:
        return [sys.executable, "-c", SCRIPT, str(tmp_path / name), str(corpus.path), end]

    assert warm.run(command("whole", "lives")).returncode == 0
    assert warm.run(command("killed", "killed")).returncode == -signal.SIGKILL
    motions = tmp_path / "killed" / "out" / "short" / "slow" / "seed-0" / "motions"
    log = tmp_path / "killed" / "log"
    finished = {"/".join(path.with_suffix("").parts[-2:]) for path in motions.rglob("*.safetensors")}
    asked = log.read_text().splitlines()
    assert asked.count("fit") == 1
    assert finished <= set(asked)
    log.unlink()
    assert warm.run(command("killed", "lives")).returncode == 0
    results = [read_result(tmp_path / name / "out/short/slow/seed-0/result.json") for name in ("whole", "killed")]
    assert results[0].digest == results[1].digest
    assert results[0].metrics == results[1].metrics
    again = log.read_text().splitlines()
    assert "fit" not in again
    probes = {line for line in again if again.count(line) > 1}  # asked for again to measure speed and look-ahead
    assert not (finished & set(again)) - probes
    total = {"/".join(path.with_suffix("").parts[-2:]) for path in motions.rglob("*.safetensors")}
    assert total - finished <= set(again)
    assert len(total) > len(finished)
