"""Published identity classifiers: what is written is what is used, and nothing else is taken for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facial_bench.core.files import read_arrays, write_arrays
from facial_bench.core.protocol import ClassifierSettings, Protocol
from facial_bench.errors import FacialBenchError, ResultError
from facial_bench.metrics import classifier_files
from facial_bench.metrics.classifier_files import (
    SUFFIX,
    find_classifiers,
    find_file,
    read_classifiers,
    write_classifiers,
)
from facial_bench.metrics.identity_classifier import (
    IdentityClassifiers,
    classifiers_digest,
    load_or_train,
    named_arrays,
)
from tests.helpers.faces import Lines, make_clip, make_model

PEOPLE = ("a", "b")
CORPUS = "c" * 64
RULES = replace(Protocol(), classifiers=ClassifierSettings(seeds=(1,), channels=(4, 4, 4), steps=2))
WANTED = {"/held-out": ("pose", "blink"), "/training": ("pose",)}
Sets = dict[str, IdentityClassifiers]


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    clips = [make_clip(make_model(PEOPLE), p, f"{p}0", 200, k) for k, p in enumerate(PEOPLE)]
    cache = tmp_path_factory.mktemp("cache")
    return {
        name: load_or_train(clips, (), PEOPLE, RULES, names=forms, key=name, cache=cache, device="cpu")[0]
        for name, forms in WANTED.items()
    }


@pytest.fixture
def path(sets: Sets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of classifiers in a folder; nothing is shipped."""
    monkeypatch.setattr(classifier_files, "SHIPPED", tmp_path / "shipped")
    written = tmp_path / "boards" / f"tiny{SUFFIX}"
    write_classifiers(written, sets, CORPUS)
    return written


def find(chosen: Path | None, report: Lines | None = None, **changes: object) -> tuple[Sets, Path] | None:
    given = {"corpus": CORPUS, "identities": PEOPLE, "protocol": RULES, "wanted": WANTED} | changes
    return find_classifiers(chosen, device="cpu", report=report or Lines(), **given)


def test_what_is_found_is_what_was_written(sets: Sets, path: Path) -> None:
    found = find(path.parent)
    assert found is not None and found[1] == path
    assert classifiers_digest(named_arrays(found[0])) == classifiers_digest(named_arrays(sets))
    assert find(path) is not None, "a file may be named too"
    held = read_classifiers(path)
    assert (held.corpus, held.training, held.identities) == (CORPUS, RULES.training_digest(), PEOPLE)
    assert held.digest == classifiers_digest(named_arrays(sets))
    again = path.with_name(f"again{SUFFIX}")
    write_classifiers(again, dict(reversed(sets.items())), CORPUS)
    assert again.read_bytes() == path.read_bytes(), "the same file for the same weights"


def test_those_of_a_checkout_are_used_without_being_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find(None) is None
    monkeypatch.setattr(classifier_files, "SHIPPED", path.parent)
    found = find(None)
    assert found is not None and found[1] == path


@pytest.mark.parametrize(
    "other",
    [
        {"corpus": "d" * 64},
        {"protocol": replace(RULES, window=120)},
        {"wanted": {"/held-out": ("pose", "blink")}},
        {"wanted": {f"fold-1{name}": forms for name, forms in WANTED.items()}},
    ],
    ids=["corpus", "training", "sets", "folds"],
)
def test_classifiers_of_something_else_are_not_used(path: Path, other: dict[str, object]) -> None:
    report = Lines()
    assert find(path.parent, report, **other) is None
    assert report.warnings == [f"{path.parent} has no identity classifiers of this corpus and protocol"]


def test_what_a_protocol_scores_with_does_not_matter(path: Path) -> None:
    assert find(path, protocol=replace(RULES, resamples=7, definitions=(("x", "y", "z"),))) is not None


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:300])


def other_file(path: Path) -> None:
    write_arrays(path, {"x": np.zeros(3)}, {"kind": "motion"})


def edited(change: Callable[[dict[str, np.ndarray], dict[str, str]], object]) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        arrays, about = read_arrays(path, FacialBenchError, "")
        arrays = {name: array.copy() for name, array in arrays.items()}
        change(arrays, about)
        write_arrays(path, arrays, about)

    return edit


def header(**changes: object) -> Callable[[Path], None]:
    return edited(
        lambda arrays, about: about.update(classifiers=json.dumps(json.loads(about["classifiers"]) | changes))
    )


def consistent(arrays: dict[str, np.ndarray], about: dict[str, str]) -> None:
    about["classifiers"] = json.dumps(json.loads(about["classifiers"]) | {"digest": classifiers_digest(arrays)})


def poison(arrays: dict[str, np.ndarray], about: dict[str, str]) -> None:
    arrays["/held-out|pose|0|dense.bias"][0] = np.nan
    consistent(arrays, about)


def widen(arrays: dict[str, np.ndarray], about: dict[str, str]) -> None:
    arrays["/held-out|pose|0|dense.bias"] = np.zeros(9, np.float16)
    consistent(arrays, about)


DAMAGE = {
    "truncated": (truncate, "cannot be read as safetensors"),
    "another file": (other_file, "holds no identity classifiers"),
    "another schema": (header(schema="facial-bench classifiers 9"), "this version reads 'facial-bench classifiers 1'"),
    "a long schema": (header(schema=9999 * "x"), f"schema '{80 * 'x'}'"),
    "another header": (header(more=1), "holds no identity classifiers"),
    "a weight": (edited(lambda a, m: a["/training|pose|0|mean"].fill(7)), "they have another digest"),
    "no weights": (edited(lambda a, m: a.clear()), "they have another digest"),
    "names": (header(identities=7), "holds no identity classifiers"),
    "people": (header(identities=["b", "a"]), "its identities are not those of the corpus"),
    "not finite": (edited(poison), "'pose|0|dense.bias' is not finite"),
    "shape": (edited(widen), "'pose|0|dense.bias' is float16 (9,), not float16 (2,)"),
}


@pytest.mark.parametrize(("damage", "said"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_refused_in_one_line(
    path: Path, damage: Callable[[Path], None], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(path)
    with pytest.raises(ResultError) as caught:
        find(path.parent)
    assert said in str(caught.value) and "\n" not in str(caught.value) and path.name in str(caught.value)
    monkeypatch.setattr(classifier_files, "SHIPPED", path.parent)
    report = Lines()
    assert find(None, report) is None, "one that nobody named stops no run"
    assert said in report.warnings[0]


def test_a_file_is_found_by_its_digest(path: Path, sets: Sets) -> None:
    digest = classifiers_digest(named_arrays(sets))
    path.with_name(f"a{SUFFIX}").write_bytes(b"no file of arrays")
    held = find_file(digest, [path.parent / "nowhere", path.parent])
    assert held is not None and held.digest == digest
    assert find_file("0" * 64, [path.parent]) is None
