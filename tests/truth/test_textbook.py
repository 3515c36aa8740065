"""Worked cases of the literature, each world built from the inputs that its source states.

Values are exact consequences of the inputs (checked by enumeration when they were gathered), so
they are compared to 1e-9, or to the digits that the source prints.
"""

from __future__ import annotations

import pytest
from truth_builders import bern, cpt, world

from causalbench.scm import SCM
from causalbench.truth import reading, truth, value

BIT = ["0", "1"]
EXACT = 1e-9


def close(expected, actual, digits=EXACT):
    """Tell whether two numbers agree to some absolute precision."""
    return expected == pytest.approx(actual, abs=digits)


def stratified(counts):
    """Build z -> x, (z, x) -> y from {(x, z): (successes, total)}."""
    xs = list(dict.fromkeys(x for x, _ in counts))
    zs = list(dict.fromkeys(z for _, z in counts))
    everyone = sum(total for _, total in counts.values())
    sizes = {z: sum(counts[x, z][1] for x in xs) for z in zs}
    chosen = [[counts[x, z][1] / sizes[z] for x in xs] for z in zs]
    cured = [[counts[x, z][0] / counts[x, z][1] for x in xs] for z in zs]
    return world(
        {"z": zs, "x": xs, "y": BIT},
        {
            "z": cpt([], [size / everyone for size in sizes.values()]),
            "x": cpt(["z"], chosen),
            "y": cpt(["z", "x"], bern(*cured)),
        },
    )


KIDNEY = stratified(
    {("A", "small"): (81, 87), ("A", "large"): (192, 263), ("B", "small"): (234, 270),
     ("B", "large"): (55, 80)}
)  # fmt: skip
DRUG = stratified(
    {("drug", "man"): (18, 30), ("none", "man"): (7, 10), ("drug", "woman"): (2, 10),
     ("none", "woman"): (9, 30)}
)  # fmt: skip


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("P(y=1 | x=A)", 273 / 350),
        ("P(y=1 | x=B)", 289 / 350),
        ("P(y=1 | do(x=A))", 0.8325462173856037),
        ("P(y=1 | do(x=B))", 0.778875),
        ("ATE(x: B -> A; y=1)", 0.05367121738560378),
        ("ETT(x: B -> A; y=1)", 0.047964285714285716),
    ],
)
def test_1a_kidney_stones(query, expected):
    """Charig and others (1986): stone size confounds the treatments."""
    assert close(expected, value(KIDNEY, query))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("P(y=1 | x=drug)", 0.5),
        ("P(y=1 | x=none)", 0.4),
        ("P(y=1 | do(x=drug))", 0.4),
        ("P(y=1 | do(x=none))", 0.5),
        ("ATE(x: none -> drug; y=1)", -0.1),
    ],
)
def test_1b_drug(query, expected):
    """Murphy's 40/40 drug: seeing and doing have opposite signs."""
    assert close(expected, value(DRUG, query))


def test_1b_drug_where_sex_is_a_mediator():
    """The graph decides: with z between x and y the effect is what is seen, +.10."""
    mediated = world(
        {"x": ["none", "drug"], "z": ["man", "woman"], "y": BIT},
        {
            "x": cpt([], [0.5, 0.5]),
            "z": cpt(["x"], [[0.25, 0.75], [0.75, 0.25]]),
            "y": cpt(["z", "x"], bern([0.7, 0.6], [0.3, 0.2])),
        },
    )
    assert close(0.1, value(mediated, "ATE(x: none -> drug; y=1)"))


MEN = {"A": (512, 313), "B": (353, 207), "C": (120, 205), "D": (138, 279), "E": (53, 138), "F": (22, 351)}  # fmt: skip # noqa: E501
WOMEN = {"A": (89, 19), "B": (17, 8), "C": (202, 391), "D": (131, 244), "E": (94, 299), "F": (24, 317)}  # fmt: skip # noqa: E501


