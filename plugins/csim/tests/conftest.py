"""The tests' own model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed: pip install -r requirements-video.txt")

sys.path.insert(0, str(Path(__file__).parent))  # tiny_model, whatever the import mode
