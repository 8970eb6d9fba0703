"""The letter posteriors: what they are, where they lie in time, and what is refused."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from facial_bench.errors import CorpusError, FacialBenchError
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.types import Sound
from facial_bench_wav2vec2 import checkpoint as checkpoints
from facial_bench_wav2vec2.checkpoint import ALPHABET, read_checkpoint
from facial_bench_wav2vec2.features import Ctc29, frame_rows, softmax
from facial_bench_wav2vec2.network import cut_pieces, load_network, run_network

RATE = 16_000
Make = Callable[..., Path]


def sound(samples: np.ndarray, rate: int = RATE) -> Sound:
    return Sound(np.asarray(samples, np.float32), rate, "ann", 0.0)


def noise(n: int, seed: int = 0) -> np.ndarray:
    """(n,) -1..1: noise whose loudness comes and goes, three times a second."""
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(0, 0.1, n) * (1 + np.sin(6 * np.pi * np.arange(n) / RATE)), -1, 1).astype(np.float32)


def edit(path: Path, **changes: object) -> None:
    """Change entries of a JSON file; None removes one."""
    entries = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({k: v for k, v in (entries | changes).items() if v is not None}))


def test_registered(make_checkpoint: Make) -> None:
    assert "wav2vec2" in {point.name for point in entry_points(group="facial_bench")}
    spec = load_plugins([]).get("audio_features", "kind of audio features", "ctc29").spec
    assert spec.create({"model": str(make_checkpoint())}).width == 29


def test_shape_and_probabilities(make_checkpoint: Make) -> None:
    rows = Ctc29({"model": str(make_checkpoint())}).compute(sound(noise(2 * RATE)), 50, 25.0)
    assert rows.shape == (50, 29) and rows.dtype == np.float32 and np.isfinite(rows).all()
    np.testing.assert_allclose(np.exp(rows).sum(axis=1), 1, atol=1e-5)
    assert rows.std(axis=0).max() > 0.05  # it hears something


def test_the_alphabet_is_deepspeechs(make_checkpoint: Make, vocabulary: dict[str, int]) -> None:
    """Whatever the vocabulary's order; special tokens are left out before the softmax."""
    assert "".join(ALPHABET) == " abcdefghijklmnopqrstuvwxyz'" and ALPHABET[28] == ""
    folder = make_checkpoint()
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"].zero_()
    said = torch.full((32,), 50.0)  # specials are the loudest
    for place, symbol in enumerate(["|", *string.ascii_uppercase, "'", "<pad>"]):
        said[vocabulary[symbol]] = 0.1 * place
    save_file({**weights, "lm_head.bias": said}, folder / "model.safetensors", {"format": "pt"})
    rows = Ctc29({"model": str(folder)}).compute(sound(noise(RATE)), 25, 25.0)
    expected = 0.1 * np.arange(29) - np.log(np.exp(0.1 * np.arange(29)).sum())
    np.testing.assert_allclose(rows, np.tile(expected, (25, 1)), atol=1e-5)


def test_other_names_of_the_tokens(make_checkpoint: Make, vocabulary: dict[str, int]) -> None:
    """Lower case, [PAD], another delimiter, further symbols, tokens as objects: the same columns."""
    names = {"<pad>": "[PAD]", "|": "_"}
    vocab = {names.get(symbol, symbol.lower()): number for symbol, number in vocabulary.items()} | {"-": 32, "é": 33}
    other = make_checkpoint(vocab=vocab, name="other", vocab_size=34)
    edit(other / "tokenizer_config.json", pad_token={"content": "[PAD]"}, word_delimiter_token="_")
    assert read_checkpoint(other).columns == read_checkpoint(make_checkpoint()).columns


def test_rows_lie_where_the_network_listens(make_checkpoint: Make) -> None:
    checkpoint = read_checkpoint(make_checkpoint())
    assert (checkpoint.hop, checkpoint.window) == (320, 400)
    middle = (np.arange(500) * 320 + 200) / RATE  # of what row k sees, s
    rows = frame_rows(middle[:, None], checkpoint, 200, 25.0)
    np.testing.assert_allclose(np.exp(rows[1:, 0]), np.arange(1, 200) / 25, rtol=1e-5)


