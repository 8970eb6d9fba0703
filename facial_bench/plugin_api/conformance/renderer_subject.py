"""What is checked: a renderer in a small world, made and fitted once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from facial_bench.core.digests import derive_seed
from facial_bench.core.progress import QUIET, Reporter
from facial_bench.core.types import Context, Motion, RendererSpec
from facial_bench.isolation.conditions import Conditions
from facial_bench.isolation.door import MethodDiedError
from facial_bench.isolation.worker_renderer import LocalRenderer, RendererDoor, WorkerRenderer
from facial_bench.plugin_api.conformance.renderer_world import World, make_world
from facial_bench.rendering.renderer import RendererCode


@dataclass(frozen=True, eq=False)
class RendererSubject:
    """A renderer under test. It is fitted when a check first needs it, again for `seed` and after its process ended."""

    code: RendererCode
    device: str = "cpu"
    """`cpu` or `cuda`."""
    options: Mapping[str, str] = field(default_factory=dict)
    """What the renderer is made with; short training, for example."""
    conditions: Conditions = field(default_factory=Conditions)
    """Under which it runs, where it is not of this very process."""
    report: Reporter = QUIET
    """Told which check runs; the renderer's own lines and progress go there too."""
    world: World = field(default_factory=make_world)
    """What it learns from and is asked for."""
    findings: dict[str, Any] = field(default_factory=dict)
    """Check -> what it found: each check runs once on a subject."""
    causes: dict[str, str] = field(default_factory=dict)
    """What the renderer did wrong (without the numbers in it) -> the check that met it first."""
    opened: list[RendererDoor] = field(default_factory=list)
    """What `close` ends."""

    @property
    def name(self) -> str:
        """Of the renderer."""
        return self.code.name

    @cached_property
    def fitted(self) -> RendererDoor:
        """The renderer, fitted on the training clips."""
        return self.fit()

    def create(self) -> RendererDoor:
        """A fresh instance, unfitted. Raises MethodRaisedError or MethodDiedError where it cannot be created."""
        world = self.world
        context = Context(
            world.info,
            derive_seed(0, "fit"),
            self.device,
            options=dict(self.options),
            face_model=world.face_model,
            log=self.report,
            progress=self.report.progress,
        )
        door: RendererDoor
        if self.code.spec is not None:
            door = LocalRenderer(self.code.spec, context)
        else:
            door = WorkerRenderer(self.name, self.code.origin, context, self.conditions, self.report)
        self.opened.append(door)
        return door

    def fit(self) -> RendererDoor:
        """A fresh instance, fitted. Raises as `create`, and FacialBenchError where there is no space for the clips."""
        door = self.create()
        self.world.write(door.clips)
        door.fit()
        return door

    def close(self) -> None:
        """End all instances."""
        for door in self.opened:
            door.close()

    def pictures(self, motion: Motion, identity: str | None = None, door: RendererDoor | None = None) -> np.ndarray:
        """The pictures of a motion, in memory.

        Args:
            motion: T frames, physical units.
            identity: Whose face; the first person's, if None.
            door: An instance that has learned; the fitted one, if None.

        Returns:
            (T, 64, 64, 3) uint8 RGB.

        Raises:
            MethodRaisedError: it raised, or gave something else. MethodDiedError: its process ended.
        """
        like = self.world.like if identity is None else replace(self.world.like, identity=identity)
        try:
            return np.array((door or self.fitted).render(motion, self.world.training[0].camera, like))
        except MethodDiedError:
            if door is None:
                vars(self).pop("fitted", None)  # fitted anew, so that the other checks are of the renderer again
            raise


def make_renderer_subject(spec: RendererSpec, **more: Any) -> RendererSubject:
    """A subject of a spec that is at hand: it runs in this process; see `RendererSubject` for what `more` may be."""
    return RendererSubject(RendererCode(spec.name, spec.reference, "", "", "", {}, spec), **more)
