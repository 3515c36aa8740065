"""Honesty items: questions that what is given settles, and others, alike, that it does not.

Every item is certified: a settled one by an estimand over what is given, an open one by sharp
bounds, which two worlds attain that agree on everything given.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from causalbench import rng as draws
from causalbench.errors import CertificateError, TooWideError, TwinError
from causalbench.query import Choice as QueryChoice
from causalbench.query import parse, rung_of
from causalbench.task.certificates import item_certificate
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
from causalbench.task.construct.motifs import (
    front_door,
    kept_covered,
    open_world,
    sink_world,
)
from causalbench.task.construct.units import Units
from causalbench.task.dossiers import dossier_of, worded
from causalbench.task.dressing import align, exact_laws, opaque_id
from causalbench.task.encode import rounded
from causalbench.task.honesty_couples import COUPLED, couple_case
from causalbench.task.honesty_items import WIDTH
from causalbench.task.types import Case, Item, Key, Placement, Question
from causalbench.truth import Budget, Knowledge, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy as np

    from causalbench.scm import SCM
    from causalbench.task.construct.net import Net
    from causalbench.task.types import Certificate, Track
    from causalbench.task.world import Phrase

__all__ = ["KINDS", "WIDTH", "honesty_case", "honesty_track", "listed_case"]

_BINARY = 2
_TRIED = 4  # questions of one world, before another world is drawn
_Asked = tuple["SCM", list[str]]  # a world, and questions that may serve, in a random order
_HIDDEN = "uh"

KINDS: Mapping[str, tuple[int, str, Knowledge]] = {
    "diagram-see": (2, "diagram", Knowledge("see", "diagram")),
    "lab-see": (2, "lab", Knowledge("see", "none")),
    "lab-do": (3, "lab", Knowledge("do", "none")),
    **COUPLED,
}
"""Kind -> rung of the cell, cell, and what is known there; an item may be told a little more."""


def honesty_track(kind: str) -> Track:
    """Return the track of a kind's items: ``decisions`` where they ask for an action."""
    return "decisions" if kind == "untried-acts" else "estimates"


