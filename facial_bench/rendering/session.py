"""From what is asked for to a finished rendering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from facial_bench.core.device import choose_device
from facial_bench.core.files import require_writable
from facial_bench.core.progress import Reporter
from facial_bench.core.types import TrackerSpec
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.setup import corpus_label
from facial_bench.metrics.image.metric import ImageMetric
from facial_bench.rendering.config import RenderConfig
from facial_bench.rendering.cycle import find_tracker
from facial_bench.rendering.driving import real_motion, with_motion_of
from facial_bench.rendering.finished_videos import FinishedVideos, is_finished
from facial_bench.rendering.protocol import PictureProtocol
from facial_bench.rendering.renderer import RendererCode
from facial_bench.rendering.result import FILE, REAL, Rendering
from facial_bench.rendering.run import RenderSettings, render_corpus
from facial_bench.rendering.tasks import open_pictures


def render(
    code: RendererCode,
    corpus: Corpus,
    config: RenderConfig,
    rules: PictureProtocol,
    trackers: Mapping[str, TrackerSpec],
    brought: Sequence[ImageMetric],
    cache: Path,
    report: Reporter,
) -> tuple[Path, Rendering]:
    """Render and score what a config asks for: (rendering.json, its content).

    Args:
        code: The renderer that the config names.
        corpus: The corpus that it names.
        config: What is asked for.
        rules: Of pictures.
        trackers: That are installed, by name.
        brought: Metrics of plugins.
        cache: For references.
        report: Told what happens.

    Raises:
        FacialBenchError: what is asked for is not there, or the renderer could not be run; one line.
    """
    if is_finished(code):
        FinishedVideos.of(config.options)  # what they name is looked for before work begins
    videos = Path(config.videos) if config.videos else None
    pictures = open_pictures(corpus, rules.size, rules.split, videos)
    driving = real_motion()
    if config.motion != REAL:
        driving, pictures = with_motion_of(Path(config.motion), pictures)
    label = config.folder_name(driving.motion)
    folder = Path(config.out) / f"{corpus_label(corpus, rules.split)}@{config.size}px" / label / f"seed-{config.seed}"
    require_writable(folder, "with --out")
    hidden = (Path(config.out), cache, corpus.path)
    settings = RenderSettings(
        config.seed,
        choose_device(config.device),
        config.budget,
        config.options,
        config.fresh,
        label,
        config.conditions(hidden),
        find_tracker(corpus, trackers, Path(config.model) if config.model else None),
        brought,
    )
    rendering = render_corpus(code, pictures, rules, driving, settings, folder, cache, report)
    return folder / FILE, rendering
