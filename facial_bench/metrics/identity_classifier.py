"""The identity classifiers of a corpus: is the head motion, are the blinks, this person's?

Trained once (`classifier_training`) and kept in the cache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from facial_bench.core import windows
from facial_bench.core.device import one_thread
from facial_bench.core.digests import canonical_json
from facial_bench.core.errors import FacialBenchError
from facial_bench.core.files import read_arrays, write_arrays
from facial_bench.core.progress import QUIET, Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Clip, Motion
from facial_bench.metrics import classifier, classifier_training
from facial_bench.metrics.classifier import Classifier, Form, cut_windows, forms
from facial_bench.metrics.classifier_training import train_all

STANDARDISATION = ("mean", "std")
"""Of the channels: physical units, so float32; every other weight is what float16 holds."""
UNUSED = "num_batches_tracked"
"""Counted by the training and looked at by nothing."""


@dataclass(frozen=True, eq=False)
class IdentityClassifiers:
    """The trained classifiers of a corpus: one per form and classifier seed."""

    models: Mapping[str, Sequence[Classifier]]
    """Form -> one for each classifier seed; the forms that were trained."""
    identities: tuple[str, ...]
    protocol: Protocol
    device: str
    missing: str = ""
    """Why there are none: too little motion, or one person alone. Everything else is measured all the same."""

    def arrays(self) -> dict[str, np.ndarray]:
        """`form|k|weight` -> what is stored of the k-th classifier of a form: float16, the standardisation float32."""
        return {
            f"{name}|{k}|{part}": _stored(part, tensor)
            for name, trained in self.models.items()
            for k, model in enumerate(trained)
            for part, tensor in model.state_dict().items()
            if not part.endswith(UNUSED)
        }

    def predict(self, form: Form, motion: Motion, starts: np.ndarray) -> np.ndarray:
        """Class of each window, by each classifier of the form: (S, W) int64, an index into `identities`.

        Args:
            form: what to look at.
            motion: T frames, physical units.
            starts: (W,) first frames of the windows.
        """
        if not len(starts):
            return np.zeros((len(self.models[form.name]), 0), np.int64)
        signal = torch.tensor(form.signal(motion), dtype=torch.float32, device=self.device)
        cut = cut_windows(signal, torch.from_numpy(starts).to(self.device), self.protocol.window, form.centred)
        with one_thread(), torch.inference_mode():
            return np.stack([model(cut).argmax(dim=1).cpu().numpy() for model in self.models[form.name]])

    def right(self, form: Form, motion: Motion, starts: np.ndarray, identity: str) -> np.ndarray:
        """(W,) float64: the share of a form's classifiers that give each window to this identity. Arguments as
        `predict`."""
        return (self.predict(form, motion, starts) == self.identities.index(identity)).mean(axis=0)


def load_or_train(
    training: Sequence[Clip],
    validation: Sequence[Clip],
    identities: tuple[str, ...],
    protocol: Protocol,
    *,
    names: Collection[str] | None = None,
    key: str,
    cache: Path,
    device: str,
    report: Reporter = QUIET,
) -> tuple[IdentityClassifiers, bool]:
    """The classifiers of a corpus, from the cache if they are there.

    Args:
        training, validation: REAL clips; validation may be empty.
        identities: in the order of the outputs.
        protocol: holds the settings and the classifiers' seeds.
        names: forms to train; None for all.
        key: digest of the corpus, name of the fold and what is trained on; names the cache entry together with the
            protocol, the forms, the device, torch's version and the source of what decides the weights.
        cache: folder.
        device: `cpu` or `cuda`.
        report: hears of every trained classifier, and of a damaged cache entry.

    Returns:
        The classifiers, and whether they came from the cache.
    """
    files = [str(module.__file__) for module in (classifier, classifier_training, windows)]
    source = hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()
    chosen = [name for name in forms() if names is None or name in names]
    parts = [protocol.training_digest(), key, chosen, device, torch.__version__, source]
    path = cache / "classifiers" / f"{hashlib.sha256(canonical_json(parts).encode()).hexdigest()[:32]}.safetensors"
    if path.is_file():
        try:
            return restore(read_arrays(path, FacialBenchError, "")[0], identities, protocol, device, chosen), True
        except FacialBenchError as problem:
            report(f"classifiers: the cached ones at {path} are damaged ({problem}); training again")
    trained = IdentityClassifiers(
        train_all(training, validation, identities, protocol, device, report, chosen), identities, protocol, device
    )
    write_arrays(path, trained.arrays())
    return trained, False


def named_arrays(sets: Mapping[str, IdentityClassifiers]) -> dict[str, np.ndarray]:
    """`set|form|k|weight` -> what is stored of named sets of classifiers."""
    return {f"{name}|{own}": array for name, one in sets.items() for own, array in one.arrays().items()}


def classifiers_digest(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names and weights of `named_arrays`, whatever their order; empty where there are none."""
    total = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        total.update(canonical_json([name, str(array.dtype), array.shape]).encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest() if arrays else ""


def restore(
    arrays: Mapping[str, np.ndarray],
    identities: tuple[str, ...],
    protocol: Protocol,
    device: str,
    names: Collection[str],
) -> IdentityClassifiers:
    """The classifiers that `IdentityClassifiers.arrays` gave.

    Args:
        arrays: as given there; every one is checked.
        identities: in the order of the outputs.
        protocol: holds the settings and the classifiers' seeds.
        device: `cpu` or `cuda`.
        names: the forms that they are to hold, and no other.

    Raises:
        FacialBenchError: an array that is missing, unknown, of another shape or dtype, or not finite; names it.
    """
    models: dict[str, list[Classifier]] = {}
    expected: set[str] = set()
    for name in names:
        models[name] = []
        for k in range(len(protocol.classifiers.seeds)):
            model = Classifier(forms()[name].channels, len(identities), protocol.classifiers.channels)
            state = model.state_dict()
            for part, blank in state.items():
                if not part.endswith(UNUSED):
                    expected.add(f"{name}|{k}|{part}")
                    state[part] = _checked(arrays, f"{name}|{k}|{part}", _stored(part, blank))
            model.load_state_dict(state)
            models[name].append(model.eval().to(device))
    if set(arrays) - expected:
        raise FacialBenchError(f"{min(set(arrays) - expected)!r} is no weight of these classifiers")
    return IdentityClassifiers(models, identities, protocol, device)


def _stored(part: str, tensor: torch.Tensor) -> np.ndarray:
    return tensor.cpu().numpy().astype(np.float32 if part in STANDARDISATION else np.float16)


def _checked(arrays: Mapping[str, np.ndarray], name: str, like: np.ndarray) -> torch.Tensor:
    """One weight as float32, if it is what such a weight can be."""
    if name not in arrays:
        raise FacialBenchError(f"{name!r} is missing")
    array = arrays[name]
    if array.shape != like.shape or array.dtype != like.dtype:
        raise FacialBenchError(f"{name!r} is {array.dtype} {array.shape}, not {like.dtype} {like.shape}")
    if not np.isfinite(array).all():
        raise FacialBenchError(f"{name!r} is not finite")
    return torch.from_numpy(array.astype(np.float32))
