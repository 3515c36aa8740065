"""certify: what settles a query, what leaves it open, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
from second_path import brute_value, every_law, text_value

import causalbench as cb
from causalbench.errors import (
    AccessError,
    CausalBenchError,
    CertificateError,
    QueryError,
    ZeroProbabilityError,
)
from causalbench.scm import SCM, Mechanism, Variable
from causalbench.truth.certificate import Identified, Unidentified
from causalbench.truth.certification import certify, certify_options
from causalbench.truth.permitted import Permitted
from causalbench.truth.witnesses import checked_witnesses, largest_difference

SEE = cb.Knowledge("see", "diagram")


@pytest.fixture(scope="module")
def umbrella():
    """The flagship world: a hidden season makes seeding and rain go together."""
    return cb.load_world("umbrella-rain")


@pytest.mark.parametrize(
    ("world", "query"),
    [
        ("napkin", "P(fit=yes | do(walking=yes))"),
        ("smoking-tar", "P(cancer=yes | do(smoking=yes))"),
        ("smoking-tar", "P(cancer=yes | do(tar=no), smoking=yes)"),
        ("kidney-stones", "P(recovery=yes | do(treatment=A))"),
        ("sprinkler", "P(rain=yes | grass=wet)"),
        ("barometer-storm", "P(storm=yes | do(barometer=falling))"),
    ],
)
def test_a_settled_query_has_an_estimand_that_a_second_reading_confirms(world, query):
    """The printed text, read by another program off row-by-row laws, is the brute-force truth."""
    loaded = cb.load_world(world)
    found = certify(loaded, query)
    assert isinstance(found, Identified)
    assert text_value(str(found.estimand), loaded.scm) == pytest.approx(found.value, abs=1e-12)
    assert brute_value(loaded.scm, query) == pytest.approx(found.value, abs=1e-12)


def test_an_open_query_has_sharp_bounds_and_witnesses_that_a_second_count_confirms(umbrella):
    """P(rain | do(seed=yes)) is .46 here, and could be anything from .176 to .956."""
    query = "P(rain=yes | do(seed=yes))"
    found = certify(umbrella, query)
    assert isinstance(found, Unidentified)
    assert (found.lower, found.upper) == pytest.approx((0.176, 0.956), abs=1e-9)
    assert found.sharp
    seen = every_law(umbrella.scm)
    for witness, end in zip(found.witnesses, (found.lower, found.upper), strict=True):
        assert brute_value(witness.scm, query) == pytest.approx(end, abs=1e-9)
        assert witness.scm.diagram == umbrella.scm.diagram
        other = every_law(witness.scm)
        assert max(abs(seen.get(k, 0) - other.get(k, 0)) for k in {*seen, *other}) < 1e-9


def test_without_a_diagram_watching_settles_no_action(umbrella):
    """P(y | do(x)) lies in [P(x, y), P(x, y) + 1 - P(x)] where nothing else is known."""
    found = certify(umbrella, "P(rain=yes | do(seed=yes))", cb.Knowledge("see", "none"))
    both = cb.truth(umbrella, "P(rain=yes, seed=yes)").value
    rest = cb.truth(umbrella, "P(seed=no)").value
    assert not found.identified
    assert (found.lower, found.upper) == pytest.approx((both, both + rest), abs=1e-9)


def test_shown_mechanisms_settle_everything(umbrella):
    """Abduction, action and prediction need no identification; hidden variables may be asked of."""
    query = "P(wet[umbrella=no]=yes | umbrella=yes, wet=no)"
    found = certify(umbrella, query, cb.Knowledge("see", "mechanisms"))
    assert found.identified
    assert found.value == pytest.approx(brute_value(umbrella.scm, query), abs=1e-12)


def test_an_experiment_is_read_off(umbrella):
    """Where the regime permits the action itself, its law is the estimand."""
    found = certify(umbrella, "P(rain=yes | do(seed=yes))", cb.Knowledge("do", "none"))
    assert str(found.estimand) == "P(rain=yes | do(seed=yes))"
    assert found.method == "read off an experiment"


def test_units_run_again_settle_a_counterfactual(umbrella):
    """A replay gives the joint law of what was and what would have been."""
    query = "P(wet[umbrella=no]=yes | umbrella=yes, wet=no)"
    found = certify(umbrella, query, cb.Knowledge("replay", "none"))
    assert found.value == pytest.approx(0.881461, abs=1e-6)
    assert found.method == "read off units that are run again"


def test_intent_settles_what_an_act_against_it_would_do():
    """In the greedy casino E[Y_1 | intended 0] is .45: seen when one acts against one's choice."""
    casino = cb.load_world("greedy-casino")
    machine, payoff = casino.scm.visible[0], casino.scm.visible[-1]
    first, last = casino.scm.variable(machine).labels[0], casino.scm.variable(machine).labels[-1]
    won = casino.scm.variable(payoff).labels[-1]
    query = f"P({payoff}[{machine}={last}]={won} | {machine}={first})"
    found = certify(casino, query, cb.Knowledge("intent", "none"))
    assert found.value == pytest.approx(0.45, abs=1e-9)
    assert found.method == "read off units that act against their choice"


