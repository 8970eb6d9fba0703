"""A plugin whose method does what its options say: the tests of processes run it from its file."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

MARK = "x"


class Method:
    """Holds the initial state, moved by the loudness of the sound; misbehaves where it was told to."""

    def __init__(self, context):
        self.options = dict(context.options)
        self.scale = 0.0

    def fit(self, clips, context):
        self.note("fit")
        print(f"fitted to {len(clips)} clips")
        self.act(self.options.get("fit"))
        self.scale = 0.001

    def generate(self, requests):
        self.note(f"generate {len(requests)}")
        return [self.one(request) for request in requests]

    def one(self, request):
        # the request that is meant is told by its person and the first value of its audio, which are no secret
        if self.options.get("at") == f"{request.identity}:{float(request.audio[0, 0]):.6f}":
            self.act(self.options.get("then"))
        state = np.tile(request.initial_state, (request.frames, 1))
        state[:, 0] += self.scale * request.audio.mean(axis=1)
        return Motion.from_state(state)

    def note(self, line):
        if "log" in self.options:
            with Path(self.options["log"]).open("a") as stream:
                stream.write(f"{os.getpid()} {line}\n")

    def act(self, what):
        what, _, once = (what or "").partition("@")
        if once:  # only the first time
            if Path(once).exists():
                return
            Path(once).touch()
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif what == "segfault":
            ctypes.string_at(0)
        elif what == "exit":
            os._exit(3)
        elif what == "leave":
            sys.exit("enough")
        elif what == "raise":
            raise ValueError("out of\nideas")
        elif what == "sleep":
            time.sleep(1000)
        elif what == "spin":
            while True:
                pass
        elif what == "shout":
            while True:
                print("x" * 1_000_000)
        elif what == "child":
            code = "import os, time; os.fork() or (os.setsid(), os.fork() or time.sleep(1000)); time.sleep(1000)"
            subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGKILL)
        elif what == "wait":
            time.sleep(1000)


class Stateful(Method):
    def state_dict(self):
        return {"scale": np.array(self.scale)}

    def load_state_dict(self, state, context):
        self.note("load")
        self.scale = float(state["scale"])


OPTIONS = {name: "what to do" for name in ("fit", "at", "then", "log")}


@hookimpl
def facial_bench_generators():
    return [
        GeneratorSpec("stateless", "s", "r", Method, options=OPTIONS),
        GeneratorSpec("stateful", "s", "r", Stateful, options=OPTIONS),
    ]
