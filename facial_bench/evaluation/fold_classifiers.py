"""The identity classifiers of every fold of a corpus: published ones where they fit, else the cache's, else trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from facial_bench.core.device import deterministic
from facial_bench.core.progress import Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Clip, CorpusInfo
from facial_bench.metrics.classifier_files import SUFFIX, find_classifiers, write_classifiers
from facial_bench.metrics.identity import HELD_OUT, TRAINING, forms_trained_on
from facial_bench.metrics.identity_classifier import (
    IdentityClassifiers,
    classifiers_digest,
    load_or_train,
    named_arrays,
)

LEARNED = {HELD_OUT: ("test", ""), TRAINING: ("train", "validation")}
"""What classifiers are trained on -> the parts of the split that hold it, and that select among their states. The
held-out ones have no validation: the training clips are what they are judged by."""


def fold_classifiers(
    info: CorpusInfo,
    folds: Mapping[str, Mapping[str, Sequence[Clip]]],
    missing: Mapping[str, str],
    protocol: Protocol,
    *,
    chosen: Path | None,
    device: str,
    cache: Path,
    report: Reporter,
) -> tuple[dict[tuple[str, str], IdentityClassifiers], bool]:
    """(name of a fold, what they are trained on) -> classifiers, and whether none had to be trained.

    Args:
        info: of the corpus.
        folds: name of the fold -> `train`, `validation` and `test` -> real clips.
        missing: what they are trained on -> why there can be none; empty where there can.
        protocol: of the run.
        chosen: file or folder of published classifiers that the user names; None where none is named.
        device: `cpu` or `cuda`.
        cache: folder; what is trained is kept there, also in the form in which it can be published.
        report: hears where they come from.
    """
    made = {
        (fold, part): IdentityClassifiers({}, info.identities, protocol, device, missing[part])
        for fold in folds
        for part in LEARNED
    }
    wanted = {f"{fold}/{part}": forms_trained_on(part) for fold, part in made if not missing[part]}
    if not wanted:
        return made, True
    found = find_classifiers(
        chosen,
        wanted,
        corpus=info.digest,
        identities=tuple(info.identities),
        protocol=protocol,
        device=device,
        report=report,
    )
    if found:
        report(f"identity classifiers: published, {found[1]}")
        return {key: found[0].get("/".join(key), one) for key, one in made.items()}, True
    everything_cached = True
    for fold, part in made:
        if not missing[part]:
            learned, selecting = (folds[fold].get(name, ()) for name in LEARNED[part])
            with deterministic():
                made[fold, part], cached = load_or_train(
                    learned,
                    selecting,
                    tuple(info.identities),
                    protocol,
                    names=forms_trained_on(part),
                    key=f"{info.digest}{fold}/{part}",
                    cache=cache,
                    device=device,
                    report=report,
                )
            everything_cached &= cached
    report(f"identity classifiers: {'trained before, from the cache' if everything_cached else 'trained here'}")
    _keep(made, info.digest, cache, anew=not everything_cached)
    return made, everything_cached


def kept_classifiers(cache: Path) -> Path:
    """The folder of the cache that holds classifiers as they are published."""
    return cache / "classifiers" / "whole"


def _keep(made: Mapping[tuple[str, str], IdentityClassifiers], corpus: str, cache: Path, *, anew: bool) -> None:
    """What was trained, in one file called after its digest."""
    sets = {"/".join(key): one for key, one in made.items() if not one.missing}
    path = kept_classifiers(cache) / f"{classifiers_digest(named_arrays(sets))}{SUFFIX}"
    if anew or not path.is_file():
        write_classifiers(path, sets, corpus)
