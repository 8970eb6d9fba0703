"""A renderer in this process, called as the contract says; its pictures go to a file, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from facial_bench_worker.errors import GenerationError
from facial_bench_worker.face import Camera, Motion
from facial_bench_worker.host import NotedOptions, checked_state
from facial_bench_worker.method import Context, Stateful, check_options
from facial_bench_worker.renderer import Appearance, RendererSpec, VideoClip


class RenderHost:
    """A renderer, created.

    Args:
        spec: Of the renderer.
        context: What it is told.

    Raises:
        FacialBenchError: an option that the spec does not declare. Whatever the renderer raises passes, here and below.
    """

    def __init__(self, spec: RendererSpec, context: Context) -> None:
        check_options(spec, context.options, "renderer")
        self.options = NotedOptions(context.options)
        self._context = replace(context, options=self.options)
        self._renderer = spec.create(self._context)

    @property
    def stateful(self) -> bool:
        """Whether its fit can be stored."""
        return isinstance(self._renderer, Stateful)

    def fit(self, videos: Sequence[VideoClip]) -> None:
        """Fit the renderer to the training clips."""
        self._renderer.fit(videos, self._context)

    def state(self) -> dict[str, np.ndarray]:
        """All that `fit` learned; raises GenerationError where it is no arrays of numbers."""
        return checked_state(self._renderer)

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Become what the renderer was that gave the state."""
        self._renderer.load_state_dict(state, self._context)  # type: ignore[attr-defined]

    def render(self, motion: Motion, camera: Camera, like: Appearance, path: str) -> None:
        """Write the pictures of a motion to a file: T x S x S x 3 bytes, RGB.

        Raises:
            GenerationError: the renderer gave something else than such pictures.
        """
        done, size = 0, like.crop.size
        with open(path, "wb") as file:
            for block in _blocks(self._renderer.render(motion, camera, like)):
                if not isinstance(block, np.ndarray) or block.dtype != np.uint8 or block.shape[1:] != (size, size, 3):
                    held = f"{block.dtype} {block.shape}" if isinstance(block, np.ndarray) else type(block).__name__
                    raise GenerationError(f"gave {held}, expected uint8 (n, {size}, {size}, 3)")
                done += len(block)
                if done > motion.frames:
                    raise GenerationError(f"gave more than the {motion.frames} pictures that were asked for")
                file.write(np.ascontiguousarray(block).data)
        if done != motion.frames:
            raise GenerationError(f"gave {done} pictures for {motion.frames} frames of motion")


def _blocks(rendered: Any) -> Iterator[Any]:
    if isinstance(rendered, np.ndarray):
        return iter([rendered])
    try:
        return iter(rendered)
    except TypeError:
        raise GenerationError(f"gave {type(rendered).__name__}, expected pictures") from None
