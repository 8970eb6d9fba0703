"""The personalization classifiers: shapes from the supplement, what they can and cannot tell apart."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from facial_bench.core import windows
from facial_bench.core.protocol import ClassifierSettings, Protocol
from facial_bench.core.windows import window_starts
from facial_bench.errors import FacialBenchError
from facial_bench.metrics import classifier, classifier_training
from facial_bench.metrics.classifier import Classifier, Form, cut_windows, forms
from facial_bench.metrics.identity_classifier import (
    IdentityClassifiers,
    classifiers_digest,
    load_or_train,
    named_arrays,
    restore,
)
from facial_bench.types import Clip, Motion
from tests.helpers.faces import Lines, make_clip, make_model

PEOPLE = ("a", "b")
MODEL = make_model(PEOPLE)


def some_clips(scales: Sequence[float], first: int = 0, clips: int = 3, frames: int = 300) -> list[Clip]:
    """Clips of people who differ in the size of their motion only."""
    return [
        make_clip(MODEL, person, f"{person}{k}", frames, 1000 * p + first + k, scales[p])
        for p, person in enumerate(PEOPLE)
        for k in range(clips)
    ]


@pytest.fixture(scope="module")
def rules() -> Protocol:
    return replace(
        Protocol(),
        classifiers=ClassifierSettings(seeds=(1, 2), channels=(8, 8, 8), steps=40, learning_rate=1e-2, select_every=10),
    )


def train(
    training: Sequence[Clip], rules: Protocol, cache: Path, validation: Sequence[Clip] = (), key: str = "k"
) -> tuple[IdentityClassifiers, bool]:
    return load_or_train(training, validation, PEOPLE, rules, key=key, cache=cache, device="cpu")


@pytest.fixture(scope="module")
def classifiers(rules: Protocol, tmp_path_factory: pytest.TempPathFactory) -> IdentityClassifiers:
    return train(some_clips([0.3, 3.0]), rules, tmp_path_factory.mktemp("cache"))[0]


def accuracy(classifiers: IdentityClassifiers, form: str, clips: Sequence[Clip]) -> float:
    right = []
    for clip in clips:
        said = classifiers.predict(forms()[form], clip.motion, window_starts(clip.valid, 128, 16))
        right.append(np.mean(said == PEOPLE.index(clip.identity)))
    return float(np.mean(right))


def test_the_forms_are_the_supplements_and_three_of_ours() -> None:
    found = {name: (form.kind, form.channels, form.centred) for name, form in forms().items()}
    assert found == {
        "pose": ("pose", 6, True),
        "pose/raw": ("pose", 6, False),
        "pose/rotation": ("pose", 3, True),
        "blink": ("blink", 1, True),
        "blink/raw": ("blink", 1, False),
    }


@pytest.mark.parametrize("identities", [2, 5])
@pytest.mark.parametrize("form", forms().values(), ids=lambda form: form.name)
def test_windows_of_128_frames_become_one_logit_a_person(form: Form, identities: int) -> None:
    clip = some_clips([1.0, 1.0])[0]
    signal = form.signal(clip.motion)[:128]
    assert signal.shape == (128, {"pose": 6, "pose/raw": 6, "pose/rotation": 3, "blink": 1, "blink/raw": 1}[form.name])
    model = Classifier(form.channels, identities, (32, 64, 128)).eval()
    assert model(torch.from_numpy(np.stack([signal] * 7))).shape == (7, identities)
    kinds = [type(layer).__name__ for layer in model.modules()]
    assert kinds.count("Conv1d") == 3
    assert kinds.count("Linear") == 1
    widths = [layer.out_channels for layer in model.modules() if isinstance(layer, torch.nn.Conv1d)]
    assert widths == [32, 64, 128]


def test_a_signal_is_the_motions_columns() -> None:
    motion = some_clips([1.0, 1.0])[0].motion
    np.testing.assert_array_equal(forms()["pose/raw"].signal(motion), motion.pose)
    np.testing.assert_array_equal(forms()["pose/rotation"].signal(motion), motion.pose[:, :3])
    np.testing.assert_array_equal(forms()["blink"].signal(motion)[:, 0], motion.blink)


@pytest.mark.parametrize("form", forms())
def test_people_who_move_differently_are_told_apart_in_new_clips(classifiers: IdentityClassifiers, form: str) -> None:
    assert accuracy(classifiers, form, some_clips([0.3, 3.0], first=500)) > 0.9


def test_people_who_move_alike_are_not(rules: Protocol, tmp_path: Path) -> None:
    classifiers, _ = train(some_clips([1.0, 1.0], clips=4), rules, tmp_path)
    new = some_clips([1.0, 1.0], first=500, clips=12)
    for form in ("pose", "blink"):
        assert 0.3 < accuracy(classifiers, form, new) < 0.7


def assert_same_weights(one: IdentityClassifiers, two: IdentityClassifiers) -> None:
    first, second = one.arrays(), two.arrays()
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name], name)


def test_what_is_stored_holds_the_weights_exactly_in_float16(classifiers: IdentityClassifiers, rules: Protocol) -> None:
    stored = classifiers.arrays()
    for name, array in stored.items():
        assert array.dtype == (np.float32 if name.rpartition("|")[2] in ("mean", "std") else np.float16), name
    again = restore(stored, PEOPLE, rules, "cpu", list(forms()))
    motion = some_clips([1.0, 1.0])[0].motion
    for form in forms():
        np.testing.assert_array_equal(logits(again, form, motion), logits(classifiers, form, motion))
    assert digest_of(x=again) == digest_of(x=classifiers)


def digest_of(**sets: IdentityClassifiers) -> str:
    return classifiers_digest(named_arrays(sets))


def test_the_digest_is_of_names_and_weights_and_of_nothing_else(
    classifiers: IdentityClassifiers, rules: Protocol, tmp_path: Path
) -> None:
    few, _ = train(some_clips([0.3, 3.0]), replace(rules, classifiers=replace(rules.classifiers, steps=2)), tmp_path)
    one, two = digest_of(a=classifiers, b=few), digest_of(b=few, a=classifiers)
    assert one == two and len(one) == 64
    assert len({one, digest_of(a=few, b=classifiers), digest_of(a=few)}) == 3
    assert digest_of() == ""
    changed = copy.deepcopy(few)
    with torch.no_grad():
        changed.models["blink"][1].dense.bias[0] += 0.5
    assert digest_of(a=changed) != digest_of(a=few)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda a: a.pop("pose|0|dense.weight"), "'pose|0|dense.weight' is missing"),
        (lambda a: a.update({"pose|9|x": a["blink|1|mean"]}), "'pose|9|x' is no weight of these classifiers"),
        (
            lambda a: a.update({"blink|1|mean": a["blink|1|mean"][:0]}),
            "'blink|1|mean' is float32 (0,), not float32 (1,)",
        ),
        (lambda a: a.update({"blink|1|mean": a["blink|1|mean"].astype("f8")}), "is float64 (1,), not float32 (1,)"),
        (lambda a: a.update({"blink|1|std": a["blink|1|std"] * np.float32("nan")}), "'blink|1|std' is not finite"),
    ],
    ids=["missing", "unknown", "shape", "dtype", "not finite"],
)
def test_stored_weights_are_checked_one_by_one(
    classifiers: IdentityClassifiers, rules: Protocol, spoil: Callable[[dict[str, np.ndarray]], object], said: str
) -> None:
    arrays = classifiers.arrays()
    spoil(arrays)
    with pytest.raises(FacialBenchError, match=re.escape(said)):
        restore(arrays, PEOPLE, rules, "cpu", list(forms()))


def test_only_the_forms_that_are_asked_for_are_trained(rules: Protocol, tmp_path: Path) -> None:
    few = replace(rules, classifiers=replace(rules.classifiers, steps=2))
    made, _ = load_or_train(
        some_clips([0.3, 3.0]), (), PEOPLE, few, names=["blink", "pose"], key="k", cache=tmp_path, device="cpu"
    )
    assert list(made.models) == ["pose", "blink"]
    whole, cached = train(some_clips([0.3, 3.0]), few, tmp_path)
    assert not cached and list(whole.models) == list(forms())


def test_the_same_seed_gives_the_same_weights_whatever_came_before(
    classifiers: IdentityClassifiers, rules: Protocol, tmp_path: Path
) -> None:
    torch.manual_seed(99)
    torch.rand(7)
    before = torch.random.get_rng_state()
    again, _ = train(some_clips([0.3, 3.0]), rules, tmp_path)
    assert torch.equal(torch.random.get_rng_state(), before), "nobody else's randomness is touched"
    assert_same_weights(classifiers, again)


def test_classifiers_differ_from_each_other_and_between_seeds(
    classifiers: IdentityClassifiers, rules: Protocol, tmp_path: Path
) -> None:
    one, two = classifiers.models["pose"]
    assert not torch.equal(one.dense.weight, two.dense.weight)
    other, _ = train(
        some_clips([0.3, 3.0]), replace(rules, classifiers=replace(rules.classifiers, seeds=(3, 4))), tmp_path
    )
    assert not torch.equal(other.models["pose"][0].dense.weight, one.dense.weight)


def test_batches_are_balanced_though_the_windows_are_not(rules: Protocol) -> None:
    labels = torch.tensor([0] * 900 + [1] * 90 + [2] * 10)
    settings = replace(rules.classifiers, steps=200, batch=60)
    rows = classifier_training._balanced_batches(labels, settings, seed=1)
    assert rows.shape == (200, 60)
    counts = np.bincount(labels[rows].ravel(), minlength=3) / rows.numel()
    np.testing.assert_allclose(counts, 1 / 3, atol=0.02)
    assert len(np.unique(rows[labels[rows] == 2])) == 10, "every window of the rarest has its turn"
    assert torch.equal(rows, classifier_training._balanced_batches(labels, settings, seed=1))
    assert not torch.equal(rows, classifier_training._balanced_batches(labels, settings, seed=2))


def logits(classifiers: IdentityClassifiers, form: str, motion: Motion) -> np.ndarray:
    made = forms()[form]
    signal = torch.from_numpy(np.ascontiguousarray(made.signal(motion), np.float32))
    windows = cut_windows(signal, torch.tensor([0, 16]), 128, made.centred)
    with torch.inference_mode():
        return classifiers.models[form][0](windows).numpy()


@pytest.mark.parametrize(
    ("form", "moved"),
    [("pose", False), ("pose/rotation", False), ("blink", False), ("pose/raw", True), ("blink/raw", True)],
)
def test_only_the_raw_forms_see_where_the_head_is(classifiers: IdentityClassifiers, form: str, moved: bool) -> None:
    motion = some_clips([1.0, 1.0])[0].motion
    pose = motion.pose + np.array([0.2, -0.1, 0.3, 4, -2, 6], np.float32)
    there = replace(motion, pose=pose, blink=motion.blink + np.float32(0.2))
    difference = np.abs(logits(classifiers, form, motion) - logits(classifiers, form, there)).max()
    assert (difference > 0.05) if moved else (difference < 1e-3)


def test_rotation_ignores_translation_and_pose_does_not(classifiers: IdentityClassifiers) -> None:
    motion = some_clips([1.0, 1.0])[0].motion
    pose = motion.pose.copy()
    pose[:, 3:] = np.random.default_rng(0).standard_normal((motion.frames, 3))
    there = replace(motion, pose=pose)
    np.testing.assert_array_equal(
        logits(classifiers, "pose/rotation", motion), logits(classifiers, "pose/rotation", there)
    )
    assert np.abs(logits(classifiers, "pose", motion) - logits(classifiers, "pose", there)).max() > 0.01


def test_pose_does_not_see_blinks_nor_the_other_way(classifiers: IdentityClassifiers) -> None:
    motion = some_clips([1.0, 1.0])[0].motion
    np.testing.assert_array_equal(
        logits(classifiers, "pose", motion),
        logits(classifiers, "pose", replace(motion, blink=motion.blink[::-1].copy())),
    )
    np.testing.assert_array_equal(
        logits(classifiers, "blink", motion),
        logits(classifiers, "blink", replace(motion, pose=motion.pose[::-1].copy())),
    )


@pytest.mark.parametrize("form", forms())
def test_a_batch_is_what_the_windows_give_alone(classifiers: IdentityClassifiers, form: str) -> None:
    motion = some_clips([0.3, 3.0])[4].motion
    starts = window_starts(np.ones(motion.frames, bool), 128, 16)
    together = classifiers.predict(forms()[form], motion, starts)
    alone = [classifiers.predict(forms()[form], motion[s : s + 128], np.array([0])) for s in starts]
    assert together.shape == (2, len(starts))
    np.testing.assert_array_equal(together, np.concatenate(alone, axis=1))


def test_no_window_no_class(classifiers: IdentityClassifiers) -> None:
    assert classifiers.predict(forms()["pose"], some_clips([1, 1])[0].motion, np.zeros(0, np.int64)).shape == (2, 0)


def test_windows_are_standardised_by_all_training_windows(classifiers: IdentityClassifiers) -> None:
    for name, form in forms().items():
        stacked = [
            form.signal(clip.motion)[s : s + 128].astype(np.float64)
            for clip in some_clips([0.3, 3.0])
            for s in window_starts(clip.valid, 128, 5)
        ]
        slow = np.stack([w - w.mean(0) if form.centred else w for w in stacked])
        for model in classifiers.models[name]:
            np.testing.assert_allclose(model.std.numpy(), slow.std((0, 1)), rtol=1e-3)
            np.testing.assert_allclose(model.mean.numpy(), slow.mean((0, 1)), atol=1e-4)


def test_windows_over_invalid_frames_are_never_used(rules: Protocol, tmp_path: Path) -> None:
    def hide(clip: Clip, value: float) -> Clip:
        valid = np.ones(clip.frames, bool)
        valid[180:200] = False
        state = clip.motion.state()
        state[180:200] = value
        return replace(clip, valid=valid, motion=Motion.from_state(state))

    found = []
    for value in (0.0, 1e6):
        clips = [hide(clip, value) for clip in some_clips([0.3, 3.0])]
        found.append(train(clips, rules, tmp_path, key=str(value))[0])
    assert_same_weights(*found)


def test_windows_never_reach_into_the_next_clip(rules: Protocol) -> None:
    clips = some_clips([1.0, 1.0], frames=130)
    data = classifier_training._dataset(clips, forms()["pose/raw"], PEOPLE, rules, 1, "cpu")
    assert data.starts.tolist() == [130 * k + s for k in range(6) for s in (0, 1, 2)]
    assert data.labels.tolist() == [0] * 9 + [1] * 9
    windows = cut_windows(data.frames, data.starts, 128, False)
    for k, clip in enumerate(clips):
        np.testing.assert_array_equal(windows[3 * k + 2], clip.motion.pose[2:130])


def test_windows_by_hand() -> None:
    signal = torch.tensor([[1.0], [2.0], [4.0], [8.0]])
    starts = torch.tensor([0, 2])
    assert cut_windows(signal, starts, 2, False).squeeze(2).tolist() == [[1, 2], [4, 8]]
    assert cut_windows(signal, starts, 2, True).squeeze(2).tolist() == [[-0.5, 0.5], [-2, 2]]


def test_balanced_accuracy_by_hand(rules: Protocol) -> None:
    class Says(Classifier):
        """Calls everything the first person."""

        def forward(self, windows: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[1.0, 0.0]]).repeat(len(windows), 1)

    clips = some_clips([1.0, 1.0], clips=1, frames=130)
    clips[1] = clips[1][:128]
    data = classifier_training._dataset(clips, forms()["pose"], PEOPLE, rules, 1, "cpu")
    assert len(data.labels) == 4
    assert classifier_training._balanced_accuracy(Says(6, 2, (8,)), data, 128, True) == pytest.approx(0.5), "not 3 of 4"


def test_the_state_that_validates_best_is_kept(
    rules: Protocol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.5, 0.9, 0.9, 0.2] * 10)
    seen: list[dict[str, torch.Tensor]] = []

    def scripted(model: Classifier, *rest: object) -> float:
        seen.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
        return next(scores)

    monkeypatch.setattr(classifier_training, "_balanced_accuracy", scripted)
    monkeypatch.setattr(classifier_training, "usable_cpus", lambda: 1)  # one after the other, so that the script fits
    clips = some_clips([0.3, 3.0])
    classifiers, _ = train(clips, rules, tmp_path, validation=some_clips([0.3, 3.0], first=50, clips=1))
    assert len(seen) == 4 * 10, "every ten of forty steps, five forms, two seeds"
    models = [model for models in classifiers.models.values() for model in models]
    for k, model in enumerate(models):
        for name, tensor in model.state_dict().items():
            kept = seen[4 * k + 1][name]
            stays = not kept.is_floating_point() or name in ("mean", "std")
            assert torch.equal(tensor, kept if stays else kept.half().float()), (
                "the first of the best, as float16 holds it"
            )
        assert not torch.equal(model.dense.weight, seen[4 * k + 3]["dense.weight"])


def test_without_validation_the_last_step_is_kept(
    rules: Protocol, classifiers: IdentityClassifiers, tmp_path: Path
) -> None:
    def with_steps(steps: int, validation: Sequence[Clip]) -> np.ndarray:
        made = replace(rules, classifiers=replace(rules.classifiers, steps=steps, seeds=(1,), select_every=1000))
        return (
            train(some_clips([0.3, 3.0]), made, tmp_path, validation)[0].models["pose"][0].dense.weight.detach().numpy()
        )

    np.testing.assert_array_equal(with_steps(40, ()), classifiers.models["pose"][0].dense.weight.detach().numpy())
    assert not np.array_equal(with_steps(20, ()), with_steps(40, ()))


def test_the_cache_gives_back_the_same_classifiers_and_only_for_the_same_question(
    rules: Protocol, tmp_path: Path
) -> None:
    clips = some_clips([0.3, 3.0])
    rules = replace(rules, classifiers=replace(rules.classifiers, steps=3))
    first, cached = train(clips, rules, tmp_path)
    assert not cached
    again, cached = train(clips, rules, tmp_path)
    assert cached
    assert_same_weights(first, again)
    assert not any(model.training for models in again.models.values() for model in models)
    assert not train(clips, rules, tmp_path, key="another corpus")[1]
    assert not train(clips, replace(rules, training_stride=7), tmp_path)[1]
    assert len(list((tmp_path / "classifiers").iterdir())) == 3


@pytest.mark.parametrize("damage", ["truncated", "empty", "other classifiers"])
def test_a_damaged_cache_is_trained_again(rules: Protocol, tmp_path: Path, damage: str) -> None:
    clips, report = some_clips([0.3, 3.0]), Lines()
    rules = replace(rules, classifiers=replace(rules.classifiers, steps=3))
    train(clips, rules, tmp_path)
    (path,) = (tmp_path / "classifiers").iterdir()
    good = path.read_bytes()
    if damage == "other classifiers":
        train(clips, replace(rules, classifiers=replace(rules.classifiers, channels=(4, 4, 4))), tmp_path)
        (other,) = set((tmp_path / "classifiers").iterdir()) - {path}
        path.write_bytes(other.read_bytes())
    else:
        path.write_bytes(good[:100] if damage == "truncated" else b"")
    _, cached = load_or_train(clips, (), PEOPLE, rules, key="k", cache=tmp_path, device="cpu", report=report)
    assert not cached
    assert "damaged" in report.said[0]
    assert path.read_bytes() == good


@pytest.mark.parametrize("module", [classifier, classifier_training, windows], ids=lambda module: module.__name__)
def test_other_code_that_decides_the_weights_is_another_question(
    rules: Protocol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType
) -> None:
    clips = some_clips([0.3, 3.0])
    rules = replace(rules, classifiers=replace(rules.classifiers, steps=3, seeds=(1,)))
    train(clips, rules, tmp_path)
    changed = tmp_path / "changed.py"
    changed.write_text(f"{Path(str(module.__file__)).read_text()}# another line\n")
    monkeypatch.setattr(module, "__file__", str(changed))
    assert not train(clips, rules, tmp_path)[1]
    monkeypatch.undo()
    assert train(clips, rules, tmp_path)[1]
