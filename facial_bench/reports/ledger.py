"""The ledger of a leaderboard: one hash-chained line per verified result, so that an edited row is found.

Every line holds the hash of the line before it. Whoever rewrites the whole chain is found only by a head that was
published elsewhere: in a commit, in a paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from facial_bench.core.digests import canonical_json, digest
from facial_bench.core.errors import ResultError
from facial_bench.core.files import write_bytes
from facial_bench.evaluation.result import Result

NAME = "ledger.jsonl"
GENESIS = "0" * 64
Place = tuple[str, str, str, int]
"""What a result is the result of: corpus and protocol digest, method, seed."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the ledger: this result was verified."""

    n: int
    """Number of the line, from 1."""
    previous: str
    """`hash` of the line before; of the first line zeros."""
    corpus: str
    """SHA-256."""
    protocol: str
    """SHA-256."""
    method: str
    """Its label."""
    seed: int
    result: str
    """SHA-256 of the result."""
    verified_by: str
    """Version of facial-bench; or how the result came from one that was verified."""
    hash: str = ""
    """SHA-256 of the rest of the line."""

    @property
    def place(self) -> Place:
        """What the result is the result of."""
        return self.corpus, self.protocol, self.method, self.seed


def read_ledger(folder: Path) -> list[Entry]:
    """The entries of a leaderboard's ledger, oldest first; none where there is no ledger.

    Raises:
        ResultError: a line that was changed, removed, moved or put in; names the first one.
    """
    path = folder / NAME
    try:
        lines = path.read_bytes().splitlines() if path.exists() else []
    except OSError as problem:
        raise ResultError(f"{path} cannot be read ({problem}). Restore it from where it was published.") from None
    entries: list[Entry] = []
    for number, line in enumerate(lines, start=1):
        entry = _parse(line)
        previous = entries[-1].hash if entries else GENESIS
        if entry is None or (entry.n, entry.previous, entry.hash) != (number, previous, _seal(entry)):
            raise ResultError(
                f"{path}, line {number}: the chain is broken here; this line, or the one before it, was changed, "
                "removed or put in. Restore the ledger from where it was published, or remove it and verify all "
                "results again."
            )
        entries.append(entry)
    return entries


def _parse(line: bytes) -> Entry | None:
    """An entry; None where the line is none."""
    try:
        return msgspec.json.decode(line, type=Entry)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _seal(entry: Entry) -> str:
    content = msgspec.structs.asdict(entry)
    del content["hash"]
    return digest(content)


def place(result: Result) -> Place:
    """What a result is the result of."""
    return result.corpus.digest, result.protocol.digest, result.method.label, result.seed


def latest(entries: Sequence[Entry]) -> dict[Place, Entry]:
    """place -> its last entry; earlier ones are superseded."""
    return {entry.place: entry for entry in entries}


def is_entered(result: Result, entries: Sequence[Entry]) -> bool:
    """Whether this very result is the last one entered in its place."""
    entry = latest(entries).get(place(result))
    return entry is not None and entry.result == result.digest


def enter(entries: Sequence[Entry], result: Result, version: str) -> list[Entry]:
    """The entries with one more, of a result that was verified by this version."""
    corpus, protocol, method, seed = place(result)
    entry = Entry(
        n=len(entries) + 1,
        previous=entries[-1].hash if entries else GENESIS,
        corpus=corpus,
        protocol=protocol,
        method=method,
        seed=seed,
        result=result.digest,
        verified_by=version,
    )
    return [*entries, msgspec.structs.replace(entry, hash=_seal(entry))]


def write_ledger(folder: Path, entries: Sequence[Entry]) -> None:
    """Write the ledger, atomically."""
    lines = (canonical_json(msgspec.structs.asdict(entry)) + "\n" for entry in entries)
    write_bytes(folder / NAME, "".join(lines).encode(), ResultError)


def footer(results: Sequence[Result], entries: Sequence[Entry]) -> str:
    """What a board says of its results: how many were verified, and the last entry that it rests on."""
    known = latest(entries)
    own = [known[place(result)] for result in results if is_entered(result, entries)]
    last = max(own, key=lambda entry: entry.n)
    return f"{len(own)} results, all verified; ledger entry {last.n}, hash `{last.hash[:16]}`."
