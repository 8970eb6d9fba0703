"""Renderers by their names: built-in ones beside files, those of files, and what nobody offers."""

from __future__ import annotations

from pathlib import Path

import pytest

from facial_bench.core.errors import FacialBenchError, PluginError
from facial_bench.core.progress import QUIET
from facial_bench.isolation.conditions import Conditions
from facial_bench.plugin_api.find_renderer import find_renderer
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.rendering.renderer import RendererCode

PLUGIN = """
from facial_bench import hookimpl
from facial_bench.types import RendererSpec


@hookimpl
def facial_bench_renderers():
    return [RendererSpec(NAME, "grey", "none", print, options={"level": "how light"})]
"""


def find(name: str, files: list[Path], **options: str) -> RendererCode:
    return find_renderer(name, options, load_plugins(installed=[]), files, Conditions(), QUIET)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "grey.py"
    path.write_text(PLUGIN.replace("NAME", "'grey'"))
    return path


def test_a_built_in_renderer_is_found_with_and_without_a_file(file: Path) -> None:
    assert find("linear", []) == find("linear", [file])


def test_a_renderer_of_a_file_takes_the_options_that_it_declares(file: Path) -> None:
    code = find("grey", [file], level="2")
    assert (code.name, code.plugin, code.origin["file"]) == ("grey", "grey.py", str(file))
    with pytest.raises(FacialBenchError, match=r"renderer grey: unknown option 'levle'\. Did you mean 'level'\?"):
        find("grey", [file], levle="2")


def test_what_nobody_offers_or_two_do_is_one_line(file: Path) -> None:
    with pytest.raises(FacialBenchError, match=r"Unknown renderer 'gray'\. Did you mean 'grey'\?.*Own file\? --plugin"):
        find("gray", [file])
    file.write_text(PLUGIN.replace("NAME", "'linear'"))
    with pytest.raises(PluginError, match="Two plugins register the renderer 'linear'"):
        find("linear", [file])
