"""The videos of a folder, and whose they are: from a recipe, subfolders or names; told before work starts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from facial_bench.core.errors import CorpusError
from facial_bench.core.files import cannot_read
from facial_bench.core.names import nfc
from facial_bench.corpora.recipe import read_recipe
from facial_bench.corpora.sources import Source, check_people, check_sources, clip_name, identity_of_file

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


def find_sources(folder: Path, recipe: Path | None = None) -> tuple[list[Source], str]:
    """The videos below a folder, in order of their paths, and how their identities were found, in one line.

    Args:
        folder: Of videos. Files in its subfolders belong to the person that the (first) subfolder is called after;
            in a flat folder the name decides, see `identity_of`.
        recipe: A CSV that says what to take, see `read_recipe`; videos that it does not list are left out.

    Raises:
        CorpusError: no folder, no videos in it, a recipe that does not fit, or names that meet or cannot be stored.
    """
    videos = files_below(folder, VIDEO_ENDINGS)
    if not videos:
        raise CorpusError(f"No videos in {folder}: looked for {', '.join(sorted(VIDEO_ENDINGS))}.")
    spelt: dict[str, str] = {}
    for file in videos:
        if spelt.setdefault(nfc(file), file) != file:
            raise CorpusError(f"{folder} has two files {nfc(file)}: their accents are stored in two ways. Rename one.")
    if recipe is not None:
        sources, named = read_recipe(recipe, spelt, folder)
        how = f"from {recipe}" if named else f"of the videos in {recipe} from their names"
    else:
        nested = [file for file in videos if "/" in file]
        how = "from the names of the files" if not nested else "from the subfolders"
        how += ", and of files outside them from their names" if nested and len(nested) < len(videos) else ""
        sources = [Source(clip_name(file), file, identity_of_file(file), clip_name(file)) for file in videos]
        named = False
    if not named:
        check_people(source.file for source in sources)
    check_sources(sources, folder)
    return sources, how


def other_files(folder: Path, *known: Path | None) -> list[str]:
    """The files below a folder that a build does not read: neither videos nor the sound beside one.

    Args:
        folder: Of videos.
        known: Files that are read for another reason.
    """
    every = list(_below(folder, None, ()))
    videos = {path.with_suffix("") for path in every if path.suffix.lower() in VIDEO_ENDINGS}
    others = [
        path
        for path in every
        if path.suffix.lower() not in VIDEO_ENDINGS
        and not (path.suffix.lower() == ".wav" and path.with_suffix("") in videos)
        and not any(one is not None and one.is_file() and one.samefile(path) for one in known)
    ]
    return sorted(path.relative_to(folder).as_posix() for path in others)


def files_below(folder: Path, endings: Collection[str]) -> list[str]:
    """The files below a folder that have one of some endings, in any case, as sorted paths with `/`. Links are
    followed; a link to a folder that it lies in holds nothing new. Hidden files and folders are left out.

    Args:
        folder: To look in.
        endings: In small letters, with the dot.

    Raises:
        CorpusError: no folder, one that cannot be read, or a link that leads nowhere.
    """
    if not folder.is_dir():
        raise CorpusError(f"No folder at {folder}. Name an existing one.")
    return sorted(path.relative_to(folder).as_posix() for path in _below(folder, endings, ()))


def _below(folder: Path, endings: Collection[str] | None, above: tuple[tuple[int, int], ...]) -> Iterator[Path]:
    """The files, of any ending where none are named, of a folder that lies within others (device, inode)."""
    try:
        found = folder.stat()
        here = (found.st_dev, found.st_ino)
        for path in sorted(folder.iterdir()) if here not in above else ():
            if path.name.startswith("."):
                continue
            if path.is_dir():
                yield from _below(path, endings, (*above, here))
            elif path.is_symlink() and not path.exists():
                raise CorpusError(f"{path} is a link to {path.readlink()}, which is not there. Correct or remove it.")
            elif (endings is None or path.suffix.lower() in endings) and path.is_file():
                yield path
    except OSError as problem:
        raise CorpusError(cannot_read(problem.filename or folder, problem)) from None
