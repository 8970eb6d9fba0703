"""Results of an earlier protocol: their numbers are other quantities, so they are recognised and never read."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from facial_bench.core.errors import ResultError, printable
from facial_bench.core.protocol import Protocol
from facial_bench.evaluation.result_schema import SCHEMA


class EarlierResultError(ResultError):
    """One result, or all of an archive, were made under an earlier protocol."""

    def __init__(self, where: str, protocol: str, count: int = 1) -> None:
        self.where, self.protocol, self.count = where, printable(protocol)[:80], count
        super().__init__(f"{where}: {self.summary(count)}")

    def summary(self, count: int) -> str:
        """What so many results are, and what to do."""
        what, s = (f"{count} results", "s") if count > 1 else ("a result", "")
        return (
            f"{what} of protocol {self.protocol}. This version and its boards take {Protocol().name} alone, whose "
            f"metrics are other quantities. Run the method{s} again, or remove the file{s}."
        )


class _Head(msgspec.Struct):
    """What any version of the schema has."""

    schema: str
    protocol: Any = None


def earlier_protocol(schema: str, protocol: str) -> str:
    """The name of the protocol that a result was made under, where it is an earlier one; else empty.

    >>> earlier_protocol("facial-bench result 3", "facial-bench-1"), earlier_protocol(SCHEMA, Protocol().name)
    ('facial-bench-1', '')
    """
    before = _is_before(schema, SCHEMA) or _is_before(protocol, Protocol().name)
    return (protocol or "without a name") if before else ""


def _is_before(one: str, other: str) -> bool:
    """Whether one name is that of a lower number than the other."""
    (stem, number), found = _split(other), _split(one)
    return found[0] == stem and found[1] < number


def _split(name: str) -> tuple[str, int]:
    matched = re.fullmatch(r"(facial-bench[ a-z]*[ -])([0-9]{1,6})", name)
    return (matched[1], int(matched[2])) if matched else (name, 0)


def other_schema(content: bytes, where: str) -> str:
    """What to say of JSON that is no result of this schema; empty where it says that it is one.

    Raises:
        EarlierResultError: it was made under an earlier protocol.
    """
    try:
        head = msgspec.json.decode(content, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    named = str(head.protocol.get("name", "")) if isinstance(head.protocol, dict) else ""
    if name := earlier_protocol(head.schema, named):
        raise EarlierResultError(where, name)
    return "" if head.schema == SCHEMA else f"schema {printable(head.schema)[:80]!r}, this version reads {SCHEMA!r}"
