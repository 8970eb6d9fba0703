"""The errors that a plugin raises for what its user can put right; see `facial_bench.core.errors`."""

from facial_bench.core.errors import (
    CorpusError,
    FacialBenchError,
    GenerationError,
    PluginError,
    ResultError,
    unknown_name,
)

__all__ = ["CorpusError", "FacialBenchError", "GenerationError", "PluginError", "ResultError", "unknown_name"]
