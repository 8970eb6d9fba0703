"""How the identity classifiers are trained.

Source: supplement, section 3: cross-entropy, Adam with learning rate 1e-4, the best on validation. Where the split has
no validation part the last of a fixed number of steps is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from facial_bench.core.device import one_thread
from facial_bench.core.digests import derive_seed
from facial_bench.core.progress import Reporter
from facial_bench.core.protocol import ClassifierSettings, Protocol
from facial_bench.core.threads import usable_cpus
from facial_bench.core.types import Clip
from facial_bench.core.windows import window_starts
from facial_bench.metrics.classifier import Classifier, Form, cut_windows, forms


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


def train_all(
    training: Sequence[Clip],
    validation: Sequence[Clip],
    identities: tuple[str, ...],
    protocol: Protocol,
    device: str,
    report: Reporter,
    names: Collection[str],
) -> dict[str, list[Classifier]]:
    """Every seed of the named forms; on a CPU one network a core that may be used, each on one thread.

    These networks are too small to share cores (two threads on one take 10 ms a step, two networks on one thread each
    6 ms a step and network), and one thread each makes the result the same whatever the number of cores.
    """
    jobs, settings = [], protocol.classifiers
    for form in (forms()[name] for name in names):
        data = _dataset(training, form, identities, protocol, protocol.training_stride, device)
        held = _dataset(validation, form, identities, protocol, protocol.scoring_stride, device) if validation else None
        for seed in settings.seeds:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(derive_seed(seed, "classifier", form.name))
                model = Classifier(form.channels, len(identities), settings.channels)
            jobs.append((model, form, data, held, protocol, seed))
    workers = usable_cpus() if device == "cpu" else 1
    models: dict[str, list[Classifier]] = {name: [] for name in names}
    with one_thread(), ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        trained = pool.map(lambda job: _train(*job), jobs)
        for number, (job, model) in enumerate(zip(jobs, trained, strict=True), start=1):
            models[job[1].name].append(model)
            report.progress(number, len(jobs), "identity classifiers")
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
        windows = cut_windows(data.frames, data.starts[rows], protocol.window, form.centred)
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
    return _rounded(model).eval()


def _rounded(model: Classifier) -> Classifier:
    """Weights that float16 holds exactly, so that what is published is what was used, to the last bit. The
    standardisation of the channels stays float32: it is in physical units, which float16 may not reach."""
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point() and name not in ("mean", "std"):
                tensor.copy_(tensor.half())
    return model


def _standardise(model: Classifier, data: _Dataset, window: int, centred: bool) -> None:
    """Set the mean and deviation of each channel over all training windows, a part of them at a time."""
    sums = torch.zeros(3, data.frames.shape[1], dtype=torch.float64)
    for starts in data.starts.split(4096):
        part = cut_windows(data.frames, starts, window, centred).double()
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
        right = model(cut_windows(data.frames, data.starts, window, centred)).argmax(dim=1) == data.labels
    model.train()
    return float(torch.stack([right[data.labels == person].float().mean() for person in data.labels.unique()]).mean())
