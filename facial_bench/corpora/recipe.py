"""Recipes: a CSV that says which parts of which videos make a corpus, and whose they are."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from facial_bench.core.errors import CorpusError, printable
from facial_bench.core.names import as_name, nfc
from facial_bench.corpora.schema import LONGEST_IDENTITY
from facial_bench.corpora.sources import Source, clip_name, identity_of_file

COLUMNS = ("video", "identity", "recording", "start", "end", "crop", "sound_offset")
"""Of a recipe; `file` may stand for `video`."""
MOST_OFFSET = 60.0
"""Seconds that a sound may come late or early."""


@dataclass(frozen=True)
class _Row:
    """A line of a recipe and what it takes."""

    line: int
    person: str
    """Whose face it is, as it is written there."""
    source: Source


def read_recipe(path: Path, videos: Mapping[str, str], folder: Path) -> tuple[list[Source], bool]:
    """What a recipe takes, in its order: a source for each row. A video of several rows has numbered parts.

    Args:
        path: A CSV in UTF-8, separated by commas, semicolons or tabs, with the column `video` (a path within the
            folder) and, as wanted, `identity`, `recording`, `start` and `end` (seconds after the video's first frame,
            or h:m:s), `crop` (left, top, width and height in pixels of the displayed picture) and `sound_offset`
            (seconds). Without `identity` the names of the videos tell it.
        videos: Path of each video in NFC -> as it is spelt; with `/`.
        folder: That they lie in, for messages.

    Returns:
        The sources, and whether the recipe says whose they are.

    Raises:
        CorpusError: the line that is wrong, and what would be right.
    """
    names, lines = _read_csv(path)
    rows: list[_Row] = []
    for line, cells in lines:
        row = dict(zip(names, cells, strict=False))
        try:
            rows.append(_Row(line, row.get("identity", ""), _read_row(row, videos, folder)))
        except CorpusError as problem:
            raise CorpusError(f"{path}, line {line}: {problem}") from None
    if not rows:
        raise CorpusError(f"{path} lists no video. Add a line for each.")
    _check_people(path, rows)
    _check_overlaps(path, rows)
    return _number([row.source for row in rows]), "identity" in names


def _read_csv(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The names of the columns, and (line, cells) of every row that is not empty."""
    expected = f"Its columns are {', '.join(COLUMNS)}."
    try:
        text = nfc(path.read_text(encoding="utf-8-sig"))
        separator = max(",;\t", key=text.partition("\n")[0].count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except UnicodeDecodeError:
        raise CorpusError(f"{path} is not in UTF-8. Save it as CSV in UTF-8.") from None
    except (OSError, csv.Error) as problem:
        raise CorpusError(f"{path} cannot be read as CSV ({problem}). {expected}") from None
    names = ["video" if name.lower() == "file" else name.lower() for name in (rows[0][1] if rows else [])]
    if "video" not in names or set(names) - set(COLUMNS) or len(set(names)) < len(names):
        held = ", ".join(names) or "none"
        raise CorpusError(f"{path} has the columns {held}, expected video and any of {', '.join(COLUMNS[1:])}.")
    for line, cells in rows[1:]:
        if any(cells[len(names) :]):
            raise CorpusError(
                f"{path}, line {line}: {len(cells)} cells in {len(names)} columns. "
                f'Put a cell that holds "{separator}" in quotation marks.'
            )
    return names, [(line, [*cells, *[""] * (len(names) - len(cells))]) for line, cells in rows[1:] if any(cells)]


def _read_row(cells: Mapping[str, str], videos: Mapping[str, str], folder: Path) -> Source:
    """What a row takes, with the name of its video; raises CorpusError, without the line."""
    file = videos.get(PurePosixPath(cells["video"]).as_posix())
    if file is None:
        raise CorpusError(f"there is no video '{cells['video']}' in {folder}. Correct 'video'.")
    if not cells.get("identity", "?"):
        raise CorpusError(f"no identity for {file}. Add one.")
    person = cells.get("identity", "")
    if person and not as_name(person):
        raise CorpusError(f"identity is '{printable(person)}', which holds no letter and no digit.")
    start = _seconds(cells, "start") or 0.0
    end = _seconds(cells, "end")
    if end is not None and end <= start:
        raise CorpusError(f"the end, {end:g} s, is not after the start, {start:g} s.")
    return Source(
        id=clip_name(file),
        file=file,
        identity=as_name(person, LONGEST_IDENTITY) or identity_of_file(file),
        recording=cells.get("recording") or clip_name(file),
        sound_offset=_offset(cells.get("sound_offset", "")),
        start=start,
        end=end,
        crop=_crop(cells.get("crop", "")),
    )


def _seconds(cells: Mapping[str, str], name: str) -> float | None:
    """A time in seconds, or as h:m:s or m:s; None where the cell is empty."""
    cell = cells.get(name, "")
    if not cell:
        return None
    match = re.fullmatch(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,9}(?:[.,]\d*)?|[.,]\d+)", cell, re.ASCII)
    if match is None:
        raise CorpusError(f"{name} is '{cell}', expected seconds (62.5) or h:m:s (0:01:02.5).")
    hours, minutes, seconds = match.groups()
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + float(seconds.replace(",", "."))


