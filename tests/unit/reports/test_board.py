"""Boards: never two digests in one table, nothing of a hostile result gets out, the same text every time."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from facial_bench.core.types import Definition
from facial_bench.errors import ResultError
from facial_bench.evaluation.result import Behaviour, Result
from facial_bench.metrics.catalog import all_definitions
from facial_bench.reports.archive import read_every
from facial_bench.reports.board import assemble
from facial_bench.reports.board_markdown import first_difference, make_boards, write_board, write_boards
from facial_bench.reports.tables import arrow, escape
from facial_bench.statistics.aggregate import summarise
from facial_bench.statistics.rows import Row
from tests.helpers.board_text import RULES, table
from tests.helpers.results import changed, make_result, make_row, store


def rows(lmd: float, accuracy: float = 0.75, spread: float = 0.1, **extra: float) -> list[Row]:
    return [
        make_row(p, f"{p}{k}", {"lmd": lmd + spread * k, "pose_accuracy": accuracy - 0.25 * k, **extra})
        for p in "ab"
        for k in (0, 1)
    ]


def boards_of(folder: Path) -> dict[str, str]:
    return make_boards(read_every([folder]), RULES, all_definitions())


def board(folder: Path, *results: Result) -> str:
    (text,) = boards_of(store(folder, *results)).values()
    return text


def test_a_board_by_hand(tmp_path: Path) -> None:
    text = board(tmp_path, make_result(rows(1.0), label="worse"), make_result(rows(0.5), label="better"))
    found = table(text)
    assert found[0] == ["method", "seeds", "lmd ↓ (1)", "pose_accuracy ↑ (share)"]
    assert [row[0] for row in found[1:]] == ["**ceiling**", "better", "worse", "**chance**"]
    assert found[1][2:] == ["0 [no interval]", "0.900 [0.800, 1.000]"]
    assert found[-1][2:] == ["2", "0.500"]
    assert found[2][2].startswith("0.55 [")
    assert found[3][2].startswith("1.05 [")
    assert found[2][3].startswith("0.625 [")
    skills = table(text, "Skill")
    assert skills[1] == ["better", f"{(0.55 - 2) / (0 - 2):.2f}", f"{(0.625 - 0.5) / (0.9 - 0.5):.2f}"]


def test_two_digests_never_share_a_table(tmp_path: Path) -> None:
    results = [
        make_result(rows(1), label="x"),
        make_result(rows(2), label="y", corpus="c" * 64),
        make_result(rows(3), label="z", rules="d" * 64),
        make_result(rows(4), label="w"),
    ]
    boards = boards_of(store(tmp_path, *results))
    assert sorted(boards) == ["tiny-aaaaaaaa-bbbbbbbb.md", "tiny-aaaaaaaa-dddddddd.md", "tiny-cccccccc-bbbbbbbb.md"]
    named = {name: {row[0] for row in table(text)} & set("wxyz") for name, text in boards.items()}
    assert sorted(map(sorted, named.values())) == [["w", "x"], ["y"], ["z"]]


def test_a_board_of_its_own_for_a_selection_of_people(tmp_path: Path) -> None:
    part = changed(make_result(rows(1), corpus="c" * 64), (("corpus", "label"), "tiny@12345678"))
    assert sorted(boards_of(store(tmp_path, make_result(rows(1)), part))) == ["tiny.md", "tiny@12345678.md"]


@pytest.mark.parametrize("label", ["../../x", "/etc/x", "a/b", "", ".x", "a\nb", "x" * 200])
def test_a_label_cannot_leave_the_folder(tmp_path: Path, label: str) -> None:
    result = changed(make_result(rows(1)), (("corpus", "label"), label))
    with pytest.raises(ResultError, match=r"corpus label .* cannot name a file") as problem:
        boards_of(store(tmp_path, result))
    assert "\n" not in str(problem.value)


HOSTILE = (
    "a|b <script>alert(1)</script> `code` [x](javascript:alert(1)) **bold** <!-- "
    "\n# title\r\n&lt; \\| \x1b[31m \u202e ~~x~~"
)


def test_nothing_of_a_hostile_result_becomes_markup(tmp_path: Path) -> None:
    own = make_result(
        [replace(row, metrics={**row.metrics, HOSTILE: row.metrics["lmd"]}) for row in rows(1)],
        label=HOSTILE,
        refused=["pose_accuracy"],
        device=HOSTILE,
    )
    fields = [("metrics", HOSTILE, "unit"), ("metrics", "pose_accuracy", "reason"), ("protocol", "name")]
    fields += [("corpus", key) for key in ("name", "version", "audio")]
    own = changed(own, *((path, HOSTILE) for path in fields))
    text = board(tmp_path, own, make_result(rows(2), label="plain", refused=["pose_accuracy"]))
    assert "alert" in text
    for mark in ("<script", "](", "**bold", "<!--", "`code", "\n# title", "\x1b", "\u202e", "\\|", "~~", "&lt;"):
        assert mark not in text
    widths = {len(row) for row in table(text)}
    assert widths == {4}, "no cell is torn by a bar"
    assert all(len(row) == 3 for row in table(text, "Other metrics"))


def test_escaped_text_is_one_line_and_gives_itself_back() -> None:
    import html

    assert escape("plain name-1.0, x=2 (é)") == "plain name-1.0, x=2 (é)"
    assert html.unescape(escape("a|b*c`d[e]<f>~\\&")) == "a|b*c`d[e]<f>~\\&"
    assert escape(" a\n\tb\r\nc ") == "a b c"


@pytest.mark.parametrize(("direction", "mark"), [(True, "↑"), (False, "↓"), (None, "≈")])
def test_arrows(direction: bool | None, mark: str) -> None:
    assert arrow(direction) == mark


def test_a_refused_metric_shows_no_number_and_orders_nothing(tmp_path: Path) -> None:
    def own(label: str, accuracy: float) -> Result:
        made = [make_row(p, f"{p}{k}", {"pose_accuracy": accuracy}) for p in "ab" for k in (0, 1)]
        return make_result(made, label=label, refused=["pose_accuracy"])

    text = board(tmp_path, own("a", 0.11), own("b", 0.99))
    found = table(text)
    assert [row[0] for row in found[2:-1]] == ["a", "b"], "by name, not by the number that was refused"
    assert [row[2] for row in found[2:-1]] == ["refused", "refused"]
    assert found[1][2] == "0.900 [0.800, 1.000]", "the ceiling is shown all the same"
    assert "- pose_accuracy refused: the ceiling touches chance." in text
    assert "0.11" not in text
    assert "0.99" not in text


def test_what_has_no_value_comes_last_with_a_dash(tmp_path: Path) -> None:
    lost = [make_row(p, f"{p}{k}", {"lmd": None, "pose_accuracy": 0.5}) for p in "ab" for k in (0, 1)]
    found = table(board(tmp_path, make_result(lost, label="a-lost"), make_result(rows(9), label="z-slow")))
    assert [row[0] for row in found[2:-1]] == ["z-slow", "a-lost"]
    assert found[3][2] == "– §"


def test_a_missing_interval_is_said(tmp_path: Path) -> None:
    alike = [make_row(p, f"{p}{k}", {"lmd": 1.0}) for p in "ab" for k in (0, 1)]
    assert table(board(tmp_path, make_result(alike)))[2][2] == "1 [no interval]"


def test_null_models_are_in_italics(tmp_path: Path) -> None:
    text = board(tmp_path, make_result(rows(1), label="frozen", plugin="facial-bench"), make_result(rows(2)))
    assert [row[0] for row in table(text)[2:-1]] == ["*frozen*", "echo"]


def test_a_plugin_that_calls_itself_a_null_model_is_none(tmp_path: Path) -> None:
    """Neither by its reference nor by a built-in null's name: nobody is held against it."""
    methods = placed(6, good=0.5, frozen=9.0)
    own = [make_result(one.clips, label="mine", reference="null model", plugin="mine") for one in placed(6, x=0.1)]
    theirs = [make_result(one.clips, label="ar1", reference="null model", plugin="theirs") for one in placed(6, x=0.2)]
    (made,) = assemble([*methods, *own, *theirs], RULES, all_definitions()).values()
    ranking = made.columns["lmd"].ranking
    assert ranking is not None
    assert ranking.strongest == "frozen", "not the better ones that only say so"
    assert ranking.against == {"good": "beats", "mine": "beats", "ar1": "beats"}
    assert "*mine*" not in write_board(made) and "*ar1*" not in write_board(made)


