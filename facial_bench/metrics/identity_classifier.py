"""The identity classifiers of a corpus: is the head motion, are the blinks, this person's?

Trained once (`classifier_training`) and kept in the cache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from facial_bench.core import windows
from facial_bench.core.digests import canonical_json
from facial_bench.core.errors import FacialBenchError
from facial_bench.core.files import read_arrays, write_arrays
from facial_bench.core.progress import QUIET, Reporter
from facial_bench.core.protocol import Protocol
from facial_bench.core.types import Clip, Motion
from facial_bench.metrics import classifier, classifier_training
from facial_bench.metrics.classifier import Classifier, Form, cut_windows, forms
from facial_bench.metrics.classifier_training import train_all


@dataclass(frozen=True, eq=False)
class IdentityClassifiers:
    """The trained classifiers of a corpus: one per form and classifier seed."""

    models: Mapping[str, Sequence[Classifier]]
    identities: tuple[str, ...]
    protocol: Protocol
    device: str
    missing: str = ""
    """Why there are none: too little motion, or one person alone. Everything else is measured all the same."""

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
        with torch.inference_mode():
            return np.stack([model(cut).argmax(dim=1).cpu().numpy() for model in self.models[form.name]])


def load_or_train(
    training: Sequence[Clip],
    validation: Sequence[Clip],
    identities: tuple[str, ...],
    protocol: Protocol,
    *,
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
        key: digest of the corpus and name of the fold; names the cache entry together with the protocol, the device,
            torch's version and the source of what decides the weights.
        cache: folder.
        device: `cpu` or `cuda`.
        report: hears of every trained classifier, and of a damaged cache entry.

    Returns:
        The classifiers, and whether they came from the cache.
    """
    files = [str(module.__file__) for module in (classifier, classifier_training, windows)]
    source = hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()
    parts = [protocol.training_digest(), key, device, torch.__version__, source]
    path = cache / "classifiers" / f"{hashlib.sha256(canonical_json(parts).encode()).hexdigest()[:32]}.safetensors"
    if path.is_file():
        try:
            return _restore(path, identities, protocol, device), True
        except (FacialBenchError, RuntimeError, KeyError) as problem:
            report(f"classifiers: the cached ones at {path} are damaged ({type(problem).__name__}); training again")
    models = train_all(training, validation, identities, protocol, device, report)
    arrays = {
        f"{name}|{k}|{part}": tensor.cpu().numpy()
        for name, trained in models.items()
        for k, model in enumerate(trained)
        for part, tensor in model.state_dict().items()
    }
    write_arrays(path, arrays)
    return IdentityClassifiers(models, identities, protocol, device), False


def _restore(path: Path, identities: tuple[str, ...], protocol: Protocol, device: str) -> IdentityClassifiers:
    arrays, _ = read_arrays(path, FacialBenchError, "")
    models: dict[str, list[Classifier]] = {}
    for name, form in forms().items():
        models[name] = []
        for k in range(len(protocol.classifiers.seeds)):
            model = Classifier(form.channels, len(identities), protocol.classifiers.channels)
            prefix = f"{name}|{k}|"
            state = {n.removeprefix(prefix): torch.from_numpy(a) for n, a in arrays.items() if n.startswith(prefix)}
            model.load_state_dict(state)
            models[name].append(model.eval().to(device))
    return IdentityClassifiers(models, identities, protocol, device)
