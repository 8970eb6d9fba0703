"""Two methods that are one process: how often they are said to differ. `studies.false_positives` tells it for more."""

from __future__ import annotations

import pytest
from scipy.stats import binom

from studies.false_positives import false_positives

DRAWS = 60


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "spread"), [(3, 10.0), (5, 1.0)])
def test_one_process_passes_for_two_methods_no_more_often_than_the_level(seeds: int, spread: float) -> None:
    """As many as this would come up in one of a thousand series if the rate were 5 %."""
    found, alone = false_positives("mean (a distance)", seeds, spread, DRAWS)
    assert found <= binom.ppf(0.999, DRAWS, 0.05)
    assert alone > found, "clips alone, without the seeds, say so more often"


def test_one_seed_is_right_about_its_trained_models_and_wrong_about_methods() -> None:
    name = "share (an accuracy)"
    assert false_positives(name, 1, 0.0, DRAWS)[0] <= binom.ppf(0.999, DRAWS, 0.05)
    assert false_positives(name, 1, 10.0, DRAWS)[0] > DRAWS / 2
