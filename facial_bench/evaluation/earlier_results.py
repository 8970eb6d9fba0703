"""Results of an earlier protocol: their numbers are other quantities, so they are recognised and never read."""

from __future__ import annotations

import re

import msgspec

from facial_bench.core.errors import ResultError
from facial_bench.core.protocol import Protocol
from facial_bench.evaluation.result_schema import SCHEMA


class EarlierResultError(ResultError):
    """One result, or all of an archive, were made under an earlier protocol."""

    def __init__(self, where: str, protocol: str, count: int = 1) -> None:
        self.where, self.protocol, self.count = where, protocol, count
        super().__init__(f"{where}: {self.summary(count)}")

    def summary(self, count: int) -> str:
        """What so many results are, and what to do."""
        what, methods = (f"{count} results", "methods") if count > 1 else ("a result", "method")
        return (
            f"{what} of protocol {self.protocol}. This version and its boards take {Protocol().name} alone, whose "
            f"metrics are other quantities. Run the {methods} again."
        )


class _Name(msgspec.Struct):
    name: str


class _Head(msgspec.Struct):
    """What any version of the schema has."""

    schema: str
    protocol: _Name


def earlier_protocol(schema: str, protocol: str) -> str:
    """The name of the protocol that a result was made under, where it is an earlier one; else empty.

    >>> earlier_protocol("facial-bench result 3", "facial-bench-1"), earlier_protocol(SCHEMA, Protocol().name)
    ('facial-bench-1', '')
    """
    return protocol if _is_before(schema, SCHEMA) or _is_before(protocol, Protocol().name) else ""


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
    if name := earlier_protocol(head.schema, head.protocol.name):
        raise EarlierResultError(where, name)
    return "" if head.schema == SCHEMA else f"schema {head.schema!r}, this version reads {SCHEMA!r}"
