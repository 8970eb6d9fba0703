"""The errors a user can cause; defined in `facial_bench_worker.errors`, so that a method can raise them anywhere."""

from facial_bench_worker.errors import (
    CorpusError,
    FacialBenchError,
    GenerationError,
    PluginError,
    ResultError,
    one_line,
    printable,
    unknown_name,
)

__all__ = [
    "CorpusError",
    "FacialBenchError",
    "GenerationError",
    "PluginError",
    "ResultError",
    "one_line",
    "printable",
    "unknown_name",
]
