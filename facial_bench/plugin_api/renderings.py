"""Pictures from Python: render from motion, verify what was rendered, make boards of renderers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from facial_bench.core.progress import Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import TrackerSpec
from facial_bench.plugin_api.find_corpus import CorpusFinder
from facial_bench.plugin_api.registry import Plugins
from facial_bench_worker.offering import LazyTrackers

if TYPE_CHECKING:
    from facial_bench.rendering.config import RenderConfig
    from facial_bench.rendering.result import Rendering
    from facial_bench.rendering.verify import PictureVerdict
    from facial_bench.reports.publish import Published


@dataclass(frozen=True)
class Renderings:
    """What a session does with pictures."""

    plugins: Plugins
    """Loaded in this process."""
    corpora: CorpusFinder
    files: Sequence[Path]
    """Single files that may offer renderers and corpora, besides those of a config."""
    protocol: Protocol
    """Of methods: its split, its rate, its resampling."""
    cache: Path
    report: Reporter
    corpus: str | None = None
    """Where the corpus of a stored rendering is, if it is not found by itself."""

    def render(self, config: RenderConfig) -> tuple[Path, Rendering]:
        """Fit a renderer to a corpus's training videos, have it render the held-out stretches, and score the pictures:
        (rendering.json, its content).

        Args:
            config: What is asked for.

        Raises:
            FacialBenchError: what the config names is not there, or the renderer could not be run; one line.
        """
        from facial_bench.plugin_api.find_renderer import find_renderer
        from facial_bench.plugin_api.picture_metrics import find_picture_metrics
        from facial_bench.rendering.protocol import PictureProtocol
        from facial_bench.rendering.session import render

        rules = PictureProtocol(size=config.size, split=self.protocol)
        models = {name: Path(file) for name, file in config.metric_models.items()}
        brought = find_picture_metrics(self.plugins, rules, models)

        files = [*self.files, *map(Path, config.plugins)]
        conditions = config.conditions((Path(config.out), self.cache))
        code = find_renderer(config.renderer, config.options, self.plugins, files, conditions, self.report)
        corpus = replace(self.corpora, files=files).find(config.corpus, config.identities)
        return render(code, corpus, config, rules, self._trackers(), brought, self.cache, self.report)

    def verify(self, path: Path) -> PictureVerdict:
        """Score the stored pictures of a rendering again, and say what differs from its file.

        Raises:
            ResultError: no rendering there, its corpus is not found, or it holds a metric that nothing here computes.
            CorpusError: a video that cannot be read.
        """
        from facial_bench.plugin_api.picture_metrics import find_picture_metrics, named_in
        from facial_bench.rendering.cycle import find_tracker
        from facial_bench.rendering.driving import with_stored_motion
        from facial_bench.rendering.protocol import PictureProtocol
        from facial_bench.rendering.result import REAL, read_rendering
        from facial_bench.rendering.scorer import PictureScorer
        from facial_bench.rendering.tasks import open_pictures
        from facial_bench.rendering.verify import verify_rendering

        rendering, folder = read_rendering(path), path if path.is_dir() else path.parent
        rules = PictureProtocol(size=rendering.protocol.size, split=self.protocol)
        brought = named_in(list(rendering.metrics), find_picture_metrics(self.plugins, rules), rules)
        corpus = self.corpora.find_of(rendering, self.corpus)
        pictures = open_pictures(corpus, rules.size, self.protocol)
        if rendering.driving.motion != REAL:
            pictures = with_stored_motion(rendering, folder, pictures)
        scorer = PictureScorer.of(pictures, rules, find_tracker(corpus, self._trackers(), None), brought)
        return verify_rendering(rendering, folder, scorer, self.cache, self.report)

    def _trackers(self) -> Mapping[str, TrackerSpec]:
        own = {name: one.spec for name, one in self.plugins.registered("trackers").items()}
        return own or LazyTrackers()

    def boards(self, paths: Sequence[Path], out: Path, *, check: bool = False) -> Published:
        """Boards of verified renderings, one per corpus and size, with the renderings beside them.

        Args:
            paths: Folders of renderings, or of boards with what they rest on.
            out: The folder of the boards.
            check: Write nothing; compare the boards that are there with what the renderings give.

        Raises:
            ResultError: no verified rendering; with `check`, the first file that differs.
        """
        from facial_bench.reports.publish_renderings import publish_renderings

        return publish_renderings(paths, out, None if check else self.verify)
