"""The file of a rendering: what was rendered, how far it is from the real pictures, clip by clip.

Everything but `environment` and `timing` is a function of the inputs and the seed, and `digest` is over all of that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from facial_bench.core.errors import ResultError, one_line
from facial_bench.core.files import write_bytes
from facial_bench.evaluation.result import as_json, result_digest
from facial_bench.evaluation.result_schema import Digest, MethodName, Metric, NamedCorpus, Part, Plain, Reference
from facial_bench.statistics.rows import Number, Row, Whole

SCHEMA = "facial-bench rendering 1"
FILE = "rendering.json"
HINT = "Render again, or remove the file."
REAL = "real"


class PictureProtocolName(Part, frozen=True, kw_only=True):
    """The rules of the comparison."""

    name: str
    digest: Digest
    size: Whole
    """Side of the pictures, pixels."""


class Driving(Part, frozen=True, kw_only=True):
    """Whose motion was rendered."""

    motion: str
    """`real`, or the label of a method."""
    result: str = ""
    """Digest of the method's result; empty of real motion."""
    seed: Whole | None = None
    """Of the method's training."""


class PictureRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One stretch of video. `motion` is the SHA-256 of the stored pictures that were scored."""

    driven_by: str = ""
    """SHA-256 of the file of a method's motion, in `motions/`; empty of real motion."""
    shown: tuple[Whole, Whole] = (0, 0)
    """Frames scored, and all."""
    farthest_ms: Number = 0
    """Most milliseconds between a scored frame and the video frame that it is compared with."""


class Rendering(Part, frozen=True, kw_only=True):
    """The content of rendering.json, in the order of its keys."""

    schema: str
    protocol: PictureProtocolName
    corpus: NamedCorpus
    renderer: MethodName
    driving: Driving
    seed: Whole
    device: str
    environment: Mapping[str, Plain]
    """Versions and machine: no part of the digest."""
    timing: Mapping[str, Plain]
    """Seconds, and frames a second: no part of the digest."""
    digest: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?\Z")]
    """SHA-256 of the rest; empty until it is written."""
    metrics: Mapping[str, Metric]
    references: Mapping[str, Reference]
    clips: tuple[PictureRow, ...]


def write_rendering(path: Path, rendering: Rendering) -> Rendering:
    """Write a rendering's file, atomically; returns it with its digest. Raises ResultError where it is damaged."""
    try:
        rendering = msgspec.structs.replace(rendering, digest=result_digest(rendering))
        text = (json.dumps(as_json(rendering), indent=1, allow_nan=False) + "\n").encode()
    except ValueError as problem:
        raise ResultError(f"{path}: {one_line(problem)}. {HINT}") from None
    write_bytes(path, text, ResultError)
    return rendering


def read_rendering(path: Path) -> Rendering:
    """Read and check a rendering's file, or that of a folder.

    Raises:
        ResultError: no such file, not one of this schema, or one that was changed after it was written.
    """
    file = path / FILE if path.is_dir() else path
    try:
        rendering = msgspec.json.decode(file.read_bytes(), type=Rendering)
    except OSError as problem:
        raise ResultError(f"{file} cannot be read ({problem.strerror}). Make one with `facial-bench render`.") from None
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise ResultError(f"{file}: {one_line(problem)}. {HINT}") from None
    for wrong in _contradictions(rendering):
        raise ResultError(f"{file}: {wrong}. {HINT}")
    return rendering


def _contradictions(rendering: Rendering) -> list[str]:
    wrong = []
    if rendering.schema != SCHEMA:
        wrong.append(f"schema {rendering.schema!r}, this version reads {SCHEMA!r}")
    if rendering.digest != result_digest(rendering):
        wrong.append("the file was changed after it was written")
    if not rendering.clips or not rendering.metrics:
        wrong.append("it holds no metric or no clip")
    if len({row.request for row in rendering.clips}) < len(rendering.clips):
        wrong.append("a clip is listed twice")
    wrong += [f"metrics[{name!r}] has no reference" for name in rendering.metrics if name not in rendering.references]
    return wrong


def find_renderings(folder: Path) -> list[Path]:
    """The files of renderings below a folder of renders, in order of their paths.

    Raises:
        ResultError: none there.
    """
    paths = sorted(folder.glob(f"*/*/seed-*/{FILE}")) if folder.is_dir() else []
    if not paths:
        raise ResultError(f"No renderings below {folder}. Make some with `facial-bench render --out {folder}`.")
    return paths
