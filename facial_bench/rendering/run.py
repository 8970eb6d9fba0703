"""One rendering, from a renderer and a corpus with videos to a result. Knows nothing of plugins or the command line."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from facial_bench.core.device import describe_device
from facial_bench.core.digests import canonical_json, derive_seed
from facial_bench.core.errors import GenerationError
from facial_bench.core.progress import Reporter
from facial_bench.core.types import Context
from facial_bench.core.version import __version__
from facial_bench.evaluation.compact import without_spare_blocks
from facial_bench.evaluation.result import make_metric
from facial_bench.evaluation.result_schema import MethodName, Metric, NamedCorpus, Reference
from facial_bench.evaluation.run_folder import finish, open_run, require_own
from facial_bench.evaluation.run_key import core_source
from facial_bench.isolation.conditions import Conditions as Isolation
from facial_bench.metrics.image.metric import ImageMetric
from facial_bench.rendering.cycle import NO_TRACKER, CycleTracker
from facial_bench.rendering.finished_videos import FinishedVideos, is_finished
from facial_bench.rendering.protocol import PictureProtocol
from facial_bench.rendering.references import PictureReferences, make_references, references_of
from facial_bench.rendering.renderer import Ask, RendererCode, asked_renderer
from facial_bench.rendering.result import (
    FILE,
    REAL,
    SCHEMA,
    Driving,
    PictureProtocolName,
    PictureRow,
    Rendering,
    write_rendering,
)
from facial_bench.rendering.scorer import PictureScorer
from facial_bench.rendering.scoring import one_thread_each
from facial_bench.rendering.stretches import Rendered
from facial_bench.rendering.tasks import PictureCorpus
from facial_bench.statistics.aggregate import summarise


@dataclass(frozen=True)
class RenderSettings:
    """The choices of a rendering that are the caller's."""

    seed: int = 0
    device: str = "cpu"
    budget: str = "quick"
    options: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False
    """Whether to ignore what an earlier rendering of the same key left."""
    label: str = ""
    """Folder and row name."""
    isolation: Isolation = field(default_factory=Isolation)
    tracker: CycleTracker = NO_TRACKER
    """Tracks what was rendered again."""
    brought: Sequence[ImageMetric] = ()
    """Metrics of plugins."""


def render_corpus(
    code: RendererCode,
    pictures: PictureCorpus,
    protocol: PictureProtocol,
    driving: Driving,
    settings: RenderSettings,
    final: Path,
    cache: Path,
    report: Reporter,
) -> Rendering:
    """Fit a renderer, have it render the test stretches, score the pictures, write `<final>/rendering.json`.

    Args:
        code: The renderer.
        pictures: A corpus with its videos; its tasks hold the motion.
        protocol: Of pictures.
        driving: Whose motion it is.
        settings: The caller's choices.
        final: Folder of the rendering.
        cache: For references.
        report: Told what happens.

    Raises:
        PluginError: the renderer could not be created or fitted. GenerationError: it failed on every stretch.
        CorpusError: a video that cannot be read. FacialBenchError: the folder cannot be written.
    """
    every = PictureScorer.of(pictures, protocol, settings.tracker, settings.brought)
    scorer = every if driving.motion == REAL else every.unaligned()
    timing: dict[str, Any] = {}
    key = _key(code, pictures, protocol, driving, settings)
    require_own(final, {name: key[name] for name in ("corpus", "options")}, settings.fresh, FILE)
    with one_thread_each():
        references = make_references(every, cache, report)
        place = open_run(final, key, settings.fresh, report, FILE)
        with _asked(code, pictures, settings, place.work, report, timing) as ask:
            rows = _rows(Rendered(code, scorer, ask, place.work, report), references, timing)
    if all(row.status == "failed" for row in rows):
        raise GenerationError(f"{code} failed on all {len(rows)} clips; {rows[0].request}: {rows[0].reason}.")
    kept = references_of(references, scorer)
    rendering = Rendering(
        schema=SCHEMA,
        protocol=PictureProtocolName(name=protocol.name, digest=protocol.digest(), size=protocol.size),
        corpus=_corpus_name(pictures, final),
        renderer=MethodName(
            name=code.name,
            label=settings.label,
            reference=code.reference,
            plugin=code.plugin,
            version=code.version,
            budget=settings.budget,
            options=dict(sorted(settings.options.items())),
            isolation=settings.isolation.isolation,
        ),
        driving=driving,
        seed=settings.seed,
        device=describe_device(settings.device),
        environment=_environment(pictures),
        timing=timing,
        digest="",
        metrics=make_metrics(rows, scorer, kept),
        references=kept,
        clips=tuple(without_spare_blocks(rows)),  # type: ignore[arg-type]
    )
    written = write_rendering(place.work / FILE, rendering)
    finish(place)
    return written


