"""A suite's bytes depend on its seed alone: not on the number of processes, not on NumPy."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

OTHER = "2.2.6" if not np.__version__.startswith("2.2.") else "2.3.5"
COMMAND = (sys.executable, "-m", "causalbench", "make")
SUITES = {"ladder-mini": "24", "ladder-v1": "220"}  # pairs enough for one of every stratum and more


def made(suite: str, folder: Path, *extra: str, path: Path | None = None) -> dict[str, str]:
    """Make some of a suite in a process of its own and digest what it wrote."""
    environment = dict(os.environ)
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [*COMMAND, suite, "--seed", "11", "--limit", SUITES[suite], "-o", str(folder), *extra],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("questions.jsonl", "keys.jsonl")
    }


@pytest.fixture(scope="module", params=SUITES)
def suite(request: pytest.FixtureRequest) -> str:
    """The name of a suite."""
    return str(request.param)


@pytest.fixture(scope="module")
def reference(suite: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one process makes with the installed NumPy."""
    return made(suite, tmp_path_factory.mktemp("one") / "suite")


@pytest.fixture(scope="module")
def other_numpy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds another NumPy 2.x and nothing else."""
    folder = tmp_path_factory.mktemp("numpy")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    done = subprocess.run(
        [*command, str(folder), f"numpy=={OTHER}"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"no package index gives numpy {OTHER}")
    return folder


def test_the_part_holds_every_stratum(suite: str) -> None:
    """What is compared has a pair of each stratum, and an item of each honest kind."""
    from causalbench.task.jobs import jobs_of
    from causalbench.task.suite import load_suite

    recipe = load_suite(suite).recipe
    parts = {job.part for job in jobs_of(recipe, None) if job.role == "skill"}
    assert int(SUITES[suite]) >= len(parts)


@pytest.mark.slow
def test_two_processes_make_the_same_bytes(
    suite: str, reference: dict[str, str], tmp_path: Path
) -> None:
    """Questions and keys are the same with one job and with two."""
    assert made(suite, tmp_path / "suite", "--jobs", "2") == reference


@pytest.mark.slow
def test_another_numpy_makes_the_same_bytes(
    suite: str, reference: dict[str, str], other_numpy: Path, tmp_path: Path
) -> None:
    """Questions and keys are the same under another NumPy 2.x."""
    probe = [sys.executable, "-c", "import numpy; print(numpy.__version__)"]
    found = subprocess.run(
        probe,
        env={**os.environ, "PYTHONPATH": str(other_numpy)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == OTHER
    assert made(suite, tmp_path / "suite", path=other_numpy) == reference