def admissions(*, mediator):
    """Build the Berkeley world: the department confounds sex (standardisation), or mediates it."""
    sizes = [{d: sum(v) for d, v in group.items()} for group in (MEN, WOMEN)]
    totals = [sum(size.values()) for size in sizes]
    everyone = sum(totals)
    admitted = bern(*[[group[d][0] / sum(group[d]) for group in (MEN, WOMEN)] for d in MEN])
    variables = {"dept": list(MEN), "sex": ["man", "woman"], "admit": BIT}
    if mediator:
        shares = [[size[d] / n for d in MEN] for size, n in zip(sizes, totals, strict=True)]
        parts = {
            "sex": cpt([], [n / everyone for n in totals]),
            "dept": cpt(["sex"], shares),
        }
    else:
        by_dept = {d: sum(size[d] for size in sizes) for d in MEN}
        parts = {
            "dept": cpt([], [n / everyone for n in by_dept.values()]),
            "sex": cpt(["dept"], [[size[d] / by_dept[d] for size in sizes] for d in MEN]),
        }
    # natural effects do not depend on the coupling; monotone keeps the noise small
    parts["admit"] = cpt(["dept", "sex"], admitted, "monotone")
    return world(variables, parts)


@pytest.mark.parametrize(
    ("query", "mediator", "expected"),
    [
        ("P(admit=1 | sex=man)", False, 0.4451876625789669),
        ("P(admit=1 | sex=woman)", False, 0.30354223433242505),
        ("P(admit=1 | do(sex=man))", False, 0.38731858268942226),
        ("P(admit=1 | do(sex=woman))", False, 0.4299553804607252),
        ("TE(sex: man -> woman; admit=1; dept)", True, -0.14164542824654186),
        ("NDE(sex: man -> woman; admit=1; dept)", True, 0.07096917575817246),
        ("NIE(sex: man -> woman; admit=1; dept)", True, -0.14273321829977068),
    ],
)
def test_1c_berkeley(query, mediator, expected):
    """UCB admissions 1973: direct standardisation, and natural effects through the department."""
    assert close(expected, value(admissions(mediator=mediator), query))


FRONT_DOOR = world(
    {"u_taste": BIT, "smoke": BIT, "tar": BIT, "cancer": BIT},
    {
        "u_taste": cpt([], [0.5, 0.5]),
        "smoke": {"parents": ["u_taste"], "noise": [1.0], "table": [[0, 1]]},
        "tar": cpt(["smoke"], bern(0.05, 0.95)),
        "cancer": cpt(["u_taste", "tar"], bern([0.90, 0.95], [0.10, 0.15])),
    },
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("P(cancer=1 | smoke=1)", 0.1475),
        ("P(cancer=1 | smoke=0)", 0.9025),
        ("P(cancer=1 | do(smoke=1))", 0.5475),
        ("P(cancer=1 | do(smoke=0))", 0.5025),
        ("ATE(smoke -> cancer)", 0.045),
    ],
)
def test_2a_front_door(query, expected):
    """Smoking, tar, cancer (Primer, chapter 3): doing reverses the sign of seeing."""
    assert close(expected, value(FRONT_DOOR, query))


NAPKIN = world(
    {"u_0": BIT, "u_1": BIT, "z2": BIT, "z1": BIT, "x": BIT, "y": BIT},
    {
        "u_0": cpt([], [0.5, 0.5]),
        "u_1": cpt([], [0.5, 0.5]),
        "z2": cpt(["u_0", "u_1"], bern([0.1, 0.8], [0.3, 0.6])),
        "z1": cpt(["z2"], bern(0.2, 0.9)),
        "x": cpt(["z1", "u_0"], bern([0.15, 0.5], [0.6, 0.95])),
        "y": cpt(["x", "u_1"], bern([0.1, 0.45], [0.7, 0.95])),
    },
)


@pytest.mark.parametrize(
    ("query", "expected", "digits"),
    [
        ("P(y=1 | do(x=0))", 0.275, EXACT),
        ("P(y=1 | do(x=1))", 0.825, EXACT),
        ("P(y=1 | x=0)", 0.243909, 5e-7),
        ("P(y=1 | x=1)", 0.842681, 5e-7),
    ],
)
def test_3a_napkin(query, expected, digits):
    """The napkin graph: seeing is not doing."""
    assert close(expected, value(NAPKIN, query), digits)


