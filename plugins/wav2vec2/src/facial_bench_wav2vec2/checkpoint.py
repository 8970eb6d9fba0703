"""A wav2vec 2.0 CTC checkpoint on disk: where it is, whether it can be used, which outputs are DeepSpeech's symbols.

Weights are read from safetensors files only; nothing here, or later, opens a pickle.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from facial_bench.errors import FacialBenchError

ALPHABET = (" ", *string.ascii_lowercase, "'", "")
"""DeepSpeech's 29 symbols in its order: space, a..z, apostrophe, and the CTC blank, here ""."""
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
SETTINGS = (
    "config.json",
    "vocab.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "preprocessor_config.json",
    "processor_config.json",
)
"""Files beside the weights that the numbers depend on; the first two must be there."""
RATE = 16_000
"""Samples a second that wav2vec 2.0 takes."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was looked at, not loaded."""

    folder: Path
    digest: str
    """SHA-256 of its settings and weights."""
    columns: tuple[int, ...]
    """29 numbers of outputs, in the order of `ALPHABET`."""
    normalise: bool
    """Whether the model wants each sound with mean 0 and variance 1."""
    hop: int
    """Samples between two rows of output: 320."""
    window: int
    """Samples that the convolutions see for a row: 400. Row k sees those from k * hop."""


def find_folder(model: str, revision: str | None) -> Path:
    """The folder of a model: a local one as it is; a hub name's files are fetched, or found in the hub's cache.

    Raises:
        FacialBenchError: neither a folder nor anything the hub gives.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        if revision:
            raise FacialBenchError(f"{folder} is a local folder; --option revision=... is for names of the hub.")
        return folder
    name = r"[A-Za-z0-9][\w.-]*"
    if folder.exists() or not re.fullmatch(rf"({name}/)?{name}", model):
        what = "is no folder" if folder.exists() else "does not exist"
        raise FacialBenchError(f"The model {model} {what}. Name a folder with config.json, vocab.json and {WEIGHTS}.")
    return _fetch(model, revision)


@cache
def _fetch(model: str, revision: str | None) -> Path:
    """Once a process, so that a model's revision cannot change between two videos."""
    import huggingface_hub

    try:
        patterns = [*SETTINGS, WEIGHTS, INDEX, "model-*.safetensors"]
        return Path(huggingface_hub.snapshot_download(model, revision=revision, allow_patterns=patterns))
    except Exception as problem:  # the hub, requests and the cache raise dozens of kinds
        text = " ".join(str(problem).split())[:200]
        raise FacialBenchError(
            f"The model '{model}' is no folder here, and the hub did not give it ({type(problem).__name__}: {text}). "
            "Check the name, or download it and name its folder."
        ) from None


def read_checkpoint(folder: Path) -> Checkpoint:
    """Look at a checkpoint and check all that can be checked without loading it.

    Raises:
        FacialBenchError: a file that is missing or damaged, another architecture, a vocabulary without one of the
            29 symbols, or weights that are no safetensors.
    """
    config, vocabulary = _read_json(folder / "config.json"), _read_json(folder / "vocab.json")
    if config.get("model_type") != "wav2vec2":
        raise FacialBenchError(
            f"{folder} is a model of type '{config.get('model_type')}'; ctc29 needs wav2vec2, fine-tuned with CTC."
        )
    if config.get("add_adapter") or (folder / "adapter_config.json").exists():
        raise FacialBenchError(f"{folder} holds an adapter, which ctc29 cannot use. Name a model without.")
    try:
        kernels = [int(size) for size in config.get("conv_kernel", (10, 3, 3, 3, 3, 2, 2))]
        strides = [int(size) for size in config.get("conv_stride", (5, 2, 2, 2, 2, 2, 2))]
        window = 1
        for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
            window = (window - 1) * stride + kernel
        if not kernels or min(kernels + strides) < 1:
            raise ValueError
    except (TypeError, ValueError):
        raise FacialBenchError(
            f"{folder / 'config.json'} has impossible convolutions (conv_kernel, conv_stride). Download it again."
        ) from None
    sound = _optional(folder / "preprocessor_config.json")
    nested = _optional(folder / "processor_config.json").get("feature_extractor")
    sound = sound or (nested if isinstance(nested, dict) else {})
    if sound.get("sampling_rate", RATE) != RATE:
        raise FacialBenchError(f"{folder} wants sound at {sound['sampling_rate']} Hz; ctc29 needs a model for {RATE}.")
    return Checkpoint(
        folder,
        _digest(folder, _weights(folder)),
        _columns(folder, config, vocabulary),
        bool(sound.get("do_normalize", True)),
        math.prod(strides),
        window,
    )


