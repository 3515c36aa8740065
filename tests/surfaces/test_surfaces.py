"""Telling a pair: the same worlds in other words, which say nothing of causes or of sides."""

from __future__ import annotations

from dataclasses import replace

import pytest
from told_builders import PLACES, arrow, linear_world

from causalbench.errors import NotFoundError, WorldError
from causalbench.query import parse, variables
from causalbench.rng import generator
from causalbench.scm import SCM
from causalbench.scm.random import random_scm
from causalbench.task.construct.draft import Draft
from causalbench.task.decide import decision_values
from causalbench.task.renaming import Renaming
from causalbench.task.story import stories
from causalbench.task.strata import SURFACES
from causalbench.task.surface import tell
from causalbench.task.types import Decision
from causalbench.truth import truth

TOLD = tuple(surface for surface in SURFACES if surface != "plain")
RANK = {c.noun: place for story in stories() for place, c in enumerate(story.concepts)}


def draw(draft, surface, index=0):
    """Tell a pair."""
    return tell(draft, surface, generator(index, "tell"))


@pytest.mark.parametrize("surface", TOLD)
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_what_is_told_has_the_same_answers(drafts, place, surface):
    """Renamed worlds answer the renamed question with the same numbers."""
    draft = drafts[place]
    told = draw(draft, surface).draft
    for before, after in zip(draft.sides, told.sides, strict=True):
        if draft.query is not None:
            assert truth(after, told.query).value == pytest.approx(
                truth(before, draft.query).value, abs=1e-12
            )
        else:
            old = decision_values(before, draft.decision, readings=False)
            new = decision_values(after, told.decision, readings=False)
            for row, same in zip(old, new, strict=True):
                assert row.values.tolist() == pytest.approx(same.values.tolist(), abs=1e-12)
                assert row.weight == pytest.approx(same.weight, abs=1e-12)


@pytest.mark.parametrize("surface", TOLD)
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_both_worlds_are_told_alike(drafts, place, surface):
    """Both sides get the same words for the same variables, in the same places."""
    draft = drafts[place]
    told = draw(draft, surface)
    first, second = told.draft.sides
    named = dict(zip(draft.sides[0].names, first.names, strict=True))
    for old, new in zip(draft.sides[1].names, second.names, strict=True):
        assert named.setdefault(old, new) == new
    assert {first.variable(name) for name in first.visible} == {
        second.variable(name) for name in second.visible
    }
    assert set(told.phrases) == set(first.visible)


@pytest.mark.parametrize("surface", TOLD)
def test_a_told_world_is_as_good_as_any(drafts, surface):
    """A renamed world is the one that its own record builds, arrays frozen as they were."""
    for draft in drafts.values():
        for side in draw(draft, surface).draft.sides:
            assert SCM.from_dict(side.to_dict()) == side
            for name in side.names:
                assert not side.mechanism(name).table.flags.writeable
                assert side.mechanism(name).shape == tuple(
                    side.variable(parent).cardinality for parent in side.parents(name)
                )


@pytest.mark.parametrize("surface", TOLD)
def test_no_old_word_is_left(drafts, surface):
    """No name of the drawn world stands in what is told."""
    for draft in drafts.values():
        told = draw(draft, surface)
        old = {*draft.sides[0].names, *draft.sides[1].names}
        new = {*told.draft.sides[0].names, *told.draft.sides[1].names}
        assert not old & new
        if told.draft.query is not None:
            assert variables(parse(told.draft.query)) <= new
        for couplings in told.draft.couplings:
            assert set(couplings) <= new
            assert not any(f'"{name}"' in str(couplings) for name in old)


def test_plain_is_left_alone(drafts):
    """The plain surface keeps names, has no phrases, and no story but what a coupling means."""
    for draft in drafts.values():
        told = draw(draft, "plain")
        assert told.draft is draft
        assert not told.phrases
        assert bool(told.story) == any(draft.couplings)


@pytest.mark.parametrize("surface", SURFACES)
def test_named_couplings_are_explained_alike(drafts, surface):
    """Whichever coupling a side has, both are told what antitone would mean."""
    draft = drafts[3, "estimates", "diagram"]
    assert draft.couplings[0] != draft.couplings[1]
    turned = replace(draft, couplings=draft.couplings[::-1], sides=draft.sides[::-1])
    for told in (draw(draft, surface), draw(turned, surface)):
        assert "every other value of it, from the second on" in told.story


@pytest.mark.parametrize(("surface", "sign"), [("sensible", 1), ("anti-commonsense", -1)])
def test_words_follow_the_causal_order_of_one_side(drafts, surface, sign):
    """In one of the two worlds all edges agree with the story, or all of them go against it."""
    for index, draft in enumerate(drafts.values()):
        told = draw(draft, surface, index)
        agreeing = []
        for side in told.draft.sides:
            steps = [
                RANK[child.replace("_", " ")] - RANK[parent.replace("_", " ")]
                for child in side.names
                for parent in side.parents(child)
            ]
            agreeing.append(all(step * sign > 0 for step in steps))
        assert any(agreeing)


def test_the_side_that_is_followed_is_a_coin():
    """Where the worlds disagree on the order, either is followed about equally often."""
    here = SCM.from_dict(arrow("x", "y"))
    there = SCM.from_dict(arrow("y", "x"))
    draft = Draft((here, there), 2, "covered-reversal", "P(y=1 | do(x=1))")
    count, forward = 400, 0
    for index in range(count):
        names = dict(zip("xy", draw(draft, "sensible", index).draft.sides[0].names, strict=True))
        forward += RANK[names["x"].replace("_", " ")] < RANK[names["y"].replace("_", " ")]
    # Five standard deviations of a fair coin.
    assert abs(forward - count / 2) < 5 * (count / 4) ** 0.5


