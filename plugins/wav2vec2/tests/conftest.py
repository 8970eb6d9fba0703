"""Fixtures: tiny checkpoints with random weights."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small are slowed by threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def vocabulary() -> dict[str, int]:
    """That of wav2vec2-base-960h: four special tokens, the delimiter, letters by frequency, the apostrophe within."""
    symbols = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAOINHSRDLUMWCFGYPBVK'XJQZ"]
    assert sorted(symbols[5:]) == sorted([*string.ascii_uppercase, "'"])
    return {symbol: number for number, symbol in enumerate(symbols)}


@pytest.fixture
def make_checkpoint(tmp_path: Path, vocabulary: dict[str, int]) -> Callable[..., Path]:
    """make_checkpoint(layers=2, norm="group", seed=0, vocabulary=None, **config) -> a folder."""

    def make(
        layers: int = 2,
        norm: str = "group",
        seed: int = 0,
        vocab: dict[str, int] | None = None,
        name: str = "tiny",
        **config: object,
    ) -> Path:
        import torch
        from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

        folder = tmp_path / name
        torch.manual_seed(seed)
        sizes = {
            "vocab_size": 32,
            "hidden_size": 16,
            "num_hidden_layers": layers,
            "num_attention_heads": 2,
            "intermediate_size": 32,
            "conv_dim": (8,) * 7,
            "num_conv_pos_embeddings": 16,
            "num_conv_pos_embedding_groups": 2,
            "feat_extract_norm": norm,
            "do_stable_layer_norm": norm == "layer",
            "initializer_range": 0.3,
        }
        Wav2Vec2ForCTC(Wav2Vec2Config(**{**sizes, **config})).save_pretrained(folder)
        (folder / "vocab.json").write_text(json.dumps(vocabulary if vocab is None else vocab))
        return folder

    return make
