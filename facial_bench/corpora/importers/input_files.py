"""The files that an importer reads, and what lies beside them under the same name; endings in any case."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from facial_bench.core.errors import CorpusError
from facial_bench.core.files import file_digest
from facial_bench.core.names import nfc, safe_name
from facial_bench.corpora.find_videos import files_below
from facial_bench.corpora.schema import LONGEST_IDENTITY, LONGEST_NAME
from facial_bench.corpora.sources import check_people, clip_name, identity_of_file


@dataclass(frozen=True)
class InputFile:
    """A file to import, or a folder that holds a file for each frame."""

    name: str
    """Of the clip, and of its recording."""
    identity: str
    path: Path
    frames: tuple[Path, ...] = ()
    """The files of such a folder, in natural order; empty for a file."""

    def beside(self, ending: str) -> Path:
        """`NAME<ending>` in the same folder, however the ending is written; of a folder of frames beside it, or else
        the only file of that ending in it. Where there is none, the path at which it should be."""
        stem = self.path.name if self.frames else self.path.name.removesuffix(self.path.suffix)
        wanted = self.path.with_name(stem + ending)
        if wanted.is_file():
            return wanted
        for other in sorted(self.path.parent.iterdir()):
            if _same(other.name[: -len(ending)], stem) and other.name[-len(ending) :].lower() == ending:
                return other
        inside = [path for path in self.path.iterdir() if path.name.lower().endswith(ending)] if self.frames else []
        return inside[0] if len(inside) == 1 else wanted

    def digest(self) -> str:
        """SHA-256 of the file, or of the digests of a folder's files."""
        if not self.frames:
            return file_digest(self.path)
        return hashlib.sha256("".join(file_digest(path) for path in self.frames).encode()).hexdigest()


def find_files(source: Path, ending: str, one_frame: Callable[[Path], bool | None] | None = None) -> list[InputFile]:
    """The files of an ending below a folder (or the one file), in order; identities as `corpus build` finds them.

    Args:
        source: A folder, or a file.
        ending: In small letters, `.csv`; files of any case are found, hidden ones are not.
        one_frame: Whether a file holds a single frame, None where that cannot be read; a folder whose first readable
            file does is one clip. Without it every file is one.

    Raises:
        CorpusError: no such folder, no such file in it, or names of clips or people that meet or cannot be stored.
    """
    source = Path(source)
    if source.is_file():
        return [InputFile(clip_name(source.name), identity_of_file(source.name), source)]
    by_folder: dict[Path, list[Path]] = {}
    for path in (source / file for file in files_below(source, [ending])):
        by_folder.setdefault(path.parent, []).append(path)
    if not by_folder:
        raise CorpusError(f"No {ending} file in {source}. Name a folder of them, or one.")
    found, named = [], []
    for folder, files in by_folder.items():
        told = map(one_frame, files) if one_frame is not None and len(files) > 1 else ()
        single = next((known for known in told if known is not None), False)
        for path in [folder] if single else files:
            within = path.relative_to(source).as_posix() if path != source else source.resolve().name
            file = within + ending if single else within  # a folder has no ending to take off
            frames = tuple(sorted(files, key=natural_order)) if single else ()
            found.append(InputFile(clip_name(file), identity_of_file(file), path, frames))
            named.append(file)
    check_people(named)
    by_name: dict[str, InputFile] = {}
    for entry in found:
        safe_name(entry.name, "clip", CorpusError, LONGEST_NAME)
        safe_name(entry.identity, "identity", CorpusError, LONGEST_IDENTITY)
        other = by_name.setdefault(entry.name, entry)
        if other is not entry:
            raise CorpusError(f"{other.path} and {entry.path} would both be named {entry.name}. Rename one.")
    return sorted(found, key=lambda entry: entry.path.relative_to(source).as_posix())


def natural_order(path: Path) -> tuple[tuple[int, str], ...]:
    """Sorts names as people do: 2 before 10.

    >>> [p.name for p in sorted(map(Path, ("f10.mat", "f2.mat", "a.mat")), key=natural_order)]
    ['a.mat', 'f2.mat', 'f10.mat']
    """
    parts = re.split(r"([0-9]+)", path.name)
    return tuple((int(part), part) if part.isdecimal() else (-1, part) for part in parts)


def frame_numbers(files: Sequence[Path]) -> list[int]:
    """The last number in each name where they differ in nothing else; else 1, 2, 3, ...

    >>> frame_numbers([Path("s02a_001.mat"), Path("s02a_003.mat")])
    [1, 3]
    """
    matches = [re.fullmatch(r"(.*?)([0-9]{1,9})([^0-9]*)", path.stem) for path in files]
    told = {(match[1], match[3]) if match else None for match in matches}
    if len(told) == 1 and None not in told:
        numbers = [int(match[2]) for match in matches if match]
        if len(set(numbers)) == len(numbers):
            return numbers
    return list(range(1, len(files) + 1))


def _same(name: str, stem: str) -> bool:
    """Whether two names are one: macOS writes accents as characters of their own."""
    return nfc(name) == nfc(stem)
