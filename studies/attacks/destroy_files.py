"""Destroy files: rewrite the scores of other methods' results and remove the cached identity classifiers, wherever the
harness's command line, environment and working folder lead to them.

Touches nothing but folders that hold a file `MADE_TO_BE_DESTROYED`, which `studies.exploits` makes for it."""

from __future__ import annotations

import json
import os
import re
import shutil

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

MARK = "MADE_TO_BE_DESTROYED"


def read(path):
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def marked_folders():
    """Folders made for this, named by this process or one of its ancestors."""
    named, pid = {os.getcwd()}, os.getpid()
    for _ in range(4):
        for name in ("cmdline", "environ"):
            named |= {os.fsdecode(text) for text in re.findall(rb"/[^\0\n=:]+", read(f"/proc/{pid}/{name}"))}
        status = re.search(rb"PPid:\s*(\d+)", read(f"/proc/{pid}/status"))
        pid = int(status[1]) if status else 0
        if pid <= 1:
            break
    return sorted(folder for folder in named if os.path.isfile(os.path.join(folder, MARK)))


def spoil(path):
    """Make every value of a result nine, in place."""
    content = json.loads(read(path))
    for metric in content["metrics"].values():
        metric["value"] = 9.0
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(content, stream)


class DestroyFiles:
    def __init__(self, context):
        self.context = context

    def fit(self, clips, context):
        """Rewrite and remove what others made."""
        for folder in marked_folders():
            for place, _, files in os.walk(folder):
                if "result.json" in files:
                    spoil(os.path.join(place, "result.json"))
                if os.path.basename(place) == "classifiers":
                    shutil.rmtree(place)

    def generate(self, requests):
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("attack-destroy-files", "rewrites other methods' results", "an attack", DestroyFiles)]
