"""Crash: take the process down on one request in four, in the way that the option `how` names: a segmentation fault,
an exit that no handler sees, a kill, or a kill after a gigabyte was taken, as the kernel does where memory ends."""

from __future__ import annotations

import ctypes
import os
import signal
import zlib

import numpy as np

from facial_bench import hookimpl
from facial_bench.errors import FacialBenchError
from facial_bench.types import GeneratorSpec, Motion


def segfault():
    ctypes.string_at(0)


def leave():
    os._exit(0)


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def fill_memory():
    taken = np.ones(125_000_000)  # a gigabyte, so that nothing else on the machine suffers
    os.kill(os.getpid(), signal.SIGKILL)
    return taken


WAYS = {"segfault": segfault, "exit": leave, "kill": kill, "memory": fill_memory}


class Crash:
    def __init__(self, context):
        how = context.options.get("how", "segfault")
        if how not in WAYS:
            raise FacialBenchError(f"how: choose {', '.join(WAYS)}, not {how}.")
        self._crash = WAYS[how]

    def fit(self, clips, context):
        """Nothing is learned."""

    def generate(self, requests):
        return [self._one(request) for request in requests]

    def _one(self, request):
        if zlib.crc32(np.ascontiguousarray(request.audio).tobytes()) % 4 == 0:
            self._crash()
        return Motion.from_state(np.tile(request.initial_state, (request.frames, 1)))

    def state_dict(self):
        return {"nothing": np.zeros(1)}  # so that a new process can go on where this one ends

    def load_state_dict(self, state, context):
        """Nothing was learned."""


@hookimpl
def facial_bench_generators():
    options = {"how": f"{', '.join(WAYS)}; default segfault"}
    return [GeneratorSpec("attack-crash", "takes the process down", "an attack", Crash, options=options)]
