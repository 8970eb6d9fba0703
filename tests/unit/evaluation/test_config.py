"""A run as plain values: to and from files, to another process, checked."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from facial_bench import RunConfig
from facial_bench.cli.run import run as run_command
from facial_bench.errors import FacialBenchError
from facial_bench.evaluation.config import checked, make_config, read_config

FULL = RunConfig(
    "facial",
    corpus="build/mine",
    seeds=(0, 7),
    device="cpu",
    budget="paper",
    options={"steps": "5"},
    folds="all",
    identities=("a", "b"),
    plugins=("mine.py",),
    out="elsewhere",
    label="facial-long",
    fresh=True,
)


@pytest.mark.parametrize("ending", [".toml", ".json"])
@pytest.mark.parametrize("config", [FULL, RunConfig("ridge")], ids=["full", "default"])
def test_what_is_written_is_read(tmp_path: Path, config: RunConfig, ending: str) -> None:
    config.write(tmp_path / f"run{ending}")
    assert RunConfig.read(tmp_path / f"run{ending}") == config


def test_it_goes_to_another_process_and_cannot_be_changed() -> None:
    assert pickle.loads(pickle.dumps(FULL)) == FULL
    with pytest.raises(AttributeError):
        FULL.method = "other"  # type: ignore[misc]


def test_a_file_may_say_little(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text('corpus = "mine"\nseeds = [1, 2]\n')
    assert read_config(tmp_path / "run.toml") == {"corpus": "mine", "seeds": [1, 2]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seeds = [0, 0]", "seeds: name one or more, each once"),
        ("seeds = []", "seeds: name one or more"),
        ("seeds = [-1]", "from 0 to 2147483647"),
        ('seeds = "0"', r"Expected `array`, got `str` - at `\$.seeds`"),
        ('device = "gpu"', r"'gpu' - at `\$.device`. Choose auto or cpu or cuda\.$"),
        ("sed = 1", r"run.toml: Unknown name 'sed'\. Did you mean 'seeds'\? Available: budget, "),
        ("options = {steps = [5]}", "Expected `str`, got `array`"),
        ("seeds = [", r"cannot be read as .toml"),
    ],
)
def test_what_no_run_can_have_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "run.toml").write_text(text)
    with pytest.raises(FacialBenchError, match=said) as problem:
        read_config(tmp_path / "run.toml")
    assert "\n" not in str(problem.value) and "run.toml" in str(problem.value)


def test_a_file_that_is_not_there_and_one_that_is_no_object(tmp_path: Path) -> None:
    with pytest.raises(FacialBenchError, match=r"none.toml cannot be read: No such file or directory\.$"):
        read_config(tmp_path / "none.toml")
    (tmp_path / "run.json").write_text("[1]")
    with pytest.raises(FacialBenchError, match="holds no names and values"):
        read_config(tmp_path / "run.json")


@pytest.mark.parametrize("budget", get_args(get_type_hints(RunConfig)["budget"]))
def test_every_budget_is_written_and_read(tmp_path: Path, budget: str) -> None:
    config = checked(RunConfig("ridge", budget=budget))  # type: ignore[arg-type]
    config.write(tmp_path / "run.toml")
    assert RunConfig.read(tmp_path / "run.toml") == config and config.budget == budget


def test_the_command_line_takes_the_budgets_and_devices_that_a_config_does() -> None:
    for name in ("budget", "device", "folds"):
        (option,) = (one for one in run_command.params if one.name == name)
        assert tuple(option.type.choices) == get_args(get_type_hints(RunConfig)[name])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "change", [{"device": "tpu"}, {"budget": 3}, {"budget": "huge"}, {"options": {"a": 1}}, {"identities": [1]}]
)
def test_a_config_made_by_hand_is_checked(change: dict[str, Any]) -> None:
    with pytest.raises(FacialBenchError, match=r"configuration: .*\$"):
        checked(RunConfig("ridge", **change))


@pytest.mark.parametrize("seeds", [0, 5, "0", (), (1, 1), ("a",)])
def test_seeds_that_are_none_are_refused_at_once(seeds: Any) -> None:
    with pytest.raises(ValueError, match=r"^seeds: "):
        RunConfig("ridge", seeds=seeds)


def test_a_method_must_be_named() -> None:
    with pytest.raises(FacialBenchError, match="Which method"):
        make_config({"corpus": "synthetic"})


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FacialBenchError, match=r"a .toml or a .json, not run.yaml"):
        FULL.write(tmp_path / "run.yaml")
    with pytest.raises(FacialBenchError, match=r"a .toml or a .json, not run.yaml"):
        read_config(tmp_path / "run.yaml")


def test_an_option_may_be_written_as_a_number(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text('method = "ridge"\noptions = {steps = 5, rate = 0.5, name = "x"}\n')
    assert RunConfig.read(tmp_path / "run.toml").options == {"steps": "5", "rate": "0.5", "name": "x"}
