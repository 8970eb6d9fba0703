"""Boards of renderers in a folder: Markdown, and the renderings that each rests on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from facial_bench.core.errors import FacialBenchError, ResultError
from facial_bench.rendering.result import Rendering, find_renderings, read_rendering
from facial_bench.rendering.verify import PictureVerdict
from facial_bench.reports.archive import without_place
from facial_bench.reports.publish import Published
from facial_bench.reports.rendering_board import (
    ENDING,
    first_rendering_difference,
    read_rendering_lines,
    rendering_boards,
    write_rendering_boards,
)


def publish_renderings(paths: Sequence[Path], out: Path, verify: Callable[[Path], PictureVerdict] | None) -> Published:
    """Make the boards that renderings give, and write them; or, without `verify`, look whether they stand there.

    Args:
        paths: Folders of renderings, or of boards with what they rest on.
        out: The folder of the boards.
        verify: Scores the pictures of a rendering again.

    Raises:
        ResultError: no rendering that may stand on a board; or the first file that differs.
    """
    renderings, notes = list[Rendering](), list[str]()
    for file in (file for path in paths for file in _files(path)):
        if file.name.endswith(ENDING):  # verified when it was written
            renderings += read_rendering_lines(file)
            continue
        try:
            rendering = read_rendering(file)
            wrong = verify(file).differences if verify else ()
        except FacialBenchError as problem:
            wrong = (str(problem),)
        if wrong:
            notes.append(f"left out: {file}: {wrong[0]}")
        else:
            renderings.append(without_place(rendering))
    if not renderings:
        first = f" {notes[0]}" if notes else ""
        raise ResultError(f"No verified rendering in {', '.join(map(str, paths))}.{first}")
    if verify is None:
        wrong_file = first_rendering_difference(out, renderings)
        if wrong_file:
            given = ", ".join(map(str, paths))
            raise ResultError(f"Not what {given} gives: {wrong_file}. Run without --check.")
        return Published([out / name for name in rendering_boards(renderings)], notes)
    return Published(write_rendering_boards(out, renderings), notes)


def _files(path: Path) -> list[Path]:
    beside = sorted(path.glob(f"*{ENDING}")) if path.is_dir() else []
    return beside or find_renderings(path)
