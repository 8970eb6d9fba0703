"""A renderer as a run of it sees it: where it comes from, how it is opened, fitted and blamed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core import errors
from facial_bench.core.errors import FacialBenchError, GenerationError, PluginError
from facial_bench.core.files import cannot_write, read_arrays, write_arrays
from facial_bench.core.progress import Reporter
from facial_bench.core.types import Clip, Context, RendererSpec
from facial_bench.evaluation.method import keep_trace
from facial_bench.isolation.conditions import Conditions
from facial_bench.isolation.door import MethodDiedError, MethodRaisedError
from facial_bench.isolation.worker_renderer import LocalRenderer, RendererDoor, WorkerRenderer
from facial_bench.rendering.tasks import PictureCorpus, PictureTask
from facial_bench_worker.video_clips import write_pictures, write_video_clips

STORED = "fitted.safetensors"
Ask = Callable[[PictureTask], Iterable[np.ndarray]]
"""The T pictures (S, S, 3) uint8 of a stretch; raises GenerationError where it gives none."""


@dataclass(frozen=True)
class RendererCode:
    """A renderer and where it comes from."""

    name: str
    reference: str
    """Where it was published, or what it stands for."""
    plugin: str
    """The distribution or file that registered it."""
    version: str
    source: str
    """Digest of the plugin's source: a changed renderer reuses nothing of its older self."""
    origin: Mapping[str, str] = field(hash=False)
    """Where its code is, as of `MethodCode`; empty where `spec` is all there is."""
    spec: RendererSpec | None = None
    """Of a renderer that was defined in this very process."""

    def __str__(self) -> str:
        return f"{self.plugin}: renderer {self.name}"


@contextmanager
def asked_renderer(
    code: RendererCode,
    pictures: PictureCorpus,
    context: Context,
    conditions: Conditions,
    folder: Path,
    report: Reporter,
    timing: dict[str, Any],
) -> Iterator[Ask]:
    """A fitted renderer, to be asked for the pictures of stretches; ended with the block. Arguments and errors as of
    `fitted_renderer`; `timing` is told what it took."""
    started = time.perf_counter()
    door, reused = fitted_renderer(code, pictures, context, conditions, folder, report)
    timing |= {"fit_s": round(time.perf_counter() - started, 3), "fit_reused": reused}

    def ask(task: PictureTask) -> Iterable[np.ndarray]:
        try:
            return door.render(task.motion, task.clip.camera, task.appearance(pictures.corpus.info.fps))
        except (MethodRaisedError, MethodDiedError) as problem:
            raise GenerationError(str(problem)) from problem

    try:
        yield ask
    finally:
        usage = door.close()
        timing |= {"renderer_cpu_s": round(usage.cpu_s, 3), "renderer_peak_memory_mib": round(usage.peak_mib)}


def fitted_renderer(
    code: RendererCode,
    pictures: PictureCorpus,
    context: Context,
    conditions: Conditions,
    folder: Path,
    report: Reporter,
) -> tuple[RendererDoor, bool]:
    """A renderer that is fitted, now or by an earlier run; and whether it was fitted before.

    Args:
        code: Of the renderer.
        pictures: What it learns from.
        context: What it is told.
        conditions: How far it is kept apart.
        folder: Of the run, for its state and for what it raises.
        report: Is told what it says.

    Raises:
        PluginError: it could not be created or fitted. CorpusError: a video that cannot be read.
    """
    with blamed(code, folder, "created"):
        door: RendererDoor
        if code.spec is not None:
            door = LocalRenderer(code.spec, context)
        else:
            door = WorkerRenderer(code.name, code.origin, context, conditions, report)
    try:
        if _take_state(door, folder / STORED, report):
            return door, True
        write_training(pictures, door.clips, report)
        with blamed(code, folder, "fitted"):
            door.fit()
            state = door.state() if door.stateful else None
        if state is not None:
            write_arrays(folder / STORED, state, error=PluginError)
        return door, False
    except BaseException:
        door.close()
        raise


def write_training(pictures: PictureCorpus, folder: Path, report: Reporter) -> None:
    """Write the training clips with their pictures into a folder, one picture in memory at a time. A frame without a
    picture is black, and not valid.

    Raises:
        CorpusError: a video that cannot be read. FacialBenchError: no space.
    """
    total, done, clips = sum(clip.frames for clip in pictures.training), 0, list[Clip]()
    try:
        for number, clip in enumerate(pictures.training):
            seen = np.zeros(clip.frames, bool)
            write_pictures(str(folder), number, _stream(pictures, clip, seen))
            done += clip.frames
            report.progress(done, total, "reading training pictures")
            clips.append(replace(clip, valid=clip.valid & seen))
        write_video_clips(str(folder), clips, [pictures.crops[clip.recording] for clip in clips])
    except OSError as problem:
        what = f"training pictures in {folder}"
        raise FacialBenchError(cannot_write(what, problem, "with TMPDIR")) from None


def _stream(pictures: PictureCorpus, clip: Clip, seen: np.ndarray) -> Iterator[np.ndarray]:
    size = pictures.crops[clip.recording].size
    for frame, (picture, _) in enumerate(pictures.pictures(clip)):
        seen[frame] = picture is not None
        yield np.zeros((size, size, 3), np.uint8) if picture is None else picture


def _take_state(door: RendererDoor, path: Path, report: Reporter) -> bool:
    """Whether a stored state could be loaded; one that is damaged is as good as none."""
    if not door.stateful or not path.is_file():
        return False
    try:
        door.load_state(read_arrays(path, FacialBenchError, "")[0])
    except MethodDiedError:
        raise
    except FacialBenchError as problem:
        report(f"{path} cannot be used ({problem}); fitting again")
        return False
    report(f"fitted already, taken from {path.name}")
    return True


@contextmanager
def blamed(code: RendererCode, folder: Path, doing: str) -> Iterator[None]:
    """Whatever the renderer raises becomes one line that names it; a traceback goes to error.log."""
    try:
        yield
    except MethodRaisedError as problem:
        if problem.kind:
            raise getattr(errors, problem.kind)(f"{code}: {problem}") from None
        log = keep_trace(folder, problem.trace)
        raise PluginError(f"{code} could not be {doing}: {problem}; traceback in {log}.") from problem
    except MethodDiedError as problem:
        raise PluginError(f"{code} could not be {doing}: {problem}.") from None
