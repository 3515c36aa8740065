"""Pages of suites that say types of question have a line for each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from causalbench.board import board, pack, verify
from causalbench.board.page import form_tables
from causalbench.run import evaluate

SUITE = """
schema: 1
name: toy
version: 1
title: Pairs of three types of question
strata:
  - forms: [conditional, ATE, most-probable]
    access: {mechanisms: 2}
  - forms: [conditional]
    access: {lab-see-256: 2}
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A submission of two agents on a suite with traits."""
    folder = tmp_path_factory.mktemp("forms")
    suite = folder / "toy.yaml"
    suite.write_text(SUITE, encoding="utf-8")
    evaluate(["see-reader", "exact"], str(suite), log_dir=folder / "logs")
    return pack(folder / "logs", folder / "toy.zip")


@pytest.fixture
def _published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a suite of a path be verified: everybody here has it."""
    room = sys.modules["causalbench.board.verify"]  # the package has a function of that name
    monkeypatch.setattr(room, "published", lambda _: True)


@pytest.mark.usefixtures("_published")
def test_traits_survive_packing(packed: Path) -> None:
    """What is recomputed says type of question, terms and size again."""
    found = verify(packed)
    assert (found.reason, found.ok) == ("", True)
    records = found.agents[0].records
    assert {(one.form, one.access) for one in records} == {
        ("conditional", "mechanisms"),
        ("ATE", "mechanisms"),
        ("most-probable", "mechanisms"),
        ("conditional", "lab-see-256"),
    }
    assert {one.size for one in records} == {"small"}


@pytest.mark.usefixtures("_published")
def test_a_page_has_a_line_for_each_type_of_question(packed: Path, tmp_path: Path) -> None:
    """Under each track, learning and reasoning apart."""
    folder = board([packed], tmp_path / "site").parent
    (path,) = [path for path in folder.glob("*.html") if path.name != "index.html"]
    text = path.read_text(encoding="utf-8")
    assert [text.count(f">{form}</td>") for form in ("conditional", "ATE", "most-probable")] == [
        2,
        1,
        1,
    ]
    assert text.index('id="estimates-forms"') < text.index('id="decisions-forms"')


def test_suites_without_traits_have_no_such_table(honest: Path, tmp_path: Path) -> None:
    """And no empty one."""
    folder = board([honest], tmp_path / "site").parent
    assert all("-forms" not in path.read_text(encoding="utf-8") for path in folder.glob("*.html"))


def test_tables_leave_gaps_where_nothing_was_played() -> None:
    """A type of question that one agent alone plays is a dash for the other."""
    plain = {"track": "estimates", "group": "learning", "pairs": 2, "maximum": 0.5}
    rows = [
        {**plain, "rung": 1, "form": "marginal", "agent": "a", "control": False},
        {**plain, "rung": 2, "form": "ATE", "agent": "a", "control": False},
        {**plain, "rung": 2, "form": "ATE", "agent": "b", "control": True, "pairs": 1},
    ]
    (table,) = form_tables(rows, "estimates", ["b", "a", "c"])
    assert table["agents"] == [("b", True), ("a", False)]
    assert table["bounded"]
    (_, first), (_, second) = table["rungs"]
    assert first[0]["cells"] == [None, rows[0]]
    assert (second[0]["pairs"], second[0]["cells"]) == (2, [rows[2], rows[1]])
