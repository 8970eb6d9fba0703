"""What a build of a corpus is made with: choices as plain values, which another process or machine can take, and the
tools that they name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from facial_bench.core.protocol import Protocol
from facial_bench.core.types import AudioFeature, Tracker, TrackerSpec

SOURCES = ("building", "tracker_source", "audio_source")
"""Parts of the key that are digests of source code."""
LONGEST = 300.0
"""Seconds after which a shot goes on as another clip, so that memory and loss are bounded."""


@dataclass(frozen=True)
class BuildSettings:
    """What to track, what to compute from the sound, what to leave out."""

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
    """The tracker, its weights and the audio features that settings name, ready for work."""

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
        """A new tracker, for one shot: it follows a face from frame to frame."""
        return self.tracker.create(self.weights)


ToolMaker = Callable[[BuildSettings], Tools]
"""Finds what settings name; a function of a module, so that a worker process can be told of it. The one that asks the
plugins is `facial_bench.plugin_api.build_tools.make_tools`."""
