"""The actual cause: textbook cases by hand, and the definition itself over all units."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from causalbench.errors import QuerySyntaxError, ZeroProbabilityError
from causalbench.query import parse
from causalbench.rng import generator
from causalbench.scm import SCM
from causalbench.scm.couplings import couple
from causalbench.task.construct.coupling import recouple
from causalbench.task.construct.draft import world_of
from causalbench.task.construct.motifs import draw_net
from causalbench.truth import Knowledge, certify, truth, value

YES = {"values": ["no", "yes"]}
COIN = {"parents": [], "noise": [0.5, 0.5], "table": [0, 1]}


def world(roots, **equations):
    """Return a world of fair coins and equations."""
    mechanisms = dict.fromkeys(roots.split(), COIN)
    mechanisms |= {name: {"equation": text} for name, text in equations.items()}
    return SCM.from_dict(
        {"schema": 1, "variables": dict.fromkeys(mechanisms, YES), "mechanisms": mechanisms}
    )


ROCKS = world("st bt", sh="st", bh="bt and not sh", bs="sh or bh")
EITHER = world("l md", ff="l or md")
JOINTLY = world("l md", ff="l and md")
VOTES = world("a b c", won="(a and b) or (a and c) or (b and c)")
GUARD = world("antidote poison", survives="antidote or not poison")
SWITCH = world("f", left="not f", right="f", arrives="left or right")

CASES = [
    # Halpern (2015), example 3.4: Suzy's throw is a cause, since with BH=0 held no bottle breaks.
    (ROCKS, "AC(st: yes -> no; bs=yes; sh, bh | bt=yes)", 1.0),
    (ROCKS, "AC(st: yes -> no; bs=yes; bh | bt=yes)", 1.0),
    (ROCKS, "AC(bt: yes -> no; bs=yes; bh, sh | st=yes)", 0.0),
    (ROCKS, "AC(st: yes -> no; bs=yes | bt=yes)", 0.0),  # but for her throw, Billy's hits
    # Example 3.3 and the text before it: forest fires. Of two enough by themselves neither alone
    # is a cause; of two that are needed, each is.
    (EITHER, "AC(l: yes -> no; ff=yes | md=yes)", 0.0),
    (EITHER, "AC(l: yes -> no; ff=yes; md | md=yes)", 0.0),
    (EITHER, "AC(l: yes -> no; ff=yes)", 0.5),
    (JOINTLY, "AC(l: yes -> no; ff=yes)", 1.0),
    # Votes: 3-0, no voter is a cause alone; 2-1, each of the two is.
    (VOTES, "AC(a: yes -> no; won=yes; b, c | b=yes, c=yes)", 0.0),
    (VOTES, "AC(a: yes -> no; won=yes; b, c | b=yes, c=no)", 1.0),
    (VOTES, "AC(a: yes -> no; won=yes)", 2 / 3),
    # Bogus prevention: nobody poisoned the coffee, so the antidote saved no one.
    (GUARD, "AC(antidote: yes -> no; survives=yes; poison | poison=no)", 0.0),
    (GUARD, "AC(antidote: yes -> no; survives=yes; poison)", 0.5),
    # A switch between two tracks that meet again: a cause if the tracks are looked at.
    (SWITCH, "AC(f: yes -> no; arrives=yes)", 0.0),
    (SWITCH, "AC(f: yes -> no; arrives=yes; left, right)", 1.0),
]


@pytest.mark.parametrize(("scm", "query", "expected"), CASES)
def test_textbook_cases(scm, query, expected):
    """Worked out by hand from the definition."""
    assert value(scm, query) == pytest.approx(expected, abs=1e-12)


def by_definition(scm, x, a, b, y, v, seen):
    """Return P(x=a rather than b is an actual cause of y=v | facts), unit by unit.

    Every set of all other variables, hidden ones too, is held at its actual values.
    """
    sizes = [len(scm.mechanisms[name].noise) for name in scm.names]
    noise = dict(zip(scm.names, np.indices(sizes).reshape(len(sizes), -1), strict=True))
    weights = np.ones(1)
    for name in scm.names:
        weights = weights * scm.mechanisms[name].noise[noise[name]]
    actual = scm.solve(noise)
    fits = (actual[x] == a) & (actual[y] == v)
    for name, code in seen.items():
        fits &= actual[name] == code
    caused = np.zeros(len(fits), dtype=bool)
    others = [name for name in scm.names if name not in {x, y}]
    for size in range(len(others) + 1):
        for held in itertools.combinations(others, size):
            other = scm.solve(noise, do={x: b, **{name: actual[name] for name in held}})
            caused |= other[y] != v
    return float(weights[fits & caused].sum() / weights[fits].sum())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("held", ["m", "m,w"])
def test_definition_over_all_units(seed, held):
    """What stands between x and y is all that matters: hidden causes and side paths do not."""
    shape = {"u": [], "z": [], "x": ["u", "z"], "m": ["x"], "y": ["x", "m", "u"], "s": ["y"]}
    if "w" in held:
        shape = {**shape, "w": ["m"], "y": ["m", "w", "z"]}
        shape = {name: shape[name] for name in ("z", "u", "x", "m", "w", "y", "s")}
    rng = generator(seed, f"actual-cause-{held}")
    net = draw_net(rng, shape, cards=dict.fromkeys(shape, 2) | {"x": 3})
    functions, _ = recouple(rng, net, "y", ("monotone", {"antitone": {"in": "m"}}))
    for side in functions:
        scm = world_of(side, net)
        query = f"AC(x: 2 -> 0; y=1; {held} | z=1)"
        expected = by_definition(scm, "x", 2, 0, "y", 1, {"z": 1})
        assert value(scm, query) == pytest.approx(expected, abs=1e-12)


def test_without_held_variables_it_is_the_but_for_test():
    """AC read from what was is PN read from what was not."""
    assert parse("AC(x: a -> b; y=v)") == parse("1 - P(y[x=b]=v | x=a, y=v)")
    assert value(JOINTLY, "AC(l: yes -> no; ff=yes)") == value(JOINTLY, "PN(l: no -> yes; ff=yes)")


def test_holding_more_can_only_find_more_causes():
    """The law of the definition: AC grows with the set of variables that may be held."""
    found = [
        value(ROCKS, f"AC(st: yes -> no; bs=yes{held})")
        for held in ("", "; sh", "; bh", "; sh, bh")
    ]
    assert found[0] <= min(found[1:3]) <= max(found[1:3]) <= found[3]


def test_what_happened_is_known_without_being_written():
    """Stating x=a and y=v again changes nothing; against them, the condition never happens."""
    whole = parse("AC(x: 0 -> 1; y=1; m | x=0, z=1, y=1)")
    assert whole == parse("AC(x: 0 -> 1; y=1; m | z=1)")
    with pytest.raises(ZeroProbabilityError):
        value(JOINTLY, "AC(l: yes -> no; ff=yes | ff=no)")


def test_it_is_of_rung_3_and_between_0_and_1():
    """Its readings are those of the formula that it stands for."""
    query = parse("AC(st: yes -> no; bs=yes; bh | bt=yes)", ROCKS.vocabulary)
    assert query.rung == 3
    assert query == parse(str(query), ROCKS.vocabulary)
    answer = truth(ROCKS, query)
    assert answer.value == answer.readings["imagine"] == 1.0
    assert all(0.0 <= number <= 1.0 for number in answer.readings.values())


@pytest.mark.parametrize(
    "knowledge", [Knowledge("see", "mechanisms"), Knowledge("replay", "none")], ids=str
)
def test_mechanisms_and_replays_settle_it(knowledge):
    """A certificate is had from either."""
    found = certify(ROCKS, "AC(st: yes -> no; bs=yes; bh | bt=yes)", knowledge)
    assert found.identified


def test_experiments_do_not_settle_it():
    """It is of rung 3 in content too: laws under intervention leave it open."""
    scm = world("x", m="x")
    level = couple([[0.5, 0.5], [0.5, 0.5]], "independent", ("x",))
    scm = scm.replace(mechanisms={**scm.mechanisms, "m": level})
    found = certify(scm, "AC(x: yes -> no; m=yes)", Knowledge("do", "diagram"))
    assert not found.identified


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("AC(x: 0 -> 1; y; m)", "AC is of an event"),
        ("AC(x: 0 -> 1; y=1; a, b, c, d)", "AC holds at most 3 variables"),
        ("AC(x: 0 -> 1; y=1; m=1)", r"write AC\(x: a -> b; y=v; m \| z=c\)"),
        ("AC(x: 0 -> 1; y=1; x)", "in use already"),
        ("AC(x: 0 -> 1; y=1; m | z[x=1]=0)", "the conditions of AC are plain"),
    ],
)
def test_errors(query, message):
    """Each says what is wrong."""
    with pytest.raises(QuerySyntaxError, match=message):
        parse(query)
