"""What the built-in metrics do on the probe, as it was when their versions were given.

A formula that changed on purpose, and got a new version: `python -m tests.helpers.probe_digests` makes the file anew.
"""

from __future__ import annotations

import json
from pathlib import Path

from facial_bench.metrics.probe import built_in_behaviour

FROZEN = Path(__file__).parents[1] / "data" / "behaviour_digests.json"
COMMAND = "python -m tests.helpers.probe_digests"


def frozen() -> dict[str, str]:
    """id -> digest, as committed."""
    return json.loads(FROZEN.read_text(encoding="utf-8"))


if __name__ == "__main__":
    FROZEN.write_text(json.dumps(built_in_behaviour(), indent=1) + "\n", encoding="utf-8")
