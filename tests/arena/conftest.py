"""The tiny world and its learners, importable by name here and in spawned processes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.append(str(HERE))


@pytest.fixture
def stub():
    """Return a function that names a learner of the tiny world as a user would."""
    return lambda name="Stub": f"{HERE / 'tiny.py'}:{name}"


@pytest.fixture
def world(tmp_path):
    """Write the tiny world to a file, and return its path."""
    import tiny

    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(tiny.world().to_dict()), encoding="utf-8")
    return str(path)
