"""The page of a corpus that has no pictures: landmarks, curves, and nobody's text as HTML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from facial_bench.corpora.write_corpus import CorpusDescription, write_corpus
from facial_bench.corpus import Corpus, open_corpus
from facial_bench.reports.corpus_page import CURVE, corpus_page
from facial_bench.types import Clip
from tests.helpers.faces import make_clip, make_model


class Elements(HTMLParser):
    """Counts elements, and keeps the attributes of each."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: dict[str, list[dict[str, str | None]]] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.setdefault(tag, []).append(dict(attrs))


def faceless(clip: Clip) -> Clip:
    return replace(clip, valid=np.arange(clip.frames) >= 3)


def test_landmarks_and_curves(make_corpus: Callable[..., Corpus], monkeypatch: pytest.MonkeyPatch) -> None:
    def no_video_library() -> None:
        raise AssertionError("a page without pictures asks for no video library")

    monkeypatch.setattr("facial_bench.reports.corpus_page.load_av", no_video_library)
    page, missing = corpus_page(make_corpus(("a",), clips=2, frames=200, edit=faceless))
    seen = Elements(page).seen
    assert len(missing) == 2
    assert "not built from videos" in missing[0]
    assert "image" not in seen
    assert len(seen["circle"]) == len(seen["figure"]) * 68
    assert [line["class"] for line in seen["polyline"]] == 2 * ["pitch", "yaw", "roll", "blink"]
    assert len(seen["rect"]) == 2 * 2 * 3, "three frames without a face, in two curves of two clips"
    assert float(seen["rect"][1]["x"] or "") == pytest.approx(CURVE[0] / 200, abs=0.05)
    assert len(seen["line"]) == 2 * len(seen["figure"])
    blink = [tuple(map(float, pair.split(","))) for pair in (seen["polyline"][3]["points"] or "").split()]
    assert (blink[0][0], blink[-1][0]) == (0, CURVE[0])
    assert (min(y for _, y in blink), max(y for _, y in blink)) == (6, CURVE[1] - 6)


def test_a_name_is_no_html(tmp_path: Path) -> None:
    model = make_model(("a",))
    about = CorpusDescription(name="tiny", version="<b>1</b>", audio_kind="<script>x</script>")
    write_corpus(tmp_path / "c", about, model, [make_clip(model, "a", "a0", 50, 0)])
    page, _ = corpus_page(open_corpus(tmp_path / "c"))
    assert "script" not in Elements(page).seen
    assert "b" not in Elements(page).seen
    assert "audio &lt;script&gt;x&lt;/script&gt;" in page
