"""What stands beside a score: ceilings that are what they say, whatever the folds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from facial_bench import Session
from facial_bench.core.protocol import Protocol
from facial_bench.core.windows import window_starts
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.accuracy_references import accuracy_references, touches_chance
from facial_bench.evaluation.clip_scores import Fold
from facial_bench.evaluation.result_schema import Ceiling
from facial_bench.evaluation.setup import EvaluationSetup
from facial_bench.metrics.classifier import forms
from facial_bench.metrics.identity import accuracies, judged_by_training
from tests.helpers.sessions import make_session, ready

PEOPLE = ("a", "b")
HELD_OUT_ONES = [name for name in accuracies() if not name.endswith("/paper")]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, small_protocol: Protocol) -> Session:
    return make_session(tmp_path_factory.mktemp("cache"), small_protocol, metrics=("lmd", "frechet/pose"))


@pytest.fixture(scope="module")
def corpus(make_corpus: Callable[..., Corpus]) -> Corpus:
    """Two people who differ in the size of their motion, nine recordings each."""
    return make_corpus(PEOPLE, clips=9, scales=[0.3, 3.0])


@pytest.fixture(scope="module")
def one(session: Session, corpus: Corpus) -> EvaluationSetup:
    return ready(session, corpus)


@pytest.fixture(scope="module")
def rotated(session: Session, corpus: Corpus) -> EvaluationSetup:
    return ready(session, corpus, "all")


def slow_accuracy(folds: list[Fold], form: str, *, held_out: bool) -> float:
    """The balanced accuracy, written out: every real clip of the other part, by the classifiers of every fold that did
    not learn it; a clip of several folds has the mean of what they say of each of its windows."""
    found: dict[str, dict[str, list[float]]] = {person: {} for person in PEOPLE}
    for fold in folds:
        judges = fold.classifiers if held_out else fold.paper_classifiers
        for clip in fold.training if held_out else fold.test:
            starts = window_starts(clip.valid, 128, 16)
            for said in judges.predict(forms()[form], clip.motion, starts):
                right = said == PEOPLE.index(clip.identity)
                found[clip.identity].setdefault(clip.id, []).extend(right.tolist())
    windows = len(window_starts(np.ones(300, bool), 128, 16))
    assert all(len(own) % windows == 0 for clips in found.values() for own in clips.values())
    return float(np.mean([np.mean([np.mean(own) for own in clips.values()]) for clips in found.values()]))


@pytest.mark.parametrize("folds", ["one", "all"])
def test_the_ceiling_of_an_accuracy_is_the_real_clips_that_its_classifiers_did_not_learn(
    one: EvaluationSetup, rotated: EvaluationSetup, folds: str
) -> None:
    setup = one if folds == "one" else rotated
    for name, accuracy in accuracies().items():
        reference = setup.references[name]
        held_out = name in HELD_OUT_ONES
        slow = slow_accuracy(list(setup.folds), accuracy.form, held_out=held_out)
        assert reference.ceiling.value == pytest.approx(slow), name
        assert reference.ceiling_is == ("real training clips" if held_out else "real held-out clips")
        assert reference.chance == 0.5
        assert reference.refused is None
        assert judged_by_training(name) == (not held_out)


def test_no_classifier_judges_what_it_learned(one: EvaluationSetup, rotated: EvaluationSetup) -> None:
    for setup in (one, rotated):
        for fold in setup.folds:
            learned = {clip.id for clip in fold.test}
            assert not learned & {clip.id for clip in fold.training}


def test_a_copy_of_training_motion_scores_at_the_ceiling_and_passes_the_papers(one: EvaluationSetup) -> None:
    (fold,) = one.folds
    copies = {clip.identity: clip for clip in fold.training}
    starts = window_starts(np.ones(300, bool), 128, 16)

    def score(name: str) -> float:
        judges = fold.judging(accuracies()[name])
        form = forms()[accuracies()[name].form]
        return float(np.mean([judges.right(form, clip.motion, starts, p) for p, clip in copies.items()]))

    assert score("pose_accuracy") == pytest.approx(one.references["pose_accuracy"].ceiling.value, abs=0.1)
    assert score("pose_accuracy/paper") == 1.0


def test_the_label_permutation_is_over_the_clips_that_are_judged(
    one: EvaluationSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[tuple[int, ...], int]] = []

    def count(votes: np.ndarray, windows: np.ndarray, labels: np.ndarray, **more: object) -> np.ndarray:
        asked.append((votes.shape, len(labels)))
        np.testing.assert_allclose(votes.sum(axis=2), np.tile(windows, (len(votes), 1)))
        return np.full(len(votes), 0.5)

    monkeypatch.setattr("facial_bench.evaluation.accuracy_references.label_permutation_p", count)
    references = accuracy_references(one.folds)
    (fold,) = one.folds
    assert asked == [((5, len(fold.training), 2), len(fold.training)), ((2, len(fold.test), 2), len(fold.test))]
    assert all("no better than shuffled labels (p = 0.500)" in str(one.refused) for one in references.values())


def test_accuracies_without_classifiers_are_refused_and_the_papers_are_not(
    session: Session, make_corpus: Callable[..., Corpus]
) -> None:
    """Somebody with two recordings among others with five: a rotation tests nothing of him in three folds."""
    corpus = make_corpus(PEOPLE, clips=9, scales=[0.3, 3.0], edit=lambda c: c if c.id not in FEW else c[:120])
    setup = ready(session, corpus, "all")
    for name, accuracy in accuracies().items():
        refused = setup.references[name].refused
        if accuracy.trained_on == "held-out":
            assert refused == (
                "the identity classifiers cannot be trained: b: 120 test frames in a row in a fold, 128 needed; try "
                "--fold one"
            )
        else:
            assert refused is None


FEW = {f"b{k}" for k in range(7)}


def test_a_ceiling_of_pooled_motion_is_formed_within_each_fold(one: EvaluationSetup, rotated: EvaluationSetup) -> None:
    single, several = (setup.references["frechet/pose"].ceiling for setup in (one, rotated))
    assert single.value is not None and several.value is not None
    assert 0.3 < several.value / single.value < 3, "the training motion of all folds together is the test motion"
    assert several.low is None and several.high is None
    assert "the mean of the folds" in rotated.references["frechet/pose"].ceiling_is
    assert "fold" not in one.references["frechet/pose"].ceiling_is


@pytest.mark.parametrize(
    ("ceiling", "said"),
    [
        ((0.9, 0.6, 1.0), None),
        ((0.9, 0.5, 1.0), "the ceiling 0.90 [0.50, 1.00] on real clips touches chance 0.50"),
        ((0.9, None, None), "the ceiling 0.90 no interval on real clips touches chance 0.50"),
        ((None, None, None), "the ceiling has no value on real clips"),
    ],
)
def test_what_touches_chance(ceiling: tuple[float | None, float | None, float | None], said: str | None) -> None:
    value, low, high = ceiling
    assert touches_chance("the ceiling", Ceiling(value=value, low=low, high=high), 0.5, "real clips") == said
