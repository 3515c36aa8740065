"""An audit is printed, written to a page between its marks, and given as JSON."""

from __future__ import annotations

import io
import json

import pytest
from audited_suites import Audited
from causalbench.cli import app
from rich.console import Console
from typer.testing import CliRunner

from causalbench.errors import LogError
from causalbench.report.audit import BEGIN, END, audit_markdown, audit_tables, write_audit
from causalbench.run.audit import Audit, Figure, audit


@pytest.fixture(scope="module")
def made():
    """Return a small audit in which the see-reader fails."""
    return audit(Audited(pairs=12, leak="see"))


def figure(**more):
    """Return a figure that passes."""
    given = {"type": "ATE", "shortcut": "constant", "skill": -0.314, "upper": -0.123}
    given |= {"alone": -0.2, "chance": 0.001, "pairs": 100, "bases": 90, "way": "fitted"}
    return Figure(**{**given, "passes": True, **more})


def text_of(found):
    """Print an audit as a terminal would show it."""
    console = Console(width=118, record=True, file=io.StringIO())
    console.print(audit_tables(found))
    return console.export_text()


def test_a_page_keeps_what_stands_round_the_tables(made, tmp_path):
    """Written twice, it is the same page."""
    page = tmp_path / "page.md"
    page.write_text(f"# Audit\n\n{BEGIN}\nold\n{END}\n\nafter\n", encoding="utf-8")
    write_audit(made, page)
    once = page.read_text(encoding="utf-8")
    write_audit(made, page)
    assert page.read_text(encoding="utf-8") == once
    assert once.startswith(f"# Audit\n\n{BEGIN}\n`causalbench audit audited")
    assert once.endswith(f"{END}\n\nafter\n")
    assert "old" not in once


def test_a_new_page_is_made(made, tmp_path):
    """A file that is not there yet."""
    write_audit(made, tmp_path / "new.md")
    assert audit_markdown(made) in (tmp_path / "new.md").read_text(encoding="utf-8")


def test_a_page_without_marks_is_left_alone(made, tmp_path):
    """It says which lines to add."""
    page = tmp_path / "page.md"
    page.write_text("# Mine\n", encoding="utf-8")
    with pytest.raises(LogError, match="audit: begin"):
        write_audit(made, page)
    assert page.read_text(encoding="utf-8") == "# Mine\n"


def test_what_fails_stands_out(made):
    """Bold on the page; with its pairs in the terminal."""
    assert "**1.00 (1.00)**" in audit_markdown(made)
    shown = text_of(made)
    assert "interventional: see-reader (as it is) has 1.000; most on p" in shown
    assert f"of {len(made.figures)} fail" in shown


def test_a_clean_audit_says_so():
    """One line at the end."""
    found = Audit("toy", "1", 0, 100, (figure(), figure(shortcut="adjust")))
    assert found.passes
    assert text_of(found).rstrip().endswith("every shortcut passes")
    assert "| ATE | 100 | -0.31 (-0.12) |" in audit_markdown(found)


@pytest.mark.slow
def test_the_command_ends_with_1_where_a_shortcut_fails(tmp_path, monkeypatch):
    """Too few pairs bound nothing; JSON is alone on stdout."""
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(
        app, ["audit", "ladder-mini", "--limit", "6", "-o", "page.md", "--json"]
    )
    assert said.exit_code == 1
    found = json.loads(said.stdout)
    assert (found["suite"], found["pairs"], found["passes"]) == ("ladder-mini", 6, False)
    assert {"type", "shortcut", "skill", "upper", "passes"} <= found["figures"][0].keys()
    assert BEGIN in (tmp_path / "page.md").read_text(encoding="utf-8")
