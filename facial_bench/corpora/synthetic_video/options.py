"""What `corpus make synthetic-video --option K=V` may set: seed, name, people, clips and their length."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from facial_bench.core.errors import FacialBenchError
from facial_bench.corpora.synthetic.corpus import PUBLIC_SEED
from facial_bench.corpora.synthetic.options import LARGEST_SEED
from facial_bench.corpora.synthetic_video.corpus import CLIPS, make

MOST_CLIPS = 1000
LONGEST = 20
"""Seconds; no clip is longer."""


def make_from_options(dest: Path, options: Mapping[str, str]) -> None:
    """Write the corpus folder at `dest`; every option as in `make`, the public corpus's where it is not given.

    Raises:
        FacialBenchError: a value that is none; CorpusError as `make` does.
    """
    for option in ("name", "people"):
        if option in options and not options[option]:
            raise FacialBenchError(f"corpus synthetic-video: the option {option} is empty. Leave it out or give one.")
    make(
        dest,
        _whole(options, "seed", PUBLIC_SEED, 0, LARGEST_SEED),
        options.get("name", ""),
        names=[name.strip() for name in options["people"].split(",")] if "people" in options else (),
        clips=_whole(options, "clips", CLIPS, 1, MOST_CLIPS),
        seconds=_whole(options, "seconds", 0, 1, LONGEST),
    )


def _whole(options: Mapping[str, str], option: str, default: int, least: int, most: int) -> int:
    """An option's whole number. An error does not repeat the text: a secret seed does not belong in a log."""
    if option not in options:
        return default
    text = options[option]
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    if not digits or not least <= int(text) <= most:
        raise FacialBenchError(
            f"corpus synthetic-video: the option {option} takes a whole number from {least} to {most}."
        )
    return int(text)