@pytest.mark.parametrize("z1", BIT)
@pytest.mark.parametrize(("x", "expected"), [("0", 0.275), ("1", 0.825)])
def test_3a_napkin_estimand(z1, x, expected):
    """The napkin's estimand, evaluated from what is seen, gives the effect for either z1."""
    above = below = 0.0
    for z2 in BIT:
        weight = value(NAPKIN, f"P(z2={z2})")
        above += weight * value(NAPKIN, f"P(x={x}, y=1 | z1={z1}, z2={z2})")
        below += weight * value(NAPKIN, f"P(x={x} | z1={z1}, z2={z2})")
    assert close(expected, above / below)


MEDIATION = world(
    {"x": BIT, "m": BIT, "y": BIT},
    {
        "x": cpt([], [0.5, 0.5]),
        "m": cpt(["x"], bern(0.40, 0.75)),
        "y": cpt(["x", "m"], bern([0.2, 0.3], [0.4, 0.8])),
    },
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("TE(x: 0 -> 1; y=1; m)", 0.46),
        ("NDE(x: 0 -> 1; y=1; m)", 0.32),
        ("NIE(x: 0 -> 1; y=1; m)", 0.035),
        ("NIE(x: 1 -> 0; y=1; m)", -0.14),
        ("TE(x: 0 -> 1; y=1; m) - NDE(x: 0 -> 1; y=1; m) + NIE(x: 1 -> 0; y=1; m)", 0.0),
    ],
)
def test_6a_mediation(query, expected):
    """Pearl's mediation example: TE = NDE - NIE reversed."""
    assert close(expected, value(MEDIATION, query))


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.5), (0.7, 0.2)])
def test_7a_firing_squad(p, q):
    """Had A not fired: P(alive | dead) = (1-p)q / (p + (1-p)q)."""
    squad = world(
        {"u_order": BIT, "nervous": BIT, "a": BIT, "b": BIT, "dead": BIT},
        {
            "u_order": cpt([], [1 - p, p]),
            "nervous": cpt([], [1 - q, q]),
            "a": {"parents": ["u_order", "nervous"], "noise": [1], "table": [[[0, 1], [1, 1]]]},
            "b": {"parents": ["u_order"], "noise": [1], "table": [[0, 1]]},
            "dead": {"parents": ["a", "b"], "noise": [1], "table": [[[0, 1], [1, 1]]]},
        },
    )
    expected = (1 - p) * q / (p + (1 - p) * q)
    assert close(expected, value(squad, "P(dead[a=0]=0 | dead=1)"))
    assert close({0.5: 1 / 3, 0.7: 0.078947368}[p], expected)


def linear(**mechanisms):
    """Build a linear-Gaussian world from (weights, intercept)."""
    return SCM.from_dict(
        {
            "schema": 1,
            "variables": {name: {"kind": "real"} for name in mechanisms},
            "mechanisms": {
                name: {"linear": weights, "intercept": intercept, "std": 1}
                for name, (weights, intercept) in mechanisms.items()
            },
        }
    )


JOE = linear(x=({}, 0), h=({"x": 0.5}, 0), y=({"x": 0.7, "h": 0.4}, 0))
SALARY = linear(ed=({}, 0), ex=({"ed": -4}, 10), s=({"ex": 2.5, "ed": 5}, 65))


def test_7b_joe():
    """Joe, had he doubled his homework (Primer 4.2): 1.90."""
    assert close(1.9, value(JOE, "E[y[h=2] | x=0.5, h=1, y=1.5]"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("E[x | x=0.5, h=1, y=1.5]", 0.5),
        ("E[h[x=0] | x=0.5, h=1, y=1.5]", 0.75),
        ("E[y[x=0, h=0] | x=0.5, h=1, y=1.5]", 0.75),
    ],
)
def test_7b_joe_noise(query, expected):
    """Abduction finds Joe's noise: each variable had all its causes been 0."""
    assert close(expected, value(JOE, query))


@pytest.mark.parametrize(("ex", "s", "expected"), [(6, 81, 76), (8, 86, 81)])
def test_7c_salary(ex, s, expected):
    """Alice's salary with one more degree (Book of Why, chapter 8)."""
    assert close(expected, value(SALARY, f"E[s[ed=1] | ed=0, ex={ex}, s={s}]"))


