"""Pages are written in short sentences and wrapped, so that a change of one sentence is a change of few lines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "leaderboards/README.md"]
GENERATED = re.compile(r"<!-- tables? of .*? begin -->.*?<!-- tables? of .*? end -->", re.DOTALL)
CODE = re.compile(r"^```.*?^```|`[^`]*`", re.DOTALL | re.MULTILINE)


def prose(page: Path) -> str:
    """A page without code and without what a study wrote into it."""
    return CODE.sub("`x`", GENERATED.sub("", page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sentences_are_not_chained(page: Path) -> None:
    text = re.sub(r"&#?\w+;", "", prose(page))
    assert text.count(";") <= max(3, 5 * len(text.split()) / 1000), "at most 5 semicolons in 1000 words"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_lines_wrap(page: Path) -> None:
    without = GENERATED.sub(
        "", re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    )
    single = re.compile(r"\||\s*<!--|!\[|\s*\[|#")  # a row, a comment, a picture, an address, a heading
    long = [line for line in without.splitlines() if len(line) > 104 and not single.match(line)]
    assert not [line for line in long if max(map(len, line.split())) < 60]
