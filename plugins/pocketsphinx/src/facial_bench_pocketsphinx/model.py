"""The English acoustic model inside PocketSphinx's wheel: where it is, and which states make up a phone."""

from __future__ import annotations

import struct
from importlib.metadata import version as installed
from pathlib import Path

import numpy as np

from facial_bench.errors import FacialBenchError

PHONES = (
    "+NSN+",
    "+SPN+",
    "AA",
    "AE",
    "AH",
    "AO",
    "AW",
    "AY",
    "B",
    "CH",
    "D",
    "DH",
    "EH",
    "ER",
    "EY",
    "F",
    "G",
    "HH",
    "IH",
    "IY",
    "JH",
    "K",
    "L",
    "M",
    "N",
    "NG",
    "OW",
    "OY",
    "P",
    "R",
    "S",
    "SH",
    "SIL",
    "T",
    "TH",
    "UH",
    "UW",
    "V",
    "W",
    "Y",
    "Z",
    "ZH",
)
"""The model's phones in its own order: noise, speech that is no word, ARPAbet, and SIL."""
NODE = 8
"""Bytes of a node of the tree of triphones."""
PHONE = np.dtype([("sequence", "<i4"), ("transitions", "<i4"), ("attributes", "u1", (4,))])
"""A phone or triphone in the model definition."""


def version() -> str:
    """Of the installed PocketSphinx."""
    return installed("pocketsphinx")


def find_model() -> Path:
    """The folder of the acoustic model.

    Raises:
        FacialBenchError: this PocketSphinx came without it.
    """
    import pocketsphinx

    folder = Path(pocketsphinx.get_model_path("en-us/en-us"))
    if not (folder / "mdef").is_file():
        raise FacialBenchError(
            f"The audio features phones need PocketSphinx's English acoustic model, and there is no {folder / 'mdef'}. "
            "Install the wheel: pip install --force-reinstall pocketsphinx."
        )
    return folder


def read_states(path: Path) -> np.ndarray:
    """(42, S) numbers of the senones (shared states' densities) of each phone without context, from a binary mdef.

    The file: "BMDF", its version, the length of a description and that description; ten int32, among them the numbers
    of phones, of all (tri)phones, of states of each, of senones, and of nodes of the tree; the phones' names; the tree;
    one PHONE each; and the distinct sequences of senones, a length in front.

    Raises:
        FacialBenchError: another format, or a model of other phones.
    """
    try:
        data = path.read_bytes()
        if data[:4] != b"BMDF":
            raise ValueError("it does not begin with BMDF")
        at = 12 + struct.unpack_from("<i", data, 8)[0]
        n_phones, n_all, n_states, _, n_senones, _, n_sequences, _, n_nodes, _ = struct.unpack_from("<10i", data, at)
        at = begin = at + 40
        names = []
        for _ in range(n_phones):
            end = data.index(b"\0", at)
            names.append(data[at:end].decode("ascii"))
            at = end + 1
        at = begin + -(-(at - begin) // 4) * 4 + NODE * n_nodes
        sequence = np.frombuffer(data, PHONE, n_all, at)["sequence"][:n_phones]
        at += PHONE.itemsize * n_all + 4
        states = np.frombuffer(data, "<u2", n_sequences * n_states, at).reshape(n_sequences, n_states)[sequence]
        if not states.size or states.max() >= n_senones:
            raise ValueError("its states and senones do not match")
    except (OSError, ValueError, IndexError, struct.error) as problem:
        raise FacialBenchError(
            f"{path} cannot be read ({problem}). Reinstall it: pip install --force-reinstall pocketsphinx."
        ) from None
    if tuple(names) != PHONES:
        raise FacialBenchError(
            f"{path} has {len(names)} phones ({', '.join(names[:4])} ...), the audio features phones mean the 42 of "
            "PocketSphinx's English model. Install pocketsphinx 5.1."
        )
    return states.astype(np.int64)
