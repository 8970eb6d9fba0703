"""The conformance checks of renderers: a good one passes all, each broken one fails the check of its defect."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from facial_bench.cli import main
from facial_bench.errors import FacialBenchError, GenerationError
from facial_bench.isolation.conditions import Conditions
from facial_bench.plugin_api.conformance import (
    Finding,
    RendererSubject,
    check_renderer,
    make_renderer_subject,
    renderer_checks,
)
from facial_bench.plugin_api.conformance.renderer_world import World, make_world
from facial_bench.plugin_api.manager import load_plugins
from facial_bench.rendering.renderer import RendererCode
from facial_bench.types import Appearance, Camera, Context, Motion, RendererSpec, VideoClip


class Good:
    """The mean picture of the person, brighter with the state, and with one number that is drawn in `fit`."""

    def __init__(self, context: Context) -> None:
        self.means: dict[str, np.ndarray] = {}

    def fit(self, videos: Sequence[VideoClip], context: Context) -> None:
        drawn = np.random.default_rng(context.seed).random()
        self.means = {one.clip.identity: one.frames.mean(axis=0) + 20 * drawn for one in videos}

    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Any:
        if like.identity not in self.means:
            raise FacialBenchError(f"Nobody taught me {like.identity}.")
        if not np.isfinite(motion.state()).all():
            raise GenerationError("The motion is not finite.")
        light = 10 * motion.state()[:, [0, 65, 70]].sum(axis=1)[:, None, None, None]
        return np.clip(self.means[like.identity] + light, 0, 255).astype(np.uint8)

    def state_dict(self) -> Mapping[str, np.ndarray]:
        return self.means

    def load_state_dict(self, state: Mapping[str, np.ndarray], context: Context) -> None:
        self.means = dict(state)


class CannotBeCreated(Good):
    def __init__(self, context: Context) -> None:
        raise ValueError("two\nlines")


class CannotFit(Good):
    def fit(self, videos: Sequence[VideoClip], context: Context) -> None:
        raise ValueError("two\nlines")


class WritesPictures(Good):
    def fit(self, videos: Sequence[VideoClip], context: Context) -> None:
        videos[0].frames[0] = 0


class Floats(Good):
    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Any:
        return super().render(motion, camera, like) / 255


class Half(Good):
    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Any:
        return super().render(motion, camera, like)[:, ::2, ::2]


class WholeBlocks(Good):
    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Any:
        return super().render(motion, camera, like)[: max(motion.frames // 50 * 50, 1)]


class DropsLast(Good):
    """Right for up to a block, short by a picture beyond."""

    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Iterator[np.ndarray]:
        made = super().render(motion, camera, like)
        return iter([made[:100], made[101:]])


class Raises(Good):
    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Any:
        raise KeyError(f"{motion.frames} frames of {like.crop.size} pixels")


class NeedsTwo(Good):
    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Any:
        made = super().render(motion, camera, like)
        return made[0] if len(made) == 1 else made


class NeedsOne(Good):
    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Any:
        return np.stack(list(super().render(motion, camera, like)))


class Noisy(Good):
    times = 0

    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Any:
        self.times += 1
        return super().render(motion, camera, like) + np.uint8(self.times % 256)


class Carries(Good):
    last = 0

    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Any:
        made = super().render(motion, camera, like) + np.uint8(self.last)
        self.last = motion.frames
        return made


class KeepsThePerson(Good):
    """The pictures are lit as those of whom was rendered last."""

    last = ""

    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Any:
        made = super().render(motion, camera, like) + np.uint8(self.last not in ("", like.identity))
        self.last = like.identity
        return made


class Forgets(Good):
    def state_dict(self) -> Mapping[str, np.ndarray]:
        return {name: 0.5 * mean for name, mean in self.means.items()}


class StoresObjects(Good):
    def state_dict(self) -> Mapping[str, np.ndarray]:
        return {"means": np.array([{}], dtype=object)}


class UnseededFit(Good):
    def fit(self, videos: Sequence[VideoClip], context: Context) -> None:
        super().fit(videos, context)
        drawn = 30 * np.random.default_rng().random()
        self.means = {name: mean - drawn for name, mean in self.means.items()}


class Everyman(Good):
    def fit(self, videos: Sequence[VideoClip], context: Context) -> None:
        super().fit(videos, context)
        self.means = dict.fromkeys(self.means, sum(self.means.values()) / len(self.means))


class FirstOnly(Good):
    def fit(self, videos: Sequence[VideoClip], context: Context) -> None:
        super().fit(videos[:1], context)


class Anybody(Good):
    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Any:
        known = like.identity if like.identity in self.means else next(iter(self.means))
        return super().render(motion, camera, Appearance(known, like.crop, like.fps))


class NobodyIsAKeyError(Good):
    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Any:
        self.means[like.identity]
        return super().render(motion, camera, like)


class TakesNan(Good):
    def render(self, motion: Motion, camera: Camera, like: Appearance) -> Any:
        return super().render(Motion.from_state(np.nan_to_num(motion.state())), camera, like)


DEFECTS: dict[str, tuple[type[Good], ...]] = {
    "creates": (CannotBeCreated,),
    "fits": (CannotFit, WritesPictures),
    "pictures": (Floats, Half, WholeBlocks, DropsLast, Raises),
    "one-frame": (NeedsTwo,),
    "no-frames": (NeedsOne,),
    "repeatable": (Noisy,),
    "order": (Carries, KeepsThePerson),
    "state": (Forgets, StoresObjects),
    "seed": (UnseededFit,),
    "people": (Everyman, FirstOnly),
    "unknown-person": (Anybody, NobodyIsAKeyError),
    "not-finite": (TakesNan,),
}
BROKEN = [(check, broken) for check, every in DEFECTS.items() for broken in every]


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


def subject(world: World, create: Callable[[Context], Any], **more: Any) -> RendererSubject:
    return make_renderer_subject(RendererSpec("toy", "a toy", "none", create), world=world, **more)


def states(told: Mapping[str, Finding]) -> dict[str, str]:
    return {name: finding.state for name, finding in told.items()}


def test_the_world_is_small_and_always_the_same(world: World, tmp_path: Path) -> None:
    again = make_world()
    assert [clip.frames for clip in world.training] == [40] * 4
    assert [clip.frames for clip in world.held_out] == [150] * 2
    assert {clip.identity for clip in world.training} == set(world.info.identities) == set(world.face_model.neutral)
    for one, other in zip(world.training, again.training, strict=True):
        np.testing.assert_array_equal(one.motion.state(), other.motion.state())
    for number, crop in enumerate(world.crops):
        seen = crop.points(world.training[number].landmarks)
        assert seen.min() > 0, "the face lies within the picture"
        assert seen.max() < crop.size


def test_a_good_renderer_passes_everything(world: World) -> None:
    told = check_renderer(subject(world, Good))
    assert {name for name, finding in told.items() if finding.state != "pass"} == {"follows", "speed"}
    assert told["follows"] == Finding("property", "expression, pose, blink")
    assert told["speed"].text.endswith("pictures of 64 x 64 pixels a second on cpu")


@pytest.mark.parametrize(("name", "broken"), BROKEN)
def test_every_defect_fails_the_check_of_its_name_and_no_other(name: str, broken: type[Good], world: World) -> None:
    told = check_renderer(subject(world, broken))
    assert [check for check, finding in told.items() if finding.state == "fail"] == [name]
    assert told[name].text
    assert "\n" not in told[name].text
    assert {finding.text for finding in told.values() if finding.state == "skip"} <= {f"as `{name}` failed"}


def test_every_check_that_can_fail_has_its_broken_renderer() -> None:
    assert {check.name for check in renderer_checks()} - set(DEFECTS) == {"follows", "speed"}


@pytest.mark.parametrize(
    ("broken", "name", "text"),
    [
        (
            CannotBeCreated,
            "creates",
            "could not be created: raised ValueError: two lines (test_renderer_conformance.py",
        ),
        (CannotFit, "fits", "could not be fitted: raised ValueError: two lines (test_renderer_conformance.py"),
        (Half, "pictures", "150 frames: gave uint8 (150, 32, 32, 3), expected uint8 (n, 64, 64, 3)"),
        (DropsLast, "pictures", "150 frames: gave 149 pictures for 150 frames of motion"),
        (NeedsOne, "no-frames", "0 frames: raised ValueError: need at least one array to stack"),
        (StoresObjects, "state", "state_dict holds means, object: give numpy arrays of numbers"),
        (Everyman, "people", "two people look the same; render whom like.identity names"),
        (Anybody, "unknown-person", "a person who was not trained was rendered; raise a FacialBenchError of one line"),
        (NobodyIsAKeyError, "unknown-person", "a person who was not trained: raised KeyError: 'somebody else'"),
        (TakesNan, "not-finite", "a frame that is not a number was rendered; raise a FacialBenchError of one line"),
    ],
)
def test_the_reason_says_what_to_mend(broken: type[Good], name: str, text: str, world: World) -> None:
    check = next(check for check in renderer_checks() if check.name == name)
    with closing(subject(world, broken)) as made:
        assert check.run(made).text.startswith(text)


def test_what_cannot_be_repeated_is_not_compared(world: World) -> None:
    told = check_renderer(subject(world, Noisy))
    skipped = {name for name, finding in told.items() if finding.text == "as `repeatable` failed"}
    assert skipped == {"order", "state", "seed", "people", "follows"}


def test_a_renderer_that_stores_nothing_is_told_what_that_costs(world: World) -> None:
    class Plain:
        def __init__(self, context: Context) -> None:
            good = Good(context)
            self.fit, self.render = good.fit, good.render

    finding = check_renderer(subject(world, Plain))["state"]
    assert finding == Finding("skip", "no state_dict and load_state_dict: an interrupted rendering is fitted again")


def test_a_still_picture_is_a_property_and_no_failure(world: World) -> None:
    class Still(Good):
        def render(self, motion: Motion, camera: Camera, like: Appearance) -> Any:
            made = super().render(motion, camera, like)
            made[:] = self.means[like.identity].astype(np.uint8)
            return made

    told = check_renderer(subject(world, Still))
    assert told["follows"] == Finding("property", "the same pictures whatever the motion")
    assert "fail" not in states(told).values()


def test_what_is_followed_is_named(world: World) -> None:
    class Turns(Good):
        def render(self, motion: Motion, camera: Camera, like: Appearance) -> Any:
            state = np.where(np.arange(71) == 65, motion.state(), 0 * motion.state())
            return super().render(Motion.from_state(state), camera, like)

    assert check_renderer(subject(world, Turns))["follows"].text == "pose; not expression, blink"


def test_undeclared_options_never_reach_a_renderer(world: World) -> None:
    told = check_renderer(subject(world, Good, options={"stpes": "5"}))
    assert told["creates"].text == "could not be created: renderer toy: unknown option 'stpes'. Available: none."


@pytest.mark.parametrize("name", ["mean-frame", "nearest-frame", "linear"])
def test_null_renderers_pass(name: str, world: World) -> None:
    spec = load_plugins(installed=[]).get("renderers", "renderer", name).spec
    told = check_renderer(make_renderer_subject(spec, world=world))
    assert set(states(told).values()) == {"pass", "property"}
    assert (told["follows"].text == "the same pictures whatever the motion") == (name == "mean-frame")


PLUGIN = """
import os
import facial_bench
import numpy as np
from facial_bench.errors import FacialBenchError
from facial_bench.types import RendererSpec