def make_metrics(
    rows: Sequence[PictureRow], scorer: PictureScorer, references: Mapping[str, Reference]
) -> dict[str, Metric]:
    """metric -> value, interval, skill and definition, over all stretches."""
    metrics = {}
    for one in scorer.definitions:
        absent = next((row.metrics[one.id].reason for row in rows if row.metrics[one.id].absent), "")
        summary = summarise([rows], one.id, scorer.protocol.split)
        metrics[one.id] = make_metric(summary, references[one.id], one, absent)
    return metrics


def _rows(work: Rendered, references: PictureReferences, timing: dict[str, Any]) -> list[PictureRow]:
    chance = {row.request: row for row in references.chance}
    rows, spent, shown, done = list[PictureRow](), 0.0, 0, 0
    started, total = time.perf_counter(), sum(task.clip.frames for task in work.scorer.pictures.test)
    for task in work.scorer.pictures.test:
        row, seconds = work.row(task, chance[task.id])
        rows.append(row)
        if seconds:
            spent, shown = spent + seconds, shown + task.clip.frames
        done += task.clip.frames
        work.report.progress(done, total, "rendering and scoring")
    timing["render_s"] = round(spent, 3)
    timing["render_fps"] = round(shown / spent, 1) if spent and not is_finished(work.code) else 0.0
    timing["rows_s"] = round(time.perf_counter() - started, 3)
    return rows


@contextmanager
def _asked(
    code: RendererCode,
    pictures: PictureCorpus,
    settings: RenderSettings,
    folder: Path,
    report: Reporter,
    timing: dict[str, Any],
) -> Iterator[Ask]:
    """What is asked for pictures: a fitted renderer, or a folder of finished videos."""
    if is_finished(code):
        yield partial(FinishedVideos.of(settings.options).pictures, fps=pictures.corpus.info.fps)
        return
    context = _context(pictures, settings, report)
    with asked_renderer(code, pictures, context, settings.isolation, folder, report, timing) as ask:
        yield ask


def _context(pictures: PictureCorpus, settings: RenderSettings, report: Reporter) -> Context:
    return Context(
        pictures.corpus.info,
        derive_seed(settings.seed, "render"),
        settings.device,
        settings.budget,
        dict(settings.options),
        pictures.corpus.face_model,
        report,
        report.progress,
    )


def _key(
    code: RendererCode, pictures: PictureCorpus, protocol: PictureProtocol, driving: Driving, settings: RenderSettings
) -> dict[str, Any]:
    """What a stored fit and stored pictures depend on."""
    return {
        "core": __version__,
        "core_source": core_source(),
        "protocol": protocol.digest(),
        "corpus": pictures.corpus.info.digest,
        "method": code.name,
        "source": code.source,
        "version": code.version,
        "seed": settings.seed,
        "device": describe_device(settings.device),
        "budget": settings.budget,
        "options": canonical_json(dict(settings.options)),
        "inputs": FinishedVideos.of(settings.options).digest() if is_finished(code) else "",
        "torch": "",
        "plugin": code.plugin,
        "isolation": settings.isolation.isolation,
        "driving": driving.result or driving.motion,
    }


def _corpus_name(pictures: PictureCorpus, final: Path) -> NamedCorpus:
    info = pictures.corpus.info
    return NamedCorpus(
        name=info.name,
        version=info.version,
        digest=info.digest,
        label=final.parent.parent.name,
        identities=tuple(info.identities),
    )


def _environment(pictures: PictureCorpus) -> dict[str, Any]:
    return {
        "facial_bench": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "corpus_path": os.path.abspath(pictures.corpus.path),
    }
