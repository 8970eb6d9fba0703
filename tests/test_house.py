"""What neither ruff nor import-linter can say of the packages: sizes, rooms, safe reading, public import paths."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from statistics import median

import pytest

import facial_bench
import facial_bench_worker

ROOT = Path(facial_bench.__file__).parent
WORKER = Path(facial_bench_worker.__file__).parent
MODULES = sorted([*ROOT.rglob("*.py"), *WORKER.rglob("*.py")])
SAFE = {"allow_pickle": "False", "weights_only": "True"}
"""Keyword -> the only value that it may have."""
UNPICKLERS = {"torch.load", "dill", "joblib", "cloudpickle"}
"""Besides the standard library's, which ruff knows."""
PUBLIC = {
    "facial_bench": "RunConfig Session compare evaluate hookimpl load_corpus load_results rescore verify __version__",
    "facial_bench.api": "RunConfig Session compare evaluate load_corpus load_results rescore verify",
    "facial_bench.types": "Generator GeneratorSpec Stateful Context Request Motion Clip MetricSpec Sample CorpusSpec",
    "facial_bench.errors": "FacialBenchError PluginError CorpusError ResultError",
    "facial_bench.corpus": "Corpus open_corpus write_corpus",
    "facial_bench.testing": "checks make_subject",
}
"""Module -> names that plugins and scripts import from it."""


def length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_modules_are_short() -> None:
    assert not {str(path): length(path) for path in MODULES if length(path) > 300}
    for package in (ROOT, WORKER):
        assert median(map(length, package.rglob("*.py"))) <= 120


def test_there_are_at_most_thirteen_rooms() -> None:
    rooms = [path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file()]
    assert len([*rooms, "api.py"]) <= 13, rooms
    single = {path.name for path in ROOT.glob("*.py")}
    assert single == {"__init__.py", "__main__.py", "api.py", "corpus.py", "errors.py", "testing.py", "types.py"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT.parent)))
def test_arrays_and_weights_are_read_without_running_code(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            given = {key.arg: ast.unparse(key.value) for key in node.keywords if key.arg in SAFE}
            assert given == {name: SAFE[name] for name in given}, f"line {node.lineno}"
            called = ast.unparse(node.func)
            assert called not in UNPICKLERS, f"line {node.lineno}: {called}"
            assert called != "np.load" or "allow_pickle" in given, f"line {node.lineno}: say allow_pickle=False"
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = {alias.name.split(".")[0] for alias in node.names} | {getattr(node, "module", None) or ""}
            assert not names & UNPICKLERS, f"line {node.lineno}"


@pytest.mark.parametrize("module", PUBLIC)
def test_public_import_paths_stay(module: str) -> None:
    place = import_module(module)
    assert not [name for name in PUBLIC[module].split() if not hasattr(place, name)]


def test_the_cache_is_one_place_for_make_and_for_the_documented_commands() -> None:
    assert "FACIAL_BENCH_CACHE" not in (ROOT.parent / "Makefile").read_text(encoding="utf-8")
