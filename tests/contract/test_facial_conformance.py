"""Every FACIAL method keeps to the contract, trained for a few steps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from facial_bench_facial.plugin import facial_bench_generators

from facial_bench.corpora.corpus import Corpus
from facial_bench.testing import checks, make_subject

STEPS = {"steps": "4", "adversarial_steps": "1", "fine_tune_steps": "2"}


@pytest.mark.slow
@pytest.mark.parametrize("spec", facial_bench_generators(), ids=lambda spec: spec.name)
def test_it_passes_every_check(spec, make_corpus: Callable[..., Corpus]) -> None:
    subject = make_subject(spec, make_corpus(people=("a", "b"), clips=3, frames=300), options=STEPS)
    told = {check.name: check.run(subject) for check in checks()}
    assert not {name: finding.text for name, finding in told.items() if finding.state == "fail"}
    assert "not causal" in told["look-ahead"].text