def test_a_click_is_heard_in_its_own_frame(make_checkpoint: Make) -> None:
    checkpoint = read_checkpoint(make_checkpoint(layers=0, norm="layer", num_conv_pos_embeddings=2))
    quiet, clicked = noise(2 * RATE) * 0.01, noise(2 * RATE) * 0.01
    clicked[RATE - 80 : RATE + 80] += 0.5  # in the middle of frame 25
    before, after = (softmax(run_network(checkpoint, s)) for s in (quiet, clicked))
    change = np.abs(frame_rows(after, checkpoint, 50, 25.0) - frame_rows(before, checkpoint, 50, 25.0)).sum(axis=1)
    assert change.argmax() == 25 and change[:23].max() == change[28:].max() == 0


def test_pieces_cover_every_row_once() -> None:
    for rows in range(1, 60):
        pieces = cut_pieces(rows, 10, 4)
        taken = [row for _, first, last in pieces for row in range(first, last)]
        assert taken == list(range(rows))
        for start, first, last in pieces:
            assert 0 <= start <= first < last <= start + min(rows, 10)
            assert start in (0, first - 2) or start == rows - 10  # two rows are heard to the left
            assert last == rows or last <= start + 10 - 2
    assert cut_pieces(24, 10, 4) == [(0, 0, 8), (6, 8, 14), (12, 14, 18), (14, 18, 24)]


def test_pieces_equal_the_whole_within_reach(make_checkpoint: Make) -> None:
    """Without attention, and normalised sample by sample, a row hears 8 rows: the pieces give the whole to rounding."""
    checkpoint = read_checkpoint(make_checkpoint(layers=0, norm="layer"))
    samples = noise(9 * RATE)
    whole = run_network(checkpoint, samples)
    assert whole.shape == (449, 32)
    np.testing.assert_allclose(run_network(checkpoint, samples, piece=100, overlap=40), whole, atol=2e-5)
    assert np.abs(run_network(checkpoint, samples, piece=100, overlap=4) - whole).max() > 1e-3  # the test can fail


@pytest.mark.parametrize(("norm", "tolerance"), [("group", 0.05), ("layer", 0.005)])
def test_pieces_resemble_the_whole_with_attention(make_checkpoint: Make, norm: str, tolerance: float) -> None:
    """Attention, and the group norm of the first layer, hear the whole piece; the median says how much it matters."""
    checkpoint = read_checkpoint(make_checkpoint(norm=norm))
    samples = noise(50 * RATE)
    whole, pieces = run_network(checkpoint, samples, piece=10_000), run_network(checkpoint, samples)
    assert np.median(np.abs(pieces - whole)) < tolerance * whole.std()
    short = run_network(checkpoint, samples[: 20 * RATE])  # one piece is computed as a whole
    np.testing.assert_array_equal(short, run_network(checkpoint, samples[: 20 * RATE], piece=10_000))


