"""A renderer in a process of its own, as the harness talks to it; or, of a notebook or a test, here."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np

from facial_bench.core.errors import FacialBenchError, GenerationError
from facial_bench.core.progress import Reporter
from facial_bench.core.types import Appearance, Camera, Context, Motion, RendererSpec
from facial_bench.isolation.conditions import Conditions
from facial_bench.isolation.door import MethodRaisedError, Usage
from facial_bench.isolation.scratch import Scratch
from facial_bench.isolation.start import start_worker
from facial_bench.isolation.worker_method import MOST_STATE
from facial_bench_worker.problems import describe
from facial_bench_worker.records import context_message, picture_request_message
from facial_bench_worker.render_host import RenderHost
from facial_bench_worker.video_clips import read_video_clips


class RendererDoor(Protocol):
    """A renderer that was created. Each call raises MethodRaisedError or MethodDiedError where it gives nothing."""

    stateful: bool
    """Whether its fit can be stored."""

    @property
    def clips(self) -> Path:
        """An empty folder for the training clips; goes when the renderer ends."""

    def fit(self) -> None:
        """Fit it to the training clips of that folder."""

    def state(self) -> Mapping[str, np.ndarray]:
        """All that it learned."""

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Have it become what gave the state."""

    def render(self, motion: Motion, camera: Camera, like: Appearance) -> np.ndarray:
        """(T, S, S, 3) uint8 pictures of a motion, memory-mapped; gone with the next call."""

    def close(self) -> Usage:
        """End it; may be called twice."""


class _Folders:
    """The scratch folders that both kinds of renderers use."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch, self.clips = scratch, scratch.folder / "clips"
        self.clips.mkdir(exist_ok=True)
        self._last: Path | None = None

    def next_path(self) -> Path:
        """A file for the next pictures; those before go."""
        if self._last is not None:
            self._last.unlink(missing_ok=True)
        self._last = self._scratch.room / f"{secrets.token_hex(8)}.rgb"
        return self._last


class WorkerRenderer:
    """A renderer, created in a process of its own.

    Args:
        name: Of the renderer.
        origin: Where its code is.
        context: What it is told; its lines and progress go to the report.
        conditions: How far it is kept apart.
        report: Is told what it says.

    Raises:
        MethodRaisedError: its code or `create` raised. MethodDiedError: its process ended. FacialBenchError: it could
            not be started.
    """

    def __init__(
        self, name: str, origin: Mapping[str, str], context: Context, conditions: Conditions, report: Reporter
    ) -> None:
        self._conditions = conditions
        self._worker = start_worker(conditions, [origin], context.device, report)
        try:
            self._worker.process.call("load", {"origin": dict(origin), "name": name, "kind": "renderers"})
            values, arrays = context_message(context)
            created = self._worker.process.call("create", values, arrays, seconds=conditions.timeout)
            self._folders = _Folders(self._worker.scratch)
        except BaseException:
            self.close()
            raise
        self.stateful = created.values.get("stateful") is True

    @property
    def clips(self) -> Path:
        """An empty folder for the training clips."""
        return self._folders.clips

    def fit(self) -> None:
        """Fit it to the training clips of that folder."""
        self._worker.process.call("fit_renderer", {"folder": str(self.clips)}, seconds=self._conditions.timeout)

    def state(self) -> Mapping[str, np.ndarray]:
        """All that it learned."""
        return self._worker.process.call("state", limit=MOST_STATE, seconds=self._conditions.timeout).arrays

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Have it become what gave the state."""
        self._worker.process.call("load_state", arrays=state, seconds=self._conditions.timeout)

    def render(self, motion: Motion, camera: Camera, like: Appearance) -> np.ndarray:
        """(T, S, S, 3) uint8 pictures of a motion, memory-mapped."""
        path = self._folders.next_path()
        values, arrays = picture_request_message(motion, camera, like)
        self._worker.process.call("render", {**values, "path": str(path)}, arrays, seconds=self._conditions.timeout)
        return _mapped(path, motion.frames, like.crop.size)

    def close(self) -> Usage:
        """End its process."""
        return self._worker.close()


class LocalRenderer:
    """A renderer that was defined in this process. Arguments as of `WorkerRenderer`."""

    def __init__(self, spec: RendererSpec, context: Context) -> None:
        self._scratch = Scratch()
        try:
            self._folders = _Folders(self._scratch)
            with _described():
                self._host = RenderHost(spec, context)
        except BaseException:
            self._scratch.close()
            raise
        self.stateful = self._host.stateful

    @property
    def clips(self) -> Path:
        """An empty folder for the training clips."""
        return self._folders.clips

    def fit(self) -> None:
        """Fit it to the training clips of that folder."""
        with _described():
            self._host.fit(read_video_clips(str(self.clips)))

    def state(self) -> Mapping[str, np.ndarray]:
        """All that it learned."""
        with _described():
            return self._host.state()

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Have it become what gave the state."""
        with _described():
            self._host.load_state(state)

    def render(self, motion: Motion, camera: Camera, like: Appearance) -> np.ndarray:
        """(T, S, S, 3) uint8 pictures of a motion, memory-mapped."""
        path = self._folders.next_path()
        with _described():
            self._host.render(motion, camera, like, str(path))
        return _mapped(path, motion.frames, like.crop.size)

    def close(self) -> Usage:
        """Remove its folder."""
        self._scratch.close()
        return Usage()


@contextmanager
def _described() -> Iterator[None]:
    try:
        yield
    except (Exception, SystemExit) as problem:
        told = describe(problem)
        raise MethodRaisedError(told.line, told.trace, told.kind) from problem


def _mapped(path: Path, frames: int, size: int) -> np.ndarray:
    """The pictures of a file, if it is a plain one of the right size: another process wrote it."""
    shape = (frames, size, size, 3)
    try:
        found = os.lstat(path)
    except OSError as problem:
        raise GenerationError(f"its pictures cannot be read ({problem.strerror})") from None
    if not stat.S_ISREG(found.st_mode) or found.st_size != int(np.prod(shape)):
        raise GenerationError(f"its pictures are {found.st_size} bytes, expected {int(np.prod(shape))}")
    if not frames:
        return np.zeros(shape, np.uint8)
    try:
        return np.memmap(path, np.uint8, "r", shape=shape).view(np.ndarray)
    except (OSError, ValueError) as problem:
        raise FacialBenchError(f"{path} cannot be mapped: {problem}.") from None
