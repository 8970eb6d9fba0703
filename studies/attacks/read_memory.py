"""Read the harness's memory: the kernel lets a process look into others of the same user, through /proc/PID/mem. Looks
for the audio of the requests in the memory of its parent, and says for how many it was there: what lies beside it is
the real motion."""

from __future__ import annotations

import os
import re

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

LARGEST = 512 * 1024**2
"""Of a region that is read, bytes."""


def parents():
    """Ids of the ancestors that run facial-bench."""
    pid = os.getpid()
    while pid > 1:
        try:
            with open(f"/proc/{pid}/status") as stream:
                pid = int(re.search(r"PPid:\s*(\d+)", stream.read())[1])
            with open(f"/proc/{pid}/cmdline", "rb") as stream:
                command = stream.read()
        except OSError:
            return
        if b"facial_bench\0run" in command or b"facial-bench\0run" in command:
            yield pid


def regions(pid):
    """The writable memory of a process, piece by piece."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            span = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            start, stop = (int(text, 16) for text in span.groups()) if span else (0, 0)
            if 0 < stop - start <= LARGEST:
                try:
                    memory.seek(start)
                    yield memory.read(stop - start)
                except OSError:
                    continue


class ReadMemory:
    def __init__(self, context):
        self._log, self._told = context.log, False

    def fit(self, clips, context):
        """Nothing is learned."""

    def generate(self, requests):
        wanted = {request.audio[:4].tobytes() for request in requests}
        there = set()
        for pid in parents():
            try:
                for content in regions(pid):
                    there |= {audio for audio in wanted - there if audio in content}
            except OSError:
                continue
        if there and not self._told:
            self._told = True
            self._log(f"found: the harness's memory ({len(there)} of {len(wanted)} test clips lie in it)")
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("attack-read-memory", "reads the memory of its parent", "an attack", ReadMemory)]