def test_memory_does_not_grow_with_the_sound(make_checkpoint: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = read_checkpoint(make_checkpoint())
    lengths, network = [], load_network(checkpoint)
    network.register_forward_pre_hook(lambda module, inputs: lengths.append(inputs[0].shape[1]))
    assert len(run_network(checkpoint, noise(70 * RATE))) == 3499
    assert set(lengths) == {999 * 320 + 400} and len(lengths) == 5


def test_the_same_sound_gives_the_same_numbers(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    features = Ctc29({"model": str(folder)})
    first = features.compute(sound(noise(RATE)), 25, 25.0)
    features.compute(sound(noise(3 * RATE, 1)), 75, 25.0)
    load_network.cache_clear()
    again = Ctc29({"model": str(folder)})
    np.testing.assert_array_equal(again.compute(sound(noise(RATE)), 25, 25.0), first)
    assert again.digest == features.digest and len(again.digest) == 64


def test_the_digest_covers_settings_and_weights(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    digests = {read_checkpoint(folder).digest, read_checkpoint(make_checkpoint(name="other", seed=1)).digest}
    edit(folder / "preprocessor_config.json", do_normalize=False)
    digests.add(read_checkpoint(folder).digest)
    assert len(digests) == 3


def test_loudness_matters_only_where_the_model_wants_it(make_checkpoint: Make) -> None:
    folder = make_checkpoint(norm="layer", conv_bias=True)
    loud, soft = sound(noise(RATE)), sound(noise(RATE) / 4 + 0.1)
    features = Ctc29({"model": str(folder)})
    np.testing.assert_allclose(features.compute(loud, 25, 25.0), features.compute(soft, 25, 25.0), atol=1e-3)
    (folder / "processor_config.json").write_text(json.dumps({"feature_extractor": {"do_normalize": False}}))
    features = Ctc29({"model": str(folder)})
    assert np.abs(features.compute(loud, 25, 25.0) - features.compute(soft, 25, 25.0)).max() > 1e-2


def test_weights_in_several_files(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    rows = Ctc29({"model": str(folder)}).compute(sound(noise(RATE)), 25, 25.0)
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = {key: f"model-0000{1 + number % 2}-of-00002.safetensors" for number, key in enumerate(weights)}
    for name in set(names.values()):
        save_file({key: value for key, value in weights.items() if names[key] == name}, folder / name, {"format": "pt"})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))
    np.testing.assert_array_equal(Ctc29({"model": str(folder)}).compute(sound(noise(RATE)), 25, 25.0), rows)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(FacialBenchError, match="names files of weights that are not there"):
        Ctc29({"model": str(folder)})


@pytest.mark.parametrize("samples", [1, 399, 400, 640, 719, 720])
def test_short_sounds(samples: int, make_checkpoint: Make) -> None:
    rows = Ctc29({"model": str(make_checkpoint())}).compute(sound(noise(samples)), 1, 25.0)
    assert rows.shape == (1, 29) and np.isfinite(rows).all()


@pytest.mark.parametrize("level", [0.0, 0.5])
def test_silence(level: float, make_checkpoint: Make) -> None:
    rows = Ctc29({"model": str(make_checkpoint())}).compute(sound(np.full(RATE, level)), 25, 25.0)
    assert np.isfinite(rows).all()


@pytest.mark.parametrize(
    ("samples", "rate", "problem"),
    [
        ([], RATE, "is empty"),
        ([0.0, np.nan], RATE, "first at sample 1"),
        ([0.0, np.inf], RATE, "NaN or infinities"),
        (np.zeros((5, 2)), RATE, r"\(5, 2\) at 16000 Hz"),
        (np.zeros(5), 44_100, "at 44100 Hz, expected"),
        ([0.0, 3000.0], RATE, "reaches 3000, expected -1..1"),
    ],
)
def test_impossible_sounds(samples: np.ndarray, rate: int, problem: str, make_checkpoint: Make) -> None:
    features = Ctc29({"model": str(make_checkpoint())})
    with pytest.raises(CorpusError, match=f"the sound of ann.*{problem}"):
        features.compute(sound(samples, rate), 2, 25.0)


def refused(options: dict[str, str], problem: str) -> None:
    """The options are refused in one line that matches."""
    with pytest.raises(FacialBenchError, match=problem) as caught:
        Ctc29(options)
    assert "\n" not in str(caught.value)


def test_refused_options(tmp_path: Path, make_checkpoint: Make) -> None:
    refused({}, "ctc29 need --option model=")
    refused({"modle": "x"}, r"Unknown option .* 'modle'\. Did you mean 'model'\?")
    refused({"model": str(tmp_path / "gone")}, "gone does not exist")
    refused({"model": str(tmp_path)}, r"no wav2vec 2\.0 checkpoint: it has no config\.json")
    folder = make_checkpoint()
    refused({"model": str(folder / "config.json")}, "is no folder")
    refused({"model": str(folder), "revision": "main"}, "is a local folder")


@pytest.mark.parametrize(
    ("symbol", "named"),
    [("|", r"the space \('\|'\)"), ("E", "'e'"), ("Z", "'z'"), ("'", "the apostrophe"), ("<pad>", "the CTC blank")],
)
def test_a_vocabulary_without_a_symbol(
    symbol: str, named: str, make_checkpoint: Make, vocabulary: dict[str, int]
) -> None:
    del vocabulary[symbol]
    refused({"model": str(make_checkpoint(vocab=vocabulary))}, f"lacks {named}.*one output for each")


def test_refused_checkpoints(make_checkpoint: Make, vocabulary: dict[str, int]) -> None:
    for number, (file, changes, problem) in enumerate(
        [
            ("config.json", {"model_type": "hubert"}, "of type 'hubert'"),
            ("config.json", {"add_adapter": True}, "holds an adapter"),
            ("config.json", {"conv_stride": [5, 2]}, "impossible convolutions"),
            ("config.json", {"conv_kernel": "x"}, "impossible convolutions"),
            ("config.json", {"pad_token_id": 4}, r"CTC blank at 4 \(pad_token_id\), vocab.json at 0"),
            ("config.json", {"vocab_size": 30}, "no list of symbols of the model's 30 outputs"),
            ("vocab.json", {"e": 31}, "has 2 outputs"),
            ("vocab.json", {"eng": {"a": 1}}, "no list of symbols"),
            ("preprocessor_config.json", {"sampling_rate": 8000}, "wants sound at 8000 Hz"),
            ("adapter_config.json", {"peft_type": "LORA"}, "holds an adapter"),
        ]
    ):
        folder = make_checkpoint(name=f"tiny{number}")
        edit(folder / file, **changes)
        refused({"model": str(folder)}, problem)


def test_damaged_checkpoints(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    weights = (folder / "model.safetensors").read_bytes()
    for content in (b"", weights[:100], weights[:-100], b"\x80\x04K\x01." * 99):
        (folder / "model.safetensors").write_bytes(content)
        refused({"model": str(folder)}, r"model\.safetensors cannot be read")
    (folder / "model.safetensors").write_bytes(weights)
    for file, content, problem in [
        ("vocab.json", "[1, 2", "cannot be read"),
        ("vocab.json", "[1, 2]", "no JSON object"),
        ("config.json", "", "cannot be read"),
    ]:
        kept = (folder / file).read_text()
        (folder / file).write_text(content)
        refused({"model": str(folder)}, problem)
        (folder / file).write_text(kept)
    (folder / "vocab.json").unlink()
    refused({"model": str(folder)}, r"it has no vocab\.json")


def test_a_pickle_is_never_read(make_checkpoint: Make, tmp_path: Path) -> None:
    folder = make_checkpoint()
    (folder / "model.safetensors").unlink()
    trap = tmp_path / "sprung"
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch " + str(trap).encode() + b"'\ntR.")
    refused({"model": str(folder)}, r"has no model\.safetensors\. A pickle \(pytorch_model\.bin\) is never read")
    assert not trap.exists()


def test_weights_that_do_not_fit(make_checkpoint: Make) -> None:
    folder = make_checkpoint()
    weights = load_file(folder / "model.safetensors")

    def rewrite(changed: dict[str, torch.Tensor]) -> Ctc29:
        save_file(changed, folder / "model.safetensors", {"format": "pt"})
        return Ctc29({"model": str(folder)})

    pretrained = {key: value for key, value in weights.items() if not key.startswith("lm_head")}
    with pytest.raises(FacialBenchError, match=r"no CTC layer.*only pretrained"):
        rewrite(pretrained)
    layer = "wav2vec2.encoder.layers.1.attention.k_proj.weight"
    for changed, problem in [
        ({key: value for key, value in weights.items() if key != layer}, f"1 parts \\({re.escape(layer)}"),
        ({**weights, layer: torch.zeros(3, 3)}, "cannot be loaded|lacks fitting weights"),
        ({**weights, layer: torch.full((16, 16), torch.nan)}, "gives NaN or infinities"),
    ]:
        features = rewrite(changed)
        with pytest.raises(FacialBenchError, match=problem) as caught:
            features.compute(sound(noise(RATE)), 25, 25.0)
        assert "\n" not in str(caught.value)


def test_names_of_the_hub(make_checkpoint: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    folder, asked = make_checkpoint(), []

    def give(name: str, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((name, revision))
        assert not any(pattern.endswith((".bin", "*")) for pattern in allow_patterns)
        if name == "some/other":
            raise ConnectionError("no way\nout")
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", give)
    checkpoints._fetch.cache_clear()
    given = Ctc29({"model": "some/model", "revision": "abc"})
    Ctc29({"model": "some/model", "revision": "abc"})
    assert asked == [("some/model", "abc")] and given.digest == read_checkpoint(folder).digest
    refused({"model": "some/other"}, r"is no folder here, and the hub did not give it \(ConnectionError: no way out\)")
    checkpoints._fetch.cache_clear()
