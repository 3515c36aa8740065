"""The tables that a person reads, and the figure."""

# ruff: noqa: E501  (the golden page is as wide as it is printed)

from __future__ import annotations

import io

import pytest
from rich.console import Console

from causalbench.errors import ScoreError
from causalbench.report import plot_ladder, print_run
from causalbench.report.cells import number, rung_signs
from causalbench.run import Run, evaluate
from causalbench.score import Record
from causalbench.task.answer import Estimate

READINGS = {"marginal": 0.5, "see": 0.2, "do": 0.7, "imagine": 0.7}


def pair(agent, name, losses, **fields):
    """Return the two records of a pair."""
    plain = {
        "control": False,
        "repeat": 0,
        "kind": "estimate",
        "track": "estimates",
        "cell": "lab",
        "group": "learning",
        "rung": 2,
        "role": "skill",
        "base": name,
        "status": "answered",
        "floor": 0.4,
        "weight": 1.0,
        "identified": True,
        "truth": 0.7,
        "readings": READINGS,
        "answer": Estimate(0.7),
        "cost": {"rows": 200.0, "interventions": 1300.0, "seconds": 0.25},
    }
    return [
        Record(
            **{
                **plain,
                "agent": agent,
                "dossier": f"{name}{side}",
                "question": f"{name}{side}q",
                "pair": name,
                "side": side,
                "loss": losses[side],
                **fields,
            }
        )
        for side in (0, 1)
    ]


def small():
    """Return a run of two agents and a control on a few pairs."""
    records = []
    for name in ("p", "q"):
        first, rung_one = {"cell": "mechanisms", "group": "reasoning"}, {"rung": 1}
        records += pair("climber", f"{name}1", (0, 0), **rung_one)
        records += pair("climber", name, (0, 0))
        records += pair("reader", f"{name}1", (0, 0), **rung_one)
        records += pair("reader", name, (0.5, 0), answer=Estimate(0.2))
        records += pair("reader", f"{name}m", (0.2, 0.2), **first, status="failed", answer=None)
        records += pair("exact", name, (0, 0), control=True)
    records += pair("reader", "n", (0.5, 0.1), role="named", floor=0.0, answer=Estimate(0.2))
    order = {"climber": 1, "reader": 2, "exact": 0}
    return Run("toy", "1", 7, "d", tuple(sorted(records, key=lambda one: order[one.agent])))


PAGE = """
toy  version 1, seed 7

estimates, learning: the access reaches the rung

                    1 see               2 do
                      lab                lab   rungs
agent             2 pairs            2 pairs  climbed  units  seconds
─────────────────────────────────────────────────────────────────────
climber  1.00 [1.00 1.00]   1.00 [1.00 1.00]    ●●·     1.5k     0.25
reader   1.00 [1.00 1.00]  -0.25 [-.25 -.25]    ●○·     1.5k     0.25

exact                   -   1.00 [1.00 1.00]    ···     1.5k     0.25

estimates, reasoning: the access is lower, but diagram or mechanisms are shown

                  2 do
            mechanisms   rungs
agent          2 pairs  climbed  units  seconds
───────────────────────────────────────────────
reader  0.00 [.00 .00]    ·○·     1.5k     0.25

1 is the truth, 0 the most that a solver confined to the rung below can expect; with each skill its 95% interval over
base worlds and repeats. - was not played.
● a rung climbed: its interval lies above .5, and so does that of every rung below; ○ measured and not climbed;
· nothing can be said: it or a rung below was not played, or has no interval. units, seconds: spent on a dossier, on
average.

estimates: percent of answers nearest to a perfect see / do / imagine

            2 do
agent        lab
────────────────
climber  0 / 100
reader   100 / 0

estimates without twins: mean error, never in skill (answered/asked)

             2 do
agent         lab
─────────────────
reader  0.300 2/2

reader: 4 failed of 14 answers"""


def printed(run, width=118):
    """Return a run as printed without colours."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    print_run(run, console)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def test_golden():
    """The whole page, sign by sign."""
    assert printed(small()) == PAGE


def test_narrow_terminals_get_intervals_below():
    """Where the columns are few, a skill stands over its interval, and no line is longer."""
    page = printed(small(), width=64)
    assert "1.00 [1.00" not in page
    assert "1.00 1.00" in page
    assert max(len(line) for line in page.splitlines()) <= 64


def test_nothing_played_is_not_printed():
    """No empty table."""
    with pytest.raises(ScoreError, match="no answers"):
        printed(Run("toy", "1", 7, "d", ()))


def test_honesty_stands_alone_where_no_pair_was_played():
    """It needs no ladder: a run of honesty items would otherwise print nothing."""
    run = evaluate(["exact", "see-reader"], "umbrella-rain", where={"role": "honesty"})
    page = printed(run)
    assert [line.split() for line in page.splitlines() if line.startswith("exact")] == [
        ["exact", "1.00", "(1.00)"]
    ]
    assert "0 for claiming nothing" in page
    assert "climbed" not in page


def test_a_single_base_world_is_said():
    """No interval, and why."""
    run = Run("toy", "1", 7, "d", tuple(pair("a", "p", (0, 0), rung=1)))
    assert "A single base world gives no interval" in printed(run)


@pytest.mark.parametrize(
    ("height", "lows", "signs"),
    [
        (1, {1: 0.6}, "●··"),
        (None, {}, "···"),
        (None, {1: None, 2: None}, "···"),
        (None, {2: 0.9}, "···"),
        (None, {2: 0.1}, "·○·"),
        (0, {1: 0.5, 2: 0.9}, "○○·"),
        (3, {1: 0.6, 2: 0.6, 3: 0.6}, "●●●"),
    ],
)
def test_rungs_are_climbed_not_climbed_or_unknown(height, lows, signs):
    """What wasn't measured isn't shown as not climbed, nor is a rung above an unknown one."""
    rungs = {str(rung): {"low": low} for rung, low in lows.items()}
    assert rung_signs({"height": height, "rungs": rungs}) == signs


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (-0.001, "0.00"), (-0.25, "-0.25"), (1.0, "1.00")]
)
def test_numbers(value, text):
    """No -0.00, and a dash for none."""
    assert number(value) == text


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_figure_is_written(tmp_path, suffix):
    """In each format, and not empty."""
    path = plot_ladder(small(), tmp_path / f"x.{suffix}")
    heads = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    assert path.read_bytes().startswith(heads[suffix])


def test_figure_without_pairs_is_refused(tmp_path):
    """Nothing to draw is said."""
    run = Run("toy", "1", 7, "d", tuple(pair("a", "p", (0, 0), role="named", floor=0.0)))
    with pytest.raises(ScoreError, match="no pairs"):
        plot_ladder(run, tmp_path / "x.png")
