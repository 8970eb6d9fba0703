"""The personalization classifiers: is the head motion, are the blinks, this person's?

Source: supplement, section 3: an N-way classifier of 128 x 6 head poses (and one of 128 x 1 eye blinks),
convolutions - average pooling - one dense layer, cross-entropy, Adam with learning rate 1e-4, the best on
validation. Where the split has no validation part the last of a fixed number of steps is kept.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from facial_bench.core import windows
from facial_bench.core.digests import canonical_json, derive_seed
from facial_bench.core.errors import FacialBenchError
from facial_bench.core.files import read_arrays, write_arrays
from facial_bench.core.progress import QUIET, Reporter
from facial_bench.core.protocol import ClassifierSettings, Protocol
from facial_bench.core.types import Clip, Motion
from facial_bench.core.windows import window_starts


@dataclass(frozen=True)
class Form:
    """What a classifier sees of a window of motion."""

    name: str
    kind: str
    """`pose` or `blink`."""
    channels: int
    """The first so many columns: 6 pose, 3 rotation only, 1 blink."""
    centred: bool
    """Whether the mean of the window is removed, because the mean pose is the camera's."""

    def signal(self, motion: Motion) -> np.ndarray:
        """(T, channels) float32 of a motion."""
        return motion.pose[:, : self.channels] if self.kind == "pose" else motion.blink[:, None]


def forms() -> dict[str, Form]:
    """The five forms, by name."""
    every = (
        Form("pose", "pose", 6, True),
        Form("pose/raw", "pose", 6, False),
        Form("pose/rotation", "pose", 3, True),
        Form("blink", "blink", 1, True),
        Form("blink/raw", "blink", 1, False),
    )
    return {form.name: form for form in every}


