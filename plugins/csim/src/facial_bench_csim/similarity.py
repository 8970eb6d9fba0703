"""The metric: embeddings of rendered and real faces, and the cosine between them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from facial_bench.errors import FacialBenchError
from facial_bench_csim.alignment import SIDE, aligned, five_points
from facial_bench_csim.weights import TAKES


class FaceSimilarity:
    """Cosine similarity of face embeddings, frame by frame.

    Args:
        model: A face embedding in TensorFlow Lite.

    Raises:
        FacialBenchError: a model of other inputs or outputs, or a damaged one.
    """

    def __init__(self, model: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            with _silence():
                self._network = Interpreter(model_path=str(model), num_threads=1)
                self._network.allocate_tensors()
        except (ValueError, RuntimeError) as problem:
            reason = " ".join(str(problem).split()).rstrip(".")
            raise FacialBenchError(f"{model} cannot be used: {reason}. The metric csim needs {TAKES}.") from None
        inputs, outputs = self._network.get_input_details(), self._network.get_output_details()
        shapes = [tuple(int(n) for n in one["shape"]) for one in (*inputs, *outputs)]
        fits = len(inputs) == len(outputs) == 1 and all(one["dtype"] == np.float32 for one in (*inputs, *outputs))
        if not fits or shapes[0][1:] != (SIDE, SIDE, 3) or len(shapes[1]) != 2 or shapes[1][0] != shapes[0][0]:
            raise FacialBenchError(f"{model} has inputs and outputs {shapes}. The metric csim needs {TAKES}.")
        self._batch, self._input, self._output = shapes[0][0], inputs[0]["index"], outputs[0]["index"]

    def __call__(self, real: np.ndarray, rendered: np.ndarray, landmarks: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """(n,) float64, -1..1: the cosine of each frame; NaN where a landmark that is needed is not finite.

        Args:
            real: (n, S, S, 3) uint8 RGB.
            rendered: As `real`.
            landmarks: (n, 68, 2) of the real face, pixels of the pictures.
            wanted: As `landmarks`, of the face that was to be rendered.
        """
        points = [five_points(np.asarray(one, np.float64)) for one in (landmarks, wanted)]
        known = np.flatnonzero(np.isfinite(points).all(axis=(0, 2, 3)))
        values = np.full(len(real), np.nan)
        if len(known):
            one, two = (
                self.embeddings(np.stack([aligned(pictures[t], own[t]) for t in known]))
                for pictures, own in zip((real, rendered), points, strict=True)
            )
            values[known] = (one * two).sum(axis=1)
        return values

    def embeddings(self, faces: np.ndarray) -> np.ndarray:
        """(m, 112, 112, 3) uint8 aligned faces -> (m, D) float64 embeddings of length 1."""
        scaled = (faces.astype(np.float32) - 127.5) / 128
        found = []
        for first in range(0, len(scaled), self._batch):
            batch = scaled[first : first + self._batch]
            lacking = self._batch - len(batch)
            self._network.set_tensor(self._input, np.concatenate([batch, np.repeat(batch[-1:], lacking, axis=0)]))
            self._network.invoke()
            found.append(self._network.get_tensor(self._output)[: len(batch)].astype(np.float64))
        every = np.concatenate(found)
        lengths = np.linalg.norm(every, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and (lengths > 0).all()):
            raise FacialBenchError("The embedding that csim was given has no direction for a face. Use another model.")
        return every / lengths


@contextmanager
def _silence() -> Iterator[None]:
    """No lines on standard error meanwhile: the native library tells how it runs a model. Errors are raised."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
