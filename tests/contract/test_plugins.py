"""Plugins: found, loaded one by one, blamed by name."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from typing import Any

import pytest

from facial_bench.api import Session
from facial_bench.core.protocol import Protocol
from facial_bench.corpora.corpus import Corpus
from facial_bench.errors import FacialBenchError, PluginError
from facial_bench.evaluation.config import RunConfig
from facial_bench.evaluation.result_schema import Result
from facial_bench.evaluation.setup import protocol_with
from facial_bench.plugin_api.hookspecs import spec_types
from facial_bench.plugin_api.manager import Plugins, Registered, call, load_plugins
from facial_bench.types import Context, CorpusSpec, GeneratorSpec
from facial_bench_worker import hooks
from facial_bench_worker.source import source_digest
from tests.helpers.install import pip_install

THIRD_PARTY = Path(__file__).parent / "thirdparty"
HEAD = "from facial_bench import hookimpl\nfrom facial_bench.types import GeneratorSpec, MetricSpec, CorpusSpec\n"


def plugin_text(name: str, hook: str = "facial_bench_generators") -> str:
    return (
        HEAD
        + f"@hookimpl\ndef {hook}():\n    return [GeneratorSpec({name!r}, 'summary', 'nobody', lambda context: None)]\n"
    )


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[EntryPoint]]:
    """installed(dist="text of its module", ...) -> the entry points of these made-up distributions, importable."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)

    def install(**modules: str) -> list[EntryPoint]:
        for name, text in modules.items():
            monkeypatch.delitem(sys.modules, name, raising=False)
            (folder / f"{name}.py").write_text(text)
            info = folder / f"{name}-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            (info / "entry_points.txt").write_text(f"[facial_bench]\n{name} = {name}\n")
        return [point for one in distributions(path=[str(folder)]) for point in one.entry_points]

    return install


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the third-party distribution is really installed."""
    base = tmp_path_factory.mktemp("thirdparty")
    source = Path(shutil.copytree(THIRD_PARTY, base / "source"))
    return pip_install(source, base / "site")


def facial_bench(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"PYTHONPATH": str(path)} if path else {})}
    command = [sys.executable, "-m", "facial_bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_the_built_ins_are_there() -> None:
    plugins = load_plugins(installed=[])
    assert {"frozen", "mean-motion", "replay", "wrong-identity", "ridge"} <= set(plugins.registered("generators"))
    assert "synthetic" in plugins.registered("corpora")
    assert "tracks" in plugins.registered("importers")
    assert {"lmd", "lmd/canonical"} <= set(plugins.registered("metrics"))
    assert {
        str(o.source).split()[0] for kind in ("generators", "metrics") for o in plugins.registered(kind).values()
    } == {"facial-bench"}
    assert not plugins.failures


@pytest.mark.slow
def test_an_installed_distribution_is_listed_with_its_version(target: Path) -> None:
    for arguments, line in (
        (("methods",), r"nod +facial-bench-nod 2\.1\.0 +the mean state, nodding with the sound"),
        (("methods", "nod"), r"source +facial-bench-nod 2\.1\.0"),
        (("methods", "nod"), r"--option size= +pitch for one deviation of loudness, rad; default 0\.05"),
        (("metrics",), r"nod_size .*"),
        (("plugins",), r"  facial-bench-nod 2\.1\.0 +nod_size"),
    ):
        done = facial_bench(*arguments, path=target)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.search(f"^{line}$", done.stdout, re.MULTILINE), done.stdout
    assert "facial-bench-nod" not in facial_bench("plugins").stdout


@pytest.mark.slow
def test_an_installed_method_and_metric_run(
    target: Path,
    make_corpus: Callable[..., Corpus],
    small_protocol: Protocol,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(target)
    plugins = load_plugins(installed=[p for d in distributions(path=[str(target)]) for p in d.entry_points])
    metrics = ("lmd", "lmd/canonical", "nod_size")
    session = Session(plugins, cache=tmp_path, protocol=small_protocol, metrics=metrics, device="cpu")
    path = str(make_corpus(clips=8, scales=[0.3, 3.0]).path)

    def run(**options: str) -> Result:
        config = RunConfig("nod", path, device="cpu", options=options, out=str(tmp_path))
        ((_, result),) = session.evaluate(config)
        return result

    results = {size: run(size=size) for size in ("0", "0.5")}
    values = {size: result.metrics["nod_size"].value for size, result in results.items()}
    assert values["0.5"] > values["0"] + 0.2, "louder audio, deeper nods"
    still = results["0"]
    assert values["0"] == pytest.approx(still.references["nod_size"].chance)
    assert still.references["nod_size"].ceiling.value == 0
    assert still.metrics["nod_size"].unit == "rad"
    assert (still.method.plugin, still.method.version) == ("facial-bench-nod", "2.1.0")
    assert run(size="0.5").timing["fit_reused"] is True
    with pytest.raises(FacialBenchError, match=r"method nod: unknown option 'speed'\. Available: size"):
        run(speed="1")


def test_a_metric_of_a_plugin_is_no_rule_of_the_protocol(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(target)
    plugins = load_plugins(installed=[p for d in distributions(path=[str(target)]) for p in d.entry_points])
    specs = [plugins.get("metrics", "metric", name).spec for name in ("lmd", "lmd/canonical", "nod_size")]
    assert protocol_with(specs).digest() == protocol_with(specs[:2]).digest()


BROKEN = {
    "syntax": ("def x(:\n", "SyntaxError"),
    "missing": (
        "import a_module_that_is_not_there\n",
        "ModuleNotFoundError: No module named 'a_module_that_is_not_there'",
    ),
    "exits": ("import sys\nsys.exit('bye')\n", "SystemExit: bye"),
    "raises": ("raise RuntimeError('two\\nlines')\n", "RuntimeError: two lines"),
    "misspelt": (
        plugin_text("x", "facial_bench_generator"),
        "unknown hook facial_bench_generator; the hooks are facial_bench_gen",
    ),
    "arguments": (
        plugin_text("a").replace("generators()", "corpora()")
        + plugin_text("b").replace("generators()", "generators(context)"),
        "context",
    ),
    "unmarked": (plugin_text("x").replace("@hookimpl\n", ""), "no function is marked with facial_bench.hookimpl"),
    "other": ("import facial_bench.no_such_thing\n", "ModuleNotFoundError"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_plugin_that_cannot_be_loaded_is_named_and_stops_nobody(
    installed: Callable[..., list[EntryPoint]], kind: str
) -> None:
    text, reason = BROKEN[kind]
    points = installed(aaa_broken=text, zzz_good=plugin_text("good"))
    plugins = load_plugins(installed=points)
    (failure,) = plugins.failures
    assert str(failure.source) == "aaa_broken 1.0"
    assert reason in failure.reason
    assert "\n" not in failure.reason
    for hook in ("generators", "corpora", "importers", "metrics"):
        plugins.registered(hook)
    assert plugins.get("generators", "method", "good").source.plugin == "zzz_good"
    assert plugins.get("generators", "method", "frozen").source.plugin == "facial-bench"
    with pytest.raises(
        FacialBenchError, match=r"Unknown method 'x'\..*Available: .*aaa_broken 1\.0 failed to load"
    ) as problem:
        plugins.get("generators", "method", "x")
    assert "\n" not in str(problem.value)


HOOKS = {
    "raises": "    raise ValueError('no\\nway')\n",
    "exits": "    raise SystemExit(0)\n",
    "none": "    return None\n",
    "type": "    return ['name']\n",
    "kind": "    return [CorpusSpec('c', '1', 's', print)]\n",
    "name": "    return [GeneratorSpec(None, 's', 'r', print)]\n",
    "path": "    return [GeneratorSpec('../x', 's', 'r', print)]\n",
    "half": "    yield GeneratorSpec('half', 's', 'r', print)\n    raise ValueError('late')\n",
    "options list": "    return [GeneratorSpec('o', 's', 'r', print, options=['gain'])]\n",
    "option name": "    return [GeneratorSpec('o', 's', 'r', print, options={'a=b': 'x'})]\n",
    "option meaning": "    return [GeneratorSpec('o', 's', 'r', print, options={'gain': ''})]\n",
}


@pytest.mark.parametrize("kind", HOOKS)
def test_a_hook_that_goes_wrong_is_named_and_stops_nobody(
    installed: Callable[..., list[EntryPoint]], kind: str
) -> None:
    bad = HEAD + "@hookimpl\ndef facial_bench_generators():\n" + HOOKS[kind]
    plugins = load_plugins(installed=installed(aaa_bad=bad, zzz_good=plugin_text("good")))
    available = plugins.registered("generators")
    plugins.registered("generators")
    assert {"good", "frozen"} <= set(available)
    assert "half" not in available
    (failure,) = plugins.failures
    assert failure.source.plugin == "aaa_bad"
    assert "\n" not in failure.reason
    assert kind != "none" or failure.reason == "TypeError: facial_bench_generators returned None, expected a list"


def test_two_plugins_of_one_name_are_both_named(installed: Callable[..., list[EntryPoint]]) -> None:
    plugins = load_plugins(installed=installed(one=plugin_text("same"), two=plugin_text("same")))
    with pytest.raises(
        PluginError, match=r"Two plugins register the generator 'same': one 1\.0 and two 1\.0\. Uninstall one"
    ):
        plugins.registered("generators")
    assert "lmd" in plugins.registered("metrics"), "only that kind is in doubt"


def test_nobody_takes_a_built_in_name(installed: Callable[..., list[EntryPoint]]) -> None:
    plugins = load_plugins(installed=installed(thief=plugin_text("frozen")))
    with pytest.raises(PluginError, match=r"'frozen': facial-bench .* and thief 1\.0"):
        plugins.registered("generators")


def test_the_nearest_match_is_offered() -> None:
    with pytest.raises(FacialBenchError, match=r"Unknown method 'froze'\. Did you mean 'frozen'\? Available: .*frozen"):
        load_plugins(installed=[]).get("generators", "method", "froze")


def test_a_method_that_is_not_there_may_be_in_a_file_of_ones_own() -> None:
    plugins = load_plugins(installed=[])
    for name, file in (("mine", "FILE.py"), ("mine.py", "mine.py")):
        with pytest.raises(FacialBenchError, match=rf"Own file\? --plugin {re.escape(file)}\.$"):
            plugins.get("generators", "method", name)


def test_a_single_file(tmp_path: Path) -> None:
    file = tmp_path / "my method.py"
    file.write_text(plugin_text("mine"))
    registered = load_plugins([file], installed=[]).get("generators", "method", "mine")
    assert str(registered.source) == "my method.py"
    before = source_digest(registered.spec)
    file.write_text(plugin_text("mine") + "# changed\n")
    assert source_digest(load_plugins([file], installed=[]).get("generators", "method", "mine").spec) != before


@pytest.mark.parametrize("kind", BROKEN)
def test_a_single_file_that_cannot_be_loaded_is_an_error(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(BROKEN[kind][0])
    loaded = set(sys.modules)
    with pytest.raises(PluginError, match=r"Plugin .*mine\.py cannot be loaded: ") as problem:
        load_plugins([file], installed=[])
    assert BROKEN[kind][1] in str(problem.value)
    assert "\n" not in str(problem.value)
    if kind in ("syntax", "missing", "exits", "raises"):
        assert not {name for name in set(sys.modules) - loaded if name.startswith("facial_bench_plugin")}


def test_a_file_that_is_not_there_or_no_python(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(plugin_text("x"))
    for file, reason in (
        (tmp_path / "none.py", "no such file"),
        (tmp_path, "no such file"),
        (tmp_path / "x.txt", "not a Python"),
    ):
        with pytest.raises(PluginError, match=reason):
            load_plugins([file], installed=[])


def test_the_same_file_twice(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(plugin_text("x"))
    with pytest.raises(PluginError, match="loaded already"):
        load_plugins([tmp_path / "x.py"] * 2, installed=[])


def test_loading_twice_gives_two_managers() -> None:
    one, two = load_plugins(installed=[]), load_plugins(installed=[])
    assert one.manager is not two.manager
    assert set(one.registered("generators")) == set(two.registered("generators"))


def make_package(folder: Path, name: str, where: str) -> None:
    package = folder / name
    (package / "deep").mkdir(parents=True)
    for file in ("__init__.py", "other.py", "deep/__init__.py", "deep/other.py", "weights.json"):
        (package / file).write_text("")
    (package / where).write_text("def create(context): return None\n")


@pytest.mark.parametrize("where", ["__init__.py", "other.py", "deep/__init__.py", "deep/other.py"])
@pytest.mark.parametrize(
    "changed", ["__init__.py", "other.py", "deep/__init__.py", "deep/other.py", "weights.json", "new.py"]
)
def test_the_digest_is_of_the_whole_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, changed: str
) -> None:
    name = "digested_" + (where + changed).replace("/", "_").replace(".", "_")
    make_package(tmp_path, name, where)
    monkeypatch.syspath_prepend(tmp_path)
    module = ".".join([name, *Path(where).with_suffix("").parts]).removesuffix(".__init__")
    create = __import__(module, fromlist=["create"]).create
    spec = GeneratorSpec("x", "s", "r", create)
    before = source_digest(spec)
    assert source_digest(spec) == before
    (tmp_path / name / "__pycache__").mkdir(exist_ok=True)
    (tmp_path / name / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert source_digest(spec) == before, "bytecode is no source"
    with (tmp_path / name / changed).open("a") as stream:
        stream.write("\n# changed\n")
    assert source_digest(spec) != before


class Maker:
    """An instance that makes generators."""

    def __call__(self, context: Context) -> None:
        return None

    def method(self, context: Context) -> None:
        return None


def test_whatever_can_be_called_has_a_digest() -> None:
    made: Sequence[Any] = (
        Maker,
        Maker(),
        Maker().method,
        lambda context: None,
        functools.partial(Maker.method, None),
        functools.partial(functools.partial(Maker)),
        functools.lru_cache(test_loading_twice_gives_two_managers),
    )
    digests = {source_digest(GeneratorSpec("x", "s", "r", create)) for create in made}
    assert len(digests) == 1, "all of this file"
    assert digests != {source_digest(load_plugins(installed=[]).get("corpora", "corpus", "synthetic").spec)}


def test_what_a_plugin_raises_while_it_works_is_one_line(tmp_path: Path) -> None:
    plugins: Plugins = load_plugins(installed=[])
    source = plugins.get("generators", "method", "frozen").source

    def make(dest: Path) -> None:
        raise ZeroDivisionError("one\nover zero")

    registered = Registered(CorpusSpec("c", "1", "s", make), source)
    with pytest.raises(
        PluginError, match=r"facial-bench .*: making c failed: ZeroDivisionError: one over zero \(test_plugins\.py"
    ):
        call(registered, "making c", make, tmp_path)

    def refuse(dest: Path) -> None:
        raise FacialBenchError("Not here.")

    with pytest.raises(FacialBenchError, match=r"^Not here\.$"):
        call(registered, "making c", refuse, tmp_path)
    assert call(registered, "counting", len, [1, 2]) == 2

    def unread(dest: Path) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):  # `| head` has closed our output: no plugin is to blame
        call(registered, "making c", unread, tmp_path)


def test_a_method_s_process_knows_the_hooks_of_the_contract() -> None:
    assert tuple(spec_types()) == hooks.HOOKS
