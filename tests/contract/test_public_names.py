"""What plugin authors import stays where it is, and is the inner thing itself: an isinstance or an except meets it."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

PUBLIC = {
    "facial_bench.types": ("facial_bench.core.types", "*"),
    "facial_bench.errors": (
        "facial_bench.core.errors",
        "CorpusError FacialBenchError GenerationError PluginError ResultError unknown_name",
    ),
    "facial_bench.testing": (
        "facial_bench.plugin_api.conformance",
        "Check Finding Subject checks conclude make_subject",
    ),
    "facial_bench.metrics.pools": ("facial_bench.metrics.pools", "mean_pool rate_distance_pool"),
}
"""Public module -> where its names live, and which they are."""


@pytest.mark.parametrize("public", PUBLIC)
def test_a_public_name_is_the_inner_one(public: str) -> None:
    inner, names = PUBLIC[public]
    listed = import_module(inner).__all__ if names == "*" else names.split()
    assert len(listed) >= 2
    for name in listed:
        assert getattr(import_module(public), name) is getattr(import_module(inner), name), name


def test_a_corpus_is_written_with_the_name_of_the_core() -> None:
    from facial_bench import corpus
    from facial_bench.corpora import corpus as reading
    from facial_bench.corpora import write_corpus as writing

    assert corpus.write_corpus is writing.write_corpus
    assert corpus.open_corpus is reading.open_corpus
    assert corpus.Corpus is reading.Corpus


def test_the_mark_of_a_hook_is_the_managers() -> None:
    import facial_bench
    from facial_bench.plugin_api.hookspecs import hookimpl

    assert facial_bench.hookimpl is hookimpl


def test_what_every_plugin_imports_is_light() -> None:
    code = (
        "import sys\nfrom facial_bench import hookimpl\nimport facial_bench.types, facial_bench.errors\n"
        "heavy = {'torch', 'scipy', 'msgspec', 'click', 'rich', 'jinja2'} & set(sys.modules)\nassert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