def test_what_copies_training_motion_is_no_null_model_for_classifiers_that_were_trained_on_it(tmp_path: Path) -> None:
    pose, paper = "pose_accuracy", "pose_accuracy/paper"
    copier = make_result(rows(1.0, 0.9, **{paper: 0.9}), label="replay", plugin="facial-bench")
    results = [copier, make_result(rows(2.0, 0.8, **{paper: 0.8}))]
    definitions = {name: dataclasses.replace(one, ranked=True) for name, one in all_definitions().items()}
    (made,) = assemble(results, RULES, definitions).values()
    strongest = {name: made.columns[name].ranking.strongest for name in ("lmd", pose, paper)}
    assert strongest == {"lmd": "replay", pose: "replay", paper: None}


def test_null_models_get_no_mark(tmp_path: Path) -> None:
    """Nor does the one that is a copying reference for the accuracies."""
    nulls = [
        make_result(rows(v, a), label=n, plugin="facial-bench")
        for n, v, a in (("replay", 1.0, 0.5), ("ar1", 2.0, 0.75))
    ]
    text = board(tmp_path, *nulls, make_result(rows(3.0, 0.5)))
    cells = {row[0]: row[2:] for row in table(text)}
    assert not any("better" in cell for name in ("*replay*", "*ar1*") for cell in cells[name])
    assert all("better" in cell for cell in cells["echo"])


