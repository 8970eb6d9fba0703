"""docs/contest.md: the clips of a contest are made by the lines that stand there, and its links lead somewhere."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from facial_bench.corpora.corpus import open_corpus
from facial_bench.corpora.synthetic import make

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def text() -> str:
    return (DOCS / "contest.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum here")
def test_the_commitment_holds_for_the_corpus_that_the_page_makes(text: str, tmp_path: Path) -> None:
    (script,) = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    assert "python3 -c " in script
    python = Path(sys.executable)
    commands = script.replace("python3 -c", f"'{python}' -c").replace("\nfacial-bench", f"\n'{python}' -m facial_bench")
    environment = {**os.environ, "PYTHONPATH": str(DOCS.parent), "FACIAL_BENCH_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        ["bash", "-euc", commands], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    commitment, made, verified, manifest = done.stdout.splitlines()
    secret = (tmp_path / "secret.txt").read_bytes()
    assert commitment == f"{hashlib.sha256(secret).hexdigest()}  secret.txt"
    seed, salt = secret.decode().split()
    assert len(salt) == 64
    assert made == "corpus: contest/round-1"
    assert verified.startswith("60 clips verified, digest ")
    folder = tmp_path / "contest/round-1"
    assert manifest.split()[0] == hashlib.sha256((folder / "corpus.json").read_bytes()).hexdigest()
    assert seed not in done.stdout + done.stderr + (folder / "corpus.json").read_text()
    assert not (folder.parent.stat().st_mode | (tmp_path / "secret.txt").stat().st_mode) & 0o077, "nobody else looks"

    make(tmp_path / "again", int(seed), "round-1")  # what anybody does who is told the seed
    assert (tmp_path / "again/corpus.json").read_bytes() == (folder / "corpus.json").read_bytes()


def test_training_clips_are_read_where_the_test_clips_were_not_handed_out(text: str, tmp_path: Path) -> None:
    assert "`facial_bench.corpus.open_corpus(folder).clip(name)`" in text
    make(tmp_path / "c", 3)
    (tmp_path / "c/clips/p1-01.safetensors").unlink()
    assert open_corpus(tmp_path / "c").clip("p1-02").frames > 300


def test_links_lead_somewhere(text: str) -> None:
    for page, anchor in re.findall(r"\]\(([\w./-]+)(?:#([\w-]+))?\)", text):
        target = (DOCS / page).read_text(encoding="utf-8")
        headings = {line.lstrip("# ").lower().replace(" ", "-") for line in target.splitlines() if line.startswith("#")}
        assert not anchor or anchor in headings, f"{page}#{anchor}"
