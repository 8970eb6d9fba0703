"""A CPU that plays the part of CUDA graphs: the operations of an update are recorded, and repeated on the same memory.

What a graph would freeze is frozen: numbers of Python, the row of a batch that is read by it, and a tensor's address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Recorder(TorchDispatchMode):
    """Notes every operation with the very tensors that it read and wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Callable, tuple, dict, list[Any]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        fresh = all(returned.alias_info is None for returned in func._schema.returns)
        self.operations.append((func, args, kwargs or {}, tree_leaves(result) if fresh else []))
        return result

    def replay(self) -> None:
        """The same operations on the same memory, whatever Python thinks by now."""
        with torch.no_grad():
            for func, args, kwargs, results in self.operations:
                for old, new in zip(results, tree_leaves(func(*args, **kwargs)), strict=False):
                    if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                        old.copy_(new)


class Stream:
    """There is one queue here, so there is nothing to wait for."""

    def wait_stream(self, other: Stream) -> None:
        """Done already."""


class Graph(Recorder):
    """Counts its replays."""

    replays = 0

    def replay(self) -> None:
        self.replays += 1
        super().replay()


class PretendedCuda:
    """Stands in for torch.cuda in `captured`.

    Args:
        state: gives all that an update changes: a capture, as a real one, leaves it as it was.
    """

    def __init__(self, state: Callable[[], Sequence[Tensor]]) -> None:
        self._state = state
        self.graphs: list[Graph] = []

    def take_part(self, patch: pytest.MonkeyPatch) -> None:
        """Until the patch ends, torch.cuda's graphs and streams are these."""
        patch.setattr(torch.cuda, "Stream", Stream)
        patch.setattr(torch.cuda, "current_stream", Stream)
        patch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
        patch.setattr(torch.cuda, "CUDAGraph", self._new)
        patch.setattr(torch.cuda, "graph", self._capture)

    def _new(self) -> Graph:
        self.graphs.append(Graph())
        return self.graphs[-1]

    @contextmanager
    def _capture(self, graph: Graph, stream: Stream) -> Iterator[None]:
        before = [tensor.clone() for tensor in self._state()]
        with graph:
            yield
        for tensor, value in zip(self._state(), before, strict=True):
            tensor.data.copy_(value)
