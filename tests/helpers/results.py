"""Results made by hand: as small as the schema allows, and as hostile as a test wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facial_bench.evaluation.result import Result, write_result

DIRECTIONS = {"lmd": ("1", False), "pose_accuracy": ("share", True), "gaze": ("rad", None)}


def make_row(identity: str, clip: str, values: Mapping[str, float | None], windows: int = 4) -> dict[str, Any]:
    """A self-driven clip; a value of None is a failure."""
    failed = all(value is None for value in values.values())
    metrics: dict[str, Any] = {}
    for name, value in values.items():
        weight = windows if name == "pose_accuracy" else 1
        metrics[name] = (
            {"value": None, "reason": "no"}
            if value is None
            else {"value": value, "weight": weight, "blocks": [[value * 0.5, 1], [value * 1.5, 1]]}
        )
    return {
        "request": f"self/{clip}@0",
        "clip": clip,
        "start": 0,
        "frames": 200,
        "driving": "self",
        "identity": identity,
        "status": "failed" if failed else "ok",
        "metrics": metrics,
    }


def make_result(
    rows: Sequence[Mapping[str, Any]],
    *,
    label: str = "echo",
    seed: int = 0,
    corpus: str = "a" * 64,
    rules: str = "b" * 64,
    reference: str = "none",
    refused: Sequence[str] = (),
    **changes: Any,
) -> dict[str, Any]:
    """A result whose metrics are those of its rows."""
    names = list(rows[0]["metrics"])
    metrics: dict[str, Any] = {}
    for name in names:
        unit, higher = DIRECTIONS.get(name, ("px", False))
        entry = {
            "value": 0.5,
            "low": 0.4,
            "high": 0.6,
            "skill": None,
            "unit": unit,
            "higher_is_better": higher,
            "definition": "d",
            "n_clips": len(rows),
            "n_failed": 0,
            "status": "ok",
        }
        if name in refused:
            entry |= {
                "value": None,
                "low": None,
                "high": None,
                "status": "refused",
                "reason": "the ceiling touches chance",
            }
        metrics[name] = entry
    references = {
        name: {"ceiling": {"value": 0.9, "low": 0.8, "high": 1.0}, "chance": 0.5}
        if name == "pose_accuracy"
        else {"ceiling": {"value": 0.0, "low": None, "high": None}, "chance": 2.0}
        for name in names
    }
    return {
        "schema": "facial-bench result 2",
        "protocol": {"name": "p", "digest": rules},
        "corpus": {
            "name": "tiny",
            "version": "1",
            "digest": corpus,
            "label": "tiny",
            "identities": ["a", "b"],
            "audio": "noise29",
        },
        "method": {
            "name": label,
            "label": label,
            "reference": reference,
            "plugin": "plug",
            "version": "1",
            "budget": "quick",
            "options": {},
        },
        "seed": seed,
        "device": "cpu",
        "digest": "",
        "conduct": {},
        "metrics": metrics,
        "references": references,
        "clips": list(rows),
        "environment": {},
        "timing": {},
        **changes,
    }


def store(folder: Path, *results: Result) -> Path:
    """Write results where the leaderboard looks for them; returns the folder."""
    for k, result in enumerate(results):
        write_result(folder / f"c{k}" / f"m{k}" / f"seed-{result['seed']}" / "result.json", result)
    return folder
