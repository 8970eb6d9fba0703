"""Which face trackers a method takes: what it makes of videos depends on them, and on their weights."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from facial_bench_worker.source import file_digest, package_digest


class NotedTrackers(Mapping):
    """Face trackers by name that note which of them are taken, and which weights they are asked for.

    Args:
        trackers: name -> `TrackerSpec`.
    """

    def __init__(self, trackers: Mapping[str, Any]) -> None:
        self._trackers, self._taken, self._weights = trackers, {}, {}  # type: Any, dict[str, Any], dict[str, set[Path]]

    def __getitem__(self, name: str) -> Any:
        spec = self._taken[name] = self._trackers[name]

        def weights(chosen: Path | None) -> Path | None:
            found = spec.weights(chosen)
            if found is not None:
                self._weights.setdefault(name, set()).add(Path(found))
            return found

        return replace(spec, weights=weights)

    def __contains__(self, name: object) -> bool:
        return name in self._trackers

    def __iter__(self) -> Iterator[str]:
        return iter(self._trackers)

    def __len__(self) -> int:
        return len(self._trackers)

    def digests(self) -> dict[str, str]:
        """name -> SHA-256 over the source of each tracker taken so far and the weights that were asked for."""
        every = {}
        for name, spec in self._taken.items():
            content = hashlib.sha256(package_digest(spec.create).encode())
            for path in sorted(self._weights.get(name, ())):
                content.update(file_digest(path).encode() if path.is_file() else b"none")
            every[name] = content.hexdigest()
        return every