def test_the_same_rng_gives_the_same_words(drafts):
    """Telling is a function of the pair and the generator."""
    for draft in drafts.values():
        for surface in TOLD:
            first, second = draw(draft, surface), draw(draft, surface)
            assert first.draft.sides == second.draft.sides
            assert first.story == second.story


@pytest.mark.parametrize("surface", TOLD)
def test_large_worlds_are_told(surface):
    """Fifty variables get fifty names, and the story names all its places."""
    scm = random_scm(rng=generator(1, "large"), n=50, hidden=5)
    draft = Draft((scm, scm), 1, "dependence", f"P({scm.visible[0]}={_first(scm)})")
    told = draw(draft, surface)
    assert len(set(told.draft.sides[0].names)) == len(scm.names)
    assert len(told.phrases) == len(scm.visible)
    if surface != "nonsense":
        assert told.story.count(", ") >= 3


def _first(scm):
    return scm.variable(scm.visible[0]).labels[0]


@pytest.mark.parametrize("surface", TOLD)
def test_real_worlds_have_nouns_and_units(surface):
    """Real variables get a noun and a unit, and their numbers stay."""
    scm = linear_world()
    query = "P(z > 2 | do(x=1.5), y <= 0.25) - E[z[x=1, y=y[x=0]] | x=2.5]"
    told = draw(Draft((scm, scm), 3, "linear", query), surface)
    side = told.draft.sides[0]
    assert all(side.variable(name).unit for name in side.names)
    assert not any(phrase.values for phrase in told.phrases.values())
    assert truth(side, f"E[{side.names[2]}]").value == pytest.approx(truth(scm, "E[z]").value)
    assert "2.5" in told.draft.query


def test_hidden_causes_may_have_many_values():
    """A hidden variable with more values than a scale has adjectives gets graded labels."""
    data = arrow("x", "y")
    data["variables"]["u"] = {"values": [str(n) for n in range(6)], "hidden": True}
    data["mechanisms"]["u"] = {"parents": [], "noise": [1 / 6] * 6, "table": list(range(6))}
    scm = SCM.from_dict(data)
    told = draw(Draft((scm, scm), 1, "dependence", "P(y=1 | x=0)"), "sensible")
    (hidden,) = told.draft.sides[0].hidden
    assert told.draft.sides[0].variable(hidden).labels == tuple(f"grade{n}" for n in range(1, 7))


def test_couplings_are_renamed_at_any_depth():
    """The parent that turns a coupling round is renamed within a mixture too."""
    renaming = Renaming({"x": "rain"}, {}, {})
    coupling = {"mixture": {"of": ["monotone", {"antitone": {"in": "x"}}], "weights": [0.5, 0.5]}}
    told = renaming.coupling(coupling)
    assert told["mixture"]["of"][1] == {"antitone": {"in": "rain"}}
    assert coupling["mixture"]["of"][1] == {"antitone": {"in": "x"}}
    assert renaming.coupling("monotone") == "monotone"


def test_a_decision_is_renamed_throughout():
    """Actions, joint ones too, events, stated facts and the first course get the new words."""
    data = arrow("x", "y")
    data["variables"]["z"] = {"values": ["0", "1", "2"]}
    data["mechanisms"]["z"] = {
        "parents": ["x"],
        "cpt": [[0.2, 0.3, 0.5], [0.5, 0.25, 0.25]],
        "coupling": "monotone",
    }
    scm = SCM.from_dict(data)
    decision = Decision(
        "redo",
        "redo",
        ("pass", "x=1", "x=0, z=2"),
        ((1.0, "y=1, z != 2"), (-0.5, "x=1")),
        given=(("y", "0"), ("x", "1")),
        factual="x=1",
    )
    draft = Draft((scm, scm), 3, "coupling", decision=decision)
    told = draw(draft, "sensible").draft
    side, asked = told.sides[0], told.decision
    old = decision_values(scm, decision, readings=False)
    new = decision_values(side, asked, readings=False)
    assert old[0].values.tolist() == pytest.approx(new[0].values.tolist(), abs=1e-12)
    names = dict(zip(scm.names, side.names, strict=True))
    assert asked.given[0][0] == names["y"]
    assert " != " in asked.utility[0][1]


def test_unknown_surface():
    """A surface that does not exist is refused, the nearest named."""
    scm = SCM.from_dict(arrow("x", "y"))
    draft = Draft((scm, scm), 1, "dependence", "P(y=1)")
    with pytest.raises(NotFoundError, match="Did you mean 'sensible'"):
        draw(draft, "sensibel")


def test_a_choice_is_no_query_of_a_pair():
    """A pair states its choice as a decision."""
    scm = SCM.from_dict(arrow("x", "y"))
    draft = Draft((scm, scm), 2, "x", "argmax a in {x=0, x=1}: P(y=1 | do(a))")
    with pytest.raises(WorldError, match="decision"):
        draw(draft, "nonsense")


def test_stories_name_no_variable(drafts):
    """The story paragraph is of places alone, so it says nothing of causes."""
    for index, draft in enumerate(drafts.values()):
        for surface in TOLD:
            told = draw(draft, surface, index)
            assert not any(name in told.story.split() for name in told.phrases)