def _offset(cell: str) -> float:
    try:
        offset = float(cell.replace(",", ".") or 0)
    except ValueError:
        offset = math.nan
    if not abs(offset) < MOST_OFFSET:
        raise CorpusError(f"sound_offset is '{cell}', expected seconds.")
    return offset


def _crop(cell: str) -> tuple[int, int, int, int] | None:
    if not cell:
        return None
    numbers = re.split(r"[\s,;:]+", cell.strip("()[] "))
    if len(numbers) != 4 or not all(re.fullmatch(r"\d{1,6}(\.0*)?", one, re.ASCII) for one in numbers):
        raise CorpusError(f"crop is '{cell}', expected left, top, width and height in whole pixels: 480 0 720 720.")
    left, top, width, height = (int(float(one)) for one in numbers)
    if not width or not height:
        raise CorpusError(f"crop is '{cell}', which is empty: its width or height is 0.")
    return left, top, width, height


def _check_people(path: Path, rows: Sequence[_Row]) -> None:
    """Raise CorpusError where two people have names that would become one identity."""
    first: dict[str, _Row] = {}
    for row in rows:
        other = first.setdefault(row.source.identity, row)
        if other.person != row.person:
            lines = f"{path}, lines {other.line} and {row.line}"
            people = f"'{printable(other.person)}' and '{printable(row.person)}'"
            raise CorpusError(f"{lines}: {people} would both be called {row.source.identity}. Rename one.")


def _check_overlaps(path: Path, rows: Sequence[_Row]) -> None:
    """Raise CorpusError where two rows take the same face of the same time."""
    by_video: dict[str, list[_Row]] = {}
    for row in rows:
        by_video.setdefault(row.source.file, []).append(row)
    for own in by_video.values():
        own = sorted(own, key=lambda row: row.source.start)
        for place, one in enumerate(own):
            for other in own[place + 1 :]:
                if one.source.end is not None and other.source.start >= one.source.end:
                    break
                first, second = sorted((one.line, other.line))
                lines = f"{path}, lines {first} and {second}: both take {one.source.file} at {other.source.start:g} s"
                if one.source.identity == other.source.identity:
                    raise CorpusError(f"{lines}, of {one.source.identity}. Shorten or remove one.")
                if not one.source.crop or not other.source.crop or one.source.crop == other.source.crop:
                    people = f"{one.source.identity} and {other.source.identity}"
                    raise CorpusError(f"{lines}, of {people}. Give each a crop of its own.")


def _number(sources: Sequence[Source]) -> list[Source]:
    """The sources with names of their own: the parts of a video are numbered in the recipe's order."""
    parts, seen = Counter(source.file for source in sources), Counter[str]()
    numbered = []
    for source in sources:
        seen[source.file] += 1
        number = f"-{seen[source.file]}" if parts[source.file] > 1 else ""
        numbered.append(replace(source, id=f"{source.id}{number}"))
    return numbered