def test_columns_stand_by_what_their_definitions_say(tmp_path: Path) -> None:
    """Ranked ones first, then by family; what nobody here knows comes last, whatever its name."""
    values = {"blink_rate": 0.3, "lve": 0.1, "copying_index": 0.5, "pose_speed": 2.0, "mouth_mystery": 1.0}
    text = board(tmp_path, make_result(rows(1, **values)), make_result(rows(2, **values), label="b"))
    titles = re.findall(r"^## (.*)", text, re.MULTILINE)
    assert titles == ["Scores", "Skill", "Behaviour", "Lips", "Head", "Blinks", "People", "Other metrics", "Notes"]
    shown = {
        title: [cell.split()[0] for cell in table(text, title)[0][2:]] for title in titles[:-1] if title != "Skill"
    }
    assert shown["Scores"] == ["lmd", "pose_accuracy"]
    assert shown["Lips"] == ["lve"] and shown["Head"] == ["pose_speed"] and shown["Blinks"] == ["blink_rate"]
    assert shown["People"] == ["copying_index"] and shown["Other metrics"] == ["mouth_mystery"]


def test_a_plugins_metric_stands_where_its_definition_says(tmp_path: Path) -> None:
    own = Definition("gaze", 1, "rad", None, "f", family="head", ranked=True)
    results = [make_result(rows(1, gaze=0.25)), make_result(rows(2, gaze=0.25), label="b")]
    (made,) = assemble(results, RULES, {**all_definitions(), "gaze": own}).values()
    assert list(made.columns) == ["lmd", "gaze", "pose_accuracy"], "among the ranked, family by family"
    assert made.columns["gaze"].family == "head"


def test_unequal_seeds_are_marked_and_explained(tmp_path: Path) -> None:
    whole = [make_result(rows(1.0), label=label, seed=seed) for label in "ab" for seed in (0, 1, 2)]
    part = [make_result(rows(2.0), label="part", seed=seed) for seed in (0, 2)]
    text = board(tmp_path, *whole, *part)
    cells = {row[0]: row[1] for row in table(text)}
    assert cells["a"] == cells["b"] == "3"
    assert cells["part"] == "2 ‡"
    assert "- ‡ part has seeds 0, 2; others 0, 1, 2." in text
    assert "‡" not in board(tmp_path / "equal", *whole)


