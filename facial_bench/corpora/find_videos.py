"""Whose video is it? Identity and recording from a table, a subfolder or a file's name; told before work starts."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from facial_bench.core.errors import CorpusError
from facial_bench.core.names import safe_name

VIDEO_ENDINGS = (
    ".mp4",
    ".m4v",
    ".mov",
    ".mkv",
    ".webm",
    ".avi",
    ".mpg",
    ".mpeg",
    ".mts",
    ".ts",
    ".flv",
    ".wmv",
    ".ogv",
    ".3gp",
)
COLUMNS = ("file", "identity", "recording", "sound_offset")


@dataclass(frozen=True)
class Source:
    """A video to build from."""

    id: str
    """Names its clips: the path without its ending, folders joined by `-`."""
    file: str
    """Path within the folder of videos, with `/`."""
    identity: str
    """Whose face it is."""
    recording: str
    """The recording session; clips of one are never split between training and test."""
    sound_offset: float = 0.0
    """Seconds by which the sound comes late; it is read that much later."""


def find_sources(folder: Path, table: Path | None = None) -> tuple[list[Source], str]:
    """The videos below a folder, in order of their paths, and how their identities were found, in one line.

    Args:
        folder: Of videos. Files in its subfolders belong to the person that the (first) subfolder is called after;
            in a flat folder the name decides, see `identity_of`.
        table: A CSV with the columns `file`, `identity` and, if wanted, `recording` and `sound_offset` (seconds);
            videos that it does not list are left out.

    Raises:
        CorpusError: no folder, no videos in it, a table that does not fit, or two videos whose names meet.
    """
    if not folder.is_dir():
        raise CorpusError(f"No folder of videos at {folder}. Name an existing one.")
    videos = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in VIDEO_ENDINGS and path.is_file() and not path.name.startswith(".")
    )
    if not videos:
        raise CorpusError(f"No videos in {folder}: looked for {', '.join(sorted(VIDEO_ENDINGS))}.")
    if table is not None:
        sources, how = _from_table(videos, folder, table), f"from {table}"
    else:
        nested = [file for file in videos if "/" in file]
        how = "from the names of the files" if not nested else "from the subfolders"
        how += ", and of files outside them from their names" if nested and len(nested) < len(videos) else ""
        sources = [Source(clip_name(file), file, identity_of_file(file), clip_name(file)) for file in videos]
    by_id: dict[str, str] = {}
    for source in sources:
        safe_name(source.identity, "identity", CorpusError)
        if source.id in by_id:
            raise CorpusError(f"{by_id[source.id]} and {source.file} would both be named {source.id}. Rename one.")
        by_id[source.id] = source.file
    return sources, how


def identity_of(stem: str) -> str:
    """The person that a file's name speaks of: the text before the first `-`, less a letter after digits.

    >>> [identity_of(name) for name in ("s02a", "s11a-variable-rate", "anna-talk1", "obama2", "interview")]
    ['s02', 's11', 'anna', 'obama2', 'interview']
    """
    return re.sub(r"(?<=\d)[A-Za-z]$", "", stem.split("-", 1)[0] or stem)


def clip_name(file: str) -> str:
    """A path as a name: folders joined by `-`, no ending, characters that no file system minds.

    >>> clip_name("anna/talk 1.mp4")
    'anna-talk_1'
    """
    path = PurePosixPath(file)
    name = re.sub(r"[^A-Za-z0-9._-]", "_", "-".join((*path.parent.parts, path.stem)))
    return re.sub(r"^[^A-Za-z0-9]+", "", name) or "clip"


def identity_of_file(file: str) -> str:
    """The person of a path (with `/`): the first subfolder, or what `identity_of` reads in the name."""
    parts = PurePosixPath(file).parts
    named = parts[0] if len(parts) > 1 else identity_of(PurePosixPath(file).stem)
    return re.sub(r"^[^A-Za-z0-9]+", "", re.sub(r"[^A-Za-z0-9._-]", "_", named)) or "unnamed"


def _from_table(videos: Sequence[str], folder: Path, table: Path) -> list[Source]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            columns, rows = [name.strip() for name in reader.fieldnames or []], list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise CorpusError(f"{table} cannot be read as CSV ({problem}). Its columns are {', '.join(COLUMNS)}.") from None
    if not {"file", "identity"} <= set(columns) or set(columns) - set(COLUMNS):
        raise CorpusError(f"{table} has the columns {', '.join(columns) or 'none'}, expected {', '.join(COLUMNS)}.")
    sources = []
    for number, row in enumerate(rows, start=2):
        cells = {(key or "").strip(): (value or "").strip() for key, value in row.items() if isinstance(value, str)}
        file, identity = cells.get("file", ""), cells.get("identity", "")
        if file not in videos:
            raise CorpusError(f"{table}, line {number}: there is no video '{file}' in {folder}. Correct 'file'.")
        if not identity:
            raise CorpusError(f"{table}, line {number}: no identity for {file}. Add one.")
        try:
            offset = float(cells.get("sound_offset") or 0)
        except ValueError:
            offset = float("nan")
        if not abs(offset) < 60:
            raise CorpusError(f"{table}, line {number}: sound_offset is '{cells['sound_offset']}', expected seconds.")
        sources.append(Source(clip_name(file), file, identity, cells.get("recording") or clip_name(file), offset))
    if not sources:
        raise CorpusError(f"{table} lists no video. Add a line for each.")
    return sources
