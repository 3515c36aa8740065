"""Honesty items: questions that what is given settles, and others, alike, that it does not.

An item that is not settled comes with a witness: a second world, alike in everything the dossier
permits, with another answer. Worlds and witnesses are twins that show what cannot be known.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from causalbench import rng as draws
from causalbench.errors import TwinError
from causalbench.query import Choice as QueryChoice
from causalbench.query import parse, rung_of
from causalbench.task.construct.asks import (
    Ask,
    Labels,
    association,
    counterfactual,
    intervention,
)
from causalbench.task.construct.coupling import recouple, two_couplings
from causalbench.task.construct.draft import functions_of, world_of
from causalbench.task.construct.edges import bow, covered_reversal, edge_to_confounder
from causalbench.task.construct.generate import ATTEMPTS, effects_identified, named_roles
from causalbench.task.construct.motifs import front_door, kept_covered, open_world, sink_world
from causalbench.task.construct.units import Units
from causalbench.task.dossiers import dossier_of, worded
from causalbench.task.dressing import align, exact_laws, opaque_id
from causalbench.task.encode import rounded
from causalbench.task.proof import prove
from causalbench.task.rungs import COUNTERFACTUAL
from causalbench.task.types import Case, Certificate, Item, Key, Placement, Question
from causalbench.truth import Budget, Knowledge, truth, value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy as np

    from causalbench.scm import SCM
    from causalbench.task.construct.net import Net
    from causalbench.task.world import Phrase

__all__ = ["KINDS", "WIDTH", "honesty_case", "settled_case"]

_BINARY = 2
WIDTH = 0.1  # the least distance of a witness
_Sides = tuple["SCM", "SCM | None", str]  # the world, its witness if any, the query
_HIDDEN = "uh"

KINDS: Mapping[str, tuple[int, str, Knowledge]] = {
    "diagram-see": (2, "diagram", Knowledge("see", "diagram")),
    "lab-see": (2, "lab", Knowledge("see", "none")),
    "lab-do": (3, "lab", Knowledge("do", "none")),
}
"""Kind -> rung of the cell, cell, and what is known there."""

_SETTLED = {
    "diagram-see": "no variable shares a c-component with its child (Tian and Pearl 2002)",
    "lab-see": "the lab may watch",
    "lab-do": "the lab may intervene",
}
_BOTH = "binary x: P(y[x]) = P(x) P(y | x) + P(x') P(y[x] | x'), so experiments give the last term"
_OPEN = {
    "diagram-see": "a world of the same diagram and seen law has another answer",
    "lab-see": "a world of the same seen law has another answer",
    "lab-do": "a world of the same laws under every intervention has another answer",
}


def honesty_case(suite: str, kind: str, index: int, seed: int, *, lab: Mapping[str, int]) -> Case:
    """Build one honesty case; even indices are not identified, odd ones are.

    Every other settled item of kind ``lab-do`` has the form of a question of rung 3.

    Args:
        suite: name of the suite.
        kind: ``diagram-see``, ``lab-see`` or ``lab-do``.
        index: the item's number.
        seed: of the suite.
        lab: rows and interventions of a lab.

    Raises:
        TwinError: no attempt gave an item; take another seed.
    """
    rng = draws.generator(seed, f"{suite}/honesty/{kind}", index)
    private, search = draws.child(rng), draws.child(rng)
    attempts: Mapping[str, Callable[..., _Sides | None]] = {
        "diagram-see": _diagram_see,
        "lab-see": _lab_see,
        "lab-do": partial(_lab_do, form=index // 2 % 2 == 0),
    }
    attempt = attempts[kind]
    for _ in range(ATTEMPTS):
        found = attempt(search, open_question=index % 2 == 0)
        if found is not None:
            world, witness, query = found
            name = f"{suite}/honesty/{kind}/{index}"
            return settled_case(name, kind, (world, witness), query, lab=lab, rng=private)
    msg = f"no honesty item of kind '{kind}' was found in {ATTEMPTS} attempts; take another seed."
    raise TwinError(msg)


def settled_case(  # noqa: PLR0913
    name: str,
    kind: str,
    sides: tuple[SCM, SCM | None],
    query: str,
    *,
    lab: Mapping[str, int],
    rng: np.random.Generator,
    story: str = "",
    phrases: Mapping[str, Phrase] | None = None,
    swap: bool = True,
) -> Case:
    """Dress a world as an honesty case, with a witness where the question is not settled.

    Args:
        name: the case's id in its suite.
        kind: one of `KINDS`.
        sides: the world, and its witness or None.
        query: what is asked.
        lab: rows and interventions of a lab.
        rng: draws everything that is private.
        story: one paragraph.
        phrases: how questions speak of each variable.
        swap: let a coin decide which of the two is the world and which the witness.

    Raises:
        TwinError: the witness differs in what the dossier permits, or its answer is too near.
    """
    rung, cell, knowledge = KINDS[kind]
    world, witness = sides
    if witness is None:
        world, _ = align((world, world), rng)
    else:
        world, witness = align((world, witness), rng)
        if swap and int(draws.integers(rng, 2)):
            world, witness = witness, world
        proof = prove((world, witness), rung, rng=rng)
        if cell == "diagram" and world.diagram != witness.diagram:
            msg = f"{name}: world and witness have different diagrams; rebuild the item."
            raise TwinError(msg)
    budget = Budget()
    if cell == "lab":
        budget = Budget(lab["rows"], lab["interventions"] if knowledge.regime == "do" else 0)
    dossier = dossier_of(world, cell, knowledge, budget, rng=rng, story=story)
    if cell == "diagram":
        dossier = replace(dossier, laws=exact_laws(world, interventions=False))
    asked = parse(query, world.vocabulary)
    if isinstance(asked, QueryChoice):
        msg = f"{name}: an honesty item asks for a number, not for a choice; ask its objective."
        raise TwinError(msg)
    answer = truth(world, asked)
    other = None if witness is None else rounded(value(witness, asked))
    exact = rounded(float(answer.value))
    if other is not None and abs(other - exact) < WIDTH:
        msg = (
            f"{name}: the witness's answer {other} is within {WIDTH} of {exact}; rebuild the item."
        )
        raise TwinError(msg)
    question = Question(id=opaque_id(rng), query=str(asked), kind="estimate")
    key = Key(
        question_id=question.id,
        rung=rung_of(asked),
        truth=exact,
        readings={kind: rounded(float(number)) for kind, number in answer.readings.items()},
        certificate=Certificate(
            identified=other is None,
            proof=_OPEN[kind]
            if other is not None
            else _BOTH
            if rung_of(asked) == COUNTERFACTUAL
            else _SETTLED[kind],
            witness=other,
        ),
    )
    placement = Placement(
        pair_id=name,
        side=0,
        role="honesty",
        rung=rung,
        track="estimates",
        cell=cell,
        base=name,
        construction=kind,
        proof={} if witness is None else proof,
    )
    item = Item(worded(question, world, None, phrases), key)
    return Case(dossier, (item,), placement, world)


def _diagram_see(rng: np.random.Generator, *, open_question: bool) -> _Sides | None:
    if open_question:
        base = open_world(rng, covered=True)
        net, roles, labels = named_roles(rng, base)
        x, y, hidden = roles["x"], roles["y"], roles[_HIDDEN]
        shares = [
            0.1 + 0.2 * float(draws.uniforms(rng, ())),
            0.7 + 0.2 * float(draws.uniforms(rng, ())),
        ]
        nets = [bow(net, x, y, hidden, share, rng=rng) for share in shares]
        return _wide(nets, _simple(intervention((nets[0], nets[1]), x, y, labels, ())), rng, labels)
    if int(draws.integers(rng, 2)):
        net, roles, labels = named_roles(rng, front_door(rng, confounded=True, open_only=True))
        x, y = roles["x"], roles["y"]
        net = edge_to_confounder(net, x, y, roles[_HIDDEN], rng=rng)
    else:
        net, roles, labels = named_roles(rng, kept_covered(rng, open_only=True))
        x, y = roles["x"], roles["y"]
    world = world_of(functions_of(net), net, labels.values)
    if not effects_identified(world.diagram):
        return None
    return world, None, draws.choice(rng, _simple(intervention((net, net), x, y, labels, ()))).query


def _lab_see(rng: np.random.Generator, *, open_question: bool) -> _Sides | None:
    covered = bool(int(draws.integers(rng, 2)))
    net, roles, labels = named_roles(rng, open_world(rng, covered=covered))
    x, y = roles["x"], roles["y"]
    if not open_question:
        asks = list(association((net, net), y, labels, (x,)))
        if not asks:
            return None
        return world_of(functions_of(net), net, labels.values), None, draws.choice(rng, asks).query
    other = (
        covered_reversal(net, x, y)
        if covered
        else edge_to_confounder(net, x, y, roles[_HIDDEN], rng=rng)
    )
    return _wide([net, other], _simple(intervention((net, other), x, y, labels, ())), rng, labels)


def _lab_do(rng: np.random.Generator, *, open_question: bool, form: bool) -> _Sides | None:
    base = sink_world(rng, hidden=int(draws.integers(rng, 2)), minimum=0.1)
    net, roles, labels = named_roles(rng, base)
    x, y = roles["x"], roles["y"]
    if not open_question:
        if form:
            if net.cards[x] > _BINARY:
                return None
            # Form is not content: of a rung-3 question about a binary x experiments may give all.
            world = world_of(functions_of(net), net, labels.values)
            return world, None, _effect_on_the_others(rng, net, x, y, labels)
        asks = _simple(intervention((net, net), x, y, labels, ()))
        return world_of(functions_of(net), net, labels.values), None, draws.choice(rng, asks).query
    sides, _ = recouple(rng, net, y, two_couplings(rng, net, y, toward=x))
    oracles = (Units(sides[0], net.cards, net.visible), Units(sides[1], net.cards, net.visible))
    wide = [ask for ask in counterfactual(oracles, net, x, y, labels, ()) if _far(ask)]
    if not wide:
        return None
    worlds = [world_of(side, net, labels.values) for side in sides]
    return worlds[0], worlds[1], draws.choice(rng, wide).query


def _effect_on_the_others(
    rng: np.random.Generator, net: Net, x: str, y: str, labels: Labels
) -> str:
    """Ask what y would be in units with one value of a binary x, had it been the other."""
    value = int(draws.integers(rng, 2))
    other = labels.atom(x, 1 - value)
    code = int(draws.integers(rng, net.cards[y]))
    return f"P({labels.atom(y, code, labels.atom(x, value))} | {other})"


def _wide(
    nets: list[Net], asks: list[Ask], rng: np.random.Generator, labels: Labels
) -> _Sides | None:
    """Choose a question on which two worlds of one seen law lie far apart, or return None."""
    wide = [ask for ask in asks if _far(ask)]
    if not wide:
        return None
    worlds = [world_of(functions_of(net), net, labels.values) for net in nets]
    return worlds[0], worlds[1], draws.choice(rng, wide).query


def _far(ask: Ask) -> bool:
    return round(abs(ask.first - ask.second), 9) >= 1.5 * WIDTH


def _simple(asks: Iterable[Ask]) -> list[Ask]:
    return [ask for ask in asks if ask.form == "simple"]
