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
COMMAND = (sys.executable, "-m", "causalbench", "make", "ladder-mini", "--seed", "11")


def made(folder: Path, *extra: str, path: Path | None = None) -> dict[str, str]:
    """Make the suite in a process of its own and digest what it wrote."""
    environment = dict(os.environ)
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [*COMMAND, "-o", str(folder), *extra],
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


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one process makes with the installed NumPy."""
    return made(tmp_path_factory.mktemp("one") / "suite", "--limit", "24")


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


@pytest.mark.slow
def test_two_processes_make_the_same_bytes(reference: dict[str, str], tmp_path: Path) -> None:
    """Questions and keys are the same with one job and with two."""
    assert made(tmp_path / "suite", "--limit", "24", "--jobs", "2") == reference


@pytest.mark.slow
def test_another_numpy_makes_the_same_bytes(
    reference: dict[str, str], other_numpy: Path, tmp_path: Path
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
    assert made(tmp_path / "suite", "--limit", "24", path=other_numpy) == reference
