"""Tell a dossier in words: everything it holds, and nothing else."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

from causalbench.query import parse_action, parse_event
from causalbench.query.render import number
from causalbench.scm import AdditiveMechanism, LinearMechanism, TableMechanism
from causalbench.scm.noise import LAWS
from causalbench.task.evidence_text import cases_text, laws_text, logs_text, rows_text
from causalbench.task.words import PRECISION, Speaker, digits, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.graph import Diagram
    from causalbench.scm import SCM, Mechanism, Variable
    from causalbench.task.types import Decision, Dossier

__all__ = ["PRECISION", "dossier_text"]

_REGIMES = {
    "see": "You may only watch.",
    "do": "You may watch and intervene: set variables in fresh cases and see what follows.",
    "intent": (
        "You may intervene after seeing what would have been chosen without you: where a variable "
        "is set, the lab tells its natural value too."
    ),
    "replay": "You may intervene, also in cases already seen, run again with the same chance.",
}
_COUPLINGS = {
    "independent": "each setting of the parents has chance of its own",
    "monotone": "one uniform random number decides at every setting of the parents, by quantiles",
    "antitone": "as monotone, but the random number is turned round at one value of a parent",
    "mixture": "one of several of these, chosen by a coin for each case",
}
_ALTERNATING = (
    "as monotone, but the random number is turned round at every other value of a parent, from the "
    "second on"
)
_FEW = 3  # with so many values, every other one from the second on is one value
_TURNING = re.compile(r'"in": "([^"]*)"')


def dossier_text(dossier: Dossier) -> str:
    """Render everything a dossier holds, as paragraphs and tables of plain text.

    Args:
        dossier: what an agent is told.

    Returns:
        Text with a heading for each part; parts that a dossier lacks are left out.
    """
    parts = [
        ("", dossier.story),
        ("Variables", _variables(dossier.variables)),
        ("What you may do", _access(dossier)),
        ("Causal diagram", "" if dossier.diagram is None else _diagram(dossier.diagram)),
        ("Mechanisms", "" if dossier.mechanisms is None else _mechanisms(dossier.mechanisms)),
        ("Exact distributions", laws_text(dossier.laws, dossier.variables)),
        ("Couplings", _couplings(dossier.couplings, dossier.variables)),
        ("Data", rows_text(dossier)),
        ("Logs", logs_text(dossier)),
        ("Decisions that may be asked", _decisions(dossier.decisions)),
    ]
    texts = [f"{title.upper()}\n{text}" if title else text for title, text in parts if text]
    texts.append(f"Numbers are given to {PRECISION} significant digits.")
    return "\n\n".join(texts)


def _variables(variables: Sequence[Variable]) -> str:
    count = "is one variable" if len(variables) == 1 else f"are {len(variables)} variables"
    lines = [f"There {count}:"]
    for variable in variables:
        unit = f", in {variable.unit}" if variable.unit else ""
        if variable.values is None:
            lines.append(f"- {variable.name}: a real number{unit}")
            continue
        labels = variable.values
        if variable.numbers is not None:
            labels = tuple(
                f"{label} (= {digits(value)})"
                for label, value in zip(labels, variable.numbers, strict=True)
            )
        lines.append(f"- {variable.name}: {joined(labels, 'or')}{unit}")
    return "\n".join(lines)


def _access(dossier: Dossier) -> str:
    budget = dossier.budget
    lines = [_REGIMES[dossier.knowledge.regime]]
    settable = dossier.knowledge.manipulable
    if settable is not None and dossier.knowledge.rung > 1:
        only = f"The only variables that you may set: {joined(settable)}."
        lines.append(only if settable else "But there is no variable that you may set.")
    allowed = [
        f"{cases_text(count)} to {verb}"
        for count, verb in (
            (budget.rows, "watch"),
            (budget.interventions, "intervene in"),
            (budget.replays, "run again"),
        )
        if count
    ]
    lines.append(f"Your budget: {joined(allowed) or 'nothing beyond what is written here'}.")
    if dossier.knowledge.assumptions:
        lines.append(f"You may assume: {joined(dossier.knowledge.assumptions)}.")
    return "\n".join(lines)


def _diagram(diagram: Diagram) -> str:
    lines = ["These are all the direct causes among the variables, and all the hidden common ones:"]
    place = {name: index for index, name in enumerate(diagram.nodes)}
    lines += [
        f"- {a} is a direct cause of {b}."
        for a, b in sorted(diagram.directed, key=lambda edge: (place[edge[0]], place[edge[1]]))
    ]
    for pair in sorted(sorted(edge, key=place.__getitem__) for edge in diagram.bidirected):
        lines.append(f"- A hidden cause acts on both {pair[0]} and {pair[1]}.")
    joint = {name for edge in diagram.directed | diagram.bidirected for name in edge}
    lone = [name for name in diagram.nodes if name not in joint]
    if lone:
        lines.append(f"- No arrow touches {joined(lone, 'or')}.")
    lines.append(f"In short: {diagram}.")
    return "\n".join(lines)


def _mechanisms(scm: SCM) -> str:
    lines = [
        "Each variable follows from its parents and from chance of its own. Each row below is one "
        "outcome of that chance: its probability, then the variable's value at each setting of the "
        "parents."
        if scm.is_discrete
        else "Each variable is a weighted sum of its parents plus independent Gaussian noise."
        if scm.is_linear
        else "Each variable is a function of its parents plus independent noise of its own."
    ]
    for name in scm.names:
        variable, mechanism = scm.variable(name), scm.mechanism(name)
        hidden = " (hidden: never observed)" if variable.hidden else ""
        if isinstance(mechanism, LinearMechanism):
            lines.append(f"- {name}{hidden} = {_linear(mechanism)}")
        elif isinstance(mechanism, AdditiveMechanism):
            lines.append(f"- {name}{hidden} = {_additive(mechanism)}")
        else:
            lines.append(_table(scm, name, mechanism, hidden))
    return "\n".join(lines)


def _linear(mechanism: LinearMechanism) -> str:
    terms = [
        f"{digits(weight)} * {parent}"
        for parent, weight in zip(mechanism.parents, mechanism.weights, strict=True)
    ]
    terms.append(digits(mechanism.intercept))
    return f"{' + '.join(terms)} + noise of standard deviation {digits(mechanism.std)}"


def _additive(mechanism: AdditiveMechanism) -> str:
    law = mechanism.noise
    if law.law == "none":
        return f"{mechanism.expression}, without noise"
    pairs = zip(LAWS[law.law], law.parameters, strict=True)
    numbers = joined([f"{name} {digits(value)}" for name, value in pairs])
    return f"{mechanism.expression} + {law.law.replace('_', ' ')} noise ({numbers})"


def _table(scm: SCM, name: str, mechanism: Mechanism | TableMechanism, hidden: str) -> str:
    labels = scm.variable(name).values or ()
    parents = [scm.variable(parent) for parent in mechanism.parents]
    settings = [
        joined([f"{p.name}={value}" for p, value in zip(parents, values, strict=True)])
        for values in product(*(parent.values or () for parent in parents))
    ]
    if parents:
        head = f"- {name}{hidden} has the parents {joined([p.name for p in parents])}"
        if len(parents) == 1:
            head = f"- {name}{hidden} has the parent {parents[0].name}"
        head += f". Settings, in order: {'; '.join(settings)}."
    else:
        head = f"- {name}{hidden} has no parents."
    lines = [head]
    if isinstance(mechanism, TableMechanism):
        lines.append(
            "    Known are its probabilities alone, a row for each setting, and not what one unit "
            f"does at two settings. Columns: {', '.join(labels)}."
        )
        for setting, chances in zip(settings, mechanism.cpt.reshape(-1, len(labels)), strict=True):
            lines.append(f"    {setting}: {', '.join(map(digits, chances))}")
        return "\n".join(lines)
    table = mechanism.table.reshape(len(mechanism.noise), -1)
    for chance, row in zip(mechanism.noise, table, strict=True):
        lines.append(f"    {digits(chance)}: {', '.join(labels[code] for code in row)}")
    return "\n".join(lines)


def _couplings(couplings: Sequence[tuple[str, str]], variables: Sequence[Variable]) -> str:
    if not couplings:
        return ""
    turning = {name for _, coupling in couplings for name in _TURNING.findall(coupling)}
    most = max((len(each.values or ()) for each in variables if each.name in turning), default=0)
    meanings = _COUPLINGS if most <= _FEW else {**_COUPLINGS, "antitone": _ALTERNATING}
    lines = ["How one and the same case would answer at different settings of the parents:"]
    lines += [f"- {name}: {coupling}" for name, coupling in couplings]
    kinds = [kind for kind in _COUPLINGS if any(kind in coupling for _, coupling in couplings)]
    lines += [f"Here '{kind}' means: {meanings[kind]}." for kind in kinds]
    return "\n".join(lines)


def _decisions(decisions: Sequence[Decision]) -> str:
    speaker = Speaker()
    return "\n".join(_decision(decision, speaker) for decision in decisions)


def _decision(decision: Decision, speaker: Speaker) -> str:
    seen = joined(decision.observes) or "nothing"
    if decision.mode == "bet":
        return (
            f"- {decision.id}: having seen {seen}{_stated(decision, speaker)}, bet on "
            f"{joined([_bet(label) for label in decision.actions], 'or')}; a bet pays 1 if it is "
            f"true, else 0."
        )
    worth = joined(
        [
            f"{number(weight)} if {speaker.condition(parse_event(event))}"
            for weight, event in decision.utility
        ]
    )
    low, high = decision.bounds
    scale = f"scores map {digits(low)} to 0 and {digits(high)} to 1"
    choice = "; ".join(f"'{label}' ({_do(label, speaker)})" for label in decision.actions)
    if decision.mode == "act":
        lead = f"in a fresh case, having seen {seen}{_stated(decision, speaker)}"
    else:
        first = "" if decision.factual == "pass" else f" under '{decision.factual}'"
        stated = _stated(decision, speaker)
        lead = f"having seen {seen}{stated} in a case{first}, run that very case again"
    return f"- {decision.id}: {lead}; choose one of {choice}. Utility: {worth}; {scale}."


def _stated(decision: Decision, speaker: Speaker) -> str:
    return "" if decision.given is None else f" ({speaker.facts(dict(decision.given))})"


def _bet(label: str) -> str:
    """Set a conjunction in brackets, so that its commas are not the list's."""
    return f"({label})" if len(parse_event(label)) > 1 else label


def _do(label: str, speaker: Speaker) -> str:
    return "change nothing" if label == "pass" else speaker.settings(parse_action(label))
