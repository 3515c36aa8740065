"""Tell from the diagram whether a natural log is confounded, and by what.

At each step the back-door criterion is asked of the unrolled process: are the action variables
independent of what is paid from then on, given all that was seen and set before, once the arrows
that leave them are cut, and those that reach the action variables of later steps?

Reference:
    Pearl and Robins, "Probabilistic evaluation of sequential plans from causal models with hidden
    variables" (1995), theorem 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.graph import Diagram
from causalbench.query import parse_event
from causalbench.scm.process import BEFORE

if TYPE_CHECKING:
    from causalbench.scm.program import Program

__all__ = ["action_causes", "confounded", "forced_names"]

_STEPS = 3
"""Steps that are looked at: the first two slices repeat, and influence goes one step at a time."""


def forced_names(program: Program) -> list[str]:
    """Return the variables that some action sets, in declared order."""
    process = program.process
    return [name for name in process.names if program.forced[program.slot[name]]]


def action_causes(program: Program) -> list[str]:
    """Return what the mechanisms of the action variables read, ``x_before`` among them."""
    process = program.process
    found = {
        parent
        for slice_ in (process.first, process.later)
        for name in forced_names(program)
        for parent in slice_.parents(name)
    }
    order = [name for one in process.names for name in (one, f"{one}{BEFORE}")]
    return [name for name in order if name in found]


def confounded(program: Program) -> tuple[bool, list[str]]:
    """Tell whether the natural log is confounded.

    Returns:
        Whether it is; and the unobserved variables that move both an action variable and what is
        paid otherwise than through it, in declared order (none where something seen connects two
        hidden causes).
    """
    process = program.process
    steps = min(_STEPS, program.horizon)
    edges = [
        (parent if parent.endswith(BEFORE) else f"{parent}@{step}", f"{name}@{step}")
        for step in range(1, steps + 1)
        for name in process.names
        for parent in process.slice(step).parents(name)
    ]
    edges = [
        (
            f"{a.removesuffix(BEFORE)}@{int(b.rpartition('@')[2]) - 1}"
            if a.endswith(BEFORE)
            else a,
            b,
        )
        for a, b in edges
    ]
    nodes = [f"{name}@{step}" for step in range(1, steps + 1) for name in process.names]
    diagram = Diagram(nodes, edges)
    forced, found, whether = forced_names(program), set(), False
    for step in range(1, steps + 1) if forced else ():
        acts = [f"{name}@{step}" for name in forced]
        known = _known(program, step)
        later = [f"{name}@{at}" for at in range(step + 1, steps + 1) for name in forced]
        cut = diagram.without_outgoing(acts).without_incoming(later)
        paid = {f"{name}@{at}" for at in range(step, steps + 1) for name in _paid(program)}
        paid -= {*acts, *later, *known}
        if not paid or cut.d_separated(acts, sorted(paid), known):
            continue
        whether = True
        both = cut.ancestors(acts) & cut.ancestors(sorted(paid))
        found |= {node.rpartition("@")[0] for node in both - set(known)}
    hides = set(process.names) - set(program.play.observes) - set(forced)
    return whether, [name for name in process.names if name in found & hides]


def _known(program: Program, step: int) -> list[str]:
    """Return what has been seen and set when a step's action is chosen."""
    shown = [program.names[slot] for slot in program.seen]
    early = [name for name in shown if program.early[program.slot[name]]]
    past = {*shown, *forced_names(program)}
    before = [f"{name}@{at}" for at in range(1, step) for name in sorted(past)]
    return [*before, *(f"{name}@{step}" for name in early)]


def _paid(program: Program) -> set[str]:
    """Return the variables on which rewards, and how long they last, depend."""
    play, vocabulary = program.play, program.process.first.vocabulary
    events = list(play.actions) if play.mode == "bet" else [event for _, event in play.reward]
    if play.ends.strip():
        events.append(play.ends)
    return {atom.term.variable for event in events for atom in parse_event(event, vocabulary)}
