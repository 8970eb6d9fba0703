"""The options that a method declares are the ones that it can be given."""

from __future__ import annotations

import pytest

from facial_bench.errors import FacialBenchError
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.types import GeneratorSpec
from facial_bench_worker.method import check_options

SPEC = GeneratorSpec("toy", "s", "r", lambda context: None, options={"steps": "how many", "smooth": "yes or no"})  # type: ignore[arg-type, return-value]


def test_declared_options_pass_and_the_nearest_match_of_another_is_offered() -> None:
    check_options(SPEC, {})
    check_options(SPEC, {"steps": "3", "smooth": "maybe"})
    with pytest.raises(FacialBenchError) as problem:
        check_options(SPEC, {"smooth": "no", "stepz": "3"})
    assert str(problem.value) == ("method toy: unknown option 'stepz'. Did you mean 'steps'? Available: smooth, steps.")


def test_a_method_without_options_takes_none() -> None:
    bare = GeneratorSpec("bare", "s", "r", SPEC.create)
    with pytest.raises(FacialBenchError, match=r"^method bare: unknown option 'a'\. Available: none\.$"):
        check_options(bare, {"a": "b"})
    assert hash(SPEC) == hash(SPEC), "a spec can still be a key"


@pytest.mark.parametrize("name", load_plugins().registered("generators"))
def test_every_installed_method_says_what_its_options_mean(name: str) -> None:
    for option, meaning in load_plugins().get("generators", "method", name).spec.options.items():
        assert option.isidentifier()
        assert len(meaning) > 10
        assert "\n" not in meaning
