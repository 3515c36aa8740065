"""``causalbench make-log``: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import json

import pytest
from causalbench.cli import app
from typer.testing import CliRunner

pytest.importorskip("pyarrow")

POLICY = """
import numpy as np

class Second:
    recalls = reads_reward = False

    def __init__(self, program):
        self.count = len(program.force)

    def begin(self, n):
        return None

    def act(self, moment, memory):
        chances = np.zeros((len(moment.seen), self.count))
        chances[:, 1] = 1.0
        return chances, memory

class Nothing:
    def __init__(self, program):
        self.act = None
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Run in an empty folder that holds one policy."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(POLICY, encoding="utf-8")


def cli(*arguments):
    """Run a command line in this process."""
    return CliRunner().invoke(app, ["make-log", *map(str, arguments)])


def told(*arguments):
    """Run a command line with --json and return what it says."""
    result = cli(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_it_says_what_it_wrote():
    """How much, whether it is confounded, and three values."""
    result = cli("umbrella-days", "-n", "3e3", "-o", "log")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "log: 1000 episodes, 3000 steps, natural policy, confounded"
    assert [line.split()[0] for line in lines[1:]] == ["behaviour", "see", "do"]


def test_a_decision_of_an_ordinary_world():
    """One step an episode, of a world that has decisions."""
    about = told("umbrella-rain", "--decision", "act-cheap", "-n", 500, "-o", "log")
    assert (about["episodes"], about["steps"], about["horizon"]) == (500, 500, 1)
    assert about["confounders"] == ["season", "rain"]


@pytest.mark.parametrize("policy", ["random", "see", "do", "mine.py:Second"])
def test_policies_that_act(policy):
    """What they do is set, so their logs are not confounded."""
    about = told("casino-rounds", "--policy", policy, "-n", 400, "-o", "log")
    assert (about["policy"], about["confounded"]) == (policy, False)
    if policy in {"see", "do"}:
        assert about["values"]["behaviour"]["value"] == pytest.approx(
            about["values"][policy]["value"]
        )


def test_a_drawn_world_and_a_phase():
    """Difficulty, knobs and index draw a world of the family; a phase is one of its own."""
    about = told("key-maze", "--difficulty", "easy", "--index", 2, "-n", 100, "-o", "log")
    assert (about["family"], about["index"]) == ("key-maze", 2)
    about = told("oily-gripper", "--phase", "oily", "-n", 100, "-o", "other")
    assert about["phase"] == "oily"


def test_intent_is_shown_on_request():
    """The natural choice stands in the observation before the action."""
    from pyarrow import parquet

    told("casino-rounds", "--regime", "intent", "-n", 200, "-o", "log")
    rows = parquet.read_table("log/data/log.parquet").to_pylist()
    assert {f"machine={row['obs_machine']}" == row["action_label"] for row in rows} == {True}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["umbrela-days"], "Did you mean 'umbrella-days'"),
        (["umbrella-rain"], "needs the name of a decision"),
        (["umbrella-rain", "--decision", "redo-cheap"], "or a first course"),
        (["key-maze", "--decision", "act"], "leave --decision out"),
        (["umbrella-rain", "--decision", "act-cheep"], "Did you mean 'act-cheap'"),
        (["umbrella-rain", "--decision", "act-cheap", "--phase", "x"], "neither phases nor knobs"),
        (["braking", "--decision", "brake"], "no decision 'brake'"),
        (["umbrella-days", "--knob", "day=3"], "Did you mean 'days'"),
        (["umbrella-days", "--knob", "seed=3"], "no knob 'seed'"),
        (["umbrella-days", "--knob", "days"], "is not name=number"),
        (["umbrella-days", "--phase", "oily"], "no phase 'oily'"),
        (["umbrella-days", "-n", "1.5"], "no number of steps"),
        (["umbrella-days", "-n", "nan"], "no number of steps"),
        (["umbrella-days", "--policy", "best"], "no policy is called 'best'"),
        (["umbrella-days", "--policy", "mine.py:Nothing"], "no method begin()"),
        (["umbrella-days", "--policy", "mine.py:POLICY"], "POLICY"),
        (["nowhere.yaml"], "no world file at"),
    ],
)
def test_what_it_refuses(arguments, line):
    """One plain line, code 2, and no folder."""
    result = cli(*arguments, "-o", "log")
    assert result.exit_code == 2
    assert line in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    from pathlib import Path

    assert not Path("log").exists()


def test_a_log_is_not_overwritten_unasked():
    """A second one needs --force."""
    assert cli("umbrella-days", "-n", 30, "-o", "log").exit_code == 0
    refused = cli("umbrella-days", "-n", 30, "-o", "log")
    assert refused.exit_code == 2
    assert "give --force" in refused.stderr
    assert cli("umbrella-days", "-n", 30, "-o", "log", "--force").exit_code == 0