def _columns(folder: Path, config: Mapping[str, Any], vocabulary: Mapping[str, Any]) -> tuple[int, ...]:
    """Which output is which symbol of `ALPHABET`."""
    outputs = config.get("vocab_size", 32)
    if type(outputs) is not int or not all(
        type(number) is int and 0 <= number < outputs for number in vocabulary.values()
    ):
        raise FacialBenchError(f"{folder / 'vocab.json'} is no list of symbols of the model's {outputs} outputs.")
    tokens = _optional(folder / "special_tokens_map.json") | _optional(folder / "tokenizer_config.json")
    pad, delimiter = _text(tokens.get("pad_token"), "<pad>"), _text(tokens.get("word_delimiter_token"), "|")
    places: dict[str, list[int]] = {}
    for token, number in vocabulary.items():
        symbol = "" if token == pad else " " if token == delimiter else token.lower()
        places.setdefault(symbol, []).append(number)
    names = {" ": f"the space ('{delimiter}')", "": f"the CTC blank ('{pad}')", "'": "the apostrophe"}
    for symbol in ALPHABET:
        outputs = places.get(symbol, [])
        if len(outputs) != 1:
            problem = "lacks" if not outputs else f"has {len(outputs)} outputs (as upper and lower case?) for"
            raise FacialBenchError(
                f"{folder / 'vocab.json'} {problem} {names.get(symbol, repr(symbol))}; ctc29 needs a model with "
                "one output for each of the space, a..z, the apostrophe and the CTC blank."
            )
    blank = config.get("pad_token_id", 0)
    if blank != places[""][0]:
        raise FacialBenchError(
            f"{folder}: config.json has the CTC blank at {blank} (pad_token_id), vocab.json at {places[''][0]} "
            f"('{pad}'). Correct the one that is wrong."
        )
    return tuple(places[symbol][0] for symbol in ALPHABET)


def _weights(folder: Path) -> list[Path]:
    """The files of weights; a network without its CTC layer is refused."""
    from safetensors import SafetensorError, safe_open

    if (folder / WEIGHTS).is_file():
        files = [folder / WEIGHTS]
    elif (folder / INDEX).is_file():
        shards = _read_json(folder / INDEX).get("weight_map")
        named = sorted({str(name) for name in shards.values()} if isinstance(shards, dict) else ())
        if not named or not all(Path(name).name == name and (folder / name).is_file() for name in named):
            raise FacialBenchError(f"{folder / INDEX} names files of weights that are not there. Download them again.")
        files = [folder / INDEX, *(folder / name for name in named)]
    else:
        raise FacialBenchError(
            f"{folder} has no {WEIGHTS}. A pickle (pytorch_model.bin) is never read: "
            "convert it with a program that you trust, or choose a revision with safetensors."
        )
    known: set[str] = set()
    for path in files:
        if path.suffix == ".safetensors":
            try:
                with safe_open(path, "np") as tensors:
                    known |= set(tensors.keys())
            except (SafetensorError, OSError) as problem:
                text = " ".join(str(problem).split())
                raise FacialBenchError(f"{path} cannot be read ({text}). Download it again.") from None
    if not {"lm_head.weight", "lm_head.bias"} <= known:
        raise FacialBenchError(f"{folder} has no CTC layer (lm_head): it was only pretrained. Name a fine-tuned model.")
    return files


def _digest(folder: Path, weights: list[Path]) -> str:
    """SHA-256 over names and contents, each of its own length."""
    content = hashlib.sha256()
    for path in [*(folder / name for name in SETTINGS), *weights]:
        if path.is_file():
            with path.open("rb") as stream:
                content.update(f"{path.name}={hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return content.hexdigest()


def _read_json(path: Path) -> dict[str, Any]:
    """The object in a file of the checkpoint."""
    if not path.is_file():
        raise FacialBenchError(f"{path.parent} is no wav2vec 2.0 checkpoint: it has no {path.name}.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        text = " ".join(str(problem).split())
        raise FacialBenchError(f"{path} cannot be read ({text}). Download it again.") from None
    if not isinstance(content, dict):
        raise FacialBenchError(f"{path} is no JSON object. Download it again.")
    return content


def _optional(path: Path) -> dict[str, Any]:
    """The object in a file that need not be there."""
    return _read_json(path) if path.is_file() else {}


def _text(token: Any, default: str) -> str:
    """A token as older and newer tokenizers write it: a text, or an object with `content`."""
    token = token.get("content") if isinstance(token, dict) else token
    return token if isinstance(token, str) else default
