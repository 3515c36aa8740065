"""The page on world files: its example is complete, correct, and shows every mode."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from causalbench.errors import WorldError
from causalbench.query import parse
from causalbench.task.check import check_world
from causalbench.task.sequential import load_sequence
from causalbench.task.sequential.worldfile import SequenceFile
from causalbench.task.world import load_world
from causalbench.task.worldfile import WorldFile
from causalbench.truth.policy import references

PAGE = Path(__file__).resolve().parents[2] / "docs" / "world-files.md"


@pytest.fixture(scope="module")
def page():
    """Return the page's text."""
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def example(page, tmp_path_factory):
    """Load the page's example from a file, as a reader would."""
    return load_world(saved(page, 0, tmp_path_factory.mktemp("page")))


@pytest.fixture(scope="module")
def sequence_file(page, tmp_path_factory):
    """Return the file of the page's sequential world."""
    return saved(page, 1, tmp_path_factory.mktemp("page"))


def saved(page: str, number: int, folder: Path) -> Path:
    """Save an example under the name that the page gives it."""
    text = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[number]
    path = folder / re.findall(r"Save this as `([^`]+)`", page)[number]
    path.write_text(text, encoding="utf-8")
    return path


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


def test_sequential_example_plays(page, sequence_file, monkeypatch):
    """It loads, who acts is better off than who reads its log, and its environments step alike."""
    found = references(load_sequence(sequence_file).program(), ("see", "do"))
    assert found["see"].value.value < found["do"].value.value
    (code,) = re.findall(r"^```py\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    script = sequence_file.with_name("step.py")
    script.write_text(code, encoding="utf-8")
    monkeypatch.chdir(sequence_file.parent)
    made = runpy.run_path(str(script))
    assert made["env"].reset(seed=1)[0].tolist() == made["many"].reset(seed=1)[0][0].tolist()


def test_page_tells_every_key_of_a_sequential_world(page):
    """Each key of its schema stands in the section on it."""
    told = page.split("## Worlds of several steps")[1].split("\n## ")[0]
    form = SequenceFile.model_fields
    keys = {field.alias or name for name, field in form.items()}
    assert keys <= set(re.findall(r"\w+", told))
    keys = set(form["play"].annotation.model_fields)
    assert keys == set(re.findall(r"`play\.(\w+)`", told))


def test_a_sequential_world_is_no_world_of_one_step(sequence_file):
    """The line says what it is, and what loads it."""
    with pytest.raises(WorldError, match="is a sequential world, which load_sequence"):
        load_world(sequence_file)
    with pytest.raises(WorldError, match="'umbrella-days' is a sequential world"):
        load_world("umbrella-days")
