"""Forge answers: write messages of one's own into every pipe that the process has open, past the code that sends the
honest ones. The option `how` says what: `other` (an answer to requests that were not asked), `twice` (the same answer
again and again), `huge` (a header that announces 10 GB), or `garbage` (headers made to trip whoever reads them: names
that are no text, empty arrays of impossible shapes, text that no terminal takes)."""

from __future__ import annotations

import json
import os
import stat
import struct
import zlib

import numpy as np

from facial_bench import hookimpl
from facial_bench.errors import FacialBenchError
from facial_bench.types import GeneratorSpec, Motion

TEXT = "\ud800\x1b[2J"


def message(values, arrays=(), kind="answer"):
    header = json.dumps({"kind": kind, "values": values, "arrays": list(arrays)}).encode()
    return b"FBM1" + struct.pack("<I", len(header)) + header


def forged(how, frames):
    """The messages, one after the other."""
    still = np.zeros((frames, 71), np.float32).tobytes()
    shapes = [[f"0/{name}", "<f4", shape] for name, shape in (("expression", [frames, 64]), ("pose", [frames, 6]))]
    other = message({"outcomes": [{"id": "0", "reason": None, "trace": ""}]}, [*shapes, ["0/blink", "<f4", [frames]]])
    return {
        "other": [other + still],
        "twice": [(other + still) * 3],
        "huge": [message({"outcomes": []}, [["0/blink", "<f4", [2_500_000_000]]])],
        "garbage": [
            message({}, [["x", "<f4", [0, 2**47, 2**47, 2**47]]]),
            message({}, [[["x"], "<f4", [1]]]),
            message({}, [["x", ["<f4"], [1]]]),
            message({"outcomes": 5}),
            message({"outcomes": [{"id": TEXT, "reason": TEXT, "trace": TEXT}]}),
            message({"line": TEXT, "done": True, "total": 0, "text": TEXT}, kind="progress"),
            message({"line": TEXT, "trace": 5, "kind": TEXT}, kind="error"),
            b"FBM1" + struct.pack("<I", 2**32 - 1),
            b"\x80\x04\x95" * 1000,  # a pickle begins so
        ],
    }[how]


def pipes():
    """What can be written into, but for standard output and error."""
    for number in range(64):
        try:
            if number not in (1, 2) and stat.S_ISFIFO(os.fstat(number).st_mode):
                yield number
        except OSError:
            continue


class ForgeAnswers:
    def __init__(self, context):
        self._how = context.options.get("how", "other")
        if self._how not in ("other", "twice", "huge", "garbage"):
            raise FacialBenchError(f"how: choose other, twice, huge or garbage, not {self._how}.")

    def fit(self, clips, context):
        """Nothing is learned."""

    def generate(self, requests):
        messages = forged(self._how, requests[0].frames)
        chosen = messages[zlib.crc32(np.ascontiguousarray(requests[0].audio).tobytes()) % len(messages)]
        for number in pipes():
            try:
                os.write(number, chosen)
            except OSError:
                continue
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]

    def state_dict(self):
        return {"nothing": np.zeros(1)}  # so that a new process can go on where this one ends

    def load_state_dict(self, state, context):
        """Nothing was learned."""


@hookimpl
def facial_bench_generators():
    options = {"how": "other, twice, huge or garbage; default other"}
    return [GeneratorSpec("attack-forge-answers", "writes into the pipes", "an attack", ForgeAnswers, options=options)]
