"""Conformance: what a method must keep to, as many small named checks, for `facial-bench check` and for pytest.

In a test suite of a plugin:

    from facial_bench.testing import checks, make_subject

    SUBJECT = make_subject(my_spec, open_corpus("my-corpus"))

    @pytest.mark.parametrize("check", checks(), ids=lambda check: check.name)
    def test_conformance(check):
        finding = check.run(SUBJECT)
        assert finding.state != "fail", finding.text

Of renderers likewise: `renderer_checks`, and `make_renderer_subject(my_spec)`, which needs no corpus.
"""

from __future__ import annotations

from facial_bench.plugin_api.conformance.check import Check, Finding, conclude
from facial_bench.plugin_api.conformance.check_method import check_method
from facial_bench.plugin_api.conformance.checks import checks
from facial_bench.plugin_api.conformance.renderer_checks import check_renderer, renderer_checks
from facial_bench.plugin_api.conformance.renderer_subject import RendererSubject, make_renderer_subject
from facial_bench.plugin_api.conformance.subject import Subject, make_subject

__all__ = [
    "Check",
    "Finding",
    "RendererSubject",
    "Subject",
    "check_method",
    "check_renderer",
    "checks",
    "conclude",
    "make_renderer_subject",
    "make_subject",
    "renderer_checks",
]