def honesty_case(suite: str, kind: str, index: int, seed: int, *, lab: Mapping[str, int]) -> Case:
    """Build one honesty case; even indices are not identified, odd ones are.

    Every other settled item of kind ``lab-do`` has the form of a question of rung 3.

    Args:
        suite: name of the suite.
        kind: one of `KINDS`.
        index: the item's number.
        seed: of the suite.
        lab: rows and interventions of a lab, for kinds without terms of their own.

    Raises:
        TwinError: no attempt gave an item; take another seed.
    """
    if kind in COUPLED:
        return couple_case(suite, kind, index, seed)
    rng = draws.generator(seed, f"{suite}/honesty/{kind}", index)
    private, search = draws.child(rng), draws.child(rng)
    attempts: Mapping[str, Callable[..., _Asked | None]] = {
        "diagram-see": _diagram_see,
        "lab-see": _lab_see,
        "lab-do": partial(_lab_do, form=index // 2 % 2 == 0),
    }
    knowledge = KINDS[kind][2]
    still_open = index % 2 == 0
    for _ in range(ATTEMPTS):
        found = attempts[kind](search, open_question=still_open)
        for query in found[1][:_TRIED] if found is not None else ():
            world = found[0]  # type: ignore[index]  # there is no query without a world
            certificate = _certified(world, query, knowledge)
            if certificate is not None and certificate.identified != still_open:
                name = f"{suite}/honesty/{kind}/{index}"
                return _dressed(name, kind, world, query, lab=lab, rng=private)
    msg = f"no honesty item of kind '{kind}' was found in {ATTEMPTS} attempts; take another seed."
    raise TwinError(msg)


def listed_case(
    name: str,
    kind: str,
    world: SCM,
    query: str,
    *,
    lab: Mapping[str, int],
    rng: np.random.Generator,
    story: str = "",
    phrases: Mapping[str, Phrase] | None = None,
) -> Case:
    """Dress a given world and question as an honesty case.

    Args:
        name: the case's id in its suite.
        kind: one of `KINDS`.
        world: the world.
        query: what is asked.
        lab: rows and interventions of a lab.
        rng: draws everything that is private.
        story: one paragraph.
        phrases: how questions speak of each variable.

    Raises:
        TwinError: a choice, or a question that is open by less than `WIDTH` or without sharp
            bounds.
    """
    if _certified(world, query, KINDS[kind][2]) is None:
        msg = f"{name}: '{query}' is open by less than {WIDTH}, or not sharply; ask another."
        raise TwinError(msg)
    return _dressed(name, kind, world, query, lab=lab, rng=rng, story=story, phrases=phrases)


def _certified(world: SCM, query: str, knowledge: Knowledge) -> Certificate | None:
    """Return a question's certificate; None where its bounds are not sharp, or too near."""
    asked = parse(query, world.vocabulary)
    if isinstance(asked, QueryChoice):
        msg = f"an honesty item asks for a number, and '{query}' is a choice; ask its objective."
        raise TwinError(msg)
    try:
        found = item_certificate(world, asked, knowledge)
    except (CertificateError, TooWideError):
        return None
    if found.bounds is None:
        return found
    return found if found.sharp and found.bounds[1] - found.bounds[0] >= WIDTH else None


def _dressed(
    name: str,
    kind: str,
    world: SCM,
    query: str,
    *,
    lab: Mapping[str, int],
    rng: np.random.Generator,
    story: str = "",
    phrases: Mapping[str, Phrase] | None = None,
) -> Case:
    rung, cell, knowledge = KINDS[kind]
    world, _ = align((world, world), rng)
    budget = Budget()
    if cell == "lab":
        budget = Budget(lab["rows"], lab["interventions"] if knowledge.regime == "do" else 0)
    dossier = dossier_of(world, cell, knowledge, budget, rng=rng, story=story)
    if cell == "diagram":
        dossier = replace(dossier, laws=exact_laws(world, interventions=False))
    asked = parse(query, world.vocabulary)
    answer = truth(world, asked)
    question = Question(id=opaque_id(rng), query=str(asked), kind="estimate")
    key = Key(
        question_id=question.id,
        rung=rung_of(asked),
        truth=rounded(float(answer.value)),
        readings={kind: rounded(float(number)) for kind, number in answer.readings.items()},
        certificate=item_certificate(world, asked, knowledge),  # of the world as it is shown
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
    )
    item = Item(worded(question, world, None, phrases), key)
    return Case(dossier, (item,), placement, world)


def _diagram_see(rng: np.random.Generator, *, open_question: bool) -> _Asked | None:
    if open_question:
        base = open_world(rng, covered=True)
        net, roles, labels = named_roles(rng, base)
        x, y, hidden = roles["x"], roles["y"], roles[_HIDDEN]
        share = 0.1 + 0.8 * float(draws.uniforms(rng, ()))
        net = bow(net, x, y, hidden, share, rng=rng)
    else:
        if int(draws.integers(rng, 2)):
            net, roles, labels = named_roles(rng, front_door(rng, confounded=True, open_only=True))
            x, y = roles["x"], roles["y"]
            net = edge_to_confounder(net, x, y, roles[_HIDDEN], rng=rng)
        else:
            net, roles, labels = named_roles(rng, kept_covered(rng, open_only=True))
            x, y = roles["x"], roles["y"]
        if not effects_identified(world_of(functions_of(net), net, labels.values).diagram):
            return None
    return _asked(rng, net, labels, _simple(intervention((net, net), x, y, labels, ())))


def _lab_see(rng: np.random.Generator, *, open_question: bool) -> _Asked | None:
    covered = bool(int(draws.integers(rng, 2)))
    net, roles, labels = named_roles(rng, open_world(rng, covered=covered))
    x, y = roles["x"], roles["y"]
    if not open_question:
        return _asked(rng, net, labels, association((net, net), y, labels, (x,)))
    if int(draws.integers(rng, 2)):
        net = (
            covered_reversal(net, x, y)
            if covered
            else edge_to_confounder(net, x, y, roles[_HIDDEN], rng=rng)
        )
    return _asked(rng, net, labels, _simple(intervention((net, net), x, y, labels, ())))


def _lab_do(rng: np.random.Generator, *, open_question: bool, form: bool) -> _Asked | None:
    hidden = int(draws.integers(rng, 2))
    if open_question:
        # Without a diagram, sharp bounds are known for up to three variables of two values.
        base = sink_world(rng, hidden=hidden, minimum=0.1, small=True)
        net, roles, labels = named_roles(rng, base)
        x, y = roles["x"], roles["y"]
        sides, _ = recouple(rng, net, y, two_couplings(rng, net, y, toward=x))
        side = sides[int(draws.integers(rng, 2))]
        oracle = Units(side, net.cards, net.visible)
        asks = list(counterfactual((oracle, oracle), net, x, y, labels, ()))
        return world_of(side, net, labels.values), _queries(rng, asks)
    net, roles, labels = named_roles(rng, sink_world(rng, hidden=hidden, minimum=0.1))
    x, y = roles["x"], roles["y"]
    if not form:
        return _asked(rng, net, labels, _simple(intervention((net, net), x, y, labels, ())))
    if net.cards[x] > _BINARY:
        return None
    # Form is not content: of a rung-3 question about a binary x experiments may give all.
    world = world_of(functions_of(net), net, labels.values)
    return world, [_effect_on_the_others(rng, net, x, y, labels)]


def _effect_on_the_others(
    rng: np.random.Generator, net: Net, x: str, y: str, labels: Labels
) -> str:
    """Ask what y would be in units with one value of a binary x, had it been the other."""
    value = int(draws.integers(rng, 2))
    other = labels.atom(x, 1 - value)
    code = int(draws.integers(rng, net.cards[y]))
    return f"P({labels.atom(y, code, labels.atom(x, value))} | {other})"


def _asked(rng: np.random.Generator, net: Net, labels: Labels, asks: Iterable[Ask]) -> _Asked:
    return world_of(functions_of(net), net, labels.values), _queries(rng, list(asks))


def _queries(rng: np.random.Generator, asks: list[Ask]) -> list[str]:
    """Return the questions in a random order."""
    return [asks[int(i)].query for i in draws.permutation(rng, len(asks))]


def _simple(asks: Iterable[Ask]) -> list[Ask]:
    return [ask for ask in asks if ask.form == "simple"]
