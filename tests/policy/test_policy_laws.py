"""Laws between the rungs' best values, on random processes.

What holds always: see <= do, since the see policy is one of those that ``do`` chooses from;
do <= replay, since what was watched may be ignored and the second course has the law of the first;
pass for ever, chance, the imitator and short planners <= do.

What holds on conditions: do <= intent where no action changes another observed action variable
within its step (the natural value is shown in place of the one that came about); intent <= replay
in one step, or where nature's choices depend on nothing that actions change and nothing ends early
(there all of them have been watched).
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from policy_builders import random_play, random_process

from causalbench.errors import WorldError
from causalbench.scm.play import Play
from causalbench.scm.program import Program
from causalbench.task.sequential.slices import Slices
from causalbench.truth.policy import (
    clone,
    natural,
    planner,
    policy_value,
    reference,
    references,
    uniform,
)

SLACK = 1e-12
SEEDS = st.integers(0, 2**32 - 1)


def _program(seed, horizon=3):
    rng = np.random.default_rng([74, seed])
    while True:
        process = random_process(rng, slots=3, horizon=1 + int(rng.integers(horizon)))
        try:
            return Program(process, random_play(rng, process))
        except WorldError:
            continue


def _affects(program, *, across):
    """Return the slots that an action can change, within its step or at later ones, too."""
    count = len(program.names)
    found = {int(v) for v in np.flatnonzero(program.forced)}
    changed: set[int] = set()
    while True:
        more = {
            slot
            for lines in (program.first, program.later)
            for slot, line in enumerate(lines)
            for p in line.parents
            if (int(p) < count or across) and int(p) % count in found | changed
        }
        if more <= changed:
            return changed
        changed |= more


@settings(max_examples=60, deadline=None)
@given(SEEDS)
@example(137165614)  # every action sets a variable whose own parents count for nothing else
def test_each_rung_does_at_least_as_well(seed):
    """See <= do <= replay; and do <= intent <= replay on the conditions above."""
    program = _program(seed)
    value = {name: one.value.value for name, one in references(program).items()}
    assert value["see"] <= value["do"] + SLACK
    assert value["do"] <= value["replay"] + SLACK
    shown = {int(s) for s in program.seen if program.forced[s]}
    if not shown & _affects(program, across=False):
        assert value["do"] <= value["intent"] + SLACK
        free = not _affects(program, across=True) & {int(v) for v in np.flatnonzero(program.forced)}
        if program.horizon == 1 or (free and program.ends is None):
            assert value["intent"] <= value["replay"] + SLACK


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_nothing_that_acts_beats_do(seed):
    """Chance, the imitators, a short planner and passing for ever earn at most what ``do`` does."""
    program = _program(seed)
    best = reference(program, "do").value.value + SLACK
    assert uniform(program).value <= best
    assert clone(program).value.value <= best
    assert clone(program, recalls=False).value.value <= best
    assert policy_value(program, planner(program, 1), "do").value <= best
    if program.play.actions[0] == "pass":
        assert natural(program).value <= best


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_a_planner_that_looks_to_the_end_is_best(seed):
    """Planning over the whole horizon attains the reference's value, in every acting regime."""
    program = _program(seed)
    for regime in ("do", "intent", "replay"):
        found = policy_value(program, planner(program, program.horizon, regime), regime)
        assert found.value == pytest.approx(reference(program, regime).value.value, abs=SLACK)


def test_more_than_the_natural_course_is_not_always_told_by_watching():
    """Intent can beat replay: it is shown in the present state, which watching never visited.

    An action made at step 1 opens a state in which nature's choice tells the noise; the natural
    course stays out of it, so nothing is learnt there by watching.
    """
    slices = (
        Slices(2).add("open", "no yes").add("pick", "no yes").add("coin", "no yes", hidden=True)
    )
    slices.add("won", "no yes")
    slices.chance("coin", "", lambda: 0.5)
    slices.rule("open", "", lambda _: 0)
    slices.rule("pick", "", lambda _: 0, when="first")
    slices.rule("pick", "open_before coin", lambda _, was, coin: was * coin, when="later")
    slices.rule("won", "", lambda _: 0, when="first")
    slices.rule("won", "pick coin", lambda _, pick, coin: pick == coin, when="later")
    play = Play(
        "p",
        ("open=yes, pick=no", "open=yes, pick=yes"),
        ("open", "pick"),
        ((1.0, "won=yes"),),
        returns=(0.0, 1.0),
    )
    found = references(Program(slices.process(), play), ["intent", "replay"])
    assert found["intent"].value.value == pytest.approx(1.0)
    assert found["replay"].value.value == pytest.approx(0.5)
