"""The ledger of a leaderboard: one hash-chained line per verified result, so that an edited row is found.

Every line holds the hash of the line before it. Whoever rewrites the whole chain is found only by a head that was
published elsewhere: in a commit, in a paper.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facial_bench.core.digests import canonical_json, digest
from facial_bench.core.errors import ResultError
from facial_bench.core.files import write_bytes
from facial_bench.evaluation.result import Result

NAME = "ledger.jsonl"
GENESIS = "0" * 64
Entry = Mapping[str, Any]


def read_ledger(folder: Path) -> list[Entry]:
    """The entries of a leaderboard's ledger, oldest first; none where there is no ledger.

    Raises:
        ResultError: a line that was changed, removed, moved or put in; names the first one.
    """
    path = folder / NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as problem:
        raise ResultError(f"{path} cannot be read ({problem}). Restore it from where it was published.") from None
    entries: list[Entry] = []
    for number, line in enumerate(lines, start=1):
        entry = _parse(line)
        previous = entries[-1]["hash"] if entries else GENESIS
        if entry is None or entry["n"] != number or entry["previous"] != previous or entry["hash"] != _seal(entry):
            raise ResultError(
                f"{path}, line {number}: the chain is broken here; this line, or the one before it, was changed, "
                "removed or put in. Restore the ledger from where it was published, or remove it and verify all "
                "results again."
            )
        entries.append(entry)
    return entries


def _parse(line: str) -> Entry | None:
    """An entry; None where the line is none."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    kinds = {
        "n": int,
        "previous": str,
        "corpus": str,
        "protocol": str,
        "method": str,
        "seed": int,
        "result": str,
        "verified_by": str,
        "hash": str,
    }
    known = isinstance(entry, dict) and set(entry) == set(kinds)
    return entry if known and all(type(entry[key]) is kind for key, kind in kinds.items()) else None


def _seal(entry: Entry) -> str:
    return digest({key: value for key, value in entry.items() if key != "hash"})


def place(result: Result) -> tuple[str, str, str, int]:
    """What a result is the result of: corpus and protocol digest, method, seed."""
    return result["corpus"]["digest"], result["protocol"]["digest"], result["method"]["label"], result["seed"]


def latest(entries: Sequence[Entry]) -> dict[tuple[str, str, str, int], Entry]:
    """place -> its last entry; earlier ones are superseded."""
    return {(e["corpus"], e["protocol"], e["method"], e["seed"]): e for e in entries}


def is_entered(result: Result, entries: Sequence[Entry]) -> bool:
    """Whether this very result is the last one entered in its place."""
    entry = latest(entries).get(place(result))
    return entry is not None and entry["result"] == result["digest"]


def enter(entries: Sequence[Entry], result: Result, version: str) -> list[Entry]:
    """The entries with one more, of a result that was verified by this version."""
    corpus, protocol, method, seed = place(result)
    entry = {
        "n": len(entries) + 1,
        "previous": entries[-1]["hash"] if entries else GENESIS,
        "corpus": corpus,
        "protocol": protocol,
        "method": method,
        "seed": seed,
        "result": result["digest"],
        "verified_by": version,
    }
    return [*entries, {**entry, "hash": _seal(entry)}]


def write_ledger(folder: Path, entries: Sequence[Entry]) -> None:
    """Write the ledger, atomically."""
    write_bytes(folder / NAME, "".join(canonical_json(entry) + "\n" for entry in entries).encode(), ResultError)


def footer(results: Sequence[Result], entries: Sequence[Entry]) -> str:
    """What a board says of its results: how many were verified, and the last entry that it rests on."""
    known = latest(entries)
    own = [known[place(result)] for result in results if is_entered(result, entries)]
    last = max(own, key=lambda entry: entry["n"])
    return f"{len(own)} results, all verified; ledger entry {last['n']}, hash `{last['hash'][:16]}`."
