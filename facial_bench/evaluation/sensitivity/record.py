"""How metrics respond to perturbed motion, as a record and as a file.

The file is lines of JSON in one `.jsonl.xz`: what was measured, then a line for each metric and perturbation.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from facial_bench.core.compressed import decode_line, read_lines, write_lines
from facial_bench.core.errors import ResultError
from facial_bench.core.names import safe_name

SCHEMA = "facial-bench sensitivity 1"
SUFFIX = ".jsonl.xz"
HINT = "Make it with `facial-bench sensitivity`."
Verdict = Literal["answers", "no response", "also answers", ""]
"""`answers` and `no response` are of a metric's own perturbations, `also answers` and nothing of all others."""
Interval = tuple[float, float, float]
"""A paired difference and the ends of its interval, in the unit of the metric."""


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A metric at one dose, in its own unit. None: not defined there."""

    value: float | None
    low: float | None
    """End of the interval of the value."""
    high: float | None
    difference: Interval | None
    """From the neutral dose."""
    step: Interval | None
    """From the next dose towards the neutral one."""


class Doses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A perturbation, and how much of it was given."""

    name: str
    unit: str
    """Of the doses."""
    doses: tuple[float, ...]
    """In order."""
    neutral: float
    """The one of them that changes nothing."""


class Response(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one metric answered to one perturbation."""

    metric: str
    perturbation: str
    verdict: Verdict
    why: str
    """Why there is no response, in words; empty elsewhere."""
    series: tuple[Reading, ...]
    """One per dose."""


class CorpusName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose motion was perturbed."""

    name: str
    digest: str
    """SHA-256 of the corpus."""


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was measured."""

    schema: str
    corpus: CorpusName
    protocol: str
    """SHA-256 of the protocol."""
    draws: int
    """Of each random perturbation."""
    refused: tuple[str, ...]
    """Metrics that are refused on this corpus, so not measured."""
    metrics: tuple[str, ...]
    perturbations: tuple[Doses, ...]


class Sensitivity(msgspec.Struct, frozen=True):
    """What every metric answered to every perturbation."""

    header: Header
    responses: tuple[Response, ...]
    """Metric by metric, each in the order of the perturbations."""

    def of(self, metric: str) -> list[Response]:
        """The responses of one metric; none where it was not measured."""
        return [response for response in self.responses if response.metric == metric]

    def named(self, metric: str, verdict: Verdict) -> list[str]:
        """The perturbations to which a metric has this verdict."""
        return [response.perturbation for response in self.of(metric) if response.verdict == verdict]


def write_sensitivity(path: Path, sensitivity: Sensitivity) -> None:
    """Write the file, atomically. NaN and infinities raise ValueError."""
    records: Sequence[msgspec.Struct] = (sensitivity.header, *sensitivity.responses)
    lines = (json.dumps(msgspec.to_builtins(one), separators=(",", ":"), allow_nan=False) for one in records)
    write_lines(path, (line.encode() for line in lines), ResultError)


def read_sensitivity(path: Path) -> Sensitivity:
    """Read and check a file of `facial-bench sensitivity`.

    Raises:
        ResultError: not such a file, or one with a missing, mistyped or contradictory field; names the line.
    """
    first, *others = read_lines(path, ResultError, HINT)
    header = decode_line(first, Header, f"{path}, line 1", ResultError, HINT)
    if header.schema != SCHEMA:
        raise ResultError(f"{path}: schema {header.schema!r}, this version reads {SCHEMA!r}. {HINT}")
    safe_name(header.corpus.name, "corpus", ResultError)  # tables and pictures are called after it
    responses = tuple(
        decode_line(line, Response, f"{path}, line {n}", ResultError, HINT) for n, line in enumerate(others, start=2)
    )
    doses = {one.name: len(one.doses) for one in header.perturbations if one.neutral in one.doses}
    if len(doses) < len(header.perturbations):
        raise ResultError(f"{path}, line 1: a perturbation is named twice, or lacks its neutral dose. {HINT}")
    if [(one.metric, one.perturbation) for one in responses] != list(itertools.product(header.metrics, doses)):
        raise ResultError(f"{path}: not one line for each metric and perturbation, in their order. {HINT}")
    for n, one in enumerate(responses, start=2):
        if len(one.series) != doses[one.perturbation]:
            raise ResultError(f"{path}, line {n}: not one reading per dose. {HINT}")
    return Sensitivity(header, responses)
