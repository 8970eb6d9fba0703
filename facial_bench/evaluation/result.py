"""The result file: what a run found, checked on reading and before writing, written atomically.

Everything but `environment` and `timing` is a function of the inputs and the seed, and `digest` is over all of that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from facial_bench.core.digests import digest
from facial_bench.core.errors import ResultError, one_line
from facial_bench.core.files import write_bytes
from facial_bench.core.types import Definition
from facial_bench.evaluation.earlier_results import EarlierResultError, earlier_protocol, other_schema
from facial_bench.evaluation.result_rules import contradictions
from facial_bench.evaluation.result_schema import (
    SCHEMA,
    Behaviour,
    Ceiling,
    CorpusName,
    MethodName,
    Metric,
    ProtocolName,
    Reference,
    Result,
    Status,
)
from facial_bench.metrics.catalog import definition_digest
from facial_bench.metrics.probe import behaviour_digest
from facial_bench.statistics.aggregate import Summary
from facial_bench.statistics.rows import Entry, Row

__all__ = [
    "SCHEMA",
    "Behaviour",
    "Ceiling",
    "CorpusName",
    "Entry",
    "MethodName",
    "Metric",
    "ProtocolName",
    "Reference",
    "Result",
    "Row",
    "as_json",
    "decode_result",
    "disagreement",
    "find_results",
    "is_of_one_source",
    "make_metric",
    "read_result",
    "result_digest",
    "skill",
    "write_result",
]

HINT = "Run the method again, or remove the file."
NO_CLIP = "no clip could be scored"
"""Reason of a metric that failed on every clip; each clip says its own."""


def make_metric(summary: Summary, reference: Reference, definition: Definition, absent: str = "") -> Metric:
    """One entry of `metrics`: summary, skill, definition and probe; a refused one keeps its entry without a value.

    Args:
        summary: over the clips.
        reference: of the metric.
        definition: of the metric.
        absent: why no output of the method can have it; empty where it can.
    """
    value, reason = summary.value, reference.refused or absent
    status: Status = "ok"
    if reason:
        status, value = ("refused" if reference.refused else "absent"), None
    elif value is None:
        status, reason = _why_no_value(summary, definition)
    ranks = definition.higher_is_better is not None
    return Metric(
        value=value,
        low=None if value is None else summary.low,
        high=None if value is None else summary.high,
        n_clips=summary.n_clips,
        n_failed=summary.n_failed,
        skill=skill(value, reference.chance, reference.ceiling.value) if ranks else None,
        unit=definition.unit,
        higher_is_better=definition.higher_is_better,
        definition=definition_digest(definition),
        status=status,
        reason=reason or "",
        probe=behaviour_digest(definition),
    )


def _why_no_value(summary: Summary, definition: Definition) -> tuple[Status, str]:
    """Status and reason of a metric that is neither refused nor absent, and has no value."""
    if summary.undefined_people:
        few = "blinks" if definition.family == "blinks" else "events or frames"
        return "undefined", f"not defined for {', '.join(summary.undefined_people)}: too few {few} to measure"
    if summary.n_undefined == summary.n_failed:
        return "undefined", "not defined for any clip"
    return "failed", NO_CLIP


def disagreement(entries: Iterable[Metric]) -> str:
    """Why the entries of one metric id are not one quantity, in a few words; empty where they are.

    A result without a probe says nothing of its functions, and agrees with any.
    """
    held = list(entries)
    definitions, probes = {one.definition for one in held}, {one.probe for one in held} - {""}
    if len(definitions) > 1:
        return "the results define it differently"
    if len(probes) > 1:
        short = " and ".join(sorted(probe[:8] for probe in probes))
        return f"different functions computed it under one definition (probes {short})"
    return ""


def skill(value: float | None, chance: float | None, ceiling: float | None) -> float | None:
    """(value - chance) / (ceiling - chance), unclipped; None where one is missing, or ceiling and chance coincide.

    >>> skill(0.5, 0.25, 0.75)
    0.5
    """
    if value is None or chance is None or ceiling is None or abs(ceiling - chance) < 1e-12:
        return None
    return (value - chance) / (ceiling - chance)


def result_digest(result: msgspec.Struct) -> str:
    """SHA-256 over everything that is a function of the inputs and the seed, of a result or a rendering.

    Raises:
        ValueError: a number is not finite.
    """
    content = msgspec.to_builtins(result)
    return digest({key: value for key, value in content.items() if key not in ("environment", "timing", "digest")})


def require_unchanged(path: Path, result: Result) -> Result:
    """The result itself, where its content still has the digest that was written with it.

    Raises:
        ResultError: somebody edited the file: its numbers are nobody's.
    """
    if result.digest != result_digest(result):
        raise ResultError(f"{path}: the file was changed after it was written. {HINT}")
    return result


def is_of_one_source(results: Sequence[Result]) -> bool:
    """Whether the seeds of a method come from one state of its plugin's source, as far as the results say."""
    return len({result.environment.get("method_source") for result in results} - {None}) <= 1


