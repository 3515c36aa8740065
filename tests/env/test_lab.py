"""The lab: what each regime allows, what it costs, what it hides."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

from causalbench.errors import AccessError, BudgetExhausted, UnknownNameError
from causalbench.scm import SCM, LinearMechanism, Variable
from causalbench.task.lab import Lab
from causalbench.task.types import Dossier
from causalbench.truth import truth
from causalbench.truth.knowledge import Budget, Knowledge


def test_see_shows_visible_columns_in_the_dossiers_order(lab_of):
    """Hidden variables are left out, and categories are the dossier's values."""
    frame = lab_of(rows=5).see(5)
    shown = (list(frame.columns), list(frame["w"].cat.categories), list(frame.index))
    assert shown == (["y", "w", "x"], ["yes", "no"], [0, 1, 2, 3, 4])


def test_codes_are_the_dossiers_codes(lab_of):
    """A label that the dossier lists in another place has the dossier's code."""
    codes = lab_of(rows=500).see_codes(500)
    frame = lab_of(rows=500).see(500)
    expected = np.stack([frame[name].cat.codes for name in ("y", "w", "x")], axis=-1)
    assert (codes == expected).all()
    assert abs((codes[:, 1] == 0).mean() - 0.25) < 0.15  # 1e-9 by Hoeffding at 500 rows


def test_each_call_draws_fresh_units(lab_of):
    """Two looks are not the same rows."""
    lab = lab_of(rows=400)
    assert not lab.see(200).equals(lab.see(200))


def test_the_same_seed_gives_the_same_units(lab_of):
    """A lab's units follow from its generator."""
    assert lab_of(rows=9, seed=3).see(9).equals(lab_of(rows=9, seed=3).see(9))


def test_do_forces_the_variable_and_costs_interventions(lab_of):
    """A forced variable has its value in every unit."""
    lab = lab_of("do", interventions=10)
    frame = lab.do({"x": "1"}, 6)
    assert (set(frame["x"]), lab.spent, lab.left) == (
        {"1"},
        Budget(interventions=6),
        Budget(interventions=4),
    )


def test_do_on_every_variable_gives_a_row_a_unit(lab_of):
    """Forcing all there is to see still shows one row for each unit."""
    frame = lab_of("do", interventions=3).do({"x": "1", "y": "0", "w": "no"}, 3)
    assert frame.astype(str).to_numpy().tolist() == [["0", "no", "1"]] * 3


def test_do_without_settings_is_see(lab_of):
    """Passing costs a row, in any regime."""
    lab = lab_of("see", rows=4)
    lab.do({}, 3)
    assert lab.spent == Budget(rows=3)


def test_price_names_the_kind_of_unit(lab_of):
    """Watching costs a row, forcing an intervention."""
    lab = lab_of("do")
    assert (lab.price({}), lab.price({"x": "0"})) == (Budget(rows=1), Budget(interventions=1))


@pytest.mark.parametrize(("regime", "allowed"), [("see", False), ("do", True), ("replay", True)])
def test_do_needs_regime_do(lab_of, regime, allowed):
    """Regime see forbids interventions whatever the budget says."""
    lab = lab_of(regime, interventions=9)
    if allowed:
        assert len(lab.do({"x": "0"}, 2)) == 2
    else:
        with pytest.raises(AccessError, match="needs regime 'do'"):
            lab.do({"x": "0"}, 2)


@pytest.mark.parametrize("regime", ["see", "do", "intent"])
def test_replay_needs_regime_replay(lab_of, regime):
    """Below replay nothing links two calls."""
    lab = lab_of(regime, rows=2, replays=2)
    ids = lab.see(2).index
    with pytest.raises(AccessError, match="needs regime 'replay'"):
        lab.replay(ids, {})


def test_replay_runs_the_same_units(lab_of):
    """The natural course again is the same row, in the order asked for."""
    lab = lab_of("replay", rows=50, replays=50)
    frame = lab.see(50)
    ids = list(frame.index[::-1])
    again = lab.replay(ids, {})
    assert again.equals(frame.loc[ids])
    assert lab.spent == Budget(rows=50, replays=50)


def test_replay_keeps_what_the_action_does_not_change(lab_of):
    """Under another x the unit keeps its w, and its y is the mechanism's answer."""
    lab = lab_of("replay", rows=300, interventions=300, replays=600)
    first = lab.do({"x": "0"}, 300)
    other = lab.replay(first.index, {"x": "1"})
    back = lab.replay(first.index, {"x": "0"})
    assert (other["w"].equals(first["w"]), back.equals(first)) == (True, True)
    # P(y[x=0]=0, y[x=1]=1) > 0 in this world, so replay shows something that do cannot.
    assert ((first["y"] == "0") & (other["y"] == "1")).any()


