"""The page on world files: its example is complete, correct, and shows every mode."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from causalbench.query import parse
from causalbench.task.check import check_world
from causalbench.task.world import load_world
from causalbench.task.worldfile import WorldFile

PAGE = Path(__file__).resolve().parents[2] / "docs" / "world-files.md"


@pytest.fixture(scope="module")
def page():
    """Return the page's text."""
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def example(page, tmp_path_factory):
    """Load the page's example from a file, as a reader would."""
    (text,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (name,) = re.findall(r"Save this as `([^`]+)`", page)
    path = tmp_path_factory.mktemp("page") / name
    path.write_text(text, encoding="utf-8")
    return load_world(path)


def test_example_keeps_its_promises(example):
    """`check_world` finds nothing wrong with the example."""
    assert check_world(example) == []


def test_example_is_complete(example):
    """The example asks on every rung and decides in every mode."""
    rungs = {parse(q.query, example.vocabulary).rung for q in example.questions}
    assert rungs == {1, 2, 3}
    assert {decision.mode for decision in example.decisions} == {"bet", "act", "redo"}


def test_page_tells_every_key(page):
    """Each key of the schema stands in the page's table of keys."""
    table = page.split("## The keys")[1].split("\n## ")[0]
    keys = {field.alias or name for name, field in WorldFile.model_fields.items()}
    first_cells = " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))
    assert keys == set(re.findall(r"`(\w+)`", first_cells))
