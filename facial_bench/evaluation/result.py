"""The result file: what a run found, checked on reading, written atomically.

Everything but `environment` and `timing` is a function of the inputs and the seed, and `digest` is over all of that.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facial_bench.core.digests import digest
from facial_bench.core.errors import ResultError
from facial_bench.core.files import read_json, write_bytes

SCHEMA = "facial-bench result 2"
DIGEST = re.compile("[0-9a-f]{64}")
Result = Mapping[str, Any]
"""The content of result.json; `check_result` says what it holds."""


def make_metric(summary: Mapping[str, Any], reference: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
    """One entry of `metrics`: the summary, its skill, its definition; a refused one keeps its entry without a value.

    Args:
        summary: value, low, high, n_clips, n_failed.
        reference: ceiling and chance, and the reasons `refused` or `absent` where it is one of these.
        about: unit, higher_is_better, definition.
    """
    refused, absent = reference.get("refused"), reference.get("absent")
    status = "refused" if refused else "absent" if absent else "ok" if summary["value"] is not None else "failed"
    entry = {**summary, "skill": None, **about, "status": status}
    if refused:
        return {**entry, "value": None, "low": None, "high": None, "reason": refused}
    if absent:
        return {**entry, "value": None, "low": None, "high": None, "reason": absent}
    if summary["value"] is None:
        return {**entry, "reason": "no clip could be scored, or it is not defined for one of the people"}
    return {**entry, "skill": skill(summary["value"], reference) if about["higher_is_better"] is not None else None}


def skill(value: float, reference: Mapping[str, Any]) -> float | None:
    """(value - chance) / (ceiling - chance), unclipped; None where the two references coincide or are missing.

    >>> skill(0.5, {"chance": 0.25, "ceiling": {"value": 0.75}})
    0.5
    """
    chance, ceiling = reference["chance"], reference["ceiling"]["value"]
    if chance is None or ceiling is None or abs(ceiling - chance) < 1e-12:
        return None
    return (value - chance) / (ceiling - chance)


def result_digest(result: Result) -> str:
    """SHA-256 over everything that is a function of the inputs and the seed."""
    return digest({key: value for key, value in result.items() if key not in ("environment", "timing", "digest")})


def write_result(path: Path, result: Result) -> Result:
    """Write result.json after checking it; returns it with its digest."""
    check_result({**result, "digest": ""}, str(path))  # first: a digest takes finite numbers only
    result = {**result, "digest": result_digest(result)}
    write_bytes(path, _as_text(result).encode(), ResultError)
    return result


def _as_text(result: Result) -> str:
    """JSON with a line for each clip and metric: a result stays small and a difference between two stays readable."""

    def line(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)

    long = ("metrics", "references", "clips")
    head = json.dumps({key: value for key, value in result.items() if key not in long}, indent=1, allow_nan=False)
    parts = [head[:-2]]
    for key in long[:2]:
        entries = ",\n  ".join(f"{line(name)}: {line(entry)}" for name, entry in result[key].items())
        parts.append(f' "{key}": {{\n  {entries}\n }}')
    rows = ",\n  ".join(line(row) for row in result["clips"])
    return ",\n".join([*parts, f' "clips": [\n  {rows}\n ]\n}}\n'])


def read_result(path: Path) -> Result:
    """Read and check a result file.

    Raises:
        ResultError: not a file of this schema, or one with a missing, mistyped or impossible field.
    """
    result = read_json(path, ResultError, "Run the method again, or remove the file.")
    check_result(result, str(path))
    return result


def read_results(folder: Path) -> list[Result]:
    """All results below a folder, in order of their paths; raises as `find_results` and `read_result` do."""
    return [read_result(path) for path in find_results(folder)]


def find_results(folder: Path) -> list[Path]:
    """The result files below a folder, in order of their paths.

    Raises:
        ResultError: no such folder, or none in it.
    """
    paths = sorted(folder.glob("*/*/seed-*/result.json"))
    if not paths:
        raise ResultError(f"No results below {folder}. Make some with `facial-bench run --method NAME --out {folder}`.")
    return paths


def check_result(result: Any, where: str) -> None:
    """Raise ResultError unless the value is a result of this schema."""

    def fail(what: str) -> ResultError:
        return ResultError(f"{where}: {what}. Run the method again, or remove the file.")

    def need(container: Any, spec: Mapping[str, type | tuple[type, ...]], name: str) -> None:
        if not isinstance(container, dict):
            raise fail(f"{name} is not an object")
        for key, kind in spec.items():
            value = container.get(key)
            kinds = kind if isinstance(kind, tuple) else (kind,)
            if key not in container or not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                raise fail(f"{name}.{key} is missing or of a wrong type")
            if isinstance(value, float) and not math.isfinite(value):
                raise fail(f"{name}.{key} is not finite")

    maybe, names = (int, float, type(None)), set()
    need(result, {"schema": str}, "result")
    if result["schema"] != SCHEMA:
        raise fail(f"schema {result['schema']!r}, this version reads {SCHEMA!r}")
    need(result, {"schema": str, "seed": int, "device": str, "clips": list, "conduct": dict, "digest": str}, "result")
    need(result.get("protocol"), {"name": str, "digest": str}, "protocol")
    need(result.get("corpus"), {"name": str, "version": str, "digest": str}, "corpus")
    if "identities" in result["corpus"]:
        need(result["corpus"], {"identities": list}, "corpus")
    need(result.get("method"), {"name": str, "label": str, "plugin": str, "version": str, "options": dict}, "method")
    for key in ("metrics", "references", "environment", "timing"):
        need(result.get(key), {}, key)
    for kind in ("protocol", "corpus"):
        if not DIGEST.fullmatch(result[kind]["digest"]):  # boards and folders are called after digests
            raise fail(f"{kind}.digest is not a SHA-256")
    if not result["metrics"] or not result["clips"]:
        raise fail("it holds no metric or no clip")
    for name, metric in result["metrics"].items():
        need(
            metric,
            {
                "value": maybe,
                "low": maybe,
                "high": maybe,
                "skill": maybe,
                "unit": str,
                "definition": str,
                "n_clips": int,
                "n_failed": int,
                "status": str,
                "higher_is_better": (bool, type(None)),
            },
            f"metrics[{name!r}]",
        )
        if metric["status"] not in ("ok", "refused", "failed", "absent"):
            raise fail(f"metrics[{name!r}].status is none of ok, refused, failed, absent")
        if metric["status"] != "ok":
            need(metric, {"reason": str, "value": type(None)}, f"metrics[{name!r}]")
        elif metric["value"] is None:
            raise fail(f"metrics[{name!r}] is ok without a value")
        need(result["references"].get(name), {"chance": maybe, "ceiling": dict}, f"references[{name!r}]")
        ends = {"value": maybe, "low": maybe, "high": maybe}
        need(result["references"][name]["ceiling"], ends, f"ceiling of {name!r}")
        parts = result["references"][name].get("parts", {})
        if not isinstance(parts, dict) or not all(_are_numbers(part) for part in parts.values()):
            raise fail(f"references[{name!r}].parts are damaged")
    for row in result["clips"]:
        need(
            row,
            {
                "request": str,
                "clip": str,
                "identity": str,
                "driving": str,
                "status": str,
                "frames": int,
                "metrics": dict,
            },
            "a clip",
        )
        if row["request"] in names:
            raise fail(f"clip {row['request']} is listed twice")
        names.add(row["request"])
        for name, entry in row["metrics"].items():
            where_in = f"clip {row['request']}, {name}"
            need(entry, {}, where_in)
            if "part" in entry:
                need(entry, {"part": list, "blocks": list}, where_in)
                if not all(_are_numbers(part) for part in (entry["part"], *entry["blocks"])) or not entry["blocks"]:
                    raise fail(f"{where_in}: part or blocks are damaged")
                if row["identity"] not in result["references"].get(name, {}).get("parts", {}):
                    raise fail(f"{where_in}: the references hold no part of {row['identity']}")
                continue
            need(entry, {"value": maybe}, where_in)
            if entry["value"] is not None:
                need(entry, {"weight": (int, float), "blocks": list}, where_in)
                if entry["weight"] <= 0 or not _are_blocks(entry["blocks"]):
                    raise fail(f"{where_in}: weight or blocks are damaged")


def _are_numbers(values: Any) -> bool:
    """Whether a value is a list of finite numbers."""
    return isinstance(values, list) and all(type(v) in (int, float) and math.isfinite(v) for v in values)


def _are_blocks(blocks: Sequence[Any]) -> bool:
    """Whether a value is [[sum, weight > 0], ...], at least one."""
    return bool(blocks) and all(_are_numbers(block) and len(block) == 2 and block[1] > 0 for block in blocks)
