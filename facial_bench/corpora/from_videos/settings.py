"""What a build of a corpus is made with, as plain values that another process, or another machine, can take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.files import file_digest
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import AudioFeature, Tracker, TrackerSpec
from facial_bench.core.version import __version__
from facial_bench.plugin_api.manager import load_plugins, package_digest, source_digest

SOURCES = ("building", "tracker_source", "audio_source")
"""Parts of the key that are digests of source code."""
LONGEST = 300.0
"""Seconds after which a shot goes on as another clip, so that memory and loss are bounded."""


@dataclass(frozen=True)
class BuildSettings:
    """The choices of a build."""

    tracker: str = "mediapipe"
    model: str | None = None
    """Path of the tracker's weights; None for wherever it looks for them."""
    audio: str = "mel29"
    options: Mapping[str, str] = field(default_factory=dict)
    """Of the audio features."""
    plugin_files: tuple[str, ...] = ()
    min_tracked: float = 0.8
    """Share of frames with a face that a clip must have."""
    min_seconds: float = 1.0
    """Length that a clip must have."""
    fps: float = Protocol().fps


@dataclass(frozen=True, eq=False)
class Tools:
    """What the settings name, found and made ready."""

    tracker: TrackerSpec
    weights: Path | None
    features: AudioFeature
    key: Mapping[str, object]
    """All that a built clip depends on besides the files of its video; JSON."""

    def note(self) -> dict[str, object]:
        """What the corpus tells of its making: the key without digests of source code, which would make another corpus
        of the same clips with every line that changes."""
        return {name: value for name, value in self.key.items() if name not in SOURCES}

    def start_tracker(self) -> Tracker:
        """A tracker for one shot."""
        return self.tracker.create(self.weights)


def make_tools(settings: BuildSettings) -> Tools:
    """Find the tracker, its weights and the audio features.

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
