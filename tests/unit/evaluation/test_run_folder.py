"""A finished result stays until the next one is whole; what is unfinished goes on; what no run made is left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from facial_bench.core.errors import FacialBenchError
from facial_bench.evaluation.run_folder import finish, open_run, require_own
from tests.helpers.faces import Lines

OLD = {"source": "1", "torch": "2.6", "plugin": "w2.py"}
NEW = {**OLD, "source": "2"}


def work(place: Path, text: str) -> None:
    """What a run leaves behind."""
    (place / "motions" / "self").mkdir(parents=True, exist_ok=True)
    (place / "motions" / "self" / "a.safetensors").write_text(text)
    (place / "result.json").write_text(text)


@pytest.fixture
def final(tmp_path: Path) -> Path:
    """The folder of a finished run of OLD, with a file of the user's."""
    place = tmp_path / "seed-0"
    run = open_run(place, OLD, False, Lines())
    assert run.work == run.final == place
    work(run.work, "old")
    finish(run)
    (place / "notes.txt").write_text("mine")
    return place


def test_the_same_key_goes_on_in_place(final: Path) -> None:
    report = Lines()
    run = open_run(final, OLD, False, report)
    assert run.work == final and not report.said
    assert (final / "result.json").read_text() == "old"


def test_a_finished_result_stays_until_the_next_one_is_whole(final: Path) -> None:
    report = Lines()
    run = open_run(final, NEW, False, report)
    assert report.said == [f"w2.py changed: the result in {final} will be replaced when the new one is complete"]
    work(run.work, "new")
    assert (final / "result.json").read_text() == "old"
    assert (final / "motions/self/a.safetensors").read_text() == "old"
    finish(run)
    assert (final / "result.json").read_text() == "new"
    assert (final / "motions/self/a.safetensors").read_text() == "new"
    assert (final / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in final.parent.iterdir()) == ["seed-0"]


def test_an_interrupted_replacement_leaves_the_result_and_goes_on(final: Path) -> None:
    first = open_run(final, NEW, False, Lines())
    (first.work / "fitted.safetensors").write_text("half")
    again = open_run(final, NEW, False, Lines())
    assert (again.work / "fitted.safetensors").read_text() == "half"
    assert (final / "result.json").read_text() == "old"
    assert not list(final.parent.glob("seed-*/../.seed-0.old"))


def test_a_replacement_of_a_third_kind_begins_anew(final: Path) -> None:
    first = open_run(final, NEW, False, Lines())
    (first.work / "fitted.safetensors").write_text("half")
    third = open_run(final, {**NEW, "source": "3"}, False, Lines())
    assert not (third.work / "fitted.safetensors").exists()


def test_going_back_to_the_finished_key_forgets_the_replacement(final: Path) -> None:
    open_run(final, NEW, False, Lines())
    assert open_run(final, OLD, False, Lines()).work == final
    assert sorted(path.name for path in final.parent.iterdir()) == ["seed-0"]


def test_fresh_reuses_nothing_and_loses_nothing(final: Path) -> None:
    run = open_run(final, OLD, True, Lines())
    assert run.work != final and (final / "result.json").read_text() == "old"


def test_an_unfinished_run_of_another_key_is_thrown_away(tmp_path: Path) -> None:
    run = open_run(tmp_path / "seed-0", OLD, False, Lines())
    (run.work / "fitted.safetensors").write_text("half")
    again = open_run(tmp_path / "seed-0", NEW, False, Lines())
    assert again.work == tmp_path / "seed-0" and not (again.work / "fitted.safetensors").exists()


@pytest.mark.parametrize("renames", [1, 2])
def test_killed_while_it_replaces_nothing_is_lost(final: Path, monkeypatch: pytest.MonkeyPatch, renames: int) -> None:
    run = open_run(final, NEW, False, Lines())
    work(run.work, "new")
    left = renames
    rename = Path.rename

    def killed(path: Path, target: Path) -> Path:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            finish(run)
    after = open_run(final, NEW, False, Lines())
    text = (final / "result.json").read_text()
    assert text == ("old" if renames == 1 else "new")
    assert (final / "notes.txt").read_text() == "mine"
    assert (after.work / "result.json").read_text() == "new"


@pytest.mark.parametrize(
    ("before", "said"),
    [({**NEW, "torch": "2.5"}, "torch is 2.6 now"), ({**OLD, "torch": "2.5"}, "w2.py changed and torch is 2.6 now")],
)
def test_the_reason_is_told(tmp_path: Path, before: dict[str, str], said: str) -> None:
    run = open_run(tmp_path / "seed-0", before, False, Lines())
    work(run.work, "old")
    report = Lines()
    open_run(tmp_path / "seed-0", NEW, False, report)
    assert report.said[0].startswith(said)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(FacialBenchError, match=r"Cannot write .*taken.*--out"):
        open_run(tmp_path / "taken" / "seed-0", OLD, False, Lines())
    assert os.listdir(tmp_path) == ["taken"]


@pytest.mark.parametrize(
    ("other", "said"), [("corpus", "of another corpus of this name"), ("options", "of other options")]
)
def test_a_result_about_something_else_is_not_replaced(tmp_path: Path, other: str, said: str) -> None:
    about = {"corpus": "c1", "options": "{}"}
    final = tmp_path / "seed-0"
    run = open_run(final, {**OLD, **about}, False, Lines())
    require_own(final, {**about, other: "another"}, False)  # nothing is finished there
    work(run.work, "old")
    with pytest.raises(FacialBenchError, match=rf"seed-0 holds a result {said}.*--as NAME or another --out.*--fresh"):
        require_own(final, {**about, other: "another"}, False)
    require_own(final, about, False)
    require_own(final, {**about, other: "another"}, True)
    (final / "run.json").write_text("broken")
    require_own(final, about, False)
