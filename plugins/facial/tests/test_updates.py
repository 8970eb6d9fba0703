"""Updates as a GPU wants them: they read what they learn from on the device, and can be replayed as recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from pretended_cuda import PretendedCuda, Recorder
from torch import Tensor
from torch.utils._pytree import tree_leaves
from toy_training import make_networks, make_training_set

import facial_bench_facial.trainer
from facial_bench.errors import FacialBenchError
from facial_bench_facial.captured import WARM_UP, Captured
from facial_bench_facial.data import TrainingSet
from facial_bench_facial.draws import Batches, Draws, draw, joined
from facial_bench_facial.options import settings_for
from facial_bench_facial.side_by_side import SideBySide
from facial_bench_facial.trainer import Phase, Trainer

QUICK = settings_for("quick", {})
KINDS = pytest.mark.parametrize(("judge", "adversarial"), [("attributes", True), ("paper", True), ("paper", False)])


@pytest.fixture
def data() -> TrainingSet:
    return make_training_set()


def make_trainer(judge: str, people: int, device: str = "cpu", graph: bool = False) -> Trainer:
    """Of one person, or of several side by side, two windows a person and update."""
    generator, discriminator = make_networks(judge, device)
    settings = replace(QUICK, graph=graph)
    if people == 1:
        return Trainer(generator, discriminator, settings, device)
    copies = SideBySide(generator, people, 2), SideBySide(discriminator, people, 2)
    return Trainer(*copies, settings, device, people)


def drawn(trainer: Trainer, phase: Phase, data: TrainingSet, people: int) -> Draws:
    rng = torch.Generator().manual_seed(0)
    return joined([trainer.draw(phase, data, windows, rng) for windows in list(data.windows.values())[:people]])


@pytest.mark.parametrize("others", [0, 3])
def test_the_batches_are_those_of_the_draws(data: TrainingSet, others: int) -> None:
    draws = draw(data, data.windows["bob"], 5, 4, others, torch.Generator().manual_seed(0))
    batches = Batches(data, draws)
    for own, other in zip(draws.own, draws.others, strict=True):
        expected, batch = data.batch(own, other), batches()
        for name in ("audio", "states", "people", "other"):
            torch.testing.assert_close(getattr(batch, name), getattr(expected, name), rtol=0, atol=0)
    with pytest.raises(IndexError):
        batches()


def test_people_at_once_draw_what_they_draw_alone(data: TrainingSet) -> None:
    alone = [draw(data, windows, 5, 4, 3, torch.Generator().manual_seed(2)) for windows in data.windows.values()]
    together = joined(alone)
    for name, width in (("own", 4), ("others", 3)):
        parts = getattr(together, name).split(width, dim=1)
        assert [part.tolist() for part in parts] == [getattr(one, name).tolist() for one in alone]
    assert Batches(data, together)().people.tolist() == [0] * 4 + [1] * 4


def state_of(trainer: Trainer, batches: Batches) -> list[Tensor]:
    """All that an update changes."""
    kept = [batches._next]
    for network in (trainer.generator, trainer.discriminator):
        assert network is not None
        buffers = network._buffers_of_all.values() if isinstance(network, SideBySide) else network.buffers()
        kept += [*network.parameters(), *buffers]
    for optimiser in (trainer._adam, getattr(trainer, "_adam_d", None)):
        if optimiser is not None:
            kept += [value for values in optimiser.state.values() for value in values.values()]
    return kept


def followed(
    trainer: Trainer, phase: Phase, data: TrainingSet, people: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[Tensor], float, int]:
    """A phase with graphs that the CPU pretends to have: what is left of it, the last loss, the replays."""
    made: list[Batches] = []

    def watched(data: TrainingSet, draws: Draws) -> Batches:
        made.append(Batches(data, draws))
        return made[0]

    def there(update: Callable[[], Tensor], device: str) -> Captured:
        return Captured(update, "cuda")

    cuda = PretendedCuda(lambda: state_of(trainer, made[0]))
    with monkeypatch.context() as patch:
        cuda.take_part(patch)
        patch.setattr(facial_bench_facial.trainer, "Batches", watched)
        patch.setattr(facial_bench_facial.trainer, "Captured", there)
        told: list[int] = []
        loss = trainer.follow(phase, data, drawn(trainer, phase, data, people), told.append)
    assert told == [phase.steps] and int(made[0]._next) == phase.steps
    return state_of(trainer, made[0]), loss, sum(graph.replays for graph in cuda.graphs)


@pytest.mark.parametrize("people", [1, 2])
@KINDS
def test_replayed_updates_are_the_updates(
    data: TrainingSet, judge: str, adversarial: bool, people: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the bit. Adam's count of steps, the row of the batch and the norms' statistics must all move on the device."""
    phase = Phase("training", WARM_UP + 3, 2, 1e-3, adversarial)
    plain, graphed = (
        followed(make_trainer(judge, people, graph=graph), phase, data, people, monkeypatch) for graph in (False, True)
    )
    assert (plain[2], graphed[2]) == (0, 3)
    assert plain[1] == graphed[1]
    for expected, replayed in zip(plain[0], graphed[0], strict=True):
        torch.testing.assert_close(replayed, expected, rtol=0, atol=0)


@pytest.mark.parametrize("people", [1, 2])
@KINDS
def test_an_update_asks_nothing_of_the_host(
    data: TrainingSet, judge: str, adversarial: bool, people: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the device without numbers no value can be looked at, and no tensor of the host's may be among an update's."""
    monkeypatch.setattr(torch.optim.Adam, "step", lambda optimiser: None)  # there is no fused one for that device
    trainer = make_trainer(judge, people, "meta")
    trainer.prepare(1e-3, adversarial)
    tensors = (data.audio, data.states, data.starts, data.people)
    windows = {name: own.to("meta") for name, own in data.windows.items()}
    there = TrainingSet(*(tensor.to("meta") for tensor in tensors), windows)
    batches = Batches(there, drawn(trainer, Phase("training", 1, 2, 1e-3, adversarial), there, people))
    step = trainer.adversarial_step if adversarial else trainer.generator_step
    with Recorder() as seen:
        loss = step(batches())
    assert loss.shape == () and loss.is_meta
    for operation, *tensors in seen.operations:
        assert all(tensor.is_meta for tensor in tree_leaves(tensors) if isinstance(tensor, Tensor)), operation


def test_a_graph_is_refused_where_it_would_do_nothing(fitted: Callable[..., Any]) -> None:
    with pytest.raises(FacialBenchError, match="graph=yes needs a CUDA device, and training is on cpu"):
        fitted(graph="yes")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"compile": "yes", "graph": "yes"}, "compile=yes goes with neither graph=yes nor side_by_side=yes"),
        ({"side_by_side": "yes", "compile": "yes"}, "compile=yes goes with neither graph=yes nor side_by_side=yes"),
        ({"precision": "bf16", "side_by_side": "yes"}, "use precision=tf32 or fp32"),
    ],
)
def test_options_that_exclude_each_other_are_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(FacialBenchError, match=message):
        settings_for("quick", options)
    together = settings_for("quick", {"graph": "yes", "side_by_side": "yes", "precision": "tf32"})
    assert together.graph and together.side_by_side and together.tf32
