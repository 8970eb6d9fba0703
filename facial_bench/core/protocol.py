"""The evaluation protocol: every choice that could change a number, and the digest over all of them.

A result carries the digest; a leaderboard never mixes two.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from facial_bench.core.digests import digest


@dataclass(frozen=True)
class ClassifierSettings:
    """How the personalization classifiers are trained (supplement, section 3)."""

    seeds: tuple[int, ...] = (101, 102, 103)
    """One classifier per form and seed; a score is the mean over them. Fixed, so that every method meets the same."""
    channels: tuple[int, ...] = (32, 64, 128)
    """Widths of the convolutions."""
    steps: int = 500
    """Training steps."""
    batch: int = 64
    """Windows a step, drawn with the identities balanced."""
    learning_rate: float = 1e-4
    """Adam's (supplement, section 3)."""
    select_every: int = 50
    """Where the split has a validation part, the best of the states seen at these steps is kept."""


@dataclass(frozen=True)
class RealismSettings:
    """How the networks are trained that tell generated windows from real ones."""

    seed: int = 201
    """Of weights and batches. Fixed, so that every method meets the same."""
    folds: int = 5
    """Parts of the clips, each told by a network that is trained on the others."""
    channels: tuple[int, ...] = (16, 32, 32)
    """Widths of the convolutions."""
    steps: int = 150
    """Training steps."""
    batch: int = 64
    """Windows a step: half of them generated, half the real ones beside them."""
    learning_rate: float = 1e-3
    """Adam's."""
    weight_decay: float = 1e-3
    """Adam's."""
    stride: int = 8
    """Hop between windows, frames."""
    least_windows: int = 16
    """With fewer windows for a network to be trained on, nothing is told."""


@dataclass(frozen=True)
class Protocol:
    """Version 2 of the protocol; `docs/protocol.md` explains every number."""

    name: str = "facial-bench-2"
    fps: float = 25.0
    """Frames per second; corpora are resampled to it when they are built."""
    window: int = 128
    """Frames that a classifier sees (supplement: R^128x6)."""
    training_stride: int = 5
    """Hop between training windows, frames."""
    scoring_stride: int = 16
    """Hop between scored windows, frames."""
    gap: int = 128
    """Frames that are lost between what is trained on and what is tested, where both come from one recording."""
    test_share: float = 0.40
    """Share of an identity's seconds that is tested (paper: 5:1:4)."""
    validation_share: float = 0.10
    """Share for validation, where there are units enough."""
    min_units: int = 6
    """With fewer units, one is tested and none validates."""
    resamples: int = 2000
    """Of the bootstrap and, at most, of the permutation test."""
    confidence: float = 0.95
    """Of every interval."""
    significance: float = 0.05
    """A classifier whose ceiling is not better than chance at this level gives no number; likewise a difference."""
    folds: str = "one"
    """`one`: the split as it stands; `all`: rotated, so that every unit is tested once, and pooled."""
    classifiers: ClassifierSettings = field(default_factory=ClassifierSettings)
    realism: RealismSettings = field(default_factory=RealismSettings)
    definitions: tuple[tuple[str, str, str], ...] = ()
    """(metric id, digest of its definition, digest of what its functions do on the probe) of the protocol's own
    metrics, by id; the last is empty for accuracies, which no function of a sample computes."""

    def digest(self) -> str:
        """SHA-256 over every field."""
        return digest(self._as_json())

    def training_digest(self) -> str:
        """SHA-256 over what decides who is trained on what; classifiers, fits and motions outlive other changes."""
        scoring = ("name", "resamples", "confidence", "significance", "definitions", "folds", "realism")
        return digest({name: value for name, value in self._as_json().items() if name not in scoring})

    def _as_json(self) -> dict[str, Any]:
        return asdict(self)