def test_named_couplings_settle_a_counterfactual():
    """With every table and every coupling told, the mechanism is known, and so is PNS."""
    data = {
        "schema": 1,
        "variables": {"x": {"values": ["0", "1"]}, "y": {"values": ["0", "1"]}},
        "mechanisms": {
            "x": {"parents": [], "cpt": [0.5, 0.5], "coupling": "monotone"},
            "y": {"parents": ["x"], "cpt": [[0.7, 0.3], [0.4, 0.6]], "coupling": "monotone"},
        },
    }
    world = SCM.from_dict(data)
    told = ("coupling:x=monotone", "coupling:y=monotone")
    query = "P(y[x=1]=1, y[x=0]=0)"
    found = certify(world, query, cb.Knowledge("do", "diagram", told))
    assert found.value == pytest.approx(0.3, abs=1e-12)
    assert not certify(world, query, cb.Knowledge("do", "diagram")).identified


@pytest.mark.parametrize(
    "query",
    [
        "P(rain[seed=yes]=yes | seed=no)",
        "P(rain[seed=yes]=yes, wet[seed=yes]=no | seed=no)",
        "P(rain[seed=no]=yes, seed != no)",
        "ETT(seed -> rain)",
    ],
)
def test_consistency_settles_the_units_that_chose_otherwise(umbrella, query):
    """Experiments on a binary x give what would be in units of its other value."""
    found = certify(umbrella, query, cb.Knowledge("do", "none"))
    assert "consistency" in found.method
    assert found.value == pytest.approx(brute_value(umbrella.scm, query), abs=1e-12)
    assert text_value(str(found.estimand), umbrella.scm) == pytest.approx(found.value, abs=1e-12)


def test_monotone_mechanisms_settle_pns_without_a_diagram():
    """With x and y all that is seen, PNS = P(y | do(x')) - P(y | do(x)) where y rises with x."""
    data = {
        "schema": 1,
        "variables": {"x": {"values": ["0", "1"]}, "y": {"values": ["0", "1"]}},
        "mechanisms": {
            "x": {"parents": [], "cpt": [0.5, 0.5], "coupling": "monotone"},
            "y": {"parents": ["x"], "cpt": [[0.7, 0.3], [0.4, 0.6]], "coupling": "monotone"},
        },
    }
    known = cb.Knowledge("do", "none", ("monotone: x -> y",))
    found = certify(SCM.from_dict(data), "P(y[x=1]=1, y[x=0]=0)", known)
    assert found.method == "monotonicity"
    assert found.value == pytest.approx(0.3, abs=1e-12)


def test_a_choice_is_certified_action_by_action(umbrella):
    """Each action has its own certificate; certify itself names the door."""
    choice = "argmax a in {umbrella=yes, umbrella=no}: P(wet=no | do(a))"
    found = certify_options(umbrella, choice)
    assert list(found) == ["umbrella=yes", "umbrella=no"]
    assert all(each.identified for each in found.values())
    with pytest.raises(QueryError, match="certify_options"):
        certify(umbrella, choice)


def test_certificates_are_json(umbrella):
    """Both kinds are written as plain values; a witness is a whole world that loads again."""
    query = "P(rain=yes | do(seed=yes))"
    record = json.loads(json.dumps(certify(umbrella, query).to_dict()))
    assert record["identified"] is False
    assert SCM.from_dict(record["witnesses"][0]["world"]).visible == umbrella.scm.visible
    settled = json.loads(json.dumps(certify(umbrella, "P(wet=yes | umbrella=no)").to_dict()))
    assert settled["estimand"] == "P(wet=yes | umbrella=no)"
    assert settled["latex"] == r"P(\mathrm{wet}=\mathrm{yes} \mid \mathrm{umbrella}=\mathrm{no})"


@pytest.mark.parametrize(
    ("query", "error", "says"),
    [
        ("P(season=calm)", QueryError, "'season' is hidden"),
        ("P(rain=yes |", QueryError, "column"),
        (3, QueryError, "a query is text"),
    ],
)
def test_what_cannot_be_certified_is_refused_on_one_line(umbrella, query, error, says):
    """A hidden variable, a malformed text, or no query at all."""
    with pytest.raises(error, match=says) as caught:
        certify(umbrella, query)
    assert "\n" not in str(caught.value)


