"""What a check is, what it finds, and how one cause of failure stays one failure."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from facial_bench.core.errors import FacialBenchError, one_line
from facial_bench.core.progress import Reporter


class Examined(Protocol):
    """What is checked: a method or a renderer."""

    @property
    def name(self) -> str:
        """Of the method or renderer."""

    @property
    def report(self) -> Reporter:
        """Told which check runs."""

    @property
    def findings(self) -> dict[str, Any]:
        """Check -> what it found: each check runs once on a subject."""

    @property
    def causes(self) -> dict[str, str]:
        """What it did wrong (without the numbers in it) -> the check that met it first."""

    def close(self) -> None:
        """End all instances."""


S = TypeVar("S", bound=Examined)


@dataclass(frozen=True)
class Finding:
    """What a check found."""

    state: str
    """`pass`, `fail`, `skip`, or `property`: neither good nor bad, but worth knowing."""
    text: str = ""
    """What was expected and what came; why it was skipped; or what the property is."""


class BrokenPromiseError(FacialBenchError):
    """A promise that is not kept: what was expected, and what came. Its cause, if any, is what the method raised."""


@dataclass(frozen=True)
class Check(Generic[S]):
    """A promise of the contract, and how it is tested."""

    name: str
    promise: str
    """One line."""
    test: Callable[[S], Finding | None]
    """None passes; what it raises fails."""
    needs: tuple[Check[S], ...] = ()
    """Checks without which this one could tell nothing: where one of them fails, this one is skipped."""

    def run(self, subject: S) -> Finding:
        """Test the promise, once on a subject; whatever the method raises is a failure with its reason."""
        if self.name not in subject.findings:
            subject.findings[self.name] = self._find(subject)
        return subject.findings[self.name]

    def _find(self, subject: S) -> Finding:
        for needed in self.needs:
            finding = needed.run(subject)
            if finding.state == "fail":
                return Finding("skip", f"as `{needed.name}` failed")
            if finding.state == "skip":
                return finding
        try:
            return self.test(subject) or Finding("pass")
        except BrokenPromiseError as problem:
            return self._fail(subject, str(problem), problem.__cause__)
        except (Exception, SystemExit) as problem:
            return self._fail(subject, what_happened(problem), problem)

    def _fail(self, subject: S, text: str, cause: BaseException | None) -> Finding:
        """A failure, unless the method did the same wrong thing, but for numbers, in an earlier check."""
        if cause is not None:
            first = subject.causes.setdefault(re.sub(r"\d+", "#", what_happened(cause)), self.name)
            if first != self.name:
                return Finding("skip", f"as `{first}` failed")
        return Finding("fail", text)


def run_checks(every: Sequence[Check[S]], subject: S) -> dict[str, Finding]:
    """check -> what it found, in order; the subject is closed, and its reporter is told which check runs."""
    try:
        for number, check in enumerate(every):
            subject.report.progress(number, len(every), f"checking {subject.name}")
            subject.report(f"{subject.name}: {check.name}")
            check.run(subject)
    finally:
        subject.close()
    subject.report.progress(len(every), len(every), f"checking {subject.name}")
    return {check.name: check.run(subject) for check in every}


def expect(kept: bool, text: str) -> None:
    """Raise BrokenPromiseError with a text unless something holds."""
    if not kept:
        raise BrokenPromiseError(text)


def what_happened(problem: BaseException) -> str:
    """One line on what a method raised: an error of ours as it is, another with its type and where it came from."""
    if isinstance(problem, FacialBenchError):
        return one_line(problem)
    last = traceback.extract_tb(problem.__traceback__)[-1]
    return f"raised {type(problem).__name__}: {one_line(problem)} ({Path(last.filename).name}, line {last.lineno})"


def conclude(findings: Sequence[Finding]) -> str:
    """One line over all findings.

    >>> conclude([Finding("pass"), Finding("fail"), Finding("pass")])
    '2 pass, 1 fail'
    """
    counts = {
        state: sum(finding.state == state for finding in findings) for state in ("pass", "fail", "skip", "property")
    }
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count)
