"""The example in the docs trains against `make_vec` as it comes, and learns."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "examples" / "cleanrl_ppo.py"
FEW = ["--total-steps", "1536", "--num-envs", "64", "--test-episodes", "64", "--hidden", "8"]


@pytest.fixture
def script() -> Iterator[Any]:
    """Load the example as a module, with one thread."""
    spec = importlib.util.spec_from_file_location("cleanrl_ppo", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield module
    torch.set_num_threads(threads)


def test_example_imports_nothing_of_causalbench_but_the_ids() -> None:
    """No adapter: one import, which registers."""
    text = SCRIPT.read_text(encoding="utf-8")
    assert re.findall(r"^(?:import|from) .*causalbench.*$", text, re.MULTILINE) == [
        "import causalbench.env"
    ]


@pytest.mark.parametrize("regime", ["do", "intent", "replay"])
def test_example_runs_in_each_regime(
    script: Any, regime: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A learning curve, and a mean return on the scale of returns."""
    mean = script.main([*FEW, "--regime", regime, "--world", ""])
    lines = capsys.readouterr().out.splitlines()
    assert 0.0 <= mean <= 1.0
    assert lines[0].startswith("steps ")
    assert lines[-1].startswith(f"PPO ({regime})")


def test_example_gives_the_same_return_for_the_same_seed(script: Any) -> None:
    """Units, weights and choices are all of the seed."""
    assert script.main([*FEW, "--world", ""]) == script.main([*FEW, "--world", ""])


@pytest.mark.slow
def test_example_beats_the_see_policy(script: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Acting, it learns more than watching can tell, and prints what that is."""
    mean = script.main(["--total-steps", "60000"])
    see = re.search(r"best by see +([0-9.]+)", capsys.readouterr().out)
    assert see is not None
    assert mean > float(see[1])
