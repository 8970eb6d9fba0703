"""PyAV, loaded when it is needed, and files opened with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from facial_bench.core.errors import CorpusError, FacialBenchError, one_line

OLDEST = 17
"""Major version of PyAV: earlier ones convert BT.709 and full-range pictures with the wrong matrix or range."""


def load_av() -> Any:
    """PyAV; raises FacialBenchError where it is not installed, or too old to give the right pictures."""
    try:
        import av
    except ImportError as problem:
        raise FacialBenchError(
            f"Reading videos needs PyAV, which cannot be imported ({problem}). Install it: pip install 'av>={OLDEST}'."
        ) from None
    found = re.match(r"\d+", str(getattr(av, "__version__", "")))
    if not found or int(found[0]) < OLDEST:
        raise FacialBenchError(
            f"Reading videos needs PyAV {OLDEST} or later, and {av.__version__} is installed: it gives other colours. "
            f"Update it: pip install 'av>={OLDEST}'."
        )
    return av


def open_container(path: Path) -> Any:
    """A container open for reading. Its name is taken as that of a file, whatever characters it holds.

    Raises:
        CorpusError: no such file, or not a media file.
    """
    av = load_av()
    try:
        return av.open(str(path.absolute()), mode="r", metadata_errors="replace")
    except (OSError, ValueError, av.FFmpegError) as problem:
        reason = one_line(getattr(problem, "strerror", None) or problem)
        raise CorpusError(f"{path.name} cannot be opened as a video ({reason}){_known(path)}.") from None


def _known(path: Path) -> str:
    """What is certain about a file that cannot be opened."""
    try:
        if not path.stat().st_size:
            return "; it is empty"
    except OSError:  # the reason has said so
        return ""
    return "; it is incomplete, damaged or no video"
