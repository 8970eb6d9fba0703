"""The method of a result, run again on a synthetic corpus of a seed that nobody has seen.

The corpus is made in a temporary folder, with classifiers of its own, and is gone afterwards. The method is told the
corpus's name, `synthetic-fresh`, and otherwise what it was told before. The seed is in nothing that it is given.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from facial_bench.core import protocol as rules
from facial_bench.core.errors import CorpusError, ResultError
from facial_bench.core.types import Definition, MetricSpec
from facial_bench.corpora.synthetic.corpus import NAME, VERSION, make
from facial_bench.corpora.synthetic.people import people
from facial_bench.evaluation.config import RunConfig
from facial_bench.evaluation.fresh_seed import FreshVerdict, compare_fresh
from facial_bench.evaluation.result import Result
from facial_bench.evaluation.same_run import require_findable, same_run


class Runs(Protocol):
    """What evaluates methods: a session of the API."""

    def evaluate(self, config: RunConfig) -> Iterator[tuple[Path, Result]]:
        """(result.json, result) of each training seed."""
        ...


class Begin(Protocol):
    """Makes what evaluates."""

    def __call__(self, *, cache: Path, metrics: Sequence[str]) -> Runs:
        """With a cache folder of its own; `metrics` are measured besides what networks compute."""
        ...


def run_on_fresh_seed(
    results: Sequence[Result],
    like: RunConfig | None,
    begin: Begin,
    definitions: Mapping[str, Definition],
    protocol: rules.Protocol,
    built_in: Collection[str],
    seed: int | None = None,
) -> list[FreshVerdict]:
    """Run the methods of results again on one fresh corpus, and compare.

    Args:
        results: on the public synthetic corpus.
        like: a run that finds the method; its `method` (FILE.py:CLASS, where it is a class of a script), `plugins`,
            `isolation`, `python`, `timeout`, `readable` and `device` are taken, everything else is the result's.
        begin: makes what evaluates.
        definitions: of every metric known here.
        protocol: of this version.
        built_in: methods that need no finding.
        seed: of the fresh corpus; None draws one.

    Raises:
        CorpusError: a result of a corpus that cannot be made anew; ResultError: one of another protocol, or whose
            method is not said; FacialBenchError: the method cannot be run.
    """
    wanted = {id(result): _metrics(result, definitions) for result in results}
    for result in results:
        require_synthetic(result)
        _require_protocol(result, definitions, protocol, wanted[id(result)])
        require_findable(result, like, built_in)
    drawn = secrets.randbits(63) if seed is None else seed
    compared = [name for name, one in definitions.items() if one.ranked]
    verdicts, sessions = [], dict[tuple[str, ...], Runs]()
    with _temporary_folder() as folder:
        make(folder / "corpus", drawn)
        for result in results:
            specs = wanted[id(result)]
            session = sessions.setdefault(specs, begin(cache=folder / "cache", metrics=specs))
            place = {"corpus": str(folder / "corpus"), "out": str(folder / "results")}
            again = same_run(result, like, identities=_chosen_people(result), **place)
            ((_, fresh),) = session.evaluate(again)
            verdicts.append(FreshVerdict(compare_fresh(result, fresh, compared), drawn, _notes(result, fresh)))
    return verdicts


def require_synthetic(result: Result) -> None:
    """Raise CorpusError unless the result is of the public synthetic corpus."""
    corpus = result.corpus
    if (corpus.name, corpus.version) != (NAME, VERSION) or not set(corpus.identities) <= {p.name for p in people()}:
        raise CorpusError(
            f"The corpus {corpus.name} {corpus.version} cannot be made anew: only {NAME} {VERSION}, which comes from a "
            "seed, has a fresh one."
        )


def _require_protocol(
    result: Result, definitions: Mapping[str, Definition], protocol: rules.Protocol, names: Sequence[str]
) -> None:
    from facial_bench.evaluation.setup import protocol_with

    specs = [one for one in map(definitions.__getitem__, names) if isinstance(one, MetricSpec)]
    here = protocol_with(specs, replace(protocol, folds=result.protocol.folds)).digest()
    if result.protocol.digest != here:
        raise ResultError(
            f"{result.method.label}: the result is of the protocol {result.protocol.digest[:12]}, this version's is "
            f"{here[:12]}. Run the method on {NAME} again."
        )


def _metrics(result: Result, definitions: Mapping[str, Definition]) -> tuple[str, ...]:
    return tuple(name for name in result.metrics if isinstance(definitions.get(name), MetricSpec))


def _chosen_people(result: Result) -> tuple[str, ...]:
    """The people that the run was asked for; none for everybody."""
    return () if len(result.corpus.identities) == len(people()) else tuple(result.corpus.identities)


def _notes(result: Result, fresh: Result) -> tuple[str, ...]:
    """What else differs between the two runs."""
    notes = []
    one, two = result.method, fresh.method
    if (one.plugin, one.version) != (two.plugin, two.version):
        notes.append(f"the result is of {one.plugin} {one.version}, what ran now is {two.plugin} {two.version}")
    elif result.environment.get("method_source") != fresh.environment.get("method_source"):
        notes.append(f"the source of {one.plugin} has changed since the result was made")
    if one.inputs != two.inputs:
        notes.append("the files that its options name have changed since the result was made")
    if one.isolation != two.isolation:
        notes.append(f"isolation: {one.isolation or 'not noted'} then, {two.isolation} now")
    if result.device != fresh.device:
        notes.append(f"device: {result.device} then, {fresh.device} now")
    failed = sum(row.status == "failed" for row in fresh.clips)
    if failed:
        notes.append(f"on the fresh seed {failed} of {len(fresh.clips)} requests failed")
    return tuple(notes)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A folder that goes at the end; what a method that raised left for its author stays, and nothing else."""
    folder = Path(tempfile.mkdtemp(prefix="facial-bench-"))
    try:
        yield folder
    finally:
        logs = list((folder / "results").rglob("error.log"))
        for place in (folder / "corpus", folder / "cache") if logs else (folder,):
            shutil.rmtree(place, ignore_errors=True)
