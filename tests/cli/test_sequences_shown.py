"""What `list` and `show` say of sequential worlds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from causalbench.cli import app
from typer.testing import CliRunner

from causalbench.agent.learn.registry import LEARNERS
from causalbench.task.sequential import FAMILIES, load_sequence

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def cli(*arguments: str) -> Result:
    """Run a command line in this process."""
    return CliRunner().invoke(app, list(arguments))


def test_list_gives_sequential_worlds_a_heading() -> None:
    """After the other worlds, which stay as they were."""
    plain, heading, below = cli("list", "worlds").stdout.partition("\nsequential worlds\n")
    assert heading
    assert plain.startswith("umbrella-rain") or "\numbrella-rain " in plain
    assert "key-maze" not in plain
    assert {line.split()[0] for line in below.splitlines()} == set(FAMILIES)


def test_list_gives_learners_a_heading() -> None:
    """After the agents of suites, which stay as they were."""
    plain, heading, below = cli("list", "agents").stdout.partition(
        "\nlearners in sequential worlds\n"
    )
    assert heading
    assert plain.startswith("exact ")
    assert {line.split()[0] for line in below.splitlines()} == set(LEARNERS)


def test_list_as_json_keeps_worlds_apart() -> None:
    """The names of worlds are what they were; sequential worlds have a key of their own."""
    everything = json.loads(cli("list", "--json").stdout)
    assert set(everything) == {"worlds", "sequences", "suites", "agents", "learners"}
    assert json.loads(cli("list", "worlds", "--json").stdout) == everything["worlds"]
    titles = json.loads(cli("list", "sequences", "--json").stdout)
    assert titles["casino-rounds"] == load_sequence("casino-rounds").title


def test_show_tells_what_a_step_is_and_what_it_is_worth() -> None:
    """Diagram, play, knobs, and the best value of each rung."""
    lines = cli("show", "casino-rounds").stdout.splitlines()
    assert lines[0].startswith("sequential world casino-rounds version ")
    assert "environment: causalbench/CasinoRounds-v0" in lines
    assert "  machine <- blinks, drunk" in lines
    assert "  drunk <- drunk'" in lines
    assert any(line.startswith("  rounds: 1 to ") for line in lines)
    assert any(line.startswith("  base: see 0.") for line in lines)


def test_show_as_json_has_the_values() -> None:
    """Exact ones where few histories do."""
    shown = json.loads(cli("show", "casino-rounds", "--json").stdout)["sequence"]
    values = shown["values"]["base"]
    assert set(values) == {"see", "do", "intent", "replay"}
    assert values["see"]["low"] < values["do"]["low"] < values["intent"]["low"]
    assert values["do"]["exact"]
    assert values["do"]["low"] == values["do"]["high"]


def test_show_reads_the_file_of_a_sequential_world(here: Path) -> None:
    """A file has no family's knobs and no registered environment."""
    import yaml

    path = here / "mine.yaml"
    path.write_text(yaml.safe_dump(load_sequence("casino-rounds").to_dict()), encoding="utf-8")
    shown = json.loads(cli("show", str(path), "--json").stdout)["sequence"]
    assert (shown["id"], shown["knobs"]) == (load_sequence("casino-rounds").id, None)


@pytest.mark.parametrize("name", ["casino-rounds", "umbrella-rain"])
def test_show_plots_a_world(name: str, here: Path) -> None:
    """Sequential or not."""
    assert cli("show", name, "--plot", "world.png").exit_code == 0
    assert (here / "world.png").stat().st_size > 0


def test_show_refuses_to_plot_what_is_no_world() -> None:
    """An agent has no diagram."""
    done = cli("show", "exact", "--plot", "world.png")
    assert done.exit_code == 2
    assert "is no world" in done.stderr


def test_show_suggests_sequential_worlds() -> None:
    """A slip of the pen is set right."""
    done = cli("show", "key-mase")
    assert done.exit_code == 2
    assert "key-maze" in str(done.stderr or done.exception)
