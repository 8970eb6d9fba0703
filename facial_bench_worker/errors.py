"""The errors a user can cause. The command line prints their message as one line and exits with 1.

A message says what went wrong, where (plugin, clip, file), and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LISTED = 18
"""So many names are listed in a message; of more the nearest."""
NEAREST = 3
"""So many of them."""


class FacialBenchError(Exception):
    """Anything a user can put right; never raised for a defect of our own."""


class CorpusError(FacialBenchError):
    """A corpus, or a file to import, that is missing, truncated, altered or unusable."""


class PluginError(FacialBenchError):
    """A plugin that cannot be loaded, that clashes with another, or that broke the contract."""


class GenerationError(PluginError):
    """A method that raised, or whose motion is not what was asked for."""


class ResultError(FacialBenchError):
    """A result file, or a folder of results, that cannot be read or written."""


def unknown_name(kind: str, name: str, available: Iterable[str], hint: str = "") -> FacialBenchError:
    """The error for a name nobody registered: the nearest, what there is (where that fits a line), and a hint.

    >>> print(unknown_name("method", "facal", ["facial", "ridge"]))
    Unknown method 'facal'. Did you mean 'facial'? Available: facial, ridge.
    >>> print(unknown_name("clip", "s", [f"s{k}" for k in range(20)]))
    Unknown clip 's'. Did you mean 's9', 's8' or 's7'? There are 20.
    """
    names = sorted(available)
    near = [f"'{one}'" for one in difflib.get_close_matches(name, names, n=1 if len(names) <= LISTED else NEAREST)]
    guess = f" Did you mean {' or '.join([', '.join(near[:-1]), near[-1]] if near[1:] else near)}?" if near else ""
    listing = f"Available: {', '.join(names) or 'none'}." if len(names) <= LISTED else f"There are {len(names)}."
    return FacialBenchError(f"Unknown {kind} '{name}'.{guess} {listing}{' ' + hint if hint else ''}")


def one_line(problem: object, longest: int = 300) -> str:
    """The text of an exception (or anything else) on one line, cut where it is too long to be read.

    >>> one_line(ValueError("two\\n  lines"))
    'two lines'
    """
    return " ".join(str(problem).split())[:longest]


def printable(text: object) -> str:
    """Text from a file of somebody else's, on one line, without what could steer a terminal."""
    return "".join(mark if mark.isprintable() else "\ufffd" for mark in " ".join(str(text).split()))
