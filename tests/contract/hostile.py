"""A plugin whose method takes the pipe into its own hands: whatever it writes, the harness must not believe it."""

import gc
import json
import os
import struct

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion


def pipe():
    """The pipe of this process, found as anybody can find it."""
    return next(thing for thing in gc.get_objects() if type(thing).__name__ == "Pipe")


class Hostile:
    def __init__(self, context):
        self.does = context.options["does"]

    def fit(self, clips, context):
        pass

    def generate(self, requests):
        motions = [Motion.from_state(np.tile(request.initial_state, (request.frames, 1))) for request in requests]
        if len(requests) > 1 or self.does == "always":
            getattr(self, self.does)(requests, motions)
        return motions

    def say(self, kind, values, arrays=None):
        pipe().send(kind, values, arrays or {})

    def lie(self, requests, motions):
        """A header that announces 10 GB."""
        header = json.dumps({"kind": "answer", "values": {}, "arrays": [["x", "<f8", [1_250_000_000]]]}).encode()
        os.write(pipe()._sink, b"FBM1" + struct.pack("<I", len(header)) + header)

    def other_ids(self, requests, motions):
        told = [{"id": f"self/a{k}@0", "reason": None, "trace": ""} for k in range(len(requests))]
        self.say("answer", {"outcomes": told})

    def twice(self, requests, motions):
        told = [{"id": requests[0].id, "reason": None, "trace": ""}] * len(requests)
        self.say("answer", {"outcomes": told})

    def more(self, requests, motions):
        told = [{"id": request.id, "reason": "late", "trace": ""} for request in requests]
        state = np.zeros((requests[0].frames, 64), np.float32)
        self.say("answer", {"outcomes": told}, {"self/a0@0/expression": state})

    def wrong_shape(self, requests, motions):
        told = [{"id": request.id, "reason": None, "trace": ""} for request in requests]
        self.say("answer", {"outcomes": told}, {f"{requests[0].id}/pose": np.zeros((3, 6), np.float32)})

    def not_a_number(self, requests, motions):
        told = [{"id": request.id, "reason": None, "trace": ""} for request in requests]
        arrays = {}
        for request in requests:
            arrays[f"{request.id}/expression"] = np.full((request.frames, 64), np.nan, np.float32)
            arrays[f"{request.id}/pose"] = np.zeros((request.frames, 6), np.float32)
            arrays[f"{request.id}/blink"] = np.zeros(request.frames, np.float32)
        self.say("answer", {"outcomes": told}, arrays)

    def outcomes_are_no_list(self, requests, motions):
        self.say("answer", {"outcomes": {"a": 1}})

    def outcomes_are_numbers(self, requests, motions):
        self.say("answer", {"outcomes": [1, 2, 3]})

    def outcomes_are_a_number(self, requests, motions):
        self.say("answer", {"outcomes": 5})

    def strange_kind(self, requests, motions):
        self.say("\x1b[2Jdance", {})

    def steer(self, requests, motions):
        """Text that would steer a terminal."""
        self.say("log", {"line": "\x1b[2J\x1b]0;owned\x07 hello"})
        self.say("progress", {"done": "much", "total": None, "text": 7})
        self.say("progress", {"done": 1, "total": 2, "text": "\x1b[31mred\nline"})

    def endless_parts(self, requests, motions):
        for k in range(2000):
            self.say("progress", {"done": 1, "total": 2, "text": f"part {k}"})

    def claims_an_error_of_ours(self, requests, motions):
        self.say("error", {"line": "\x1b[2Jfine", "trace": 3, "kind": "SystemExit"})


NAMES = [name for name in vars(Hostile) if not name.startswith("_") and name not in ("fit", "generate", "say")]


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("hostile", "s", "r", Hostile, options={"does": ", ".join(NAMES)})]
