"""What plugins offer besides methods and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CorpusSpec:
    """A named corpus that can be made on this machine."""

    name: str
    version: str
    summary: str
    make: Callable[[Any], None]
    """Writes the corpus folder at the path it is given (absent or empty before)."""


@dataclass(frozen=True)
class ImporterSpec:
    """A foreign format that can be turned into a corpus folder."""

    name: str
    summary: str
    run: Callable[[Any, Any, Mapping[str, str], Callable[[str], None]], None]
    """run(source, dest, options, log): writes the corpus folder `dest` from `source`."""
