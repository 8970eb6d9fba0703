"""The file, the table and the pictures of metric sensitivity; what is damaged is refused in one line."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from facial_bench.cli import main
from facial_bench.core.compressed import read_lines, write_lines
from facial_bench.errors import FacialBenchError, ResultError
from facial_bench.evaluation.sensitivity.record import (
    SCHEMA,
    CorpusName,
    Doses,
    Header,
    Reading,
    Response,
    Sensitivity,
    read_sensitivity,
    write_sensitivity,
)
from facial_bench.metrics.catalog import all_definitions
from facial_bench.reports.figures import save_figure
from facial_bench.reports.sensitivity import draw, verdicts_page

SERIES = (Reading(0.0, 0.0, 0.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)), Reading(1 / 3, 0.1, 0.5, (1 / 3, 0.1, 0.5), None))
SMALL = Sensitivity(
    Header(
        schema=SCHEMA,
        corpus=CorpusName("tiny", "a" * 64),
        protocol="b" * 64,
        draws=3,
        refused=("pose_accuracy",),
        metrics=("lmd", "beat_align"),
        perturbations=(Doses("time shift", "frames", (0.0, 3.0), 0.0), Doses("jitter", "x", (0.0, 1.0), 0.0)),
    ),
    (
        Response("lmd", "time shift", "answers", "", SERIES),
        Response("lmd", "jitter", "also answers", "", SERIES),
        Response("beat_align", "time shift", "no response", "no effect at <3>", SERIES),
        Response("beat_align", "jitter", "", "", (SERIES[0], Reading(None, None, None, None, None))),
    ),
)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.jsonl.xz"
    write_sensitivity(path, SMALL)
    return path


def test_what_is_written_is_read_again_to_the_last_digit_and_the_same_bytes(stored: Path) -> None:
    assert read_sensitivity(stored) == SMALL
    before = stored.read_bytes()
    write_sensitivity(stored, SMALL)
    assert stored.read_bytes() == before
    lines = lzma.decompress(before).decode().splitlines()
    assert len(lines) == 1 + 2 * 2, "a header, then a line for each metric and perturbation"
    assert json.loads(lines[1])["series"][1]["value"] == 1 / 3


def test_a_value_that_is_no_number_is_not_written(tmp_path: Path) -> None:
    wrong = Response("lmd", "jitter", "", "", (Reading(float("nan"), None, None, None, None),))
    with pytest.raises(ValueError, match="JSON compliant"):
        write_sensitivity(tmp_path / "x.jsonl.xz", Sensitivity(SMALL.header, (wrong,)))


def change(line: int, **values: Any) -> Callable[[list[Any]], None]:
    return lambda lines: lines[line].update(values)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (change(0, schema="facial-bench sensitivity 0"), "this version reads"),
        (change(0, draws="three"), r"line 1: Expected `int`, got `str` - at `\$.draws`"),
        (change(0, more=1), "line 1: Object contains unknown field `more`"),
        (change(0, corpus={"name": "../x", "digest": ""}), "cannot name a file"),
        (change(0, metrics=["lmd"]), "not one line for each metric and perturbation"),
        (change(0, perturbations=[]), "not one line for each"),
        (lambda lines: lines[0]["perturbations"][0].update(neutral=2), "lacks its neutral dose"),
        (change(2, verdict="perhaps"), r"line 3: Invalid enum value 'perhaps' - at `\$.verdict`"),
        (change(2, series=[]), "line 3: not one reading per dose"),
        (lambda lines: lines[1]["series"][0].pop("low"), "line 2: .*missing required field `low`"),
        (lambda lines: lines[1]["series"][0].update(step=[1, 2]), "line 2: "),
        (lambda lines: lines.pop(), "not one line for each"),
        (lambda lines: lines.append(lines[2]), "not one line for each"),
        (lambda lines: lines.insert(1, []), "line 2: Expected `object`"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(stored: Path, damage: Callable[[list[Any]], Any], message: str) -> None:
    lines = [json.loads(line) for line in read_lines(stored, ResultError, "")]
    damage(lines)
    write_lines(stored, [json.dumps(line).encode() for line in lines])
    with pytest.raises(ResultError, match=message) as problem:
        read_sensitivity(stored)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("line", [b"{", b"\xff", b"[" * 5000, b"", b'{"schema": 1e999}'])
def test_what_is_no_json_is_refused(tmp_path: Path, line: bytes) -> None:
    write_lines(tmp_path / "x.jsonl.xz", [line])
    with pytest.raises(ResultError, match=r"x\.jsonl\.xz, line 1: .*facial-bench sensitivity"):
        read_sensitivity(tmp_path / "x.jsonl.xz")


def test_the_page_has_a_mark_for_each_verdict_and_the_reasons() -> None:
    page = verdicts_page(SMALL)
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| `")]
    assert cells == [["`lmd`", "✓", "also"], ["`beat_align`", "**no response**", ""]]
    assert "- `beat_align`, time shift: no effect at &#60;3&#62;" in page
    assert "Refused, so not measured: pose_accuracy." in page


def test_pictures_are_drawn_of_known_metrics_by_family_and_are_small(tmp_path: Path) -> None:
    pictures = draw(SMALL, all_definitions(), tmp_path)
    assert [path.name for path in pictures] == ["tiny-lips.png", "tiny-head.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    assert all(path.read_bytes()[25] == 3 for path in pictures), "a palette"
    assert draw(SMALL, {}, tmp_path) == []


def test_a_stored_file_is_drawn_again_without_measuring(stored: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["sensitivity", "--redraw", str(stored), "--out", str(tmp_path / "again")])
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "again" / "tiny.md").read_text() == verdicts_page(SMALL)
    assert (tmp_path / "again" / "tiny-lips.png").exists()


def test_a_picture_has_one_of_two_endings(tmp_path: Path) -> None:
    with pytest.raises(FacialBenchError, match=r"\.svg or a \.png"):
        save_figure(None, tmp_path / "x.pdf")


def test_the_records_are_written_as_they_are_declared(stored: Path) -> None:
    first = read_lines(stored, ResultError, "")[0]
    assert list(json.loads(first)) == list(msgspec.structs.asdict(SMALL.header))
