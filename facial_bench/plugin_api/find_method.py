"""Finding methods by their names, without loading their code here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from facial_bench.core.errors import FacialBenchError
from facial_bench.core.progress import Reporter
from facial_bench.core.types import GeneratorSpec, check_options
from facial_bench.core.version import DISTRIBUTION
from facial_bench.evaluation.method import Method
from facial_bench.isolation.conditions import Conditions
from facial_bench.isolation.method_code import MethodCode
from facial_bench.plugin_api.discovery import Offer, discover, fingerprint_apart
from facial_bench.plugin_api.registry import Failure, Plugins, Registered, Source, nobody_offers, two_claim
from facial_bench_worker.loading import class_spec
from facial_bench_worker.source import source_digest

BY_NAME = "precomputed"
"""The built-in method whose requests keep their names: it reads finished outputs, and learns nothing."""


@dataclass(frozen=True)
class Named:
    """A method, and what is known of it without its code."""

    method: Method
    options: Mapping[str, str]
    """That it declares."""
    source: Source

    @property
    def name(self) -> str:
        """The method's."""
        return self.method.name


Finders = Mapping[str, Callable[[], Named]]
"""Name of a method -> what makes it known: the digest of its source takes a tenth of a second."""


def find_method(
    name: str,
    options: Mapping[str, str],
    plugins: Plugins,
    files: Sequence[Path],
    conditions: Conditions,
    report: Reporter,
) -> Method:
    """A method by its name: a built-in, one of a module of this process, or whatever plugins offer.

    Args:
        name: Of the method, or FILE.py:CLASS.
        options: That it is to take.
        plugins: Loaded in this process.
        files: Single files that may offer it.
        conditions: Under which it will run.
        report: Is told what plugins print when they are listed.

    Raises:
        FacialBenchError: nobody offers it, or it does not declare an option. PluginError: as `discover` raises.
    """
    every, failures = list_methods(name, plugins, files, conditions, report)
    named = pick(name, every, failures)
    if conditions.python and named.method.plugin == DISTRIBUTION:
        raise FacialBenchError(f"{name} is built in: it runs under this interpreter. Leave --python out.")
    check_options(named, options)
    return named.method


def list_methods(
    name: str, plugins: Plugins, files: Sequence[Path], conditions: Conditions, report: Reporter
) -> tuple[Finders, Sequence[Failure]]:
    """Methods by name, and the plugins that failed to load.

    Plugins are listed, in a process of their own, where no method of this process has the name, or files are given.

    Raises:
        PluginError: two plugins claim one name, or as `discover` raises.
    """
    file, _, chosen = name.partition(".py:")
    if chosen:
        script = {"file": str(Path(f"{file}.py").resolve()), "class": chosen}
        discovered = discover("generators", [], conditions, report, script)
        (offer,) = discovered.offers.values()
        return {chosen: partial(_offered, offer, conditions, report)}, discovered.failures
    here = plugins.registered("generators")
    known = {own: partial(_registered, one) for own, one in here.items()}
    if name in here and not (files or conditions.python):
        return known, plugins.failures
    discovered = discover("generators", files, conditions, report)
    for own in set(here) & set(discovered.offers):
        one, other = here[own].source, discovered.offers[own].by
        if one != other or not one.origin.items() <= other.origin.items():  # else it is loaded for its metrics as well
            raise two_claim("generators", own, one, other)
    offers = {own: partial(_offered, offer, conditions, report) for own, offer in discovered.offers.items()}
    return {**known, **offers}, [*plugins.failures, *discovered.failures]


def pick(name: str, every: Finders, failures: Sequence[Failure]) -> Named:
    """One method by name, or by FILE.py:CLASS.

    Raises:
        FacialBenchError: there is none; names the nearest match, what there is, and plugins that failed to load.
    """
    short = name.partition(".py:")[2] or name
    if short not in every:
        raise nobody_offers("method", name, every, failures)
    return every[short]()


def method_of_class(made: type) -> Method:
    """A method that is a class: by the file that it is defined in, or, of a notebook, in this process."""
    module = sys.modules.get(made.__module__)
    file = getattr(module, "__file__", None)
    if module and file and "<locals>" not in made.__qualname__ and Path(file).is_file():
        spec, origin = class_spec(module, made.__qualname__), {"file": str(Path(file).resolve())}
        code = MethodCode(spec.name, {**origin, "class": made.__qualname__})
        return Method(code, spec.reference, Path(file).name, "", source_digest(spec))
    options = getattr(made, "options", {})
    spec = GeneratorSpec(made.__name__, "a class of a notebook", "a class of a notebook", made, options=options)
    return Method(MethodCode(spec.name, {}, spec=spec), spec.reference, "notebook", "", source_digest(spec))


def _registered(registered: Registered) -> Named:
    spec, source = registered.spec, registered.source
    by_name = source.plugin == DISTRIBUTION and spec.name == BY_NAME
    code = MethodCode(spec.name, source.origin, spec.partial, by_name, None if source.origin else spec)
    method = Method(code, spec.reference, source.plugin, source.version, source_digest(spec), spec.fingerprint)
    return Named(method, spec.options, source)


def _offered(offer: Offer, conditions: Conditions, report: Reporter) -> Named:
    code = MethodCode(offer.name, offer.by.origin, offer.partial)
    asked = partial(fingerprint_apart, code, conditions, report) if offer.fingerprint else None
    method = Method(code, offer.reference, offer.by.plugin, offer.by.version, offer.source, asked)
    return Named(method, offer.options, offer.by)
