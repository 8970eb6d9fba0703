"""Names of clips, people, corpora and results: what a file may be called on any system, in any script."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from facial_bench.core.errors import FacialBenchError, printable

LONGEST = 120
"""Bytes of a name in UTF-8. A file system takes 255, which leaves room for what is put before and behind it."""
PUNCTUATION = "._@=,+-"
"""What a name may hold besides letters, their accents and digits of any script."""
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Devices of Windows, with any ending."""


def nfc(text: str) -> str:
    """The text with its accents composed (Unicode NFC): macOS may store them as marks of their own."""
    return unicodedata.normalize("NFC", text)


def alike(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of different names that differ in capitals alone: some file systems take them for one.

    >>> alike(["Anna", "bo", "anna", "Anna", "ANNA"])
    [('Anna', 'anna'), ('Anna', 'ANNA')]
    """
    first: dict[str, str] = {}
    pairs = ((first.setdefault(nfc(name).lower(), name), name) for name in dict.fromkeys(names))
    return [(one, other) for one, other in pairs if one != other]


def safe_name(name: str, what: str, error: type[FacialBenchError] = FacialBenchError, longest: int = LONGEST) -> str:
    """The name, if it can be a file name on any system and cannot leave its folder.

    Args:
        name: Letters and digits of any script, and `PUNCTUATION`; in NFC.
        what: Whose name it is, for the message.
        error: What to raise.
        longest: Bytes in UTF-8.

    Raises:
        FacialBenchError: `error`, one line with what is wrong with the name.
    """
    flaw = _flaw(name, longest) if isinstance(name, str) else "it is no text"
    if flaw:
        shown = printable(name)
        shown = repr(shown if len(shown) <= 80 else f"{shown[:80]}...")
        raise error(f"The {what} {shown} cannot name a file: {flaw}.")
    return name


def _flaw(name: str, longest: int) -> str:
    """What keeps a text from being a name; empty where nothing does."""
    if not name:
        return "it is empty"
    strange = next((mark for mark in name if not _is_allowed(mark)), None)
    if strange is not None:
        shown = repr(strange) if strange.isprintable() else f"the character U+{ord(strange):04X}"
        return f"it holds {shown}; use letters and digits, and {' '.join(PUNCTUATION)}"
    if not _is_first(name[0]):
        return f"it begins with {name[0]!r}; let it begin with a letter or a digit"
    if name.endswith("."):
        return "it ends with a dot"
    if RESERVED.fullmatch(name):
        return "it names a device on Windows"
    if name != nfc(name):
        return "its accents are marks of their own; write it in Unicode NFC"
    size = len(name.encode())
    return f"it takes {size} bytes, {longest} at most" if size > longest else ""


def as_name(text: str, longest: int = LONGEST) -> str:
    """The name that a text makes: as it is, where `safe_name` takes it. `_` stands for what a name cannot hold, what
    it cannot begin or end with goes, and one that is too long ends with a digest of all of it.

    Two texts may make one name; who names several things compares.

    >>> [as_name(text) for text in ("s02a", "day 2", "Zoë", "张三", "Wait...", "-")]
    ['s02a', 'day_2', 'Zoë', '张三', 'Wait', '']
    """
    name = "".join(mark if _is_allowed(mark) else "_" for mark in nfc(text))
    first = next((place for place, mark in enumerate(name) if _is_first(mark)), len(name))
    name = name[first:].rstrip(".")
    if len(name.encode()) <= longest:
        return name
    ending = f"-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return name.encode()[: longest - len(ending)].decode(errors="ignore") + ending


def _is_allowed(mark: str) -> bool:
    return mark in PUNCTUATION or unicodedata.category(mark)[0] in "LMN"


def _is_first(mark: str) -> bool:
    return unicodedata.category(mark)[0] in "LN"