def test_an_unknown_manipulable_variable_is_refused(umbrella):
    """Names are checked, with a suggestion."""
    with pytest.raises(AccessError, match="Did you mean 'seed'"):
        certify(umbrella, "P(rain=yes)", cb.Knowledge("do", "diagram", manipulable=("sead",)))


@pytest.mark.parametrize("given", ["see", 3, ("do", "diagram"), cb.Knowledge])
def test_what_is_no_knowledge_is_refused(umbrella, given):
    """A tuple of the right words is none either."""
    with pytest.raises(AccessError, match=r"what is known is a Knowledge, not"):
        certify(umbrella, "P(rain=yes)", given)


@pytest.mark.parametrize("field", ["assumptions", "manipulable"])
@pytest.mark.parametrize("given", ["rain", 3, (3,), [None], {"rain"}])
def test_knowledge_takes_texts_in_a_row(field, given):
    """One text alone is not read letter by letter."""
    with pytest.raises(AccessError, match=rf"{field} is .*; give a tuple of texts"):
        cb.Knowledge("do", "diagram", **{field: given})


def test_variables_of_very_many_values_are_certified_or_refused_at_once():
    """Their response types are more than a float can hold."""
    count = 500
    labels = tuple(map(str, range(count)))
    scm = SCM(
        {name: Variable(name, labels) for name in ("x", "y")},
        {
            "x": Mechanism((), np.full(count, 1 / count), np.arange(count)),
            "y": Mechanism(("x",), np.ones(1), np.arange(count)[None]),
        },
    )
    found = certify(scm, "P(y!=5)", cb.Knowledge("see", "none"))
    assert found.value == pytest.approx(1 - 1 / count)
    with pytest.raises(CausalBenchError):
        certify(scm, "P(y[x=1]=1, y[x=2]=2)", cb.Knowledge("see", "none"))


def test_a_list_of_texts_becomes_a_tuple():
    """So that knowledge can be compared and hashed."""
    assert cb.Knowledge("do", manipulable=["x"]) == cb.Knowledge("do", manipulable=("x",))


def test_a_continuous_world_is_certified_by_its_mechanisms_alone():
    """Response types are finite; a shown linear world is still computed."""
    homework = cb.load_world("homework")
    name = homework.scm.visible[-1]
    assert certify(homework, f"E[{name}]", cb.Knowledge("see", "mechanisms")).identified
    with pytest.raises(QueryError, match="discrete"):
        certify(homework, f"E[{name}]", SEE)


def test_a_condition_that_never_happens_is_refused():
    """As truth itself does."""
    squad = cb.load_world("firing-squad").scm
    name = squad.visible[-1]
    labels = squad.variable(name).labels
    with pytest.raises(ZeroProbabilityError):
        certify(squad, f"P({name}={labels[0]} | {name}={labels[0]}, {name}={labels[1]})", SEE)


def test_a_false_witness_is_found_out(umbrella):
    """A world with another law is no witness, whatever it claims."""
    found = certify(umbrella, "P(rain=yes | do(seed=yes))")
    permitted = _permitted(umbrella)
    other = cb.load_world("umbrella-rain-bet").scm
    assert largest_difference(permitted, umbrella.scm, other) > 0.01
    forged = _limits(found, (found.witnesses[0], type(found.witnesses[1])(other, 0.956)))
    asked = cb.parse("P(rain=yes | do(seed=yes))", umbrella)
    with pytest.raises(CertificateError, match="what is permitted"):
        checked_witnesses(permitted, umbrella.scm, asked, forged)


def test_two_witnesses_with_one_value_prove_nothing(umbrella):
    """A pair must differ."""
    found = certify(umbrella, "P(rain=yes | do(seed=yes))")
    same = _limits(found, (found.witnesses[0], found.witnesses[0]), sharp=False)
    asked = cb.parse("P(rain=yes | do(seed=yes))", umbrella)
    with pytest.raises(CertificateError, match="not decided"):
        checked_witnesses(_permitted(umbrella), umbrella.scm, asked, same)


def _permitted(world):
    return Permitted(world, SEE)


def _limits(found, witnesses, *, sharp=True):
    from causalbench.truth.bounds.types import Bounds

    ends = (found.lower, found.upper)
    return Bounds(*ends, *ends, sharp, found.method, found.source, witnesses)


def test_what_two_laws_of_lower_rungs_say_together_is_settled_by_experiments():
    """P(x | y[x]) is a law of rung 1 over one of rung 2: no single world holds it, two laws do."""
    world = cb.load_world("mediation")
    query = "P(training=yes | success[training=yes]=yes, homework[training=yes]=no)"
    found = cb.certify(world, query, cb.Knowledge("do"))
    assert str(found.estimand) == (
        "P(training=yes, homework=no, success=yes) / P(homework=no, success=yes | do(training=yes))"
    )
