"""One update as one CUDA graph: its hundreds of small kernels are launched by a single call.

Untested on a GPU. It follows the whole-network capture of https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from facial_bench.errors import FacialBenchError

WARM_UP = 3
"""Updates before the capture, in which libraries and optimisers allocate what they keep."""


class Captured:
    """Called like the update that it was made of, and does the same work.

    The first `WARM_UP` calls are that update on a stream of its own. The next call captures it, which runs nothing, and
    then replays it, as all later calls do. A replay repeats the kernels on the same memory, so the update must be a
    function of tensors on the device that it changes in place. The loss is one tensor that every replay writes anew.

    Args:
        update: makes one update and gives its loss.
        device: where. Raises FacialBenchError for one that is not CUDA.
    """

    def __init__(self, update: Callable[[], Tensor], device: str) -> None:
        if torch.device(device).type != "cuda":
            raise FacialBenchError(f"facial: graph=yes needs a CUDA device, and training is on {device}; leave it out.")
        self._update, self._warm_ups = update, 0
        self._stream = torch.cuda.Stream()
        self._graph: torch.cuda.CUDAGraph | None = None
        self._loss: Tensor | None = None

    def __call__(self) -> Tensor:
        """One update; its loss, on the device."""
        if self._warm_ups < WARM_UP:
            self._warm_ups += 1
            return self._aside()
        if self._graph is None or self._loss is None:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=self._stream):
                self._loss = self._update()
        self._graph.replay()
        return self._loss

    def _aside(self) -> Tensor:
        """The update itself, on the stream of the capture."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="This instance was constructed with capturable=True")
            loss = self._update()
        torch.cuda.current_stream().wait_stream(self._stream)
        return loss
