"""The command line's lines by trait, item statistics, and several logs at once."""

from __future__ import annotations

import json

import pytest
from causalbench.cli import app
from typer.testing import CliRunner

SUITE = """
schema: 1
name: toy
version: 1
title: Pairs of two types of question
strata:
  - forms: [conditional, ATE]
    access: {mechanisms: 2}
  - forms: [conditional]
    access: {lab-see-256: 1, lab-see-1024: 1}
"""


def call(*arguments):
    """Call the command line."""
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Return a folder with a suite, and logs of two agents in folders of their own."""
    folder = tmp_path_factory.mktemp("lines")
    (folder / "toy.yaml").write_text(SUITE, encoding="utf-8")
    for agent in ("random", "see-reader"):
        done = call(
            "run", folder / "toy.yaml", "--agent", agent, "--log-dir", folder / agent, "--quiet"
        )
        assert done.exit_code == 0
        assert "--by form" in done.stdout
    return folder


def test_a_line_for_each_type_of_question(logs):
    """In place of the ladder."""
    done = call("score", logs / "random", "--by", "form")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert sum(line.startswith("  conditional ") for line in lines) == 2  # learning, reasoning
    assert sum(line.startswith("  ATE ") for line in lines) == 1
    assert "units" not in done.stdout


def test_several_logs_are_one_table(logs):
    """Agents logged apart stand side by side."""
    done = call("score", logs / "random", logs / "see-reader", "--by", "access")
    headings = [line for line in done.stdout.splitlines() if line.startswith("access")]
    assert len(headings) == 2  # learning, reasoning
    assert all("random" in line and "see-reader" in line for line in headings)


def test_the_same_log_twice_counts_once(logs):
    """A folder that is named twice is one run."""
    once, twice = (call("score", *[logs / "random"] * count, "--json") for count in (1, 2))
    assert once.stdout == twice.stdout


def test_json_has_the_lines_and_the_items(logs):
    """Beside what it always has."""
    done = call("score", logs / "random", "--by", "form", "--items", "--json")
    table = json.loads(done.stdout)
    assert table["by"]["trait"] == "form"
    assert {row["form"] for row in table["by"]["rows"]} == {"conditional", "ATE"}
    assert len(table["items"]) == 12
    assert table["rows"]
    assert "by" not in json.loads(call("score", logs / "random", "--json").stdout)


def test_items_are_printed(logs):
    """A line for each type of question, and the hardest."""
    done = call("score", logs / "random", logs / "see-reader", "--items")
    assert "12 items, 2 agents" in done.stdout
    assert "the hardest" in done.stdout


def test_budgets_are_drawn_by_access(logs, tmp_path):
    """`--plot` draws what is printed."""
    done = call("score", logs / "random", "--by", "access", "--plot", tmp_path / "x.svg")
    assert done.exit_code == 0
    assert "budget" in (tmp_path / "x.svg").read_text()


def test_an_unknown_trait_is_one_line(logs):
    """And nothing is scored first."""
    done = call("score", logs / "random", "--by", "shape")
    assert done.exit_code == 2
    assert "'shape' is not one of" in done.stderr


def test_filters_by_traits(logs):
    """`--filter` takes them as it takes places."""
    plan = ["run", logs / "toy.yaml", "--agent", "random", "--dry-run", "--filter"]
    assert "2 pairs" in call(*plan, "form=ATE,size=small").stdout
    assert call(*plan, "from=ATE").exit_code == 2