def test_seeds_are_put_together_by_the_one_estimator(tmp_path: Path) -> None:
    seeds = [rows(1.0, 0.75), rows(2.0, 0.5), rows(4.0, 1.0)]
    text = board(tmp_path, *(make_result(own, seed=k) for k, own in enumerate(seeds)))
    cells = table(text)[2]
    assert cells[1] == "3"
    slow = np.mean([[row.metrics["lmd"].value for row in own] for own in seeds])
    per_person = [
        [np.mean([r.metrics["pose_accuracy"].value for r in own if r.identity == p]) for p in "ab"] for own in seeds
    ]
    expected = summarise(seeds, "lmd", RULES)
    assert cells[2] == f"{slow:.3g} [{expected.low:.3g}, {expected.high:.3g}]"
    assert cells[3].startswith(f"{np.mean(per_person):.3f} [")


def test_seeds_that_do_not_belong_together(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="echo has two results of one seed"):
        boards_of(store(tmp_path / "1", make_result(rows(1)), make_result(rows(2))))
    with pytest.raises(ResultError, match="The seeds of echo were asked for different clips"):
        boards_of(store(tmp_path / "2", make_result(rows(1)), make_result(rows(1)[:3], seed=1)))
    other = changed(make_result(rows(1), seed=1), (("method", "version"), "2"))
    with pytest.raises(ResultError, match="come from plug 1 and plug 2"):
        boards_of(store(tmp_path / "3", make_result(rows(1)), other))


def test_a_metric_that_only_some_have_gets_a_column(tmp_path: Path) -> None:
    text = board(tmp_path, make_result(rows(1), label="a"), make_result(rows(2, gaze=0.25), label="b"))
    found = table(text, "Other metrics")
    assert found[0][2] == "gaze ≈ (rad)"
    assert {row[0]: row[2] for row in found[2:-1]} == {"a": "–", "b": "0.25 [no interval]"}


def test_two_definitions_of_one_metric_are_two_quantities(tmp_path: Path) -> None:
    one, two = (make_result(rows(1, gaze=0.2), label=label) for label in "ab")
    two = changed(two, (("metrics", "gaze", "definition"), "e"))
    with pytest.raises(ResultError, match="share no board: gaze: the results define it differently"):
        boards_of(store(tmp_path, one, two))


def test_two_functions_of_one_definition_are_two_quantities(tmp_path: Path) -> None:
    probes = {"a": "1" * 64, "b": "2" * 64, "old": ""}
    own = {
        label: changed(make_result(rows(1), label=label), (("metrics", "lmd", "probe"), probe))
        for label, probe in probes.items()
    }
    boards_of(store(tmp_path / "old", own["old"], own["a"]))  # what says nothing of its functions agrees with any
    for k, labels in enumerate([("a", "b"), ("old", "a", "b")]):
        with pytest.raises(ResultError, match=r"lmd: different functions .* \(probes 11111111 and 22222222\)"):
            boards_of(store(tmp_path / str(k), *(own[label] for label in labels)))


def test_references_that_differ_are_said(tmp_path: Path) -> None:
    one, two = (make_result(rows(1), label=label) for label in "ab")
    two = changed(two, (("references", "pose_accuracy", "ceiling", "value"), 0.7))
    text = board(tmp_path, one, two)
    assert "pose_accuracy: the results differ in ceiling or chance" in text
    assert "lmd: the results differ" not in text


def test_the_text_is_the_same_whatever_the_order(tmp_path: Path) -> None:
    results = [make_result(rows(v), label=f"m{v}", seed=s) for v in (1, 2) for s in (0, 1)]
    first = boards_of(store(tmp_path / "1", *results))
    assert boards_of(store(tmp_path / "2", *results[::-1])) == first


def test_check_finds_an_edited_line_a_missing_board_and_rubbish(tmp_path: Path) -> None:
    boards = boards_of(store(tmp_path / "r", make_result(rows(1))))
    out = tmp_path / "boards"
    assert first_difference(out, boards) == f"{out / 'tiny.md'} cannot be read"
    write_boards(out, boards)
    assert first_difference(out, boards) is None
    text = (out / "tiny.md").read_text()
    line = 1 + next(k for k, one in enumerate(text.splitlines()) if "1.05" in one)
    (out / "tiny.md").write_text(text.replace("1.05", "0.05"))
    assert first_difference(out, boards) == f"{out / 'tiny.md'}, line {line}"
    (out / "tiny.md").write_text(text + "one more\n")
    assert f"line {len(text.splitlines()) + 1}" in first_difference(out, boards)
    (out / "tiny.md").write_bytes(b"\xff\xfe")
    assert "cannot be read" in first_difference(out, boards)
    write_boards(out, {**boards, "other.md": "x"})
    assert first_difference(out, boards) == f"{out / 'other.md'} comes from no result"


