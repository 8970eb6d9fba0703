"""The loop of a method's process: a call comes through the pipe, its answer goes back."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from facial_bench_worker.clips import changed_clip, read_clips
from facial_bench_worker.determinism import import_torch_early, make_deterministic, once_torch_is_imported
from facial_bench_worker.errors import one_line
from facial_bench_worker.host import Host
from facial_bench_worker.loading import load_method, load_renderer
from facial_bench_worker.offering import LazyTrackers, list_offers, make_corpus
from facial_bench_worker.pipe import Message, Pipe, PipeClosedError
from facial_bench_worker.problems import describe
from facial_bench_worker.records import read_context, read_picture_request, read_requests
from facial_bench_worker.render_host import RenderHost
from facial_bench_worker.renderer import RendererSpec
from facial_bench_worker.stand_ins import put_stand_ins
from facial_bench_worker.video_clips import read_video_clips

NO_LIMIT = 1 << 62
"""The harness is trusted with any size."""
Answer = tuple[dict[str, Any], dict[str, np.ndarray]]


def serve(path: list[str] | None) -> None:
    """Answer calls until the harness has gone.

    Args:
        path: Where modules are looked for, of the harness's interpreter; None under another one, where stand-ins take
            the place of `facial_bench`.
    """
    pipe = Pipe(os.dup(0), os.dup(1))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a method prints is no answer
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    if path is None:
        put_stand_ins()
    else:
        sys.path[:] = path
    once_torch_is_imported(make_deterministic)
    server = Server(pipe)
    try:
        while True:
            call = pipe.receive(NO_LIMIT)
            server.answer(call)
            if call.kind == "load":
                server.get_ready()
    except PipeClosedError:
        os._exit(0)


class Server:
    """What the calls of one harness act on.

    Args:
        pipe: To the harness.
    """

    def __init__(self, pipe: Pipe) -> None:
        self._pipe, self._host, self._spec, self._origin = pipe, None, None, {}  # type: Pipe, Host | None, Any, Any
        self._renderer: RenderHost | None = None

    def answer(self, call: Message) -> None:
        """Do what a message asks for, and say what came of it."""
        try:
            values, arrays = getattr(self, f"_{call.kind}")(call.values, call.arrays)
            self._pipe.send("answer", values, arrays)
        except PipeClosedError:
            raise
        except BaseException as problem:  # a method that exits is a method that failed
            self._pipe.send("error", vars(describe(problem)))

    def get_ready(self) -> None:
        """What a method will need, while the harness gets ready too."""
        if self._spec is None or ("module" in self._origin and self._origin["module"].startswith("facial_bench.")):
            return  # a built-in: none uses torch
        with contextlib.suppress(Exception):  # what cannot be imported here fails where the method imports it
            import_torch_early(self._spec.create)

    def _list(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Answer:
        return list_offers(values["origins"], values["installed"]), {}

    def _imported(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Answer:
        return {"names": [name for name in values["names"] if name in sys.modules]}, {}

    def _make_corpus(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Answer:
        make_corpus(values["origin"], values["name"], values["dest"])
        return {}, {}

    def _load(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Answer:
        self._origin = values["origin"]
        renderer = values.get("kind") == "renderers"
        self._spec = (load_renderer if renderer else load_method)(self._origin, values["name"])
        return {}, {}

    def _fingerprint(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Answer:
        digest = self._spec.fingerprint(values["options"]) if self._spec.fingerprint else ""
        return {"digest": str(digest)}, {}

    def _create(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Answer:
        context = read_context(values, arrays, self._log, self._progress, LazyTrackers())
        if isinstance(self._spec, RendererSpec):
            self._renderer = RenderHost(self._spec, context)
            return {"stateful": self._renderer.stateful}, {}
        self._host = Host(self._spec, context)
        return {"stateful": self._host.stateful, "trackers": self._host.trackers}, {}

    def _fit(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Answer:
        clips = read_clips(values["folder"])
        self._made().fit(clips)
        return {"changed": changed_clip(values["folder"], clips) if values["inspect"] else None}, {}

    def _state(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Answer:
        return {}, (self._renderer or self._made()).state()

    def _load_state(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Answer:
        (self._renderer or self._made()).load_state(arrays)
        return {}, {}

    def _generate(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Answer:
        requests, told, motions = read_requests(values, arrays), [], {}
        for request, outcome in zip(requests, self._made().generate(requests)):
            parts = {} if outcome.motion is None else vars(outcome.motion)
            motions.update({f"{request.id}/{name}": part for name, part in parts.items() if part is not None})
            told.append({"id": request.id, "reason": outcome.reason, "trace": outcome.trace})
        return {"outcomes": told}, motions

    def _fit_renderer(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Answer:
        self._made_renderer().fit(read_video_clips(values["folder"]))
        return {}, {}

    def _render(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Answer:
        self._made_renderer().render(*read_picture_request(values, arrays), values["path"])
        return {}, {}

    def _notes(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Answer:
        host, torch = self._made(), sys.modules.get("torch")
        version = str(getattr(torch, "__version__", ""))
        versions = {"python": platform.python_version(), "numpy": np.__version__, "torch": version}
        return {"asked": sorted(host.options.asked), "changed_request": host.changed_request, **versions}, {}

    def _made(self) -> Host:
        if self._host is None:
            raise RuntimeError("the method was not created")
        return self._host

    def _made_renderer(self) -> RenderHost:
        if self._renderer is None:
            raise RuntimeError("the renderer was not created")
        return self._renderer

    def _log(self, line: str) -> None:
        self._pipe.send("log", {"line": one_line(line, 2000)})

    def _progress(self, done: float, total: float, text: str) -> None:
        self._pipe.send("progress", {"done": float(done), "total": float(total), "text": one_line(text, 80)})
