"""Under what conditions a method runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Isolation = Literal["process", "sandbox", "in-process"]
DAY = 86_400.0


@dataclass(frozen=True)
class Conditions:
    """How far a method is kept apart, and how long it may take."""

    isolation: Isolation = "process"
    """A process of its own; one that sees neither network nor files either; or, for a debugger, the harness's own."""
    python: str | None = None
    """Another interpreter for it; None for the harness's."""
    timeout: float = DAY
    """Seconds that a fit, and a batch of requests, may take."""
    readable: Sequence[Path] = ()
    """Files and folders that it may read in a sandbox besides its interpreter and its own code."""
    hidden: Sequence[Path] = ()
    """Folders that it must not see in a sandbox, wherever they lie: the corpus, the results, the cache."""
    inspect: bool = False
    """Whether what it must not change is compared after each call, as the conformance checks need it."""
