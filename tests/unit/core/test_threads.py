"""How many threads, and how they wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from facial_bench.core import threads
from facial_bench.core.threads import WAITING, thread_environment, usable_cpus


@pytest.fixture(autouse=True)
def eight_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 64)


def groups(system: Path, lines: str, **files: str) -> Path:
    """A file system whose `/proc/self/cgroup` has these lines; `__` in a name stands for `/`."""
    for name, text in {"proc__self__cgroup": lines, **files}.items():
        file = system / name.replace("__", "/").replace("cpu_max", "cpu.max").replace("cfs_", "cpu.cfs_")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return system


def test_without_a_quota_those_that_the_process_is_bound_to(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path) == 8


def test_where_the_system_has_no_affinity_all_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(threads.os, "sched_getaffinity")
    assert usable_cpus(tmp_path) == 64
    monkeypatch.setattr(threads.os, "cpu_count", lambda: None)
    assert usable_cpus(tmp_path) == 1


@pytest.mark.parametrize(
    ("quota", "cpus"), [("300000 100000", 3), ("150000 100000", 2), ("10000 100000", 1), ("max 100000", 8), ("?", 8)]
)
def test_a_quota_of_version_2_is_rounded_up(tmp_path: Path, quota: str, cpus: int) -> None:
    assert usable_cpus(groups(tmp_path, "0::/\n", sys__fs__cgroup__cpu_max=f"{quota}\n")) == cpus


@pytest.mark.parametrize(("quota", "cpus"), [("250000", 3), ("-1", 8), ("9900000", 8)])
def test_a_quota_of_version_1(tmp_path: Path, quota: str, cpus: int) -> None:
    lines = "4:memory:/\n3:cpu,cpuacct:/job\n0::/\n"
    files = {"sys__fs__cgroup__cpu__job__cfs_quota_us": quota, "sys__fs__cgroup__cpu__job__cfs_period_us": "100000"}
    assert usable_cpus(groups(tmp_path, lines, **files)) == cpus


def test_the_least_of_a_group_and_those_around_it(tmp_path: Path) -> None:
    files = {"sys__fs__cgroup__a__cpu_max": "200000 100000", "sys__fs__cgroup__a__b__cpu_max": "max 100000"}
    assert usable_cpus(groups(tmp_path, "0::/a/b\n", **files)) == 2


def test_a_group_outside_of_what_is_mounted_is_read_at_its_root(tmp_path: Path) -> None:
    files = {"sys__fs__cgroup__cpu_max": "100000 100000", "outside__cpu_max": "400000 100000"}
    assert usable_cpus(groups(tmp_path, "0::/../outside\n", **files)) == 1


def test_what_was_set_stays(tmp_path: Path) -> None:
    mine = {"OMP_WAIT_POLICY": "ACTIVE", "OPENBLAS_NUM_THREADS": "6", "HOME": "/home/me"}
    assert thread_environment(mine, tmp_path) == {**WAITING, **mine}
    system = groups(tmp_path, "0::/\n", sys__fs__cgroup__cpu_max="200000 100000\n")
    assert thread_environment({"OMP_NUM_THREADS": "5"}, system)["OMP_NUM_THREADS"] == "5"


def test_only_a_quota_decides_the_number_of_threads(tmp_path: Path) -> None:
    assert "OMP_NUM_THREADS" not in thread_environment({}, tmp_path)
    system = groups(tmp_path, "0::/\n", sys__fs__cgroup__cpu_max="200000 100000\n")
    assert thread_environment({}, system)["OMP_NUM_THREADS"] == "2"


def test_torch_takes_as_many_threads_as_without_it() -> None:
    counts = set()
    for added in ({}, WAITING):
        environment = {name: value for name, value in os.environ.items() if name not in WAITING} | added
        code = "import torch; print(torch.get_num_threads())"
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        counts.add(done.stdout)
    assert len(counts) == 1


def test_a_command_waits_passively_before_numpy_or_torch_is_imported() -> None:
    code = (
        "import os, sys\nimport facial_bench.core.threads as threads\nfrom facial_bench import cli\n"
        "def told():\n    print('heavy:', *{'numpy', 'torch'} & set(sys.modules))\n    threads.wait_passively()\n"
        "cli.wait_passively = told\ntry:\n    cli.main(['methods'])\nexcept SystemExit:\n    pass\n"
        "print('numpy' in sys.modules, os.environ['OMP_WAIT_POLICY'], os.environ['OPENBLAS_NUM_THREADS'])\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in WAITING}
    environment["OPENBLAS_NUM_THREADS"] = "2"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "heavy:"
    assert done.stdout.splitlines()[-1] == "True PASSIVE 2"
