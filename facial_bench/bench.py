"""A corpus made ready for evaluation: split, judges and references, shared by all methods that are run on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from facial_bench.corpus import Corpus
from facial_bench.device import deterministic
from facial_bench.driving import make_tasks, mean_states
from facial_bench.errors import CorpusError
from facial_bench.metrics import definition_digest
from facial_bench.personalization import Judges, load_or_train
from facial_bench.protocol import Protocol
from facial_bench.references import make_references
from facial_bench.split import Split, require_windows, split_clips, window_starts
from facial_bench.types import Clip, MetricSpec


@dataclass(frozen=True, eq=False)
class Bench:
    """A corpus made ready: split, judges and references, shared by all methods that are run on it."""

    corpus: Corpus
    protocol: Protocol
    split: Split
    training: Sequence[Clip]
    test: Sequence[Clip]
    judges: Judges
    distances: Sequence[MetricSpec]
    references: Mapping[str, Mapping[str, Any]]
    timing: Mapping[str, Any]


def protocol_with(distances: Sequence[MetricSpec], protocol: Protocol | None = None) -> Protocol:
    """The protocol with the digests of its own distance metrics in it."""
    own = [spec for spec in distances if spec.id in ("lmd", "lmd/canonical")]
    return replace(protocol or Protocol(), definitions=tuple((spec.id, definition_digest(spec)) for spec in own))


def prepare(
    corpus: Corpus, protocol: Protocol, distances: Sequence[MetricSpec], *, device: str, cache: Path,
    log: Callable[[str], None],
) -> Bench:  # fmt: skip
    """Split the corpus, train the judges on its real training motion (or find them cached), score the references.

    Raises:
        CorpusError: another frame rate than the protocol's, one identity, or one without a usable window.
    """
    if corpus.info.fps != protocol.fps:
        raise CorpusError(f"The corpus is at {corpus.info.fps} fps, the protocol at {protocol.fps}: import it again.")
    timing: dict[str, Any] = {}
    split = split_clips(corpus.entries, protocol)
    with timed(timing, "read_corpus_s"):
        parts = {name: corpus.segments(getattr(split, name)) for name in ("train", "validation", "test")}
    counts = {
        part: _count_windows(parts[part], protocol, stride)
        for part, stride in (("train", protocol.training_stride), ("test", protocol.scoring_stride))
    }
    require_windows(corpus.entries, counts)
    log(f"corpus: {corpus.info.name}, {len(corpus.info.identities)} identities, {len(corpus.entries)} clips, "
        f"{len(split.train)} train / {len(split.validation)} validation / {len(split.test)} test")  # fmt: skip
    with timed(timing, "classifiers_s"), deterministic():
        judges, timing["classifiers_cached"] = load_or_train(
            parts["train"], parts["validation"], corpus.info.identities, protocol, key=corpus.info.digest,
            cache=cache, device=device, log=log,
        )  # fmt: skip
    with timed(timing, "references_s"):
        states = mean_states(parts["train"])
        tasks = make_tasks(parts["test"], corpus.info.identities, states, protocol.fps, 0)
        references = make_references(tasks, corpus.face_model, judges, distances)
    return Bench(corpus, protocol, split, parts["train"], parts["test"], judges, distances, references, timing)


def corpus_label(corpus: Corpus) -> str:
    """Folder name of a corpus: its name, and for a selection of its people a piece of the digest."""
    whole = len(corpus.manifest["face_model"]["identities"]) == len(corpus.info.identities)
    return corpus.info.name if whole else f"{corpus.info.name}@{corpus.info.digest[:8]}"


def _count_windows(clips: Sequence[Clip], protocol: Protocol, stride: int) -> dict[str, int]:
    counts: dict[str, int] = {}
    for clip in clips:
        found = len(window_starts(clip.valid, protocol.window, stride))
        counts[clip.identity] = counts.get(clip.identity, 0) + found
    return counts


@contextmanager
def timed(timing: dict[str, Any], name: str) -> Iterator[None]:
    """Note the seconds that a block took."""
    start = time.perf_counter()
    yield
    timing[name] = round(time.perf_counter() - start, 3)
