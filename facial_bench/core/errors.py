"""The errors a user can cause. The command line prints their message as one line and exits with 1.

A message says what went wrong, where (plugin, clip, file), and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


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
    """The error for a name nobody registered: the nearest match, what there is, and a hint.

    >>> print(unknown_name("method", "facal", ["facial", "ridge"]))
    Unknown method 'facal'. Did you mean 'facial'? Available: facial, ridge.
    """
    names = sorted(available)
    near = difflib.get_close_matches(name, names, n=1)
    guess = f" Did you mean '{near[0]}'?" if near else ""
    listing = f" Available: {', '.join(names) if names else 'none'}."
    return FacialBenchError(f"Unknown {kind} '{name}'.{guess}{listing}{' ' + hint if hint else ''}")


def one_line(problem: object, longest: int = 300) -> str:
    """The text of an exception (or anything else) on one line, cut where it is too long to be read.

    >>> one_line(ValueError("two\\n  lines"))
    'two lines'
    """
    return " ".join(str(problem).split())[:longest]
