"""Regenerate the corpus: the built-in corpus comes from a public seed, so it can be made again, test motion and all.
Makes it with facial-bench's own generator, where that can be imported, and gives back the motion of the clip whose
audio is heard."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import numpy as np

from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion


def read_arrays(path):
    """The arrays of a safetensors file: eight bytes of length, a JSON header, the numbers."""
    with open(path, "rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        content = stream.read()
    kinds = {"F32": np.float32, "F64": np.float64}
    return {
        name: np.frombuffer(content[slice(*one["data_offsets"])], kinds[one["dtype"]]).reshape(one["shape"])
        for name, one in header.items()
        if name != "__metadata__" and one["dtype"] in kinds
    }


def make_again():
    """The clips of the public corpus, as arrays; none where it cannot be made."""
    try:
        from facial_bench.corpora.synthetic import make
    except ImportError:
        return []
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder, "again"))
        clips = os.path.join(folder, "again", "clips")
        return [read_arrays(os.path.join(clips, name)) for name in sorted(os.listdir(clips))]


def find(whole, wanted):
    """The row at which a stretch begins; None where it is not there."""
    for start in np.flatnonzero(whole[:, 0] == wanted[0, 0]):
        if np.array_equal(whole[start : start + len(wanted)], wanted):
            return start
    return None


class Regenerate:
    def __init__(self, context):
        self._clips = []

    def fit(self, clips, context):
        """Make the whole corpus again instead of learning from a part of it."""
        self._clips = make_again()

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
    return [GeneratorSpec("attack-regenerate", "makes the public corpus again", "an attack", Regenerate)]
