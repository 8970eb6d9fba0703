"""Files that another system's outputs come in: what lies in their folder, and which file answers a request."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from facial_bench.core.errors import GenerationError
from facial_bench.core.files import file_digest
from facial_bench.core.names import nfc
from facial_bench.corpora.find_videos import VIDEO_ENDINGS
from facial_bench.corpora.importers.input_files import natural_order
from facial_bench.metrics.identity import CROSS, SELF

ARRAY_ENDINGS = (".safetensors", ".npz", ".npy")
FOREIGN_ENDINGS = (".csv", ".mat")
"""Of OpenFace and of Deep3DFaceRecon; see `methods.foreign_outputs`."""
FRAME_ENDING = ".mat"
"""Of files that hold a frame each, in a folder called after the request."""
MOTION_ENDINGS = (*ARRAY_ENDINGS, *FOREIGN_ENDINGS)


def files_below(folder: Path) -> list[str]:
    """The paths of all files in a folder, seen from it, with `/`, in order; links are followed, hidden files left out.

    A link to a folder that it lies in leads nowhere new and is passed over.
    """
    return sorted(_files(folder, "", frozenset()))


def _files(folder: Path, within: str, above: frozenset[str]) -> Iterator[str]:
    own = os.path.realpath(folder)
    if own in above:
        return
    for entry in os.scandir(folder):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _files(folder / entry.name, f"{within}{entry.name}/", above | {own})
        elif entry.is_file():
            yield within + entry.name


def folder_digest(folder: Path) -> str:
    """SHA-256 over the names and contents of all outputs in a folder, those behind links among them."""
    content = hashlib.sha256()
    for name in files_below(folder):
        if Path(name).suffix.lower() in (*MOTION_ENDINGS, *VIDEO_ENDINGS):
            content.update(name.encode() + b"\0" + file_digest(folder / name).encode())
    return content.hexdigest()


def find_output(folder: Path, request_id: str, endings: tuple[str, ...], identity: str = "") -> Path:
    """The file that answers a request, however its ending and its accents are written; or the folder of this name that
    holds a .mat for each frame.

    Args:
        folder: of the outputs.
        request_id: `self/s02a@0`.
        endings: in small letters.
        identity: who is to speak, where somebody else's speech drives.

    Raises:
        GenerationError: there is none; says what was looked for, and what lies there under the name.
    """
    names = output_names(request_id, identity)
    for name in names:
        for ending in endings:
            if (folder / f"{name}{ending}").is_file():
                return folder / f"{name}{ending}"
    spelt = {_plain(file): file for file in files_below(folder)}
    for name in names:
        for ending in endings:
            if f"{name}{ending}" in spelt:
                return folder / spelt[f"{name}{ending}"]
        if FRAME_ENDING in endings and frame_files(folder / name):
            return folder / name
    looked = f"{names[0]} ({', '.join(endings[:3])})" + (f" or {names[-1]}" if len(names) > 1 else "")
    near = next((path.name for name in names for path in _same_name(folder / name)), "")
    raise GenerationError(
        f"no output {looked} in {folder}" + (f"; {near}, which is there, is not read" if near else "")
    )


def frame_files(folder: Path) -> tuple[Path, ...]:
    """The files of a folder that hold a frame each, in natural order; none where it is no folder."""
    files = folder.iterdir() if folder.is_dir() else ()
    own = (file for file in files if file.suffix.lower() == FRAME_ENDING and not file.name.startswith("."))
    return tuple(sorted(own, key=natural_order))


def _plain(file: str) -> str:
    """A path with composed accents and its ending in small letters."""
    stem, dot, ending = nfc(file).rpartition(".")
    return f"{stem}{dot}{ending.lower()}"


def _same_name(path: Path) -> list[Path]:
    """The files of this name with any ending."""
    return [file for file in sorted(path.parent.glob(f"{glob.escape(path.name)}.*")) if file.stem == path.name]


def output_names(request_id: str, identity: str = "") -> list[str]:
    """Where the output of a request may lie within the folder, without its ending; the first that is there counts.

    The first is the name in `facial-bench corpus requests`. Of a cross-driven request it says who is to speak, since
    that depends on which people a run is asked for; a name that does not is taken for whoever the run asks for.

    >>> output_names("self/s02a@0")
    ['self/s02a@0', 's02a@0', 'self/s02a', 's02a']
    >>> output_names("cross/s02a@125")
    ['cross/s02a@125']
    >>> output_names("cross/s02a@125", "s03")
    ['cross/s02a@125=s03', 'cross/s02a@125']
    """
    driving, name = request_id.split("/", 1)
    clip, _, start = name.rpartition("@")
    whole = [name, clip] if start == "0" else [name]
    if driving == CROSS and identity:
        whole.insert(0, f"{name}={identity}")
    bare = ("", f"{driving}/") if driving == SELF else (f"{driving}/",)
    return [f"{place}{one}" for one in whole for place in reversed(bare)]