class Grey:
    def __init__(self, context):
        self.level = int(context.options.get("level", "1"))
    def fit(self, videos, context):
        self.people = {one.clip.identity: k for k, one in enumerate(videos)}
    def render(self, motion, camera, like):
        if like.identity not in self.people:
            UNKNOWN
        if not np.isfinite(motion.state()).all():
            raise FacialBenchError("not finite")
        size = like.crop.size
        return np.full((motion.frames, size, size, 3), self.level + self.people[like.identity], np.uint8)

@facial_bench.hookimpl
def facial_bench_renderers():
    return [RendererSpec("grey", "grey", "none", Grey, options={"level": "how light; default 1"})]
"""


def run_check(tmp_path: Path, unknown: str, *more: str) -> Any:
    path = tmp_path / "grey.py"
    path.write_text(PLUGIN.replace("UNKNOWN", unknown))
    return CliRunner().invoke(main, ["check", "grey", "--renderer", "--plugin", str(path), *more])


def test_a_renderer_of_a_file_is_checked_in_its_own_process(tmp_path: Path) -> None:
    done = run_check(tmp_path, "raise FacialBenchError('who?')", "--option", "level=9", "--timeout", "60")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "grey (grey.py)"
    assert [line.split()[0] for line in lines[1:15]] == [check.name for check in renderer_checks()]
    assert lines[15] == "11 pass, 1 skip, 2 property"
    assert "checking grey: 14/14" in done.stderr


def test_a_broken_promise_is_exit_1_and_json_says_which(tmp_path: Path) -> None:
    done = run_check(tmp_path, "raise KeyError(like.identity)", "--json")
    assert done.exit_code == 1
    assert "Error: 1 check failed: grey: unknown-person." in done.stderr
    told = json.loads(done.stdout)["grey"]
    assert told["unknown-person"]["state"] == "fail"
    assert told["pictures"] == {"state": "pass", "text": ""}


def test_a_process_that_ends_is_one_failure(tmp_path: Path, world: World) -> None:
    path = tmp_path / "grey.py"
    path.write_text(PLUGIN.replace("UNKNOWN", "os._exit(3)"))
    code = RendererCode("grey", "none", "grey.py", "", "0" * 64, {"file": str(path)})
    told = check_renderer(RendererSubject(code, world=world, conditions=Conditions(timeout=60)))
    assert [name for name, finding in told.items() if finding.state == "fail"] == ["unknown-person"]


@pytest.mark.parametrize("option", [["--corpus", "synthetic"], ["--max-look-ahead", "1"], ["--in-process"]])
def test_what_is_of_methods_only_is_wrong_usage(option: list[str]) -> None:
    done = CliRunner().invoke(main, ["check", "mean-frame", "--renderer", *option])
    assert done.exit_code == 2
    assert f"{option[0]} is for methods. Leave it out with --renderer." in done.stderr


def test_an_unknown_renderer_is_one_line() -> None:
    done = CliRunner().invoke(main, ["check", "mean-frme", "--renderer"])
    assert done.exit_code == 1
    assert "Unknown renderer 'mean-frme'. Did you mean 'mean-frame'?" in done.stderr
