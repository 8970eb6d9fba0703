"""Which results may stand on a board: those that the ledger knows, and those that can be verified now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from facial_bench.core.errors import FacialBenchError, ResultError
from facial_bench.core.version import __version__
from facial_bench.evaluation.earlier_results import EarlierResultError
from facial_bench.evaluation.result import Result, require_unchanged
from facial_bench.evaluation.verify import Verdict
from facial_bench.reports.ledger import Entry, enter, is_entered, place

Verify = Callable[[Path, Result], Verdict]
"""(folder of a result, result) -> what a verification says."""


@dataclass(frozen=True)
class Admission:
    """The results that may stand on a board."""

    results: Sequence[Result]
    entries: Sequence[Entry]
    """The ledger, with a line for each of them."""
    left_out: Sequence[str]
    """Result and reason, one line each; one line for all results of earlier protocols."""


def admit(
    named: Iterable[tuple[Path, Result | FacialBenchError]],
    entries: Sequence[Entry],
    verify: Verify | None,
    keep: Callable[[Sequence[Entry]], None] = lambda entries: None,
) -> Admission:
    """Look at every result; one that cannot be verified is left out and stops no other. Of two results in one place
    (corpus, protocol, method, seed) the one that the ledger entered last counts.

    Args:
        named: Where each result comes from, and the result or why it cannot be read.
        entries: Of the ledger.
        verify: Computes a result again; None enters nothing: a result that the ledger does not know is an error then.
        keep: Takes the entries whenever one was added, so that no result is verified twice.

    Raises:
        ResultError: without `verify`, the first result that may not stand there.
    """
    results: list[tuple[Path, Result]] = []
    left_out: list[str] = []
    known, named = list(entries), list(named)
    given = {result.digest for _, result in named if isinstance(result, Result)}
    earlier = [problem for _, problem in named if isinstance(problem, EarlierResultError)]
    if earlier:
        left_out.append(_of_an_earlier_protocol(earlier))
    for path, result in named:
        if isinstance(result, EarlierResultError):
            continue
        try:
            if isinstance(result, FacialBenchError):
                raise result
            require_unchanged(path, result)
            if result.method.isolation == "in-process":
                raise ResultError("its method ran in the harness's process, where it could see all; run it apart")
            if _is_superseded(result, known, given):
                left_out.append(_replaced(path, result))
                continue
            if not is_entered(result, known):
                known = enter(known, _verified(path, result, verify), __version__)
                keep(known)
            results.append((path, result))
        except FacialBenchError as problem:
            if verify is None:
                raise ResultError(_placed(path, problem)) from None
            left_out.append(_placed(path, problem))
    left_out += [_replaced(path, result) for path, result in results if not is_entered(result, known)]
    return Admission([result for _, result in results if is_entered(result, known)], known, left_out)


def _of_an_earlier_protocol(problems: Sequence[EarlierResultError]) -> str:
    """One line for all results of earlier protocols, however many there are."""
    first, others = problems[0], len(problems) - 1
    files = f" and {others} more {'file' if others == 1 else 'files'}" if others else ""
    return f"{first.where}{files}: {first.summary(sum(problem.count for problem in problems))}"


def _replaced(path: Path, result: Result) -> str:
    label = f"{result.method.label}, seed {result.seed}"
    return f"{path}: replaced by a newer result of {label} (to keep both, call one of them otherwise: --as NAME)"


def _placed(path: Path, problem: FacialBenchError) -> str:
    """What is wrong, and with which result, named once."""
    return str(problem) if str(problem).startswith(str(path)) else f"{path}: {problem}"


def _is_superseded(result: Result, entries: Sequence[Entry], given: Collection[str]) -> bool:
    """Whether a result was entered once, and the one that took its place is given too."""
    own = [entry for entry in entries if entry.place == place(result)]
    known = any(entry.result == result.digest for entry in own[:-1])
    return known and own[-1].result != result.digest and own[-1].result in given


def _verified(path: Path, result: Result, verify: Verify | None) -> Result:
    if verify is None:
        raise ResultError("it is not in the ledger; run without --check")
    differences = verify(path.parent, result).differences
    if differences:
        raise ResultError(f"{differences[0]} ({len(differences)} differences in all)")
    return result
