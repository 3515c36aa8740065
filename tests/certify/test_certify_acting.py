"""Without a diagram, experiments show what is a cause of what, and so what is none."""

from __future__ import annotations

import pytest
from second_path import brute_value

import causalbench as cb
from causalbench.query import parse
from causalbench.scm import SCM
from causalbench.truth.acting import without_effects_on_causes
from causalbench.truth.permitted import Permitted


@pytest.fixture(scope="module")
def chain():
    """A chain v3 -> v2 -> v4, with v1 apart from it."""
    data = {
        "schema": 1,
        "variables": {name: {"values": ["0", "1"]} for name in ("v1", "v2", "v3", "v4")},
        "mechanisms": {
            "v1": {"parents": [], "cpt": [0.4, 0.6]},
            "v2": {"parents": ["v3"], "cpt": [[0.2, 0.8], [0.7, 0.3]]},
            "v3": {"parents": [], "cpt": [0.3, 0.7]},
            "v4": {"parents": ["v2"], "cpt": [[0.1, 0.9], [0.6, 0.4]]},
        },
    }
    for each in data["mechanisms"].values():
        each["coupling"] = "independent"
    return SCM.from_dict(data)


@pytest.mark.parametrize(
    ("query", "simpler"),
    [
        ("P(v3[v4=1]=1, v3[v4=0]=0)", "P(v3=1, v3=0)"),
        ("P(v3[v4=0]=1 | v4=1)", "P(v3=1 | v4=1)"),
        ("P(v2[v3=1, v4=0]=1)", "P(v2[v3=1]=1)"),
        ("P(v3[v1=1, v4=v4[v1=0]]=1)", "P(v3[v1=1]=1)"),
        ("E[v3[v2=0] | v4=1]", "E[v3 | v4=1]"),
        ("P(v1[v4=1]=1 | v4=0)", "P(v1[v4=1]=1 | v4=0)"),
    ],
)
def test_what_an_effect_is_set_to_drops_out(chain, query, simpler):
    """Setting v3 moves v2 and v4, and setting v2 moves v4; v1 moves nothing, so it may answer."""
    permitted = Permitted(chain, cb.Knowledge("do", "none"))
    ((_, quantity),) = parse(query, chain.vocabulary).terms
    ((_, wanted),) = parse(simpler, chain.vocabulary).terms
    assert without_effects_on_causes(permitted, quantity) == wanted


def test_only_experiments_that_are_permitted_are_looked_at(chain):
    """Watching shows no order, and where v4 alone is set, nothing shows that v3 is its cause."""
    ((_, quantity),) = parse("P(v3[v4=0]=1 | v4=1)", chain.vocabulary).terms
    for known in (cb.Knowledge("see", "none"), cb.Knowledge("do", "none", (), ("v4",))):
        assert without_effects_on_causes(Permitted(chain, known), quantity) == quantity


@pytest.mark.parametrize(
    "query",
    [
        "P(v3[v4=1]=1, v3[v4=0]=0)",
        "P(v3[v4=0]=1 | v4=1, v3=1)",
        "P(v3[v1=1, v4=v4[v1=0]]=1) - P(v3[v1=0]=1)",
        "P(v3[v4=1]=1, v4=0)",
    ],
)
def test_the_simpler_query_is_certified(chain, query):
    """The value is the truth, and the method says where the order is from."""
    found = cb.certify(chain, query, cb.Knowledge("do", "none"))
    assert found.identified
    assert found.value == pytest.approx(brute_value(chain, query), abs=1e-12)


def test_the_method_names_the_order(chain):
    """An estimand that rests on what experiments show says so."""
    found = cb.certify(chain, "P(v3[v4=1]=1, v3[v4=0]=0)", cb.Knowledge("do", "none"))
    assert "in the order that experiments show" in found.method
