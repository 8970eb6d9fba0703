"""The records that cross between facial-bench and a plugin; see `facial_bench.core.types`."""

from facial_bench.core.types import *  # noqa: F403
from facial_bench.core.types import __all__ as __all__
