"""A corpus made ready for evaluation: split, classifiers and references, shared by all methods that are run on it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from facial_bench.core.errors import CorpusError
from facial_bench.core.progress import Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import MetricSpec
from facial_bench.corpora.corpus import Corpus
from facial_bench.corpora.enough_motion import motion_note
from facial_bench.corpora.rotated_split import split_folds
from facial_bench.evaluation.ceiling_and_chance import make_references
from facial_bench.evaluation.clip_metrics import make_metric_set
from facial_bench.evaluation.clip_scores import Fold, classifier_sets
from facial_bench.evaluation.fold_classifiers import fold_classifiers
from facial_bench.evaluation.result_schema import Reference
from facial_bench.metrics.catalog import STANDARD, definition_digest, network_definitions
from facial_bench.metrics.identity import HELD_OUT, TRAINING
from facial_bench.metrics.identity_classifier import classifiers_digest, named_arrays
from facial_bench.metrics.probe import behaviour_digest


@dataclass(frozen=True, eq=False)
class EvaluationSetup:
    """A corpus made ready: folds with their classifiers, and references, shared by all methods that are run on it."""

    corpus: Corpus
    protocol: Protocol
    folds: Sequence[Fold]
    """One, or several where the split is rotated."""
    specs: Sequence[MetricSpec]
    """What is measured besides what networks compute."""
    references: Mapping[str, Reference]
    timing: Mapping[str, Any]

    @property
    def classifiers(self) -> str:
        """SHA-256 over the weights of the classifiers of every fold; empty where there are none."""
        return classifiers_digest(named_arrays(classifier_sets(self.folds)))


def protocol_with(specs: Sequence[MetricSpec], protocol: Protocol | None = None) -> Protocol:
    """The protocol with what its own metrics claim to be, and what their functions do here, in its digest: whatever
    order they are given in. Whose functions do something else is measured by another protocol."""
    own = [*(spec for spec in specs if spec.id in STANDARD), *network_definitions()]
    digests = sorted((one.id, definition_digest(one), behaviour_digest(one)) for one in own)
    return replace(protocol or Protocol(), definitions=tuple(digests))


def prepare(
    corpus: Corpus,
    protocol: Protocol,
    specs: Sequence[MetricSpec],
    *,
    device: str,
    cache: Path,
    report: Reporter,
    classifiers: Path | None = None,
) -> EvaluationSetup:
    """Split the corpus, find or train its identity classifiers on its real motion, score the references.
    Where there is too little motion for the classifiers, or one person alone, the accuracies are refused and everything
    else is measured. `classifiers` names a file of published ones, or a folder of such files.

    Raises:
        CorpusError: another frame rate than the protocol's, or a person of whom nothing is trained on or tested.
        PluginError: a metric raised while it prepared itself.
        ResultError: a damaged file of classifiers where the caller names one.
    """
    if corpus.info.fps != protocol.fps:
        raise CorpusError(f"The corpus is at {corpus.info.fps} fps, the protocol at {protocol.fps}: import it again.")
    timing: dict[str, Any] = {"read_corpus_s": 0.0, "classifiers_s": 0.0, "classifiers_cached": True, "measures_s": 0.0}
    splits = split_folds(corpus.entries, protocol)
    with timed(timing, "read_corpus_s"):  # each clip once, whatever the number of folds: reading checks its digest
        clips = {entry.id: corpus.clip(entry.id) for entry in corpus.entries}
    parts = [
        {
            name: [clips[s.clip][s.start : s.stop] for s in getattr(split, name)]
            for name in ("train", "validation", "test")
        }
        for split in splits
    ]
    masks = {name: clip.valid for name, clip in clips.items()}
    notes = {part: motion_note(corpus.entries, masks, protocol, part) for part in (HELD_OUT, TRAINING)}
    if not any(own["test"] for own in parts):
        why = notes[HELD_OUT] or "it is empty"
        raise CorpusError(f"No frame of the corpus {corpus.info.name} is left to be tested: {why}.")
    whole = parts[0] if len(parts) == 1 else None
    divided = " / ".join(f"{len(own)} {part}" for part, own in whole.items()) if whole else f"{len(parts)} folds"
    info = corpus.info
    report(f"corpus: {info.name}, {len(info.identities)} identities, {len(corpus.entries)} clips, {divided}")
    missing = {
        part: f"the identity classifiers cannot be trained: {note}" if note else "" for part, note in notes.items()
    }
    if missing[HELD_OUT]:
        kept = "" if missing[TRAINING] else " but the paper's"
        report.warn(f"no accuracies{kept}, {missing[HELD_OUT]}")
    names = [f"fold-{k}" if len(splits) > 1 else "" for k in range(1, len(splits) + 1)]
    with timed(timing, "classifiers_s"):
        made, timing["classifiers_cached"] = fold_classifiers(
            info,
            dict(zip(names, parts, strict=True)),
            missing,
            protocol,
            chosen=classifiers,
            device=device,
            cache=cache,
            report=report,
        )
    folds = []
    for name, split, own in zip(names, splits, parts, strict=True):
        with timed(timing, "measures_s"):
            metric_set = make_metric_set(
                corpus.face_model, corpus.info, specs, own["train"], own["test"], protocol.window
            )
        folds.append(
            Fold(name, split, own["train"], own["test"], made[name, HELD_OUT], made[name, TRAINING], metric_set, cache)
        )
    with timed(timing, "references_s"):
        references = make_references(folds, specs, report)
    return EvaluationSetup(corpus, protocol, folds, specs, references, timing)


def corpus_label(corpus: Corpus, protocol: Protocol) -> str:
    """Folder and board name of a corpus: its name, for a selection of its people a piece of the digest, and
    `@all-folds` where the split is rotated."""
    whole = len(corpus.face_model.neutral) == len(corpus.info.identities)
    parts = [corpus.info.name, *([] if whole else [corpus.info.digest[:8]])]
    return "@".join([*parts, *(["all-folds"] if protocol.folds == "all" else [])])


@contextmanager
def timed(timing: dict[str, Any], name: str) -> Iterator[None]:
    """Add the seconds that a block took."""
    start = time.perf_counter()
    yield
    timing[name] = round(timing.get(name, 0.0) + time.perf_counter() - start, 3)
