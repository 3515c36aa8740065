"""What an arena found, as tables, pages and figures, and by the command line."""

from __future__ import annotations

import json
import re

import pytest
from causalbench.cli import app
from typer.testing import CliRunner

import causalbench as cb
from causalbench.errors import LogError
from causalbench.report.arena import BEGIN, END, arena_markdown, arena_tables, write_arena
from causalbench.report.arena_sheets import sheets

RUN = CliRunner()


@pytest.fixture
def found(world, stub):
    """Two learners of one width each, over two budgets."""
    page = {
        "world": world,
        "title": "a try",
        "agents": [{"agent": stub(), "options": {"lean": [0.5, 1.0]}}],
    }
    return cb.arena(page, budgets=[64, 256], regimes=["see", "do"], repeats=2, draw="curves")


def test_a_table_has_a_row_for_each_learner_and_regime(found) -> None:
    """Budgets stand across, references in a table of their own."""
    learners, references = sheets(found.findings[0])
    assert [[row[0].text, row[1].text] for row in learners.rows] == [
        [f"Stub lean={lean}", regime] for lean in ("0.5", "1.0") for regime in ("see", "do")
    ]
    assert learners.columns[2:4] == ["64", "256"]
    assert references.columns[1:] == ["uniform", "natural", "see", "do", "intent", "replay"]


def test_every_line_of_a_table_fits(found) -> None:
    """No row has more cells than there are headings."""
    for sheet in sheets(found.findings[0]):
        assert {len(row) for row in sheet.rows} == {len(sheet.columns)} == {len(sheet.left)}


def test_a_narrow_terminal_gets_intervals_below(found) -> None:
    """Nothing is cut off: the table is laid out in two lines a row."""
    from rich.console import Console

    console = Console(width=90, record=True)
    with console.capture() as captured:
        console.print(arena_tables(found, width=90))
    assert "Stub lean=0.5" in captured.get()


@pytest.mark.parametrize("draw", ["curves", "sweep", "spread", "goal"])
def test_every_kind_of_figure_is_drawn(draw, tmp_path, world, stub) -> None:
    """A figure is a picture of some size."""
    page = {"world": world, "agents": [{"agent": stub(), "options": {"lean": [0.5, 1.0]}}]}
    made = cb.arena(page, budgets=[64], regimes=["do"], draw=draw)
    path = cb.plot_arena(made, tmp_path / "figure.png")
    assert path.stat().st_size > 10_000
    assert sheets(made.findings[0])[0].rows


def test_a_life_is_drawn_and_told(world, stub, tmp_path) -> None:
    """A panel a phase, a line of the table a phase, a column a stretch."""
    made = cb.arena(world, [stub()], budgets=[64], regimes=["do"], life=["dry", "oily"])
    assert cb.plot_arena(made, tmp_path / "life.svg").stat().st_size > 10_000
    sheet = sheets(made.findings[0])[0]
    assert [row[2].text for row in sheet.rows] == ["dry", "oily"]
    assert sheet.columns[3:5] == ["after 1\ndry", "after 2\noily"]


def test_a_page_keeps_what_stands_around_its_marks(found, tmp_path) -> None:
    """Only what is between the marks is replaced, and twice gives the same."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_arena(found, page)
    once = page.read_text(encoding="utf-8")
    write_arena(found, page)
    assert page.read_text(encoding="utf-8") == once
    assert re.match(r"before\n.*\nafter\n$", once, re.DOTALL)
    assert "old" not in once
    assert "| Stub lean=0.5 | see |" in arena_markdown(found)


def test_a_page_without_marks_is_refused(found, tmp_path) -> None:
    """Nothing is overwritten."""
    page = tmp_path / "page.md"
    page.write_text("mine\n", encoding="utf-8")
    with pytest.raises(LogError, match="has no lines"):
        write_arena(found, page)


def test_the_command_line_runs_a_page(world, stub, tmp_path) -> None:
    """A configuration alone names the world; flags override it; JSON comes alone."""
    page = tmp_path / "page.yaml"
    page.write_text(
        f"kind: arena\nworld: {world}\nagents: ['{stub()}']\nbudgets: [64]\nregimes: [do]\n"
        f"repeats: 3\nlog-dir: {tmp_path / 'logs'}\n",
        encoding="utf-8",
    )
    done = RUN.invoke(app, ["run", "--config", str(page), "--repeats", "2", "--json"])
    assert (done.exit_code, done.exception) == (0, None)
    told = json.loads(done.stdout)
    assert (told["repeats"], told["studies"][0]["rows"][0]["repeats"]) == (2, 2)


def test_a_dry_run_counts(world, stub, tmp_path) -> None:
    """What would be trained, without training."""
    flags = ["--agent", stub(), "--budget", "64", "--regime", "do", "--repeats", "3", "--dry-run"]
    done = RUN.invoke(app, ["run", world, *flags, "--log-dir", str(tmp_path / "logs"), "--json"])
    told = json.loads(done.stdout)
    assert (told["trainings"], told["steps"], told["logged"]) == (3, 192, 0)
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["WORLD", "--agent", "STUB", "--limit", "3"], "no meaning in a sequential world"),
        (["WORLD", "--agent", "STUB", "--knob", "length"], "is not name=number"),
        (["umbrella-rain", "--agent", "random", "--budget", "3"], "is no sequential world"),
        (["WORLD"], "nobody trains"),
        (["WORLD", "--agent", "STUB", "--phase", "wet"], "has no phase 'wet'"),
    ],
)
def test_what_does_not_fit_is_refused(flags, told, world, stub, tmp_path) -> None:
    """On one line, with 2."""
    given = [{"WORLD": world, "STUB": stub()}.get(flag, flag) for flag in flags]
    done = RUN.invoke(app, ["run", *given, "--log-dir", str(tmp_path / "logs")])
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.split())
