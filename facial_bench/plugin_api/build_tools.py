"""What settings of a build name, found among the plugins: the tracker, its weights and the audio features."""

from __future__ import annotations

from pathlib import Path

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.files import file_digest
from facial_bench.core.version import __version__
from facial_bench.corpora.from_videos.settings import LONGEST, BuildSettings, Tools
from facial_bench.plugin_api.manager import load_plugins
from facial_bench_worker.source import package_digest, source_digest


def make_tools(settings: BuildSettings) -> Tools:
    """Find the tracker, its weights and the audio features. Worker processes call it by its name.

    Raises:
        FacialBenchError: one of them is not there; says what to do.
    """
    plugins = load_plugins([Path(file) for file in settings.plugin_files])
    tracker = plugins.get("trackers", "tracker", settings.tracker).spec
    audio = plugins.get("audio_features", "kind of audio features", settings.audio).spec
    weights = tracker.weights(Path(settings.model) if settings.model else None)
    if settings.model and weights is None:
        raise FacialBenchError(f"The tracker {settings.tracker} takes no weights; leave --model out.")
    features = audio.create(dict(settings.options))
    key = {
        "core": __version__,
        "building": package_digest(make_tools),
        "fps": settings.fps,
        "longest": LONGEST,
        "min_tracked": settings.min_tracked,
        "min_seconds": settings.min_seconds,
        "tracker": settings.tracker,
        "tracker_source": source_digest(tracker),
        "weights": file_digest(weights) if weights else "",
        "audio": settings.audio,
        "audio_source": source_digest(audio),
        "audio_digest": features.digest,
    }
    return Tools(tracker, weights, features, key)
