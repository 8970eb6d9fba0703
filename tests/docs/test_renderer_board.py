"""What the page of renderers says of the committed board is what the board's renderings say."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_quotes_the_board() -> None:
    lines = (ROOT / "leaderboards/synthetic-video@128px.renderings.jsonl").read_text("utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if "metrics" in row]
    values = {row["renderer"]["name"]: row["metrics"] for row in rows}
    page = " ".join((ROOT / "docs/rendering.md").read_text("utf-8").split())
    for metric, form, sentence in (
        ("psnr/face", "{:.1f}", "{} against {} dB in the face"),
        ("psnr/mouth", "{:.1f}", "{} against {} at the mouth"),
        ("sharpness", "{:.2f}", "sharpness {} against {}"),
        ("motion_ratio/face", "{:.2f}", "({} against {})"),
    ):
        pair = [form.format(values[name][metric]["value"]) for name in ("facial", "warp-average")]
        assert sentence.format(*pair) in page
