"""Making a named corpus: by the function that a plugin registered, with the options that it declares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from facial_bench.core.types import CorpusSpec, check_options
from facial_bench.plugin_api.registry import Registered, call

NO_OPTIONS: Mapping[str, str] = {}


def make_corpus(registered: Registered, dest: Path, options: Mapping[str, str] = NO_OPTIONS) -> None:
    """Write the folder of a registered corpus at `dest`, absent or empty before.

    Args:
        registered: holds a `CorpusSpec`; `make` is given the options if the spec declares any.
        dest: the folder.
        options: `--option K=V` as text.

    Raises:
        FacialBenchError: an option that the corpus does not declare, or a value that it cannot use; CorpusError where
            `dest` is in use; PluginError for anything else that its plugin raises.
    """
    spec: CorpusSpec = registered.spec
    check_options(spec, options, "corpus")
    arguments = (dest, dict(options)) if spec.options else (dest,)
    call(registered, f"making the corpus {spec.name}", spec.make, *arguments)
