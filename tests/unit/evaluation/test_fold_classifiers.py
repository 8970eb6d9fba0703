"""Where the identity classifiers of a run come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from facial_bench import Session
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.errors import ResultError
from facial_bench.evaluation.fold_classifiers import kept_classifiers
from facial_bench.metrics.classifier_files import find_file
from tests.helpers.faces import Lines
from tests.helpers.sessions import make_session, ready


def test_published_classifiers_judge_before_cached_and_new_ones(
    make_corpus: Callable[..., Corpus], small_protocol: Protocol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = make_corpus(clips=3, frames=290, scales=[0.3, 3.0])
    lines = Lines()

    def session(cache: str, **more: str) -> Session:
        return make_session(tmp_path / cache, small_protocol, report=lines, **more)

    trained = ready(session("first"), corpus)
    assert "identity classifiers: trained here" in lines.said
    assert ready(session("first"), corpus).classifiers == trained.classifiers
    assert "identity classifiers: trained before, from the cache" in lines.said

    folder = kept_classifiers(tmp_path / "first")
    (file,) = folder.iterdir()
    held = find_file(trained.classifiers, [folder])
    assert held is not None and held.corpus == corpus.info.digest
    lines.said.clear()
    published = ready(session("second", classifiers=str(folder)), corpus)
    assert lines.said[-1] == f"identity classifiers: published, {file}"
    assert published.classifiers == trained.classifiers
    assert published.references == trained.references
    assert published.timing["classifiers_cached"]
    assert not (tmp_path / "second" / "classifiers").exists()

    monkeypatch.setenv("FACIAL_BENCH_CLASSIFIERS", str(file))
    assert ready(session("third"), corpus).classifiers == trained.classifiers
    assert lines.said[-1] == f"identity classifiers: published, {file}"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ResultError, match="cannot be read as safetensors"):
        ready(session("third"), corpus)
