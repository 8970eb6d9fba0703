"""A video to build from: whose it is, what its clips are called, which part of it is taken."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from facial_bench.core.errors import CorpusError, printable
from facial_bench.core.names import alike, as_name, nfc, safe_name
from facial_bench.corpora.schema import LONGEST_IDENTITY, LONGEST_NAME

NUMBERS = 12
"""Bytes of a clip's name that are left for the numbers of parts and shots."""


@dataclass(frozen=True)
class Source:
    """A video to build from, or a part of one."""

    id: str
    """Names its clips: the path without its ending, folders joined by `-`, and a number where a video has parts."""
    file: str
    """Path within the folder of videos, with `/`, as it is spelt there."""
    identity: str
    """Whose face it is."""
    recording: str
    """The recording session; clips of one are never split between training and test."""
    sound_offset: float = 0.0
    """Seconds by which the sound comes late; it is read that much later."""
    start: float = 0.0
    """Of the part, seconds after the video's first frame."""
    end: float | None = None
    """Of the part; None for the end of the video."""
    crop: tuple[int, int, int, int] | None = None
    """Window of the displayed picture: left, top, width and height in pixels; None for all of it."""

    @property
    def shown(self) -> str:
        """The file, and which part of it, for messages."""
        file = printable(self.file)
        if not self.start and self.end is None:
            return file
        end = "its end" if self.end is None else f"{self.end:g} s"
        return f"{file} from {self.start:g} to {end}"


def clip_name(file: str) -> str:
    """A path (with `/`) as a name: folders joined by `-`, no ending, `_` for what a name cannot hold.

    >>> clip_name("anna/talk 1.mp4")
    'anna-talk_1'
    """
    path = PurePosixPath(file)
    return as_name("-".join((*path.parent.parts, path.stem)), LONGEST_NAME - NUMBERS) or "clip"


def identity_of(stem: str) -> str:
    """The person that a file's name speaks of: the text before the first `-`, less a letter after digits.

    >>> [identity_of(name) for name in ("s02a", "s11a-variable-rate", "anna-talk1", "obama2", "interview")]
    ['s02', 's11', 'anna', 'obama2', 'interview']
    """
    return re.sub(r"(?<=\d)[A-Za-z]$", "", stem.split("-", 1)[0] or stem)


def person_of_file(file: str) -> str:
    """The person of a path (with `/`), in NFC: the first subfolder, or what `identity_of` reads in the name."""
    parts = PurePosixPath(nfc(file)).parts
    return parts[0] if len(parts) > 1 else identity_of(PurePosixPath(nfc(file)).stem)


def identity_of_file(file: str) -> str:
    """The identity of a path (with `/`): its person as a name."""
    return as_name(person_of_file(file), LONGEST_IDENTITY) or "unnamed"


def check_people(files: Iterable[str]) -> None:
    """Raise CorpusError where the people of two paths have two names that would become one identity."""
    first: dict[str, str] = {}
    for file in files:
        one = first.setdefault(identity_of_file(file), file)
        people = person_of_file(one), person_of_file(file)
        if people[0] != people[1]:
            both = f"'{printable(people[0])}' ({printable(one)}) and '{printable(people[1])}' ({printable(file)})"
            raise CorpusError(f"The people {both} would both be called {identity_of_file(file)}. Rename one.")


def say_alike(sources: Sequence[Source]) -> Iterator[str]:
    """A line on people, and one on clips, whose names differ in capitals alone."""
    people, clips = (
        ", ".join(f"{one} and {other}" for one, other in alike(names))
        for names in ([source.identity for source in sources], [source.id for source in sources])
    )
    if people:
        yield f"{people} are held for different people, though they differ in capitals alone"
    if clips:
        yield f"the clips {clips} differ in capitals alone: a file system that ignores these cannot hold the corpus"


def check_sources(sources: Iterable[Source], folder: Path) -> None:
    """Check, before the hours that tracking takes, all that is known of the names.

    Args:
        sources: What is to be built.
        folder: Of the videos.

    Raises:
        CorpusError: a name that cannot be stored, two sources of one name, or one file under two names.
    """
    by_id: dict[str, str] = {}
    places: dict[tuple[int, int], str] = {}
    for source in sources:
        if source.file.encode(errors="ignore").decode() != source.file:
            raise CorpusError(f"The name of {printable(source.file)} is not in UTF-8. Rename it.")
        safe_name(source.id, "clip", CorpusError, LONGEST_NAME - len("-1"))
        safe_name(source.identity, "identity", CorpusError, LONGEST_IDENTITY)
        if source.id in by_id:
            raise CorpusError(f"{by_id[source.id]} and {source.file} would both be named {source.id}. Rename one.")
        by_id[source.id] = source.file
        found = os.stat(folder / source.file)
        same = places.setdefault((found.st_dev, found.st_ino), source.file)
        if same != source.file:
            raise CorpusError(f"{same} and {source.file} are one file, in two places. Remove one.")
