"""A method that speaks for its process: what it says is checked, and costs it its own requests at most."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from facial_bench import Session
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.errors import GenerationError
from facial_bench.evaluation.result import Result
from tests.helpers.faces import Lines
from tests.helpers.sessions import make_session, run_one

PLUGIN = Path(__file__).with_name("hostile.py")


@pytest.fixture(scope="module")
def corpus(make_corpus: Callable[..., Corpus]) -> Corpus:
    """Clips too short for identity classifiers: none are trained."""
    return make_corpus(clips=4, frames=100)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, small_protocol: Protocol) -> Session:
    return make_session(tmp_path_factory.mktemp("cache"), small_protocol, metrics=["lmd"], plugin_files=[PLUGIN])


@pytest.fixture(scope="module")
def honest(session: Session, corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return run_one(session, "mean-motion", corpus, tmp_path_factory.mktemp("honest"))


@pytest.mark.parametrize(
    "does",
    [
        *("lie", "other_ids", "twice", "more", "wrong_shape", "not_a_number", "outcomes_are_no_list"),
        *(
            "outcomes_are_a_number",
            "outcomes_are_numbers",
            "strange_kind",
            "steer",
            "endless_parts",
            "claims_an_error_of_ours",
        ),
    ],
)
def test_nothing_is_gained_by_speaking_for_the_process(
    does: str, session: Session, corpus: Corpus, honest: Result, tmp_path: Path
) -> None:
    """Every request is asked for again, alone, and answered honestly then; or the method has failed on it."""
    session.report = report = Lines()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if does in ("wrong_shape", "not_a_number"):
        with pytest.raises(GenerationError, match="failed on all 4 clips; self/a0@0: expected"):
            run_one(session, "hostile", corpus, tmp_path, options={"does": does})
        return
    result = run_one(session, "hostile", corpus, tmp_path, options={"does": does})
    scored = {row.request: row.motion for row in result.clips if row.status == "ok"}
    assert scored.items() <= {row.request: row.motion for row in honest.clips}.items()
    assert {row.request for row in result.clips} == {row.request for row in honest.clips}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000, "KiB"
    assert all(line.isprintable() for line in (*report.said, *report.warnings))
    assert all(str(row.reason or "").isprintable() for row in result.clips)
