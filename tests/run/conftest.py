"""The toy suite and agents, importable by name here and in spawned processes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.append(str(HERE))


@pytest.fixture
def toy():
    """Return the toy suite."""
    from toy_suite import ToySuite

    return ToySuite()


@pytest.fixture
def agent():
    """Return a function that names a toy agent as a user would."""
    return lambda name: f"{HERE / 'toy_agents.py'}:{name}"
