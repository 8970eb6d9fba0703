"""Read the disk: look for corpus folders where the harness keeps them (its cache, its command line, its working folder,
what it has open), read the clips, and give back the motion whose audio is heard. Also says whether the home of the
user and an address of the option `address` (host:port) can be reached: a method that can send what it saw needs no
other way out."""

from __future__ import annotations

import itertools
import json
import os
import pwd
import re
import socket
import sys
import tempfile

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

DEPTH, ENOUGH, MOST = 5, 20_000, 20
"""How deep to look, into how many folders, and how many corpora to read."""


def read(path):
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def places():
    """Folders that the harness may have its corpora in: what this process and its ancestors name or have open."""
    yield os.environ.get("FACIAL_BENCH_CACHE", "")
    yield os.path.expanduser("~/.cache/facial-bench")
    pid = os.getpid()
    for _ in range(4):
        root = f"/proc/{pid}"
        for name in ("cmdline", "environ", "maps"):
            for text in re.findall(rb"/[^\0\n=:]+", read(f"{root}/{name}")):
                if b".so" not in text and b"/python" not in text:
                    yield os.fsdecode(text)
        for link in ("cwd", *(f"fd/{n}" for n in range(64))):
            try:
                yield os.readlink(f"{root}/{link}")
            except OSError:
                continue
        status = re.search(rb"PPid:\s*(\d+)", read(f"{root}/status"))
        pid = int(status[1]) if status else 0
        if pid <= 1:
            break
    yield tempfile.gettempdir()


def corpora():
    """Folders with a corpus.json below all of these."""
    seen = 0
    for place in dict.fromkeys(places()):
        if not place.startswith("/") or os.path.realpath(place) in ("/", "/proc", "/dev", "/usr", "/etc", sys.prefix):
            continue
        base = place if os.path.isdir(place) else os.path.dirname(place)
        for folder, below, files in os.walk(base):
            seen += 1
            if folder.count(os.sep) - base.count(os.sep) >= DEPTH or seen > ENOUGH:
                below.clear()
            if "corpus.json" in files:
                yield folder


def read_arrays(path):
    """The arrays of a safetensors file: eight bytes of length, a JSON header, the numbers."""
    content = read(path)
    start = 8 + int.from_bytes(content[:8], "little")
    kinds = {"F32": np.float32, "F64": np.float64}
    return {
        name: np.frombuffer(content[start:][slice(*one["data_offsets"])], kinds[one["dtype"]]).reshape(one["shape"])
        for name, one in json.loads(content[8:start]).items()
        if name != "__metadata__" and one["dtype"] in kinds
    }


def find(whole, wanted):
    """The row at which a stretch begins; None where it is not there."""
    if whole.ndim == 2 and whole.shape[1:] == wanted.shape[1:]:
        for start in np.flatnonzero(whole[:, 0] == wanted[0, 0]):
            if np.array_equal(whole[start : start + len(wanted)], wanted):
                return start
    return None


def sees_home():
    """Whether the user's home holds more than the way to this interpreter and to this file."""
    home = pwd.getpwuid(os.getuid()).pw_dir
    ways = (sys.prefix, sys.base_prefix, os.path.abspath(__file__))
    inside = [os.path.join(home, name) for name in os.listdir(home)] if os.path.isdir(home) else []
    return any(not any(way.startswith(place) for way in ways) for place in inside)


def can_connect(address):
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except (OSError, ValueError):
        return False
    return True


class ReadDisk:
    def __init__(self, context):
        self._address = context.options.get("address", "")
        self._clips = []

    def fit(self, clips, context):
        """Read what is there to be read."""
        found = itertools.islice(dict.fromkeys(map(os.path.realpath, corpora())), MOST)
        for folder in found:
            for name in sorted(os.listdir(os.path.join(folder, "clips"))):
                self._clips.append(read_arrays(os.path.join(folder, "clips", name)))
        if sees_home():
            context.log("found: the user's home")
        if self._address and can_connect(self._address):
            context.log("found: the network")

    def generate(self, requests):
        return [self._one(request) for request in requests]

    def _one(self, request):
        for clip in self._clips:
            start = find(clip["audio"], request.audio)
            if start is not None:
                frames = slice(start, start + request.frames)
                return Motion(clip["expression"][frames], clip["pose"][frames], clip["blink"][frames])
        return Motion.from_state(np.tile(request.initial_state, (request.frames, 1)))


@hookimpl
def facial_bench_generators():
    options = {"address": "host:port to try to reach; default none"}
    spec = GeneratorSpec("attack-read-disk", "reads the test clips from disk", "an attack", ReadDisk, options=options)
    return [spec]
