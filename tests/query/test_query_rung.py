"""The rung of a query, derived from its form."""

import pytest

from causalbench.query import Query, Vocabulary, parse

VOCABULARY = Vocabulary(
    {
        "x": ("0", "1"),
        "y": ("0", "1"),
        "z": ("0", "1"),
        "m": ("0", "1"),
        "t": None,
        "rain": ("no", "yes"),
        "umbrella": ("no", "yes"),
        "wet": ("no", "yes"),
    }
)

RUNGS = [
    # association
    ("P(y=1)", 1),
    ("P(rain=yes | umbrella=yes)", 1),
    ("P(y=1 | do())", 1),
    ("E[t | t > 2] - 3", 1),
    ("P(y[x=1]=1 | x=1)", 1),  # composition: P(y=1 | x=1)
    ("P(y[x=1]=1, x=1)", 1),
    ("P(x=1, y[x=1]=1 | z=0)", 1),
    ("E[t[x=1] | x=1]", 1),
    ("P(x=1 | do(x=1))", 1),  # effectiveness: certain
    ("P(x=0 | do(x=1))", 1),  # effectiveness: impossible
    ("P(x[x=1]=1, y=1)", 1),
    ("P(x[x=0]=1, y[z=1]=1)", 1),  # impossible, whatever stands beside it
    ("P(y[m=m[]]=1)", 1),
    ("P(y[x=x[], m=m[]]=1)", 1),
    ("P(y[x=1, z=0]=1 | x=1, z=0)", 1),  # composition in two variables
    ("P(y[x=1, z=0]=1 | x=1, z[x=1]=0)", 1),  # z[x=1] is z where x is 1
    # intervention
    ("ATE(x -> y)", 2),
    ("CATE(x: 0 -> 1; y=1 | z=1)", 2),
    ("TE(x: 0 -> 1; y=1; m)", 2),
    ("CDE(x: 0 -> 1; y=1; m=0)", 2),
    ("P(rain=yes | do(umbrella=no))", 2),
    ("P(y=1 | do(x=1), z=1)", 2),
    ("P(y[x=1]=1, z[x=1]=0)", 2),
    ("P(y[x=1, m=m[x=1]]=1)", 2),  # the atom form of composition
    ("E[t | do(x=1)] - E[t | do(x=0)]", 2),
    ("P(y=1) + P(y=1 | do(x=1))", 2),
    ("P(y[x=1, z=1]=1, z[x=1]=1)", 2),  # composition under a subscript
    ("P(x=1 | y[x=1]=1)", 2),  # its numerator is P(x=1, y=1), its condition is rung 2
    # counterfactual
    ("P(y[x=1]=1, x=0)", 3),
    ("P(y[x=1]=1 | z=0)", 3),
    ("P(y[x=0]=1 | x=1)", 3),
    ("P(wet[umbrella=no]=yes | umbrella=yes, wet=no)", 3),
    ("PNS(x: 0 -> 1; y=1)", 3),
    ("PN(x: 0 -> 1; y=1)", 3),
    ("PS(x: 0 -> 1; y=1)", 3),
    ("ETT(x: 0 -> 1; y=1)", 3),
    ("ETU(x: 0 -> 1; y=1)", 3),
    ("NDE(x: 0 -> 1; y=1; m)", 3),
    ("NIE(x: 0 -> 1; y=1; m)", 3),
    ("P(y[m=m[x=0]]=1)", 3),
    ("P(y[x=1]=1, y[x=0]=0)", 3),
    ("P(y[x=1]=1, z[m=0]=0)", 3),
    ("E[t[x=1] | y=0]", 3),
    ("P(y[x=1]=1 | x != 0)", 3),  # != is not read as an equality, whatever the values
    # choices
    ("argmax a in {x=0, x=1, pass}: P(y=1 | do(a), z=1)", 2),
    ("argmax a in {x=0, x=1, pass}: P(y[a]=1 | z=1)", 3),
    ("argmax b in {z=0, z=1}: P(b | y=1)", 1),
    ("argmax a in {x=0, pass}: P(y[a]=1 | x=0, y=0)", 1),  # the factual act alone
]


@pytest.mark.parametrize(("text", "rung"), RUNGS)
def test_rung(text, rung):
    """The rung follows the form after effectiveness and composition."""
    assert rung == parse(text, VOCABULARY).rung


def test_rung_of_constant():
    """A sum that asks nothing of the world is rung 1."""
    assert Query((), 1.0).rung == 1
