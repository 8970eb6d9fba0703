"""Results made by hand: as small as the schema allows, and as hostile as a test wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from facial_bench.evaluation.result import (
    SCHEMA,
    Behaviour,
    Ceiling,
    CorpusName,
    MethodName,
    Metric,
    ProtocolName,
    Reference,
    Result,
    write_result,
)
from facial_bench.statistics.rows import Entry, Row

DIRECTIONS = {"lmd": ("1", False), "pose_accuracy": ("share", True), "gaze": ("rad", None)}


def make_entry(value: float | None, weight: float = 1, failed: bool = False) -> Entry:
    """A value with two blocks; None is not defined, or failed without a number."""
    if value is None:
        return Entry(value=None, reason="no", failed=failed)
    return Entry(value=value, weight=weight, blocks=((value * 0.5, 1), (value * 1.5, 1)))


def make_row(identity: str, clip: str, values: Mapping[str, float | Entry | None], windows: int = 4) -> Row:
    """A self-driven clip; a value of None is not defined, and a clip of nothing else failed as a whole."""
    failed = all(value is None for value in values.values())
    entries = {
        name: value
        if isinstance(value, Entry)
        else make_entry(value, windows if name == "pose_accuracy" else 1, failed)
        for name, value in values.items()
    }
    return Row(
        request=f"self/{clip}@0",
        clip=clip,
        start=0,
        frames=200,
        driving="self",
        identity=identity,
        status="failed" if failed else "ok",
        metrics=entries,
    )


def make_failed_row(identity: str, clip: str, chance: Mapping[str, float], windows: int = 4) -> Row:
    """A self-driven clip that failed as a whole: every metric holds the value of chance, and counts as failed."""
    row = make_row(identity, clip, chance, windows)
    entries = {name: msgspec.structs.replace(entry, failed=True, reason="hid") for name, entry in row.metrics.items()}
    return msgspec.structs.replace(row, status="failed", reason="hid", metrics=entries)


def make_result(
    rows: Sequence[Row],
    *,
    label: str = "echo",
    seed: int = 0,
    corpus: str = "a" * 64,
    rules: str = "b" * 64,
    reference: str = "none",
    plugin: str = "plug",
    refused: Sequence[str] = (),
    **changes: Any,
) -> Result:
    """A result whose metrics are those of its rows; `changes` are fields of the result."""
    names = list(rows[0].metrics)
    result = Result(
        schema=SCHEMA,
        protocol=ProtocolName(name="p", digest=rules, folds="one"),
        corpus=CorpusName(
            name="tiny",
            version="1",
            digest=corpus,
            label="tiny",
            identities=("a", "b"),
            audio="noise29",
            blink_scale="closure",
            length_unit="cm",
            split={},
        ),
        method=MethodName(
            name=label, label=label, reference=reference, plugin=plugin, version="1", budget="quick", options={}
        ),
        seed=seed,
        device="cpu",
        classifiers="",
        behaviour=Behaviour(),
        environment={},
        timing={},
        digest="",
        metrics={name: _metric(name, len(rows), name in refused) for name in names},
        references={name: _reference(name) for name in names},
        clips=tuple(rows),
    )
    return msgspec.structs.replace(result, **changes)


def _metric(name: str, clips: int, refused: bool) -> Metric:
    unit, higher = DIRECTIONS.get(name, ("px", False))
    return Metric(
        value=None if refused else 0.5,
        low=None if refused else 0.4,
        high=None if refused else 0.6,
        n_clips=clips,
        n_failed=0,
        skill=None,
        unit=unit,
        higher_is_better=higher,
        definition="d",
        status="refused" if refused else "ok",
        reason="the ceiling touches chance" if refused else "",
    )


def _reference(name: str) -> Reference:
    if name == "pose_accuracy":
        return Reference(ceiling=Ceiling(value=0.9, low=0.8, high=1.0), chance=0.5)
    return Reference(ceiling=Ceiling(value=0.0, low=None, high=None), chance=2.0)


def changed(result: Result, *changes: tuple[tuple[str | int, ...], Any]) -> Result:
    """The result with other values: each change is a path into the JSON of its file, and what is put there."""
    content = msgspec.json.decode(msgspec.json.encode(result))
    for path, value in changes:
        place = content
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
    return msgspec.convert(content, Result)


def store(folder: Path, *results: Result) -> Path:
    """Write results where the leaderboard looks for them; returns the folder."""
    for k, result in enumerate(results):
        write_result(folder / f"c{k}" / f"m{k}" / f"seed-{result.seed}" / "result.json", result)
    return folder