class Classifier(nn.Module):
    """(B, 128, C) windows -> (B, N) logits: strided convolutions, average pooling, one dense layer.

    Args:
        channels: C.
        identities: N.
        widths: output channels of the convolutions, each of kernel 5 and stride 2.
    """

    def __init__(self, channels: int, identities: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("std", torch.ones(channels))
        layers: list[nn.Module] = []
        for before, after in zip([channels, *widths[:-1]], widths, strict=True):
            layers += [nn.Conv1d(before, after, 5, stride=2, padding=2), nn.ReLU(), nn.BatchNorm1d(after)]
        self.convolutions = nn.Sequential(*layers)
        self.dense = nn.Linear(widths[-1], identities)

    def forward(self, windows: Tensor) -> Tensor:
        """Class logits."""
        scaled = (windows - self.mean) / self.std
        return self.dense(self.convolutions(scaled.transpose(1, 2)).mean(dim=2))


@dataclass(frozen=True, eq=False)
class IdentityClassifiers:
    """The trained classifiers of a corpus: one per form and judge seed."""

    models: Mapping[str, Sequence[Classifier]]
    identities: tuple[str, ...]
    protocol: Protocol
    device: str

    def predict(self, form: Form, motion: Motion, starts: np.ndarray) -> np.ndarray:
        """Class of each window, by each judge: (S, W) int64, an index into `identities`.

        Args:
            form: what to look at.
            motion: T frames, physical units.
            starts: (W,) first frames of the windows.
        """
        if not len(starts):
            return np.zeros((len(self.models[form.name]), 0), np.int64)
        signal = torch.tensor(form.signal(motion), dtype=torch.float32, device=self.device)
        windows = _windows(signal, torch.from_numpy(starts).to(self.device), self.protocol.window, form.centred)
        with torch.inference_mode():
            return np.stack([model(windows).argmax(dim=1).cpu().numpy() for model in self.models[form.name]])


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
    """The judges of a corpus, from the cache if they are there.

    Args:
        training, validation: REAL clips; validation may be empty.
        identities: in the order of the outputs.
        protocol: holds the settings and the judge seeds.
        key: digest of the corpus and name of the fold; names the cache entry together with the protocol, the device,
            torch's version and the source of this module and of `core.windows`.
        cache: folder.
        device: `cpu` or `cuda`.
        report: told of every trained classifier.

    Returns:
        The judges, and whether they came from the cache.
    """
    files = [Path(__file__), Path(windows.__file__)]
    source = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    parts = [protocol.training_digest(), key, device, torch.__version__, source]
    path = cache / "judges" / f"{hashlib.sha256(canonical_json(parts).encode()).hexdigest()[:32]}.safetensors"
    if path.is_file():
        try:
            return _restore(path, identities, protocol, device), True
        except (FacialBenchError, RuntimeError, KeyError) as problem:
            report(f"classifiers: the cached ones at {path} are damaged ({type(problem).__name__}); training again")
    models = _train_all(training, validation, identities, protocol, device, report)
    arrays = {
        f"{name}|{k}|{part}": tensor.cpu().numpy()
        for name, classifiers in models.items()
        for k, classifier in enumerate(classifiers)
        for part, tensor in classifier.state_dict().items()
    }
    write_arrays(path, arrays)
    return IdentityClassifiers(models, identities, protocol, device), False


@dataclass(frozen=True, eq=False)
class _Dataset:
    """All frames of one form on the device; a batch is an index."""

    frames: Tensor
    starts: Tensor
    labels: Tensor


def _dataset(
    clips: Sequence[Clip], form: Form, identities: Sequence[str], protocol: Protocol, stride: int, device: str
) -> _Dataset:
    frames, starts, labels, offset = [], [], [], 0
    for clip in clips:
        own = window_starts(clip.valid, protocol.window, stride)
        frames.append(form.signal(clip.motion))
        starts.append(own + offset)
        labels.append(np.full(len(own), identities.index(clip.identity)))
        offset += clip.frames
    return _Dataset(
        torch.from_numpy(np.concatenate(frames).astype(np.float32)).to(device),
        torch.from_numpy(np.concatenate(starts).astype(np.int64)).to(device),
        torch.from_numpy(np.concatenate(labels).astype(np.int64)).to(device),
    )


def _windows(frames: Tensor, starts: Tensor, window: int, centred: bool) -> Tensor:
    """(W, window, C) of a (T, C) signal, by one gather."""
    found = frames[starts[:, None] + torch.arange(window, device=frames.device)]
    return found - found.mean(dim=1, keepdim=True) if centred else found


def _train_all(
    training: Sequence[Clip],
    validation: Sequence[Clip],
    identities: tuple[str, ...],
    protocol: Protocol,
    device: str,
    report: Reporter,
) -> dict[str, list[Classifier]]:
    """Every form and seed; on a CPU one network a core, each on one thread.

    These networks are too small to share cores (two threads on one take 10 ms a step, two networks on one thread each
    6 ms a step and network), and one thread each makes the result the same whatever the number of cores.
    """
    jobs, settings = [], protocol.classifiers
    for form in forms().values():
        data = _dataset(training, form, identities, protocol, protocol.training_stride, device)
        held = _dataset(validation, form, identities, protocol, protocol.scoring_stride, device) if validation else None
        for seed in settings.seeds:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(derive_seed(seed, "classifier", form.name))
                model = Classifier(form.channels, len(identities), settings.channels)
            jobs.append((model, form, data, held, protocol, seed))
    workers, threads = (os.cpu_count() or 1) if device == "cpu" else 1, torch.get_num_threads()
    models: dict[str, list[Classifier]] = {form: [] for form in forms()}
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            trained = pool.map(lambda job: _train(*job), jobs)
            for number, (job, model) in enumerate(zip(jobs, trained, strict=True), start=1):
                models[job[1].name].append(model)
                report.progress(number, len(jobs), "identity classifiers")
    finally:
        torch.set_num_threads(threads)
    return models


def _train(
    model: Classifier, form: Form, data: _Dataset, held: _Dataset | None, protocol: Protocol, seed: int
) -> Classifier:
    settings: ClassifierSettings = protocol.classifiers
    device = data.frames.device
    _standardise(model, data, protocol.window, form.centred)
    model = model.to(device)
    order = _balanced_batches(data.labels.cpu(), settings, seed).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, fused=True)
    best: tuple[float, dict[str, Tensor]] | None = None
    for step in range(settings.steps):
        rows = order[step]
        windows = _windows(data.frames, data.starts[rows], protocol.window, form.centred)
        loss = nn.functional.cross_entropy(model(windows), data.labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if held is not None and len(held.starts) and (step + 1) % settings.select_every == 0:
            score = _balanced_accuracy(model, held, protocol.window, form.centred)
            if best is None or score > best[0]:
                best = score, {name: tensor.clone() for name, tensor in model.state_dict().items()}
    if best is not None:
        model.load_state_dict(best[1])
    return model.eval()


def _standardise(model: Classifier, data: _Dataset, window: int, centred: bool) -> None:
    """Set the mean and deviation of each channel over all training windows, a part of them at a time."""
    sums = torch.zeros(3, data.frames.shape[1], dtype=torch.float64)
    for starts in data.starts.split(4096):
        part = _windows(data.frames, starts, window, centred).double()
        sums += torch.stack([torch.ones_like(part).sum((0, 1)), part.sum((0, 1)), part.square().sum((0, 1))]).cpu()
    mean = sums[1] / sums[0]
    model.mean.copy_(mean)
    model.std.copy_((sums[2] / sums[0] - mean.square()).clamp_min(1e-12).sqrt())


def _balanced_batches(labels: Tensor, settings: ClassifierSettings, seed: int) -> Tensor:
    """(steps, batch) rows to train on: an identity at random, then one of its windows."""
    rng = np.random.default_rng(derive_seed(seed, "batches"))
    people, rows = np.unique(labels.numpy()), []
    pools = [np.flatnonzero(labels.numpy() == person) for person in people]
    for person in rng.integers(len(people), size=settings.steps * settings.batch):
        rows.append(pools[person][rng.integers(len(pools[person]))])
    return torch.tensor(np.array(rows)).view(settings.steps, settings.batch)


def _balanced_accuracy(model: Classifier, data: _Dataset, window: int, centred: bool) -> float:
    """Share of the windows recognised, averaged over the identities present."""
    model.eval()
    with torch.inference_mode():
        right = model(_windows(data.frames, data.starts, window, centred)).argmax(dim=1) == data.labels
    model.train()
    return float(torch.stack([right[data.labels == person].float().mean() for person in data.labels.unique()]).mean())


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