def test_unit_ids_are_opaque(lab_of):
    """Ids in regime replay are neither consecutive nor repeated."""
    lab = lab_of("replay", rows=200)
    ids = [*lab.see(100).index, *lab.see(100).index]
    assert len(set(ids)) == 200
    assert np.abs(np.diff(ids)).min() > 1


def test_replay_refuses_strange_units(lab_of):
    """An id that this lab never showed is refused, and nothing is spent."""
    lab = lab_of("replay", rows=1, replays=1)
    with pytest.raises(AccessError, match="not drawn by this lab"):
        lab.replay([12345], {})
    assert lab.spent == Budget()


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda lab: lab.see(4), "rows"),
        (lambda lab: lab.do({"x": "0"}, 4), "interventions"),
        (lambda lab: lab.replay(list(lab.see(2).index) * 2, {}), "replays"),
    ],
)
def test_budget_is_enforced_and_nothing_is_spent(lab_of, call, kind):
    """A call that asks for too much says how much is left, and costs nothing."""
    lab = lab_of("replay", rows=3, interventions=3, replays=3)
    with pytest.raises(BudgetExhausted, match=rf"^4 {kind} asked for, 3 of 3 left; .*\.$"):
        call(lab)
    assert getattr(lab.left, kind) == 3


def test_the_budget_can_be_spent_to_the_last_unit(lab_of):
    """The last paid row is delivered; the next call is refused."""
    lab = lab_of(rows=2)
    assert len(lab.see(2)) == 2
    with pytest.raises(BudgetExhausted, match="answer with what you have"):
        lab.see(1)


@pytest.mark.parametrize("name", ["z", "v"])
def test_hidden_and_unknown_variables_are_refused_alike(lab_of, name):
    """A hidden variable cannot be told from one that does not exist."""
    with pytest.raises(UnknownNameError, match=f"no visible variable is called '{name}'"):
        lab_of("do", interventions=1).do({name: "1"}, 1)


def test_unknown_values_are_refused(lab_of):
    """A value that the dossier does not list is refused with a suggestion."""
    with pytest.raises(UnknownNameError, match="Did you mean 'yes'"):
        lab_of("do", interventions=1).do({"w": "yess"}, 1)


@pytest.mark.parametrize("n", [-1, 1.5, True, "3"])
def test_numbers_of_units_are_whole(lab_of, n):
    """Anything but a whole number of units is refused in one line."""
    with pytest.raises(AccessError, match="whole number"):
        lab_of(rows=9).see(n)


@pytest.mark.parametrize("fork", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_lab_cannot_be_forked(lab_of, fork):
    """Copying a lab would replay its units."""
    lab = lab_of(rows=1)
    with pytest.raises(AccessError, match="cannot be copied or pickled"):
        fork(lab)


def test_a_linear_world_shows_numbers():
    """Real variables come as floats, and are forced to numbers."""
    scm = SCM(
        {"s": Variable("s", None), "t": Variable("t", None)},
        {
            "s": LinearMechanism((), np.array([]), 0.0, 1.0),
            "t": LinearMechanism(("s",), np.array([2.0]), 1.0, 0.0),
        },
    )
    variables = (scm.variable("t"), scm.variable("s"))
    dossier = Dossier("d", "lab", variables, Knowledge("do"), Budget(rows=4, interventions=4))
    lab = Lab(scm, dossier, np.random.default_rng(0))
    seen = lab.see(4)
    assert np.allclose(seen["t"], 2 * seen["s"] + 1, rtol=0, atol=1e-12)
    assert lab.do({"s": 1.5}, 2)["t"].tolist() == [4.0, 4.0]


def _both(lab):
    """Return in which units y would be 0 without x and 1 with it."""
    without = lab.do({"x": "0"}, 20_000)
    return (without["y"] == "0") & (lab.replay(without.index, {"x": "1"})["y"] == "1")


@pytest.mark.parametrize(
    ("query", "look"),
    [
        ("P(y=1 | do(x=1))", lambda lab: lab.do({"x": "1"}, 20_000)["y"] == "1"),
        ("P(y=1, w=yes)", lambda lab: lab.see(20_000).eval("y == '1' and w == 'yes'")),
        ("P(y[x=0]=0, y[x=1]=1)", _both),
    ],
)
def test_what_the_lab_shows_has_the_exact_law(lab_of, scm, query, look):
    """Watching, doing and replaying agree with the engine, within Hoeffding's bound at 1e-9."""
    lab = lab_of("replay", rows=20_000, interventions=20_000, replays=20_000)
    bound = math.sqrt(math.log(2e9) / (2 * 20_000))
    assert abs(look(lab).mean() - truth(scm, query).value) <= bound


@pytest.mark.parametrize("name", ["knowledge", "left", "spent", "env_steps"])
def test_what_a_lab_says_of_itself_cannot_be_set(lab_of, name):
    """Regime and budget are not the agent's to change."""
    lab = lab_of("see", rows=1)
    with pytest.raises(AttributeError):
        setattr(lab, name, None)
