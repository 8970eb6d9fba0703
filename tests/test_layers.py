"""The layers: a module imports only from rooms below it; heavy and dangerous things stay where they belong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import facial_bench

ROOT = Path(facial_bench.__file__).parent
ORDER = (
    "__init__",
    "errors",
    "types.face",
    "types.specs",
    "types.method",
    "types.metric",
    "types",
    "protocol",
    "storage",
    "hookspecs",
    "geometry",
    "resampling",
    "split",
    "stats",
    "audio",
    "metrics",
    "metrics.pools",
    "metrics.lmd",
    "metrics.vertex",
    "metrics.head",
    "metrics.blink",
    "metrics.sync",
    "metrics.distribution",
    "metrics.registry",
    "manifest",
    "corpus",
    "face_model",
    "assembly",
    "device",
    "personalization",
    "driving",
    "generation",
    "conduct",
    "measuring",
    "scoring",
    "summary",
    "references",
    "results",
    "bench",
    "workspace",
    "harness",
    "stored",
    "verification",
    "comparison",
    "tables",
    "boards",
    "ledger",
    "leaderboard",
    "pictures",
    "registry",
    "certification",
    "certification.corruptions",
    "certification.response",
    "certification.report",
    "nulls",
    "ridge",
    "naming",
    "importers.safe_pickle",
    "importers.foreign",
    "importers.tracks",
    "importers.openface",
    "importers.coefficients",
    "importers",
    "synthetic",
    "building.video",
    "building.shot",
    "building.features",
    "outputs",
    "precomputed",
    "builtin",
    "plugins",
    "inspection",
    "building.settings",
    "building.shots",
    "building.tracking",
    "building.clips",
    "building.pool",
    "building.frames",
    "building.build",
    "building.page",
    "building",
    "testing.subject",
    "testing.promises",
    "testing",
    "cli.common",
    "cli.boards",
    "cli.certify",
    "cli.check",
    "cli.compare",
    "cli.corpora",
    "cli.listing",
    "cli.run",
    "cli.verify",
    "cli",
    "__main__",
)
"""From the ground up. A folder stands for the modules in it that are not named themselves."""
ALLOWED = {
    "torch": {"personalization", "device", "bench", "workspace", "harness"},
    "tabulate": {"tables"},
    "click": {"cli"},
    "pluggy": {"hookspecs", "plugins"},
    "safetensors": {"storage"},
}
"""third party -> the only rooms that may import it."""
DOWNWARD_EXCEPTIONS = {("__init__", "hookspecs")}
"""Lazy on purpose: `facial_bench.hookimpl` is fetched when a plugin asks for it."""


def modules() -> dict[str, Path]:
    """Dotted name within the package -> file."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


def room(module: str) -> str:
    """The entry of ORDER that a module belongs to."""
    while module not in ORDER:
        if "." not in module:
            pytest.fail(f"facial_bench/{module}.py has no place in the order of layers: give it one")
        module = module.rpartition(".")[0]
    return module


def imports(path: Path) -> Iterator[str]:
    """Everything a file imports anywhere in it, `from a import b` as `a.b` where that is a module of ours."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                ours = deeper.removeprefix("facial_bench.")
                yield deeper if deeper.startswith("facial_bench.") and ours in modules() else str(node.module)


def inner(path: Path) -> set[str]:
    """Modules of ours that a file imports."""
    names = {name for name in imports(path) if name.split(".")[0] == "facial_bench"}
    return {name.removeprefix("facial_bench.") if name != "facial_bench" else "__init__" for name in names}


def test_every_module_has_a_place() -> None:
    assert len(set(ORDER)) == len(ORDER)
    assert {room(name) for name in modules()} <= set(ORDER)


@pytest.mark.parametrize("name", modules())
def test_a_module_imports_only_from_rooms_below(name: str) -> None:
    place = ORDER.index(room(name))
    upward = {
        other
        for other in inner(modules()[name])
        if ORDER.index(room(other)) > place and (name, other) not in DOWNWARD_EXCEPTIONS
    }
    assert not upward, f"{name} imports {', '.join(sorted(upward))}, which stand above it"


def test_there_is_no_circle_within_a_room() -> None:
    known = modules()
    graph = {name: {other for other in inner(path) if other in known and other != name} for name, path in known.items()}
    graph["__init__"] = set()
    done: set[str] = set()
    while len(done) < len(graph):
        ready = {name for name, needs in graph.items() if name not in done and needs <= done}
        assert ready, f"imports in a circle: {sorted(set(graph) - done)}"
        done |= ready


@pytest.mark.parametrize("library", ALLOWED)
def test_a_library_is_imported_only_where_it_belongs(library: str) -> None:
    users = {name for name, path in modules().items() if library in {found.split(".")[0] for found in imports(path)}}
    assert users, f"nobody imports {library} any more: correct this test"
    outside = {name for name in users if name.split(".")[0] not in ALLOWED[library]}
    assert not outside, f"{library} is imported by {', '.join(sorted(outside))}"


@pytest.mark.parametrize("name", modules())
def test_a_module_is_not_over_300_lines(name: str) -> None:
    assert len(modules()[name].read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("name", modules())
def test_nothing_is_unpickled_and_nothing_asserted(name: str) -> None:
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    assert name == "importers.safe_pickle" or not {"pickle", "dill", "joblib", "shelve", "marshal"} & {
        found.split(".")[0] for found in imports(modules()[name])
    }
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Assert), f"{name}, line {node.lineno}: assert outside the tests"
        if isinstance(node, ast.Global):
            pytest.fail(f"{name}, line {node.lineno}: a global")
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            keywords = {key.arg: ast.unparse(key.value) for key in node.keywords}
            assert keywords.get("allow_pickle", "False") == "False", f"{name}, line {node.lineno}"
            assert keywords.get("weights_only", "True") == "True", f"{name}, line {node.lineno}"
            assert called not in ("eval", "exec", "torch.load", "os.system"), f"{name}, line {node.lineno}: {called}"


@pytest.mark.parametrize("name", modules())
def test_every_public_thing_says_what_it_is(name: str) -> None:
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{name} has no docstring"
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{name}.{node.name} has no docstring"
