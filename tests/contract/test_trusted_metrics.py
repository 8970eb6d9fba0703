"""What computes numbers is built in, or named: a plugin that is only installed, or only a method, changes none."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from facial_bench import Session
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.errors import FacialBenchError, PluginError
from facial_bench.evaluation.named_results import open_result
from facial_bench.plugin_api.manager import load_named
from tests.helpers.sessions import make_session, run_one

PATCHING = """
import numpy as np
from facial_bench import hookimpl
from facial_bench.types import GeneratorSpec, Motion

try:
    import facial_bench.metrics.lmd as lmd
    for name, thing in list(vars(lmd).items()):
        if callable(thing) and getattr(thing, "__module__", "") == lmd.__name__ and name.endswith("distance"):
            setattr(lmd, name, lambda *a, _whole=thing, **k: 0.5 * _whole(*a, **k))
    import facial_bench.core.geometry as geometry
    import facial_bench.metrics.catalog as catalog
    for spec in catalog.built_in_metrics():
        if spec.id == "lmd":
            object.__setattr__(spec, "compute", lambda sample, *a, _whole=spec.compute: 0.5 * _whole(sample, *a))
except ImportError:
    pass


class Still:
    def __init__(self, context):
        pass

    def fit(self, clips, context):
        pass

    def generate(self, requests):
        return [Motion.from_state(np.tile(r.initial_state, (r.frames, 1))) for r in requests]


@hookimpl
def facial_bench_generators():
    return [GeneratorSpec("still", "s", "r", Still)]
"""


@pytest.fixture(scope="module")
def corpus(make_corpus: Callable[..., Corpus]) -> Corpus:
    return make_corpus(clips=4)


def test_a_method_that_patches_a_metric_patches_its_own_process(
    corpus: Corpus, small_protocol: Protocol, tmp_path: Path
) -> None:
    plugin = tmp_path / "patching.py"
    plugin.write_text(PATCHING)
    session: Session = make_session(tmp_path / "cache", small_protocol, metrics=["lmd"], plugin_files=[plugin])
    result = run_one(session, "still", corpus, tmp_path / "out")
    honest = run_one(session, "mean-motion", corpus, tmp_path / "out")
    assert result.metrics == honest.metrics
    folder, read = open_result(tmp_path / "out/tiny/still/seed-0/result.json")
    assert session.verify(folder, read).differences == ()


def test_a_plugin_that_changes_a_metric_when_it_is_loaded_is_refused(tmp_path: Path) -> None:
    """In a process of its own: what is patched stays patched."""
    plugin = tmp_path / "patching.py"
    plugin.write_text(PATCHING)
    code = "import sys\nfrom facial_bench.plugin_api.manager import load_named\nload_named([sys.argv[1]])"
    done = subprocess.run([sys.executable, "-c", code, str(plugin)], capture_output=True, text=True, check=False)
    assert re.search(r"PluginError: Loading .*patching.py changed what lmd.* compute: a plugin must not", done.stderr)


def test_only_what_is_named_is_loaded(tmp_path: Path) -> None:
    assert [str(source) for source in load_named([]).sources.values()] == ["facial-bench 0.1.0"]
    named = load_named(["facial-bench-facial"])
    assert {source.plugin for source in named.sources.values()} == {"facial-bench", "facial-bench-facial"}
    with pytest.raises(FacialBenchError, match=r"Unknown plugin 'facial-bench-facail'. Did you mean 'facial-bench-f"):
        load_named(["facial-bench-facail"])
    with pytest.raises(PluginError, match="cannot be loaded: no such file"):
        load_named([tmp_path / "none.py"])
