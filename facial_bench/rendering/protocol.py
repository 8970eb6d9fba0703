"""The rules under which pictures are compared, and their digest: a board of renderers never mixes two."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from facial_bench.core.digests import digest
from facial_bench.core.protocol import Protocol
from facial_bench.metrics.catalog import definition_digest
from facial_bench.metrics.image.cycle import cycle_definitions
from facial_bench.metrics.image.definitions import image_metrics
from facial_bench.metrics.image.metric import ImageMetric
from facial_bench.rendering import crop


@dataclass(frozen=True)
class PictureProtocol:
    """Version 1 of the protocol of pictures; docs/rendering.md explains it."""

    name: str = "facial-bench-pictures-1"
    size: int = 128
    """Side of the pictures, pixels."""
    crf: float = 18.0
    """Quality of the encoded videos: of the ceiling, and of what is written to be looked at."""
    margin: float = crop.MARGIN
    spread: tuple[float, float] = crop.SPREAD
    raised: float = crop.RAISED
    split: Protocol = field(default_factory=Protocol)
    """Of methods: its split, its rate, its resampling."""

    def metrics(self) -> tuple[ImageMetric, ...]:
        """What is measured."""
        return image_metrics(self.size)

    def digest(self) -> str:
        """SHA-256 over every field and every definition."""
        own = {name: value for name, value in asdict(self).items() if name != "split"}
        definitions = sorted((one.id, definition_digest(one)) for one in (*self.metrics(), *cycle_definitions()))
        return digest({**own, "split": self.split.training_digest(), "definitions": definitions})
