"""Trained identity classifiers in a file, published beside a board, so that every machine judges with the same ones.

A safetensors of a few hundred kB: every weight of every fold as float16, which holds it exactly (the standardisation of
the channels as float32); its metadata say which corpus and which protocol of training they belong to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from facial_bench.core.errors import FacialBenchError, ResultError, one_line
from facial_bench.core.files import read_arrays, write_arrays
from facial_bench.core.progress import Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.metrics.identity_classifier import IdentityClassifiers, classifiers_digest, named_arrays, restore

SCHEMA = "facial-bench classifiers 1"
SUFFIX = ".classifiers.safetensors"
ABOUT = "classifiers"
"""The one entry of the metadata."""
HINT = "Restore it from where it was published, or remove it."
SHIPPED = Path(__file__).resolve().parents[2] / "leaderboards"
"""The boards of a checkout, with the classifiers that their results were judged by."""


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the metadata say; fields as of `ClassifierFile`."""

    schema: str
    corpus: str
    training: str
    identities: tuple[str, ...]
    digest: str


@dataclass(frozen=True, eq=False)
class ClassifierFile:
    """What a file of classifiers holds; the weights fit their names and their digest, and are checked one by one where
    classifiers are made of them."""

    corpus: str
    """Digest."""
    training: str
    """`Protocol.training_digest`."""
    identities: tuple[str, ...]
    digest: str
    """Of the weights: `Result.classifiers`."""
    arrays: Mapping[str, np.ndarray]
    """`fold/part|form|k|weight` -> values."""


def write_classifiers(path: Path, sets: Mapping[str, IdentityClassifiers], corpus: str) -> None:
    """Write named sets of classifiers atomically: the same file for the same weights.

    Args:
        path: of the file.
        sets: `fold/part that they are trained on` -> classifiers; one or more, of one corpus and protocol.
        corpus: its digest.
    """
    arrays, one = named_arrays(sets), next(iter(sets.values()))
    write_file(
        path, ClassifierFile(corpus, one.protocol.training_digest(), one.identities, classifiers_digest(arrays), arrays)
    )


def write_file(path: Path, held: ClassifierFile) -> None:
    """Write what was read elsewhere; atomically."""
    header = _Header(SCHEMA, held.corpus, held.training, held.identities, held.digest)
    about = {ABOUT: msgspec.json.encode(header).decode()}  # one entry: safetensors writes several in any order
    write_arrays(path, dict(sorted(held.arrays.items())), about, ResultError)


def read_classifiers(path: Path) -> ClassifierFile:
    """What a file of classifiers holds.

    Raises:
        ResultError: no such file, one that is damaged, or one of another kind; one line.
    """
    arrays, about = read_arrays(path, ResultError, HINT)
    try:
        header = msgspec.json.decode(about.get(ABOUT, ""), type=_Header)
    except msgspec.DecodeError:
        raise ResultError(f"{path} holds no identity classifiers. {HINT}") from None
    if header.schema != SCHEMA:
        raise ResultError(f"{path}: schema {one_line(header.schema, 80)!r}, this version reads {SCHEMA!r}. {HINT}")
    if not arrays or classifiers_digest(arrays) != header.digest:
        raise ResultError(f"{path}: the weights are not those that were written (they have another digest). {HINT}")
    return ClassifierFile(header.corpus, header.training, header.identities, header.digest, arrays)


def classifier_files(place: Path) -> list[Path]:
    """The files of classifiers that a path names: itself, there or not, or those in a folder."""
    return sorted(place.glob(f"*{SUFFIX}")) if place.is_dir() else [place]


def find_classifiers(
    chosen: Path | None,
    wanted: Mapping[str, Collection[str]],
    *,
    corpus: str,
    identities: tuple[str, ...],
    protocol: Protocol,
    device: str,
    report: Reporter,
) -> tuple[dict[str, IdentityClassifiers], Path] | None:
    """Published classifiers of a corpus and protocol: those in the place that the user names, else those beside the
    boards of a checkout; None where there are none. One that is not as it was written counts only where it was named.

    Args:
        chosen: a file or folder; None where the user names none.
        wanted: `fold/part that they are trained on` -> forms: what the run needs.
        corpus: its digest.
        identities: in the order of the outputs.
        protocol: of the run.
        device: `cpu` or `cuda`.
        report: hears of a shipped file that is damaged, and of a named place that has none for this corpus.

    Raises:
        ResultError: a damaged file in the place that the user names.
    """
    for place in (chosen, SHIPPED if SHIPPED.is_dir() else None):
        for path in classifier_files(place) if place else ():
            try:
                sets = _fitting(path, wanted, corpus, identities, protocol, device)
            except FacialBenchError as problem:
                if place == chosen:
                    raise
                report.warn(str(problem))
                continue
            if sets is not None:
                return sets, path
        if place and place == chosen:
            report.warn(f"{place} has no identity classifiers of this corpus and protocol")
    return None


def _fitting(
    path: Path,
    wanted: Mapping[str, Collection[str]],
    corpus: str,
    identities: tuple[str, ...],
    protocol: Protocol,
    device: str,
) -> dict[str, IdentityClassifiers] | None:
    """The classifiers of a file; None where they are of another corpus, protocol or rotation."""
    held = read_classifiers(path)
    own: dict[str, dict[str, np.ndarray]] = {}
    for name, array in held.arrays.items():
        of, _, weight = name.partition("|")
        own.setdefault(of, {})[weight] = array
    if (held.corpus, held.training, set(own)) != (corpus, protocol.training_digest(), set(wanted)):
        return None
    if held.identities != identities:
        raise ResultError(f"{path}: its identities are not those of the corpus. {HINT}")
    try:
        return {name: restore(own[name], identities, protocol, device, forms) for name, forms in wanted.items()}
    except FacialBenchError as problem:
        raise ResultError(f"{path}: {problem}. {HINT}") from None


def find_file(digest: str, places: Iterable[Path]) -> ClassifierFile | None:
    """The file whose weights have a digest, in folders or among files; damaged ones are passed over."""
    for path in (file for place in places for file in classifier_files(place)):
        try:
            held = read_classifiers(path)
        except ResultError:
            continue
        if held.digest == digest:
            return held
    return None
