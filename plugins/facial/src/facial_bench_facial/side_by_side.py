"""Copies of one network, one a person, called and trained at once: P small steps are one that fills a GPU."""

from __future__ import annotations

import copy
from typing import Any, Generic, TypeVar

from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

Network = TypeVar("Network", bound=nn.Module)


class SideBySide(nn.Module, Generic[Network]):
    """P copies of a network with a parameter each of theirs, (P, ...), and the same for buffers.

    A call takes inputs of (k P B, ...): k blocks, in each of them B rows of the first person, then of the second, and
    so on. Every person's own network takes that person's k B rows, so that batch normalisation never mixes people. The
    outputs, a tensor or a tuple of tensors, come back in the order of the inputs.

    Args:
        network: to be copied; it is left as it is.
        people: P.
        batch: B.
    """

    def __init__(self, network: Network, people: int, batch: int) -> None:
        super().__init__()
        self.terms: tuple[str, ...] = getattr(network, "terms", ())
        self.one_pass: bool = getattr(network, "one_pass", False)
        self._people, self._batch, self._single = people, batch, (copy.deepcopy(network),)  # a tuple: no submodule
        stacked, self._buffers_of_all = stack_module_state([network] * people)
        self.stacks = nn.ParameterList(stacked.values())
        self._stacked = dict(zip(stacked, self.stacks, strict=True))

    def forward(self, *inputs: Tensor) -> Any:
        """Each (k P B, ...) -> the network's outputs, each (k P B, ...)."""
        outputs = vmap(self._one)(self._stacked, self._buffers_of_all, tuple(map(self._apart, inputs)))
        return tuple(map(self._together, outputs)) if isinstance(outputs, tuple) else self._together(outputs)

    def train(self, mode: bool = True) -> SideBySide[Network]:
        """As of any module: the copies are in that mode."""
        self._single[0].train(mode)
        return super().train(mode)

    def networks(self) -> list[Network]:
        """The P networks by themselves, in the mode that they are in."""
        everything = self._stacked | self._buffers_of_all
        result = [copy.deepcopy(self._single[0]) for _ in range(self._people)]
        for person, network in enumerate(result):
            network.load_state_dict({name: everything[name][person] for name in network.state_dict()})
        return result

    def _one(self, parameters: dict[str, Tensor], buffers: dict[str, Tensor], inputs: tuple[Tensor, ...]) -> Any:
        return functional_call(self._single[0], (parameters, buffers), inputs)

    def _apart(self, rows: Tensor) -> Tensor:
        """(k P B, ...) -> (P, k B, ...)."""
        return rows.unflatten(0, (-1, self._people, self._batch)).transpose(0, 1).flatten(1, 2)

    def _together(self, rows: Tensor) -> Tensor:
        """(P, k B, ...) -> (k P B, ...)."""
        return rows.unflatten(1, (-1, self._batch)).transpose(0, 1).flatten(0, 2)
