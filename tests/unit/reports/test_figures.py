"""The critical-difference picture: who is drawn, and who is only named."""

from __future__ import annotations

from pathlib import Path

import pytest

from facial_bench.reports.figures import Panel, critical_differences

pytest.importorskip("matplotlib")


def drawn(path: Path, **without: list[str]) -> str:
    """The picture's text; matplotlib writes each string as a comment beside its outlines."""
    means = {"one": 1.2, "two": 1.8}
    panels = {metric: Panel(means, [("one", "two")], "9 clips", labels) for metric, labels in without.items()}
    critical_differences(path, panels)
    return path.read_text()


def test_who_failed_is_named_below_and_not_drawn(tmp_path: Path) -> None:
    text = drawn(tmp_path / "a.svg", lmd=["lame", "hides"], lve=[])
    assert text.count("<!-- no rank, since clips failed: lame, hides -->") == 1
    assert text.count("<!-- one  1.20 -->") == 2 and "<!-- lame" not in text


def test_the_picture_is_the_same_each_time(tmp_path: Path) -> None:
    assert drawn(tmp_path / "a.svg", lmd=["lame"]) == drawn(tmp_path / "b.svg", lmd=["lame"])
