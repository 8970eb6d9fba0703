"""The site builds without a warning, and what is generated for it is what stands in the repository."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from html import unescape
from pathlib import Path
from types import ModuleType

import click
import pytest

from facial_bench.cli import main
from facial_bench.metrics.catalog import all_definitions
from tests.helpers.commands import commands

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
HAS_SPHINX = importlib.util.find_spec("sphinx") is not None
LINK = re.compile(r"(?<!!)\]\(([^)#\s]+)(?:#([\w-]+))?\)")


@cache
def writer() -> ModuleType:
    """docs/write_metric_pages.py."""
    spec = importlib.util.spec_from_file_location("write_metric_pages", DOCS / "write_metric_pages.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site: warnings are errors, so a link within it that leads nowhere is one too."""
    if not HAS_SPHINX:
        pytest.skip("Sphinx is not installed: pip install -c constraints.txt -r requirements-docs.txt")
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(DOCS), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.slow
def test_the_site_builds_without_a_warning(site: Path) -> None:
    front = (site / "index.html").read_text(encoding="utf-8")
    for section in ("Tutorial", "How-to", "Reference", "Explanation"):
        assert f"{section}</span>" in front
    assert "facial_bench.types.GeneratorSpec" in (site / "api.html").read_text(encoding="utf-8")
    assert "<math" in (site / "metrics/lips.html").read_text(encoding="utf-8")
    assert "cdn" not in front, "nothing is fetched from the network to show a page"
    for name in ("corpus", "result", "rendering", "ledger"):
        assert "$defs" in json.loads((site / f"schemas/{name}.json").read_text()) or name == "ledger"


@pytest.mark.slow
def test_every_command_and_option_stands_on_the_page_of_the_command_line(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", unescape((site / "cli.html").read_text(encoding="utf-8")))
    found = dict(commands(main))
    assert len(found) >= 16
    for path, command in found.items():
        assert path in text, path
        section = text.split(f"{path} [OPTIONS]", 1)[1]
        for option in command.params:
            for name in option.opts if isinstance(option, click.Option) else []:
                assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", section), f"{path} {name}"


def test_the_metric_pages_are_those_of_the_catalog() -> None:
    pages = writer().pages(writer().measured())
    assert {name: (DOCS / name).read_text(encoding="utf-8") for name in pages} == dict(pages)
    assert {path.name for path in (DOCS / "metrics").glob("*.md")} == {Path(name).name for name in pages} - {
        "metrics.md"
    }


def test_a_formula_of_another_definition_is_not_printed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    held = tomllib.loads((DOCS / "formulas.toml").read_text(encoding="utf-8"))
    assert set(held) <= set(all_definitions())
    assert {name for name, one in all_definitions().items() if one.ranked} <= set(held)
    text = (DOCS / "formulas.toml").read_text(encoding="utf-8").replace(held["lmd"]["definition"], "0" * 16)
    (tmp_path / "formulas.toml").write_text(text)
    monkeypatch.setattr(writer(), "DOCS", tmp_path)
    with pytest.raises(ValueError, match=r"lmd is defined otherwise now"):
        writer().formulas()


@pytest.mark.parametrize(
    "page",
    [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md")), ROOT / "leaderboards/README.md"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_links_lead_somewhere(page: Path) -> None:
    """Where Sphinx does not look: README and its like, and what leads out of docs/."""
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        if not target.startswith(("http", "mailto")):
            place = page.parent / target
            assert place.exists(), f"{target} is not there"
            assert not anchor or anchor in anchors(place), f"{target}#{anchor}"


@cache
def anchors(page: Path) -> set[str]:
    """Those of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ +(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