def placed(count: int, **methods: float) -> list[Result]:
    """Results of methods whose clips are that far, give or take; `frozen` is a null model."""
    made = []
    for k, (label, lmd) in enumerate(methods.items()):
        own = [make_row(p, f"{p}{c}", {"lmd": lmd + 0.01 * ((7 * c + 3 * k) % 5)}) for p in "ab" for c in range(count)]
        made.append(make_result(own, label=label, plugin="facial-bench" if label == "frozen" else "plug"))
    return made


def test_a_rank_is_an_interval_and_nobody_wins_without_a_difference(tmp_path: Path) -> None:
    text = board(tmp_path, *placed(6, first=1.0, second=1.0, third=3.0))
    cells = {row[0]: row[2] for row in table(text)}
    assert cells["first"].endswith("· 1–2") and cells["second"].endswith("· 1–2")
    assert cells["third"].endswith("· 3")
    assert "**first" not in text and "**second" not in text


def test_few_clips_leave_every_rank_open(tmp_path: Path) -> None:
    text = board(tmp_path, *placed(2, first=1.0, second=50.0))
    assert all(row[2].endswith("· 1–2") for row in table(text)[2:-1])


def test_a_method_that_does_not_beat_the_strongest_null_is_marked(tmp_path: Path) -> None:
    text = board(tmp_path, *placed(6, good=0.5, alike=1.0, bad=1.5, frozen=1.005))
    cells = {row[0]: row[2] for row in table(text)}
    assert cells["bad"].endswith("(no better)") and cells["alike"].endswith("(better?)")
    assert "better" not in cells["good"] and "better" not in cells["*frozen*"]
    skills = table(text, "Skill against the strongest null model")
    assert skills[0][:3] == ["metric", "strongest null model", "its value"]
    assert skills[1][1] == "*frozen*"
    by_label = dict(zip(skills[0], skills[1], strict=True))
    assert float(by_label["bad"].split()[0]) < 0 < float(by_label["good"])
    assert "*(no better)*" in text and "*(better?)*" in text, "both marks are explained"


def test_a_null_that_reaches_the_ceiling_leaves_no_skill_against_it(tmp_path: Path) -> None:
    text = board(tmp_path, *placed(6, good=0.5, frozen=-0.1))
    assert table(text, "Skill against the strongest null model")[1][3] == "– (no better)"


def test_how_a_method_behaves_stands_on_the_board(tmp_path: Path) -> None:
    one, two = placed(2, hears=1.0, frozen=2.0)
    hears = Behaviour(uses_audio=True, look_ahead_ms=280.0)
    one = replace(one, behaviour=hears, timing={"real_time_factor": 1234.5})
    two = replace(two, behaviour=Behaviour(reason="<b>no"), timing={"real_time_factor": "x"})
    rows_ = table(board(tmp_path, one, two), "Behaviour")
    assert rows_[1] == ["hears", "yes", "280", "1.2e+03"]
    assert rows_[2] == ["*frozen*", "–", "–", "–"]


def test_one_damaged_result_is_named(tmp_path: Path) -> None:
    folder = store(tmp_path, make_result(rows(1)), make_result(rows(2), label="x"))
    (folder / "c1/m1/seed-0/result.json").write_text("{")
    with pytest.raises(ResultError, match=r"c1/m1/seed-0/result\.json cannot be read"):
        boards_of(folder)


def test_seeds_of_two_versions_of_a_method_are_marked(tmp_path: Path) -> None:
    mixed = [make_result(rows(1.0), seed=seed, environment={"method_source": str(seed)}) for seed in (0, 1)]
    text = board(tmp_path, *mixed)
    assert [row[1] for row in table(text) if row[0] == "echo"] == ["2 ‡"]
    assert "- ‡ echo: its seeds come from different versions of plug. Run them again." in text
    alike = [make_result(rows(1.0), seed=seed, environment={"method_source": "0"}) for seed in (0, 1)]
    assert "‡" not in board(tmp_path / "alike", *alike)
