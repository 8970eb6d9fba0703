"""A board that a person can read: few columns in a table, what the tests can say, which classifiers judged."""

from __future__ import annotations

import re

from msgspec.structs import replace

from facial_bench.core.types import Definition
from facial_bench.evaluation.result import Result
from facial_bench.metrics.catalog import all_definitions
from facial_bench.reports.board_markdown import make_boards
from facial_bench.statistics.rows import Row
from tests.helpers.board_text import RULES, board_text, table
from tests.helpers.results import make_result, make_row

EIGHT = [f"m{k}" for k in range(8)]


def rows(value: float, metrics: list[str] | None = None) -> list[Row]:
    return [make_row(p, f"{p}{k}", dict.fromkeys(metrics or ["lmd"], value + 0.1 * k)) for p in "ab" for k in (0, 1, 2)]


def heads(text: str, title: str) -> list[int]:
    """How many metrics each table of a section has."""
    part = text.split(f"## {title}\n")[1].split("\n## ")[0]
    return [line.count("(px)") for line in part.splitlines() if line.startswith("| method")]


def test_no_table_is_wider_than_a_page() -> None:
    """Eight ranked metrics in two tables, the others of a family in as many as it takes, all about as wide."""
    own = {name: Definition(name, 1, "px", False, "f", family="lips", ranked=True) for name in EIGHT}
    more = {f"x{k}": Definition(f"x{k}", 1, "px", False, "f", family="people") for k in range(13)}
    results = [make_result(rows(v, [*EIGHT, *more]), label=label) for label, v in (("a", 1.0), ("b", 2.0))]
    (text,) = make_boards(results, RULES, {**own, **more}).values()
    scores = table(text)
    assert [cell.split()[0] for row in scores if row[0] == "method" for cell in row[2:]] == EIGHT
    assert all(re.fullmatch(r"1\.1 \[.*, .*\] · 1", row[2]) for row in scores if row[0] == "a")
    assert heads(text, "Scores") == [4, 4]
    assert heads(text, "People") == [4, 4, 5]
    assert "## Lips" not in text, "its metrics are all ranked"


def seeded(label: str, count: int) -> list[Result]:
    return [make_result(rows(1.0), label=label, seed=seed) for seed in range(count)]


def test_one_training_seed_speaks_of_the_trained_models() -> None:
    one = board_text(*seeded("a", 1), *seeded("b", 1))
    assert "all claims are about these trained models and not about the methods" in one
    several = board_text(*seeded("a", 3), *seeded("b", 3))
    assert "the tests include the variance of training seeds." in several
    assert "trained model" not in several
    mixed = board_text(*seeded("a", 3), *seeded("single", 1))
    assert "variance of training seeds where both" in mixed
    assert "about the trained model, not about the method (single)" in mixed


def test_the_board_says_over_what_it_corrects() -> None:
    assert "Holm-corrected over the pairs of one metric" in board_text(*seeded("a", 1)).replace("\n", " ")


def judged(label: str, classifiers: str) -> Result:
    return make_result(rows(1.0), label=label, classifiers=classifiers)


def test_one_board_holds_what_one_set_of_classifiers_judged() -> None:
    results = [judged("a", "1" * 64), judged("b", "2" * 64), judged("c", "1" * 64)]
    boards = make_boards(results, RULES, all_definitions())
    assert sorted(boards) == ["tiny-aaaaaaaa-bbbbbbbb-11111111.md", "tiny-aaaaaaaa-bbbbbbbb-22222222.md"]
    assert [{row[0] for row in table(boards[name])} & set("abc") for name in sorted(boards)] == [{"a", "c"}, {"b"}]
    assert list(make_boards(results[::2], RULES, all_definitions())) == ["tiny.md"]


def test_the_board_names_the_classifiers_and_where_they_are() -> None:
    one = judged("a", "1" * 64)
    assert f"identity classifiers `{'1' * 16}`, computed" in board_text(one)
    weights = {"1" * 64: "tiny.classifiers.safetensors"}
    (text,) = make_boards([one], RULES, all_definitions(), weights=weights).values()
    assert f"identity classifiers `{'1' * 16}` (tiny.classifiers.safetensors), computed" in text
    assert "no identity classifiers" in board_text(replace(one, classifiers=""))
