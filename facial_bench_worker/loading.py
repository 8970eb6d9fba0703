"""Finding methods: in a single file, in a module that a distribution names, or as a class of a script."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType
from typing import Any

from facial_bench_worker.errors import PluginError, one_line, unknown_name
from facial_bench_worker.hooks import HOOKS, PROJECT, is_marked
from facial_bench_worker.method import GeneratorSpec
from facial_bench_worker.renderer import RendererSpec
from facial_bench_worker.specs import CorpusSpec

SPEC_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,79}")
OPTION_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
Origin = dict[str, str]
"""Where code is: `{"file": PATH}`, `{"module": NAME}`, or `{"file": PATH, "class": NAME}` of a script."""


def load_module(origin: Origin) -> ModuleType:
    """Import the module of an origin; raises PluginError where there is no such file. Whatever it raises passes."""
    return load_file(Path(origin["file"])) if "file" in origin else importlib.import_module(origin["module"])


def load_file(path: Path) -> ModuleType:
    """The module of a single file, under a name of its own: two files of one name do not meet."""
    if not path.is_file():
        raise PluginError("no such file")
    name = f"facial_bench_plugin_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def load_method(origin: Origin, name: str) -> GeneratorSpec:
    """The spec of a method.

    Raises:
        PluginError: the origin does not offer it. Whatever its module raises passes.
    """
    module = load_module(origin)
    if "class" in origin:
        return class_spec(module, origin["class"])
    return _named(module, "generators", GeneratorSpec, "method", name)


def load_renderer(origin: Origin, name: str) -> RendererSpec:
    """The spec of a renderer; raises as `load_method`."""
    return _named(load_module(origin), "renderers", RendererSpec, "renderer", name)


def _named(module: ModuleType, kind: str, expected: type, what: str, name: str) -> Any:
    every = {spec.name: spec for spec in offers(module, kind, expected)}
    if name not in every:
        raise unknown_name(what, name, every)
    return every[name]


def class_spec(module: ModuleType, name: str) -> GeneratorSpec:
    """A method that is a class: it is made with the context."""
    made: Any = module
    for part in name.split("."):
        made = getattr(made, part, None)
    if not isinstance(made, type):
        raise PluginError(f"no class {name} in {getattr(module, '__file__', module.__name__)}")
    options = getattr(made, "options", {})
    summary = one_line(made.__doc__ or f"the class {name}").partition(". ")[0]
    return GeneratorSpec(name, summary, "a class of a script", made, options=options)


def require_hooks(module: ModuleType) -> None:
    """Raise PluginError unless a module has marked functions, and they are hooks that there are."""
    known = [f"{PROJECT}_{kind}" for kind in HOOKS]
    marked = [name for name in dir(module) if is_marked(getattr(module, name, None))]
    unknown = [name for name in marked if name not in known]
    if unknown:
        raise PluginError(f"unknown hook {', '.join(unknown)}; the hooks are {', '.join(known)}")
    if not marked:
        raise PluginError(f"no function is marked with facial_bench.hookimpl; the hooks are {', '.join(known)}")


def offers(module: ModuleType, kind: str, expected: type) -> list[Any]:
    """What a module lists under a hook, checked; nothing where it has no such hook.

    Args:
        module: Of a plugin.
        kind: `generators`, `corpora` ...
        expected: The type of what is listed.

    Raises:
        TypeError, ValueError: something else than a list of such specs with names that can be typed.
    """
    hook = f"{PROJECT}_{kind}"
    function = getattr(module, hook, None)
    if not is_marked(function):
        return []
    return checked_offers(function(), hook, expected)  # type: ignore[misc]


def checked_offers(answer: Any, hook: str, expected: type) -> list[Any]:
    """What a hook returned, if it is a list of such specs with names that can be typed; else TypeError, ValueError."""
    if not isinstance(answer, Iterable):
        raise TypeError(f"{hook} returned {'None' if answer is None else type(answer).__name__}, expected a list")
    specs = list(answer)
    for spec in specs:
        if not isinstance(spec, expected):
            raise TypeError(f"{hook} gave a {type(spec).__name__}, expected {expected.__name__}")
        name = spec_name(spec)
        if not isinstance(name, str) or not SPEC_NAME.fullmatch(name):
            raise ValueError(f"{hook} gave the name {name!r}; names are letters, digits and . _ - and for metrics /")
        if isinstance(spec, (GeneratorSpec, CorpusSpec, RendererSpec)):
            _check_options(spec)
    return specs


def spec_name(spec: Any) -> Any:
    """What a spec is called: the id of a metric, the name of anything else."""
    return getattr(spec, "id", None) or getattr(spec, "name", None)


def installed_plugins() -> Iterator[tuple[str, str, str]]:
    """(distribution, version, module) of each plugin that is installed in this environment, in order of names."""
    seen = set()
    for distribution in distributions():
        for point in distribution.entry_points:
            if point.group == PROJECT:
                seen.add((str(distribution.metadata["Name"]), distribution.version, point.value))
    yield from sorted(seen)


def _check_options(spec: GeneratorSpec | CorpusSpec | RendererSpec) -> None:
    if not isinstance(spec.options, Mapping):
        raise TypeError(f"{spec.name}: options is a {type(spec.options).__name__}, expected a mapping of text to text")
    for option, meaning in spec.options.items():
        if not isinstance(option, str) or not OPTION_NAME.fullmatch(option):
            raise ValueError(f"{spec.name}: the option {option!r} cannot be typed as --option K=V")
        if not isinstance(meaning, str) or not meaning.strip() or "\n" in meaning:
            raise ValueError(f"{spec.name}: say in one line what the option {option} means")
