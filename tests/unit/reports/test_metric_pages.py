"""What `facial-bench metrics` says: a line of each, all of one, and the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from facial_bench.cli import main
from facial_bench.core.types import FAMILIES, Definition
from facial_bench.evaluation.sensitivity.record import (
    SCHEMA,
    CorpusName,
    Doses,
    Header,
    Reading,
    Response,
    Sensitivity,
    write_sensitivity,
)
from facial_bench.metrics.catalog import all_definitions, definition_digest
from facial_bench.metrics.probe import behaviour_digest
from facial_bench.reports.metric_pages import by_family, describe, page

SERIES = (Reading(0.0, 0.0, 0.0, None, None), Reading(1.0, 0.5, 1.5, (1.0, 0.5, 1.5), None))
SMALL = Sensitivity(
    Header(
        schema=SCHEMA,
        corpus=CorpusName("tiny", "a" * 64),
        protocol="b" * 64,
        draws=3,
        refused=(),
        metrics=("lmd", "beat_align", "fdd"),
        perturbations=(Doses("time shift", "frames", (0.0, 3.0), 0.0), Doses("jitter", "x", (0.0, 1.0), 0.0)),
    ),
    (
        Response("lmd", "time shift", "answers", "", SERIES),
        Response("lmd", "jitter", "also answers", "", SERIES),
        Response("beat_align", "time shift", "no response", "no effect at 3", SERIES),
        Response("beat_align", "jitter", "", "", SERIES),
        Response("fdd", "time shift", "", "", SERIES),
        Response("fdd", "jitter", "", "", SERIES),
    ),
)
PLUGIN = """
import numpy as np
import facial_bench
from facial_bench.types import MetricSpec

@facial_bench.hookimpl
def facial_bench_metrics():
    return [MetricSpec("brows", 1, "cm", False, "how | high", lambda s: np.zeros(len(s.valid)), family="head")]
"""


def invoke(*args: object) -> Result:
    return CliRunner().invoke(main, ["metrics", *map(str, args)])


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "brows.py"
    path.write_text(PLUGIN)
    return path


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.jsonl.xz"
    write_sensitivity(path, SMALL)
    return path


def test_the_list_has_a_line_each_and_no_formula() -> None:
    result = invoke()
    assert result.exit_code == 0
    listed, told = result.stdout.split("\n\n")
    lines = listed.splitlines()
    assert [line.split()[0] for line in lines] == [one.id for one in by_family(all_definitions())]
    assert max(map(len, lines)) <= 130
    for line, one in zip(lines, by_family(all_definitions()), strict=True):
        assert line.endswith(f"  {one.meaning}")
        assert line.split()[1] == {True: "↑", False: "↓", None: "≈"}[one.higher_is_better]
        assert f"  {one.unit}  " in line
        assert one.formula not in line
    assert "facial-bench metrics ID" in told
    columns = {line.index(one.meaning) for line, one in zip(lines, by_family(all_definitions()), strict=True)}
    assert len(columns) == 1, "aligned"


def test_a_plugins_metric_stands_in_its_family_with_its_formula_where_it_says_no_more(plugin: Path) -> None:
    lines = invoke("--plugin", plugin).stdout.splitlines()
    names = [line.split()[0] for line in lines if line]
    assert names.index("pose_speed") < names.index("brows") < names.index("blink_rate")
    assert any(line.startswith("brows ") and line.endswith("how | high") for line in lines)
    text = invoke("brows", "--plugin", plugin).stdout
    assert "measured   in every run that loads its plugin" in text
    assert "from       brows.py" in text


@pytest.mark.parametrize("name", all_definitions())
def test_all_of_one_metric(name: str) -> None:
    one = all_definitions()[name]
    text = invoke(name).stdout
    lines = text.splitlines()
    assert lines[0] == f"{name}: {one.meaning}"
    facts = {line[:11].strip(): line[11:] for line in lines[2:]}
    assert facts["formula"] == one.formula
    assert facts["origin"] == one.origin
    assert facts["pitfalls"] == one.pitfalls
    assert facts["family"] == one.family
    assert facts["made for"] == ", ".join(one.perturbations)
    assert facts["needs"] in ("expression", "pose", "blink", "landmarks", "pose, blink")
    assert facts["digest"] == definition_digest(one)
    assert facts["probe"] == (behaviour_digest(one) or "–")
    assert facts["from"].startswith("facial-bench")
    assert facts["measured"].startswith("in every run" if one.every_run else "on demand: facial-bench score")
    assert ("ranked" in facts["measured"]) == one.ranked


def test_what_a_metric_responded_to_is_told_of_each_corpus(stored: Path) -> None:
    def told(name: str) -> str:
        return invoke(name, "--sensitivity", stored).stdout.splitlines()[-1]

    assert told("lmd") == "found      on tiny: responds to time shift; also responds to jitter"
    assert told("beat_align") == "found      on tiny: no response to time shift"
    assert told("fdd") == "found      on tiny: –"
    assert told("lve") == "found      on tiny: not measured"


def test_a_file_that_is_none_and_a_metric_that_is_none_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl.xz").write_text("{}")
    result = invoke("--sensitivity", tmp_path / "bad.jsonl.xz")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "facial-bench sensitivity" in result.stderr
    result = invoke("lmdd")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: Unknown metric 'lmdd'. Did you mean 'lmd', 'lmd/iod' or 'lmd/dtw'? "
        f"There are {len(all_definitions())}. `facial-bench metrics` lists all.\n"
    )


def test_the_page_has_every_metric_and_its_links_lead_somewhere(stored: Path) -> None:
    text = invoke("--markdown", "--sensitivity", stored).stdout
    for name, one in all_definitions().items():
        assert f"\n### {name}\n" in text
        assert definition_digest(one)[:16] in text
        anchor = name.replace("/", "")
        assert f"[`{name}`](#{anchor})" in text
    rows = {
        cells[1].split("`")[1]: cells for line in text.splitlines() if (cells := line.split("|"))[1:] and "](#" in line
    }
    assert [cell.strip() for cell in rows["lmd"][2:7]] == ["↓", "eye distances", "lips", "ranked", "✓"]
    assert [cell.strip() for cell in rows["beat_align"][5:7]] == ["every run", "no response: time shift"]
    assert [cell.strip() for cell in rows["lmd/iod"][5:7]] == ["on demand", "–"]
    assert [rows[name][4].strip() for name in rows] == [one.family for one in by_family(all_definitions())]


def test_text_of_others_is_harmless_on_the_page() -> None:
    text = page({"x": Definition("x", 1, "cm", None, "a | <b>", meaning="`c`")})
    assert "<b>" not in text
    assert "`c`" not in text
    assert "– **" not in text
    assert describe(Definition("x", 1, "cm", None, "f"), "somebody").startswith("x\n\nunit       cm, only the distance")


def test_families_stand_in_their_order() -> None:
    order = [FAMILIES.index(one.family) for one in by_family(all_definitions())]
    assert order == sorted(order)
