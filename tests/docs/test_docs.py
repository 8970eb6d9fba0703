"""docs/plugins.md says everything, and its examples run as they stand."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from facial_bench.cli import main
from facial_bench.core import types
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.evaluation.result import Result
from facial_bench.plugin_api import hookspecs
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.plugin_api.registry import Plugins
from facial_bench.types import Context, Request
from tests.helpers.commands import commands
from tests.helpers.install import pip_install
from tests.helpers.sessions import make_session, run_one

DOCS = Path(__file__).parents[2] / "docs"
README = DOCS.parent / "README.md"
OTHERS = {
    *("--ceilings", "--draws", "--help", "--hours", "--inputs", "--keep", "--methods", "--only", "--repetitions"),
    *("--seeds", "--steps", "--trials"),
}
"""Of every command, and of studies and benchmarks."""


@pytest.fixture(scope="module")
def text() -> str:
    return (DOCS / "plugins.md").read_text(encoding="utf-8")


def files(text: str) -> dict[str, str]:
    """name -> content of every code block that starts with `# file: name`."""
    blocks = re.findall(r"```(?:python|toml)\n# file: (\S+)\n(.*?)```", text, re.DOTALL)
    assert len({name for name, _ in blocks}) == len(blocks)
    return dict(blocks)


def test_every_hook_stands_there_with_its_signature(text: str) -> None:
    hooks = [f"facial_bench_{kind}" for kind in hookspecs.spec_types()]
    assert len(hooks) == 8
    for name in hooks:
        signature = str(inspect.signature(getattr(hookspecs, name))).replace("'", "")
        assert f"`{name}{signature}`" in text


@pytest.mark.parametrize(
    "record",
    [
        *hookspecs.spec_types().values(),
        types.Context,
        types.CorpusInfo,
        types.Clip,
        types.Camera,
        types.Motion,
        types.Request,
        types.FaceModel,
        types.Sample,
        types.Face,
        types.Sound,
        types.VideoClip,
        types.Appearance,
        types.Crop,
    ],
    ids=lambda record: record.__name__,
)
def test_every_field_stands_there(text: str, record: type) -> None:
    assert f"`{record.__name__}`" in text
    section = text.split(f"`{record.__name__}`", 1)[1]
    for field in fields(record):
        assert f"`{field.name}`" in section, f"{record.__name__}.{field.name}"


def test_the_protocols_of_a_method_stand_there(text: str) -> None:
    for protocol, names in (
        (types.Generator, ("fit", "generate")),
        (types.Stateful, ("state_dict", "load_state_dict")),
        (types.Renderer, ("fit", "render")),
    ):
        for name in names:
            signature = (
                str(inspect.signature(getattr(protocol, name)))
                .replace("'", "")
                .replace("(self, ", "(")
                .replace("(self)", "()")
            )
            assert f"`{name}{signature}`" in text


@pytest.mark.parametrize("page", [README, *sorted(DOCS.glob("*.md"))], ids=lambda path: path.name)
def test_no_documented_option_has_gone(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = {name for _, command in commands(main) for option in command.params for name in option.opts}
    used = set(re.findall(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*", text))
    assert used <= known | OTHERS, used - known


def run_small(plugins: Plugins, name: str, corpus: Corpus, rules: Protocol, out: Path, **options: str) -> Result:
    """With the landmark distance and the metrics that the plugins bring."""
    brought = [i for i, one in plugins.registered("metrics").items() if one.source.plugin != "facial-bench"]
    session = make_session(out / "cache", rules, metrics=["lmd", *brought])
    session.plugins = plugins
    return run_one(session, name, corpus, out, options=options)


@pytest.mark.slow
def test_the_single_file_runs(
    text: str, tmp_path: Path, make_corpus: Callable[..., Corpus], small_protocol: Protocol
) -> None:
    (tmp_path / "louder.py").write_text(files(text)["louder.py"])
    plugins = load_plugins([tmp_path / "louder.py"], installed=[])
    corpus = make_corpus(clips=8, scales=[0.3, 3.0])
    result = run_small(plugins, "louder", corpus, small_protocol, tmp_path, gain="2")
    assert result.metrics["lmd"].status == "ok"
    assert result.metrics["lmd"].n_failed == 0
    create = plugins.get("generators", "method", "louder").spec.create
    method = create(Context(corpus.info, 0, "cpu"))
    loud, soft = (
        method.generate([Request("a/b", "a", np.full((5, 29), level, np.float32), np.zeros(71, np.float32), 25.0, 0)])[
            0
        ]
        for level in (1.0, 0.0)
    )
    assert (loud.expression[:, 0] > soft.expression[:, 0]).all(), "it uses the audio"


@pytest.mark.slow
def test_the_package_installs_and_runs(
    text: str,
    tmp_path: Path,
    make_corpus: Callable[..., Corpus],
    small_protocol: Protocol,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = {name: content for name, content in files(text).items() if name != "louder.py"}
    assert len(package) == 4
    for name, content in package.items():
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / name).write_text(content)
    site = tmp_path / "site"
    pip_install(tmp_path / "source", site)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    listed = subprocess.run(
        [sys.executable, "-m", "facial_bench", "methods"], capture_output=True, text=True, env=environment, check=False
    )
    assert re.search(r"^sway +facial-bench-sway 0\.1\.0 +the mean state, swaying$", listed.stdout, re.MULTILINE), (
        listed.stderr
    )
    monkeypatch.syspath_prepend(site)
    plugins = load_plugins()
    result = run_small(plugins, "sway", make_corpus(clips=8, scales=[0.3, 3.0]), small_protocol, tmp_path)
    assert result.method.plugin == "facial-bench-sway"
    assert result.metrics["roll_distance"].status == "ok"


def test_the_method_of_the_tutorial_runs(
    tmp_path: Path, make_corpus: Callable[..., Corpus], small_protocol: Protocol
) -> None:
    block = files((DOCS / "tutorial.md").read_text(encoding="utf-8"))["loudness.py"]
    (tmp_path / "loudness.py").write_text(block)
    plugins = load_plugins([tmp_path / "loudness.py"])
    result = run_small(plugins, "loudness", make_corpus(clips=3), small_protocol, tmp_path)
    assert {row.status for row in result.clips} == {"ok"}


@pytest.mark.slow
def test_the_metric_of_the_how_to_page_is_measured(
    tmp_path: Path, make_corpus: Callable[..., Corpus], small_protocol: Protocol
) -> None:
    block = files((DOCS / "own-metric.md").read_text(encoding="utf-8"))["roll.py"]
    (tmp_path / "roll.py").write_text(block)
    plugins = load_plugins([tmp_path / "roll.py"])
    result = run_small(plugins, "mean-motion", make_corpus(clips=3), small_protocol, tmp_path)
    metric = result.metrics["roll_distance"]
    assert (metric.status, metric.unit, metric.higher_is_better) == ("ok", "rad", False)
    assert metric.value == pytest.approx(result.references["roll_distance"].chance)
