"""Skill by type of question, skill by budget, and item statistics, as a person sees them."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from causalbench.errors import ScoreError
from causalbench.report import plot_budgets, print_items, print_lines, print_run
from causalbench.run import Run
from causalbench.score import Record
from causalbench.task.answer import Estimate
from causalbench.task.forms import FORMS

PLAIN = Record(
    agent="a",
    control=False,
    repeat=0,
    dossier="d",
    question="q",
    kind="estimate",
    track="estimates",
    cell="lab",
    group="learning",
    rung=2,
    role="skill",
    pair="p",
    side=0,
    base="b",
    status="answered",
    loss=0.0,
    floor=0.4,
    weight=1.0,
    identified=True,
    truth=0.7,
    readings={},
    answer=Estimate(0.7),
    cost={},
    form="ATE",
    access="lab-do-256",
    size="small",
)


def pairs(agent, loss, count=3, **fields):
    """Return the records of some pairs of one kind."""
    kind = "".join(str(fields.get(name, "")) for name in ("form", "access", "track"))
    return [
        replace(
            PLAIN,
            agent=agent,
            loss=loss,
            dossier=f"{kind}{n}{side}",
            question=f"{kind}{n}{side}",
            pair=f"{kind}{n}",
            base=f"{kind}{n}",
            side=side,
            **fields,
        )
        for n in range(count)
        for side in (0, 1)
    ]


def run_of(records):
    """Return a run of records."""
    return Run("toy", "1", 7, "d", tuple(records))


def small():
    """Return a run of an agent and a control on two rungs and two budgets."""
    records = []
    for agent, losses in (("learner", (0.05, 0.15, 0.1)), ("reader", (0.2, 0.2, 0.25))):
        control = {"control": agent == "reader"}
        records += pairs(agent, losses[0], access="lab-do-1024", ceiling=1.0, **control)
        records += pairs(agent, losses[1], access="lab-do-256", ceiling=0.75, **control)
        records += pairs(
            agent, losses[2], form="PN", rung=3, access="lab-replay-256", ceiling=0.5, **control
        )
    return run_of(records)


PAGE = """
toy  version 1, seed 7

estimates, learning: the access reaches the rung

type of question  pairs  most         learner             reader
────────────────────────────────────────────────────────────────
2 do
  ATE                 6  0.88  0.50 [.33 .67]     0.00 [.00 .00]

3 imagine
  PN                  3  0.50  0.50 [.50 .50]  -0.25 [-.25 -.25]

skill with its 95% interval over base worlds and repeats; most: the skill that can be expected at
most, from what the lab allows.
"""


def printed(show, *given):
    """Return what is printed without colours, 100 columns wide."""
    console = Console(file=io.StringIO(), width=100, highlight=False)
    show(*given, console)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def test_golden():
    """A line for each type of question, sign by sign."""
    assert printed(print_lines, small(), "form") == PAGE


def test_lines_by_access_are_in_the_order_of_budgets():
    """256 before 1024, though it was played later."""
    page = printed(print_lines, small(), "access")
    assert page.index("lab-do-256") < page.index("lab-do-1024") < page.index("lab-replay-256")


def test_many_agents_and_all_types_of_question_fit():
    """Twelve agents and 26 types: nothing is cut, and no line is over 100 columns."""
    names = [f"some-agent-{number}" for number in range(12)]
    run = run_of(
        record
        for name in names
        for form in FORMS.values()
        for record in pairs(name, 0.1, form=form.name, rung=form.rung, track=form.track)
    )
    page = printed(print_lines, run, "form")
    assert max(len(line) for line in page.splitlines()) <= 100
    assert all(name in page for name in (*names, *FORMS))
    assert "…" not in page


def test_the_ladder_tells_of_the_lines():
    """One line, where the suite says types of question, and none where it does not."""
    assert "--by form" in printed(print_run, small())
    plain = run_of(replace(record, form="") for record in small().records)
    assert "--by form" not in printed(print_run, plain)


def test_statuses_are_said():
    """What was not answered is counted below the lines."""
    run = run_of(pairs("a", 0.2, status="failed", answer=None))
    assert "a: 6 failed of 6 answers" in printed(print_lines, run, "form")


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_budgets_are_drawn(tmp_path, suffix):
    """A file of each kind that is promised."""
    path = plot_budgets(small(), tmp_path / f"x.{suffix}")
    assert path.stat().st_size > 1000


def test_the_figure_names_regimes_and_budgets(tmp_path):
    """Panels for what was played, the ceiling in the legend."""
    text = plot_budgets(small(), tmp_path / "x.svg").read_text()
    assert "<svg" in text
    for said in ("rung 2: do", "rung 3: imagine", "most that can be expected", "256", "1k"):
        assert said in text


def test_runs_without_labs_have_no_budgets_to_draw(tmp_path):
    """Nothing is drawn of nothing."""
    run = run_of(pairs("a", 0.0, access="mechanisms", cell="mechanisms"))
    with pytest.raises(ScoreError, match="no pairs in labs"):
        plot_budgets(run, tmp_path / "x.png")


def test_items_are_summed_up_by_kind():
    """A line for each type of question, then the hardest."""
    page = printed(print_items, small())
    assert "18 items, 2 agents" in page
    assert page.index("ATE") < page.index("PN") < page.index("the hardest")


def test_item_tables_fit():
    """All types of question, with ids and terms as long as they come: nothing is cut."""
    run = run_of(
        replace(record, question=f"{number:016x}", loss=0.01 * (number % 20))
        for number, record in enumerate(
            record
            for form in FORMS.values()
            for record in pairs(
                "a", 0.1, form=form.name, rung=form.rung, access="diagram-do-coupled", size="medium"
            )
        )
    )
    page = printed(print_items, run)
    assert max(len(line) for line in page.splitlines()) <= 100
    assert "…" not in page
    assert all(f"  {form} " in page for form in FORMS)


def test_runs_without_pairs_have_no_items():
    """A mean of nothing raises."""
    with pytest.raises(ScoreError, match="this run has none"):
        run_of([replace(PLAIN, role="named")]).items()


def test_frames_hold_the_traits():
    """One row an item with its traits, a row a line, a row an item's statistics."""
    run = small()
    frame = run.frame()
    assert set(frame["form"]) == {"ATE", "PN"}
    assert {"access", "size", "motif", "family", "surface", "ceiling"} <= set(frame.columns)
    assert list(run.table(by="access")["access"])[:2] == ["lab-do-256"] * 2
    assert run.table()["answered"].sum() == 36
    assert len(run.items()) == 18
