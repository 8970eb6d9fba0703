"""What a rendering is asked with, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from facial_bench.core.digests import digest
from facial_bench.core.errors import FacialBenchError
from facial_bench.core.names import safe_name
from facial_bench.isolation.conditions import DAY, Conditions
from facial_bench.rendering.crop import SIZES
from facial_bench.rendering.protocol import PictureProtocol
from facial_bench.rendering.result import REAL


class RenderConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rendering."""

    renderer: str
    """Name of the renderer."""
    corpus: str = "synthetic-video"
    """A named corpus, or a folder; it must have been built from videos."""
    motion: str = REAL
    """`real`, or the folder of a method's result on this corpus."""
    identities: tuple[str, ...] = ()
    """These people only; none for everybody."""
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    budget: Literal["quick", "standard", "paper"] = "quick"
    options: Mapping[str, str] = {}
    plugins: tuple[str, ...] = ()
    """Python files that offer renderers and corpora."""
    model: str = ""
    """Weights of the tracker that tracks what was rendered again; empty for where it looks for them."""
    metric_models: Mapping[str, str] = {}
    """Id of a plugin's metric -> the file of its weights; else the metric looks for them where it does."""
    videos: str = ""
    """The folder of videos; empty for the place that the corpus notes."""
    size: Annotated[int, msgspec.Meta(ge=SIZES[0], le=SIZES[1], multiple_of=2)] = PictureProtocol().size
    """Side of the pictures, pixels; even."""
    out: str = "renders"
    label: str = ""
    """Folder and row name, where it is not to be made of the renderer's name and what differs from its defaults."""
    fresh: bool = False
    isolation: Literal["process", "sandbox"] = "process"
    python: str | None = None
    timeout: Annotated[float, msgspec.Meta(gt=0)] = DAY
    readable: tuple[str, ...] = ()

    def conditions(self, hidden: tuple[Path, ...]) -> Conditions:
        """How far the renderer is kept apart."""
        readable = tuple(Path(place) for place in self.readable)
        return Conditions(self.isolation, self.python, self.timeout, readable, hidden)

    def folder_name(self, driving: str) -> str:
        """Of the rendering: the label, or the renderer's name, what differs from its defaults, and whose motion.

        Raises:
            FacialBenchError: a label that cannot name a folder.
        """
        if self.label:
            return safe_name(self.label, "label")
        chosen = {**({"budget": self.budget} if self.budget != "quick" else {}), **self.options}
        text = ",".join(f"{key}={value}" for key, value in sorted(chosen.items()))
        name = safe_name(self.renderer, "renderer") + (f"@{text}" if text else "")
        name += "" if driving == REAL else f"+{driving}"
        try:
            return safe_name(name, "renderer")
        except FacialBenchError:
            return f"{self.renderer}@{digest([chosen, driving])[:12]}"
