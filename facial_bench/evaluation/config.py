"""What a run is asked to do, as plain values: for a file, another process, another machine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

import msgspec
import tomli_w

from facial_bench.core.errors import FacialBenchError, one_line, unknown_name
from facial_bench.core.files import write_bytes
from facial_bench.isolation.conditions import DAY, Conditions, Isolation

LARGEST_SEED = 2**31 - 1


class RunConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One method on one corpus, for one training seed or several. Paths are relative to the working folder."""

    method: str
    """Name of the method; `facial-bench methods` lists them."""
    corpus: str = "synthetic"
    """A registered name, or a corpus folder."""
    seeds: tuple[int, ...] = (0,)
    """Training seeds, each a run of its own; 0 to 2**31 - 1."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    budget: Literal["quick", "standard", "paper"] = "quick"
    """How long a method may train: minutes on two cores, under an hour on them, or what its publication did."""
    options: dict[str, str] = {}
    """Of the method, as text."""
    folds: Literal["one", "all"] = "one"
    """`all`: the split is rotated, so that every unit is tested once."""
    identities: tuple[str, ...] = ()
    """These people only; empty for everybody."""
    plugins: tuple[str, ...] = ()
    """Python files that offer methods and corpora, besides what is installed."""
    metric_plugins: tuple[str, ...] = ()
    """Python files and installed distributions whose metrics are computed too, in the harness's own process."""
    isolation: Isolation = "process"
    """How far the method is kept apart: in a process, in a `sandbox`, or, for a debugger, `in-process`."""
    python: str = ""
    """Another interpreter for the method: `ENV/bin/python`."""
    timeout: float = DAY
    """Seconds that a fit, and a batch of requests, may take."""
    readable: tuple[str, ...] = ()
    """What the method may read in a sandbox besides its own code."""
    classifiers: str = ""
    """Published identity classifiers: a file, or a folder of boards; empty for those of a checkout's boards, then the
    cache's, then those that are trained here."""
    out: str = "results"
    """Folder of the results."""
    label: str = ""
    """Folder and row name of the method, where it is not to be called by its name and options."""
    fresh: bool = False
    """Whether to reuse nothing of an earlier run of the same kind."""

    def __post_init__(self) -> None:
        """Raise ValueError for seeds that no run can have."""
        if not isinstance(self.seeds, (tuple, list)) or not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: name one or more, each once")
        if not all(isinstance(seed, int) and 0 <= seed <= LARGEST_SEED for seed in self.seeds):
            raise ValueError(f"seeds: each is a whole number from 0 to {LARGEST_SEED}")
        if not self.timeout > 0:
            raise ValueError("timeout: more than 0 seconds")
        if self.isolation == "in-process" and self.python:
            raise ValueError("python: a method in this process runs under this interpreter")

    @property
    def conditions(self) -> Conditions:
        """How far the method is kept apart."""
        return Conditions(self.isolation, self.python or None, self.timeout, tuple(map(Path, self.readable)))

    @classmethod
    def read(cls, path: str | Path) -> RunConfig:
        """The config in a .toml or .json file; raises as `read_config` and `make_config` do."""
        return make_config(read_config(Path(path)))

    def write(self, path: str | Path) -> None:
        """Write every field as .toml or .json, atomically; raises FacialBenchError for another ending."""
        path, values = Path(path), msgspec.to_builtins(self)
        if path.suffix not in (".toml", ".json"):
            raise FacialBenchError(f"A configuration is a .toml or a .json, not {path.name}.")
        content = tomli_w.dumps(values).encode() if path.suffix == ".toml" else msgspec.json.encode(values)
        write_bytes(path, content)


def checked(config: RunConfig) -> RunConfig:
    """The config, if every value is of its type: a config made by hand may hold anything.

    Raises:
        FacialBenchError: a value that no run can have; names it.
    """
    return _convert(msgspec.structs.asdict(config), "The run's configuration")


def read_config(path: Path) -> dict[str, Any]:
    """The values that a .toml or .json file gives; what it leaves out stays at its default, or the command line's.

    Raises:
        FacialBenchError: no such file, another format, or a value that no run can have.
    """
    if path.suffix not in (".toml", ".json"):
        raise FacialBenchError(f"A configuration is a .toml or a .json, not {path.name}.")
    try:
        content = path.read_bytes()
        values = tomllib.loads(content.decode()) if path.suffix == ".toml" else msgspec.json.decode(content)
    except OSError as problem:
        raise FacialBenchError(f"{path} cannot be read: {problem.strerror}.") from None
    except (ValueError, msgspec.DecodeError) as problem:
        raise FacialBenchError(f"{path} cannot be read as {path.suffix} ({one_line(problem)}).") from None
    if not isinstance(values, dict):
        raise FacialBenchError(f"{path} holds no names and values. Write for example: method = 'facial'.")
    if isinstance(values.get("options"), dict):
        values["options"] = {name: _as_text(value) for name, value in values["options"].items()}
    _convert({"method": "any", **values}, str(path))
    return values


def make_config(values: dict[str, Any]) -> RunConfig:
    """A config from names and values.

    Raises:
        FacialBenchError: an unknown name, a missing method, or a value that no run can have.
    """
    if not values.get("method"):
        raise FacialBenchError("Which method? Name it with --method, or as `method` in the file of --config.")
    return _convert(values, "The run's configuration")


def _as_text(value: Any) -> Any:
    """The value of an option: a number as `--option` would give it, anything else as it is."""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _convert(values: dict[str, Any], where: str) -> RunConfig:
    try:
        return msgspec.convert(values, RunConfig)
    except msgspec.ValidationError as problem:
        unknown = re.search(r"unknown field `(.*)`", str(problem))
        if unknown:
            raise FacialBenchError(
                f"{where}: {unknown_name('name', unknown[1], RunConfig.__struct_fields__)}"
            ) from None
        field = re.search(r"Invalid enum value .*\$\.(\w+)", str(problem))
        choices = get_args(get_type_hints(RunConfig)[field[1]]) if field else ()
        hint = f" Choose {' or '.join(choices)}." if choices else ""
        raise FacialBenchError(f"{where}: {one_line(problem)}.{hint}") from None
