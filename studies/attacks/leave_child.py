"""Leave a process behind: start one in a session of its own, which goes on for two minutes after the run. With the
option `hold` it also keeps every pipe and file open that the method's process has, so that nobody sees their end."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion


class LeaveChild:
    def __init__(self, context):
        self._mark = context.options.get("mark", "facial-bench-attack-child")
        self._hold = context.options.get("hold", "no") == "yes"

    def fit(self, clips, context):
        """Start it."""
        code = "import time; time.sleep(120)"
        quiet = None if self._hold else subprocess.DEVNULL
        for number in range(3, 64) if self._hold else ():
            try:
                os.set_inheritable(number, True)
            except OSError:
                continue
        subprocess.Popen(
            [sys.executable, "-c", code, self._mark],
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            close_fds=not self._hold,
            start_new_session=True,
        ).returncode = 0  # so that Python does not warn of it

    def generate(self, requests):
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]


@hookimpl
def facial_bench_generators():
    options = {
        "mark": "a word on the command line of what is left; default facial-bench-attack-child",
        "hold": "yes: with every pipe open; default no",
    }
    return [GeneratorSpec("attack-leave-child", "leaves a process behind", "an attack", LeaveChild, options=options)]