PAYOFF = bern([[0.1, 0.5], [0.4, 0.2]], [[0.5, 0.1], [0.2, 0.4]])  # [x][drunk][blinking]
CASINO = world(
    {"u_drunk": BIT, "u_blink": BIT, "x": BIT, "y": BIT},
    {
        "u_drunk": cpt([], [0.5, 0.5]),
        "u_blink": cpt([], [0.5, 0.5]),
        "x": {"parents": ["u_drunk", "u_blink"], "noise": [1], "table": [[[0, 1], [1, 0]]]},
        "y": cpt(["x", "u_drunk", "u_blink"], PAYOFF),
    },
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("P(y=1 | x=0)", 0.15),
        ("P(y=1 | x=1)", 0.15),
        ("P(y=1 | do(x=0))", 0.3),
        ("P(y=1 | do(x=1))", 0.3),
        ("P(y[x=1]=1 | x=0)", 0.45),
        ("P(y[x=0]=1 | x=1)", 0.45),
    ],
)
def test_7d_greedy_casino(query, expected):
    """The greedy casino (Bareinboim, Forney, Pearl 2015): intent tells what doing hides."""
    assert close(expected, value(CASINO, query))


def test_7d_redo_after_natural_and_after_do():
    """P(Y_1 = 1 | e = (0, 0)) is .453 after natural play and .336 after do(0)."""
    natural = value(CASINO, "P(y[x=1]=1 | x=0, y=0)")
    forced = value(CASINO, "P(y[x=1]=1 | y[x=0]=0)")
    assert close((0.453, 0.336), (natural, forced), 5e-4)


SPRINKLER = world(
    {"rain": BIT, "sprinkler": BIT, "grass": BIT},
    {
        "rain": cpt([], [0.8, 0.2]),
        "sprinkler": cpt(["rain"], bern(0.4, 0.01)),
        "grass": cpt(["sprinkler", "rain"], bern([0.0, 0.8], [0.9, 0.99])),
    },
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("P(rain=1 | grass=1)", 0.35768767563227616),
        ("P(grass=1 | do(sprinkler=1))", 0.918),
        ("P(rain=1 | do(grass=1))", 0.2),
    ],
)
def test_8_sprinkler(query, expected):
    """The sprinkler with Wikipedia's tables."""
    assert close(expected, value(SPRINKLER, query))


def test_8_monty_hall():
    """Switching wins two times in three."""
    doors = ["1", "2", "3"]
    opens = [
        [[0, 0.5, 0.5], [0, 0, 1], [0, 1, 0]],
        [[0, 0, 1], [0.5, 0, 0.5], [1, 0, 0]],
        [[0, 1, 0], [1, 0, 0], [0.5, 0.5, 0]],
    ]
    monty = world(
        {"car": doors, "pick": doors, "opened": doors},
        {
            "car": cpt([], [1 / 3] * 3),
            "pick": cpt([], [1 / 3] * 3),
            "opened": cpt(["pick", "car"], opens, "monotone"),
        },
    )
    assert close(2 / 3, value(monty, "P(car=2 | pick=1, opened=3)"))


@pytest.mark.parametrize(
    ("query", "kind", "same_as"),
    [
        ("PN(x: 0 -> 1; y=1)", "do", "P(y=0 | do(x=0))"),
        ("PN(x: 0 -> 1; y=1)", "see", "P(y=0 | x=0)"),
        ("PS(x: 0 -> 1; y=1)", "do", "P(y=1 | do(x=1))"),
        ("ETT(x: 0 -> 1; y=1)", "do", "ATE(x: 0 -> 1; y=1)"),
        ("ETT(x: 0 -> 1; y=1)", "see", "P(y=1 | x=1) - P(y=1 | x=0)"),
        ("ETU(x: 0 -> 1; y=1)", "do", "ATE(x: 0 -> 1; y=1)"),
    ],
)
def test_readings_of_named_quantities_in_the_casino(query, kind, same_as):
    """The readings of PN, PS, ETT and ETU, in a world where they differ from the truth."""
    expected = value(CASINO, same_as)
    assert close(expected, reading(CASINO, query, kind), 1e-14)
    assert abs(truth(CASINO, query).value - expected) > 0.01
