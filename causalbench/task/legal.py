"""Say whether a decision is legal in a world, and whether it is worth asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.errors import QueryError, WorldError, suggest
from causalbench.query import action_label, parse_action, parse_event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from causalbench.query.ast import Action
    from causalbench.scm import SCM
    from causalbench.task.types import Decision

__all__ = ["check_decision", "observed", "redo_problem"]


def observed(decision: Decision) -> tuple[str, ...]:
    """Return the variables seen before choosing: those observed, or those of the stated facts."""
    return decision.observes or tuple(name for name, _ in decision.given or ())


def check_decision(scm: SCM, decision: Decision) -> None:
    """Refuse a decision that makes no sense in a world.

    Raises:
        WorldError: names the decision and what is wrong with it.
    """
    where = f"decision '{decision.id}'"
    if not scm.is_discrete:
        raise WorldError(f"{where}: decisions need a discrete world; ask estimates of this one.")
    try:
        actions, events = _parsed(scm, decision)
    except QueryError as error:
        raise WorldError(f"{where}: {error}") from None
    named = {name for action in (*actions, *events) for name, _ in action} | set(observed(decision))
    _check_names(scm, named, where)
    if len(set(actions)) < len(actions) or len(actions) < 2:  # noqa: PLR2004
        raise WorldError(f"{where}: give at least two actions, each once.")
    if len(set(observed(decision))) < len(observed(decision)):
        raise WorldError(f"{where}: a variable is observed twice; name each once.")
    _check_given(scm, decision, where)
    low, high = decision.bounds
    if not low < high:
        raise WorldError(f"{where}: all weights are zero; give at least one that is not.")
    if decision.mode == "act":
        _check_act(scm, actions, observed(decision), where)


def redo_problem(decision: Decision) -> str | None:
    """Say why win-stay-lose-shift would solve a redo, or None where it would not.

    A redo needs two or more actions other than the factual one, or a weight on what an action sets
    (a cost of switching), or an outcome that is not wholly seen.
    """
    if decision.mode != "redo":
        return None
    others = [label for label in decision.actions if label != decision.factual]
    set_by_actions = {
        atom.term.variable
        for label in decision.actions
        if label != "pass"
        for atom in parse_event(label)
    }
    weighed = {atom.term.variable for _, event in decision.utility for atom in parse_event(event)}
    if len(others) > 1 or weighed & set_by_actions or not weighed <= set(observed(decision)):
        return None
    return (
        f"decision '{decision.id}': win-stay-lose-shift solves it; give two actions that were not "
        f"taken, a cost of switching, or an outcome that is partly unseen"
    )


def _parsed(scm: SCM, decision: Decision) -> tuple[list[Action], list[Action]]:
    """Read labels, which must be as a query writes them so that keys match, and events."""
    where = f"decision '{decision.id}'"
    actions = []
    for label in (*decision.actions, decision.factual):
        action = parse_action(label, scm.vocabulary)
        if label != action_label(action):
            raise WorldError(f"{where}: write action '{label}' as '{action_label(action)}'.")
        actions.append(action)
    actions.pop()
    if decision.mode == "bet" and () in actions:
        raise WorldError(f"{where}: 'pass' is no bet; name events.")
    events = []
    for _, event in decision.utility:
        atoms = parse_event(event, scm.vocabulary)
        if any(atom.term.subscript or atom.op not in {"=", "!="} for atom in atoms):
            msg = f"{where}: event '{event}' must compare realised variables with = or !=."
            raise WorldError(msg)
        events.append(tuple((atom.term.variable, atom.value) for atom in atoms))
    return actions, events


def _check_names(scm: SCM, named: set[str], where: str) -> None:
    for name in sorted(named):
        if name not in scm.names:
            near = suggest(name, scm.visible)
            raise WorldError(f"{where}: no variable '{name}'; name the world's variables.{near}")
        if scm.variable(name).hidden:
            raise WorldError(f"{where}: '{name}' is hidden; use visible variables.")


def _check_act(scm: SCM, actions: list[Action], seen: tuple[str, ...], where: str) -> None:
    changed = {name for action in actions for name, _ in action}
    after = _descendants(scm, changed)
    for name in seen:
        if name in changed:
            msg = f"{where}: '{name}' is seen before it is set; that is intent, not act."
            raise WorldError(msg)
        if name in after:
            msg = (
                f"{where}: '{name}' is an effect of the actions, so it cannot be seen before "
                f"them; observe causes only, or make it a redo."
            )
            raise WorldError(msg)


def _check_given(scm: SCM, decision: Decision, where: str) -> None:
    if decision.given is None:
        return
    stated = [name for name, _ in decision.given]
    if decision.observes and set(decision.observes) != set(stated):
        raise WorldError(f"{where}: 'given' must state exactly what is observed, or leave one out.")
    for name, label in decision.given:
        if label not in (scm.variable(name).values or ()):
            raise WorldError(f"{where}: '{name}' has no value '{label}'; state one it has.")


def _descendants(scm: SCM, of: Iterable[str]) -> set[str]:
    """Walk the mechanisms once in causal order; cheaper than projecting the diagram."""
    found = set(of)
    for name in scm.order:
        if found.intersection(scm.parents(name)):
            found.add(name)
    return found
