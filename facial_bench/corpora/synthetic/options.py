"""What `corpus make synthetic --option K=V` may set: the seed and the name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from facial_bench.core.errors import FacialBenchError
from facial_bench.corpora.synthetic.corpus import PUBLIC_SEED, make

LARGEST_SEED = 2**63 - 1


def make_from_options(dest: Path, options: Mapping[str, str]) -> None:
    """Write the corpus folder at `dest`; `seed` and `name` as in `make`, the public ones where they are not given.

    Raises:
        FacialBenchError: a seed that is none; CorpusError as `make` does.
    """
    if "name" in options and not options["name"]:
        raise FacialBenchError("corpus synthetic: the option name is empty. Leave it out or give one.")
    make(dest, read_seed(options["seed"]) if "seed" in options else PUBLIC_SEED, options.get("name", ""))


def read_seed(text: str) -> int:
    """The seed in a text of decimal digits. An error does not repeat the text: a secret does not belong in a log.

    >>> read_seed("60")
    60

    Raises:
        FacialBenchError: it is no whole number from 0 to `LARGEST_SEED`.
    """
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_SEED))
    if not digits or int(text) > LARGEST_SEED:
        raise FacialBenchError(f"corpus synthetic: the option seed takes a whole number from 0 to {LARGEST_SEED}.")
    return int(text)
