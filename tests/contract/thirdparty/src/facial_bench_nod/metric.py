"""How far the pitch is from the real one."""

from __future__ import annotations

import numpy as np

from facial_bench.types import Sample


def nod_size(sample: Sample) -> np.ndarray:
    """(T,) rad."""
    return np.abs(sample.generated.pose[:, 0] - sample.reference.pose[:, 0])
