"""Second readings of the formats that files come in: a few lines each, from the formats' descriptions.

They say what a file holds, refuse (ValueError) what no such file may be, and raise `UnjudgedError` for what they do not
know.
"""

from __future__ import annotations

import ast
import io
import json
import math
import re
import struct
import zipfile
import zlib

import numpy as np
from scipy.io import loadmat

from studies.fuzz_case import UnjudgedError

KINDS = {
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    "I8": "i1",
    "U8": "u1",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
    "BOOL": "?",
}


def parse_npy(content: bytes) -> np.ndarray:
    """An .npy: a Python literal for a header, then the numbers."""
    if content[:6] != b"\x93NUMPY" or content[6] not in (1, 2, 3):
        raise ValueError("no .npy")
    wide = content[6] > 1
    (length,) = struct.unpack_from("<I" if wide else "<H", content, 8)
    start = (12 if wide else 10) + length
    header = ast.literal_eval(content[12 if wide else 10 : start].decode("latin-1" if content[6] < 3 else "utf-8"))
    kind, shape = np.dtype(header["descr"]), header["shape"]
    if kind.hasobject or any(side < 0 for side in shape):
        raise ValueError("no numbers")
    count = math.prod(shape)
    numbers = np.frombuffer(content[start : start + count * kind.itemsize], kind, count)
    return numbers.reshape(shape, order="F" if header["fortran_order"] else "C")


def parse_npz(content: bytes) -> dict[str, np.ndarray]:
    """An .npz: a zip of .npy files, each with a checksum."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        held = {name.removesuffix(".npy"): archive.read(name) for name in names}
    if any(zlib.crc32(held[name.removesuffix(".npy")]) != archive.getinfo(name).CRC for name in names):
        raise ValueError("a checksum is wrong")
    return {name: parse_npy(data) for name, data in held.items() if data[:6] == b"\x93NUMPY"}


def parse_safetensors(content: bytes) -> dict[str, np.ndarray]:
    """A .safetensors: the length of a JSON header, the header, the numbers."""
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    made = {}
    for name, about in header.items():
        if about["dtype"] not in KINDS:
            raise UnjudgedError
        low, high = about["data_offsets"]
        made[name] = np.frombuffer(content[8 + length + low : 8 + length + high], KINDS[about["dtype"]]).reshape(
            about["shape"]
        )
    return made


def parse_mat(content: bytes) -> dict[str, np.ndarray]:
    """Arrays of real numbers in a .mat, as SciPy reads them."""
    held = loadmat(io.BytesIO(content))
    return {name: array for name, array in held.items() if isinstance(array, np.ndarray) and array.dtype.kind in "fiu"}


def parse_wav(content: bytes) -> tuple[int, np.ndarray]:
    """(rate, samples (n, channels) float64 within -1..1) of a .wav of 8 or 16 bits whose header agrees with itself."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise UnjudgedError
    place, shape = 12, None
    while place + 8 <= len(content):
        name, size = content[place : place + 4], struct.unpack_from("<I", content, place + 4)[0]
        if name == b"fmt ":
            kind, channels, rate, per_second, per_frame, bits = struct.unpack_from("<HHIIHH", content, place + 8)
            if kind != 1 or bits not in (8, 16):
                raise UnjudgedError
            if per_frame != channels * bits // 8 or per_second != rate * per_frame:
                raise ValueError("its header contradicts itself")
            shape = rate, channels, bits
        elif name == b"data":
            if shape is None:
                raise ValueError("no format before the samples")
            rate, channels, bits = shape
            held = content[place + 8 : place + 8 + size]
            held = held[: len(held) - len(held) % (channels * bits // 8)]
            samples = np.frombuffer(held, "u1" if bits == 8 else "<i2").astype(np.float64).reshape(-1, channels)
            return rate, (samples - 128) / 128 if bits == 8 else samples / 32768
        place += 8 + size + size % 2
    raise ValueError("no samples")


def parse_table(content: bytes) -> tuple[list[str], list[list[str]]]:
    """Names and rows of a plain CSV: commas, no quotation marks, one line a row."""
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    if '"' in text or ";" in text.split("\n", 1)[0] or "\t" in text.split("\n", 1)[0]:
        raise UnjudgedError
    rows = [line.split(",") for line in re.split("\r\n|\n|\r", text) if line]
    return [name.strip() for name in rows[0]], [[cell.strip() for cell in row] for row in rows[1:]]
