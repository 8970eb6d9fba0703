"""Leave the sandbox: who has the rights of an administrator within it can take away the empty folders that lie over
what is hidden, and mount what is read-only anew, to be written. Says whether it could; writes nothing, and does
nothing where it is in no sandbox."""

from __future__ import annotations

import ctypes
import os
import sys

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

REMOUNT, BIND, DETACH = 32, 4096, 2
"""MS_REMOUNT, MS_BIND and MNT_DETACH of mount(2) and umount2(2)."""


def boxed():
    """Whether the first process here is bubblewrap: these mounts are nobody else's."""
    try:
        with open("/proc/1/comm") as stream:
            return stream.read().strip() == "bwrap"
    except OSError:
        return False


def mounts():
    """(place, kind) of each mount."""
    with open("/proc/self/mountinfo") as stream:
        for line in stream:
            left, _, right = line.partition(" - ")
            yield left.split()[4], right.split()[0]


class LeaveSandbox:
    def __init__(self, context):
        self._log = context.log

    def fit(self, clips, context):
        """Undo the mounts."""
        if not boxed():
            return
        library = ctypes.CDLL(None)
        for place, kind in list(mounts()):
            if place in (sys.prefix, "/usr"):
                library.mount(None, place.encode(), None, REMOUNT | BIND, None)
            elif kind == "tmpfs" and place == "/tmp" and library.umount2(place.encode(), DETACH) == 0:
                self._log("found: what lies under an empty folder")
        if any(os.access(place, os.W_OK) for place in (sys.prefix, "/usr")):
            self._log("found: the interpreter's files, to be written")

    def generate(self, requests):
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("attack-leave-sandbox", "undoes the sandbox's mounts", "an attack", LeaveSandbox)]