def as_json(result: msgspec.Struct) -> dict[str, Any]:
    """The content of the file of a result or a rendering, plain values in the file's order."""
    content: dict[str, Any] = msgspec.to_builtins(result)
    return content


def write_result(path: Path, result: Result) -> Result:
    """Write result.json after checking it; returns it with its digest."""
    try:
        result = msgspec.structs.replace(result, digest=result_digest(result))
        text = _as_text(msgspec.to_builtins(result)).encode()
    except ValueError as problem:
        raise ResultError(f"{path}: {one_line(problem)}. {HINT}") from None
    decode_result(text, str(path))
    write_bytes(path, text, ResultError)
    return result


def _as_text(content: dict[str, Any]) -> str:
    """JSON with a line for each clip and metric: a result stays small and a difference between two stays readable."""

    def line(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)

    long = ("metrics", "references", "clips")
    head = json.dumps({key: value for key, value in content.items() if key not in long}, indent=1, allow_nan=False)
    parts = [head[:-2]]
    for key in long[:2]:
        entries = ",\n  ".join(f"{line(name)}: {line(entry)}" for name, entry in content[key].items())
        parts.append(f' "{key}": {{\n  {entries}\n }}')
    rows = ",\n  ".join(line(row) for row in content["clips"])
    return ",\n".join([*parts, f' "clips": [\n  {rows}\n ]\n}}\n'])


def read_result(path: Path) -> Result:
    """Read and check a result file.

    Raises:
        ResultError: not a file of this schema, or one with a missing, mistyped or impossible field.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ResultError(f"{path} does not exist. {HINT}") from None
    except OSError as problem:
        raise ResultError(f"{path} cannot be read ({problem}). {HINT}") from None
    return decode_result(content, str(path))


def find_results(folder: Path) -> list[Path]:
    """The result files below a folder, in order of their paths.

    Raises:
        ResultError: no such folder, or none in it.
    """
    paths = sorted(folder.glob("*/*/seed-*/result.json"))
    if not paths:
        raise ResultError(f"No results below {folder}. Make some with `facial-bench run --method NAME --out {folder}`.")
    return paths


def decode_result(content: bytes, where: str) -> Result:
    """JSON -> result, checked.

    Args:
        content: of a file.
        where: its name, for messages.

    Raises:
        ResultError: one line that says what is wrong; `EarlierResultError` of a result of an earlier protocol.
    """
    try:
        result = msgspec.json.decode(content, type=Result)
    except msgspec.ValidationError as problem:
        raise ResultError(f"{where}: {other_schema(content, where) or problem}. {HINT}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise ResultError(f"{where} cannot be read as JSON ({problem}). {HINT}") from None
    if name := earlier_protocol(result.schema, result.protocol.name):
        raise EarlierResultError(where, name)
    for contradiction in contradictions(result):
        raise ResultError(f"{where}: {contradiction}. {HINT}")
    return result
