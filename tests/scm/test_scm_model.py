"""Models as values: do, draws, solving, equality, and changes of words."""

from __future__ import annotations

import itertools
import math
import pickle

import numpy as np
import pytest

from causalbench.errors import WorldError
from causalbench.graph import Diagram
from causalbench.rng import generator
from causalbench.scm import SCM, LinearMechanism, Mechanism, Variable

CALM_UNIT = {"season": 0, "seed": 0, "rain": 2, "umbrella": 0, "wet": 0}


def _linear():
    return SCM.from_dict(
        {
            "schema": 1,
            "variables": {"u": {"kind": "real", "hidden": True}, "x": {"kind": "real"},
                          "y": {"kind": "real", "unit": "kg"}},
            "mechanisms": {"u": {"linear": {}}, "x": {"linear": {"u": 1}, "std": 0.5},
                           "y": {"linear": {"x": 2.0, "u": -1.0}, "intercept": 3, "std": 0.25}},
        }
    )  # fmt: skip


def test_names_keep_the_order_of_declaration(umbrella):
    """Names, visible and hidden come as declared; order puts causes first."""
    assert umbrella.names == ("season", "seed", "rain", "umbrella", "wet")
    assert umbrella.visible == ("seed", "rain", "umbrella", "wet")
    assert umbrella.hidden == ("season",)
    assert umbrella.reorder(umbrella.names[::-1]).order == umbrella.names


def test_diagram_projects_hidden_variables(umbrella):
    """The hidden season becomes seed <-> rain."""
    text = "seed -> rain -> umbrella; rain -> wet; umbrella -> wet; seed <-> rain"
    assert umbrella.diagram == Diagram.parse(text)
    assert umbrella.full_diagram.parents("rain") == ("season", "seed")


def test_vocabulary_names_hidden_variables_too(umbrella):
    """Queries may mention what is hidden."""
    assert umbrella.vocabulary.values["season"] == ("calm", "storm")
    assert _linear().vocabulary.values["x"] is None


def test_cpt_of_the_flagship_rain(umbrella):
    """Noise and table of world M1 give the published CPT of rain."""
    expected = [[[0.3, 0.7], [0.65, 0.35]], [[0.05, 0.95], [0.1, 0.9]]]
    assert np.abs(umbrella.cpt("rain") - expected).max() <= 4 * 2.0**-52


def test_do_keeps_the_noise_and_drops_the_parents(umbrella):
    """An intervened mechanism is constant, with the same noise and no parents."""
    forced = umbrella.do(rain="yes").mechanism("rain")
    assert forced.parents == ()
    assert forced.table.tolist() == [1] * 5
    assert forced.noise.tolist() == umbrella.mechanism("rain").noise.tolist()


def test_do_leaves_the_model_alone(umbrella):
    """Doing returns a new model and changes nothing in the old one."""
    before = umbrella.digest
    assert umbrella.do(rain="yes") != umbrella
    assert umbrella.digest == before


def test_do_takes_names_that_are_no_keywords():
    """Odd names go through a mapping, and numbers find their label."""
    world = SCM({"a b": Variable("a b", ("0", "1"))}, {"a b": Mechanism((), [0.5, 0.5], [0, 1])})
    assert world.do({"a b": 1}) == world.do({"a b": "1"})


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"sead": "no"}, "no variable 'sead'. Did you mean 'seed'"),
        ({"seed": "yess"}, "no value 'yess'.*Did you mean 'yes'"),
    ],
)
def test_do_explains_unknown_names(umbrella, action, message):
    """An unknown name or value is refused with the nearest one."""
    with pytest.raises(WorldError, match=message):
        umbrella.do(action)


def test_do_on_a_real_variable_needs_a_number():
    """Labels make no sense for real variables."""
    with pytest.raises(WorldError, match="takes a number"):
        _linear().do(x="high")


def test_solve_by_hand(umbrella):
    """A calm unit with rain's noise 2 rains not under seeding no."""
    found = {name: int(code) for name, code in umbrella.solve(CALM_UNIT).items()}
    assert found == {"season": 0, "seed": 0, "rain": 0, "umbrella": 0, "wet": 0}


def test_solve_broadcasts_over_units(umbrella):
    """Scalars stand for every unit where arrays are given."""
    found = umbrella.solve({**CALM_UNIT, "rain": np.arange(5)})
    assert found["rain"].tolist() == [1, 1, 0, 0, 0]
    assert found["season"].tolist() == [0] * 5


def test_solve_takes_labels_codes_and_masks(umbrella):
    """A label, a code, and an array in which -1 leaves a unit alone force alike."""
    unit = {**CALM_UNIT, "rain": np.arange(5)}
    assert umbrella.solve(unit, {"seed": "yes"})["rain"].tolist() == [1, 0, 0, 0, 0]
    assert umbrella.solve(unit, {"seed": 1})["rain"].tolist() == [1, 0, 0, 0, 0]
    masked = umbrella.solve(unit, {"seed": np.array([-1, -1, 1, 1, 1])})
    assert masked["rain"].tolist() == [1, 1, 0, 0, 0]
    assert masked["seed"].tolist() == [0, 0, 1, 1, 1]


def test_solve_equals_doing_first(umbrella):
    """solve(unit, do) is do(...).solve(unit), for every single intervention."""
    unit = umbrella.draw_noise(500, rng=generator(1, "solve"))
    for name in umbrella.names:
        for code, label in enumerate(umbrella.variable(name).labels):
            first = umbrella.solve(unit, {name: code})
            second = umbrella.do({name: label}).solve(unit)
            assert all((first[v] == second[v]).all() for v in umbrella.names)


def test_fully_forced_variables_need_no_noise(umbrella):
    """A unit may leave out the noise of a variable that is forced everywhere."""
    unit = {name: code for name, code in CALM_UNIT.items() if name != "seed"}
    assert int(umbrella.solve(unit, {"seed": "no"})["rain"]) == 0


@pytest.mark.parametrize(
    ("unit", "do", "message"),
    [
        ({"season": 0}, None, "lacks the noise of 'seed'"),
        ({**CALM_UNIT, "rain": 5}, None, "noise of 'rain' is out of range; take 0 to 4"),
        ({**CALM_UNIT, "rain": -1}, None, "out of range"),
        ({**CALM_UNIT, "rain": 0.5}, None, "whole numbers"),
        (CALM_UNIT, {"seed": 2}, "codes of 'seed' go from 0 to 1"),
        (CALM_UNIT, {"sed": 1}, "Did you mean 'seed'"),
        (CALM_UNIT, {"seed": 0.5}, "takes a label or codes"),
        ({**CALM_UNIT, "rain": np.zeros(2, int), "seed": np.zeros(3, int)}, None, "do not fit"),
    ],
)
def test_solve_explains_bad_units(umbrella, unit, do, message):
    """Noise that is missing, out of range or ragged is refused."""
    with pytest.raises(WorldError, match=message):
        umbrella.solve(unit, do)


def test_draws_follow_the_joint_law(umbrella):
    """Every joint frequency is within Hoeffding's bound at a failure chance of 1e-9."""
    n = 200_000
    codes = umbrella.draw(n, rng=generator(0, "law"))
    cells = list(itertools.product(*(range(2) for _ in umbrella.names)))
    bound = math.sqrt(math.log(2 * len(cells) / 1e-9) / (2 * n))
    for cell in cells:
        value = dict(zip(umbrella.names, cell, strict=True))
        chance = 1.0
        for name in umbrella.names:
            row = tuple(value[parent] for parent in umbrella.parents(name))
            chance *= umbrella.cpt(name)[(*row, value[name])]
        hits = np.logical_and.reduce([codes[name] == value[name] for name in umbrella.names])
        assert abs(hits.mean() - chance) < bound


def test_draws_under_do_follow_the_interventional_law(umbrella):
    """P(rain | do(seed=yes)) is .46 in world M1, though P(rain | seed=yes) is .80."""
    n = 200_000
    codes = umbrella.draw(n, rng=generator(0, "do"), do={"seed": "yes"})
    bound = math.sqrt(math.log(2 / 1e-9) / (2 * n))
    assert abs(codes["rain"].mean() - 0.46) < bound
    assert set(codes["seed"].tolist()) == {1}


def test_equal_models_draw_equal_units(umbrella):
    """The order of declaration changes no draw."""
    turned = umbrella.reorder(umbrella.names[::-1])
    first, second = (w.draw(50, rng=generator(3, "same")) for w in (umbrella, turned))
    assert all((first[name] == second[name]).all() for name in umbrella.names)


def test_impossible_noise_is_never_drawn():
    """A noise value of probability zero is not drawn, even where the sum falls short of 1."""
    mechanism = Mechanism((), [0.1] * 10 + [0.0], list(range(11)))
    top = np.array([1 - 2.0**-53])
    from causalbench.scm.draw import _codes

    assert _codes(mechanism, top).tolist() == [9]


def test_many_noise_values_are_drawn_like_few():
    """Bisection over many thresholds and counting few of them agree."""
    probabilities = np.full(64, 1 / 64)
    world = SCM(
        {"x": Variable("x", tuple(map(str, range(64))))},
        {"x": Mechanism((), probabilities, np.arange(64))},
    )
    found = world.draw(1000, rng=generator(0, "many"))["x"]
    from causalbench.rng import uniforms

    assert found.tolist() == np.floor(uniforms(generator(0, "many"), 1000) * 64).tolist()


def test_draw_of_nothing_is_empty(umbrella):
    """Zero units are zero rows, forced or not."""
    assert len(umbrella.draw(0, rng=generator(0, "none"), do={"seed": 1})["rain"]) == 0
    assert len(umbrella.sample(0, rng=generator(0, "none"))) == 0


def test_draw_of_less_than_nothing_is_refused(umbrella):
    """A negative number of units is an error."""
    with pytest.raises(WorldError, match="ask for 0 or more"):
        umbrella.draw(-1, rng=generator(0, "none"))


def test_sample_shows_labels_of_visible_variables(umbrella):
    """Columns are visible variables in order, categorical with all labels."""
    frame = umbrella.sample(20, rng=generator(0, "rows"))
    assert list(frame.columns) == ["seed", "rain", "umbrella", "wet"]
    assert list(frame["rain"].cat.categories) == ["no", "yes"]
    assert umbrella.sample(1, rng=generator(0, "rows"), hidden=True).columns[0] == "season"


def test_sample_tells_what_draw_tells(umbrella):
    """The labels of a sample are the codes of a draw from the same generator."""
    frame = umbrella.sample(50, rng=generator(0, "rows"))
    codes = umbrella.draw(50, rng=generator(0, "rows"))
    for name in umbrella.visible:
        assert frame[name].cat.codes.tolist() == codes[name].tolist()


def test_linear_solve_by_hand():
    """Noise is standard normal units: y = 3 + 2x - u + std z."""
    found = _linear().solve({"u": 1.0, "x": 2.0, "y": -4.0})
    assert {name: float(v) for name, v in found.items()} == {"u": 1.0, "x": 2.0, "y": 5.0}


def test_linear_solve_under_do_keeps_noise():
    """Forcing x moves y by its weight; NaN leaves a unit alone."""
    unit = {"u": 1.0, "x": 2.0, "y": -4.0}
    found = _linear().solve(unit, {"x": np.array([np.nan, 0.0])})
    assert found["y"].tolist() == [5.0, 1.0]
    assert float(_linear().do(x=0.0).solve(unit)["y"]) == 1.0


def test_linear_moments():
    """Means and variances are within six standard errors of the closed form."""
    n = 100_000
    values = _linear().draw(n, rng=generator(0, "moments"))
    # y = 3 + 2x - u + e and x = u + d, so y = 3 + u + 2d + e: variance 1 + 1 + 1/16.
    variance = 1 + 4 * 0.25 + 0.0625
    assert abs(values["y"].mean() - 3) < 6 * math.sqrt(variance / n)
    assert abs(values["y"].var() - variance) < 6 * variance * math.sqrt(2 / n)


def test_linear_draws_are_finite_at_the_ends():
    """The smallest and the largest uniform both have a finite normal."""
    from causalbench.scm.draw import _normal

    assert np.isfinite(_normal(np.array([0.0, 1 - 2.0**-53]))).all()


def test_pickled_models_are_equal_and_frozen(umbrella):
    """Workers get an equal model whose arrays still can't be written."""
    found = pickle.loads(pickle.dumps(umbrella))  # noqa: S301
    assert found == umbrella
    assert not found.mechanism("rain").table.flags.writeable


def test_models_are_frozen(umbrella):
    """Neither attributes nor mappings can be set."""
    with pytest.raises(AttributeError):
        umbrella.variables = {}
    with pytest.raises(TypeError):
        umbrella.mechanisms["rain"] = None


def test_arrays_given_are_copied():
    """Writing to an array after construction changes no mechanism."""
    table = np.array([0, 1])
    mechanism = Mechanism((), [0.5, 0.5], table)
    table[:] = 0
    assert mechanism.table.tolist() == [0, 1]


def test_rename_renames_everywhere(umbrella):
    """Renaming there and back gives the model again."""
    there = umbrella.rename({"rain": "snow"})
    assert there.parents("wet") == ("snow", "umbrella")
    assert there.rename({"snow": "rain"}) == umbrella


def test_rename_refuses_a_clash(umbrella):
    """Two variables can't share a name."""
    with pytest.raises(WorldError, match="share a name"):
        umbrella.rename({"rain": "wet"})


def test_reorder_needs_every_name(umbrella):
    """A list that leaves out a name is refused."""
    with pytest.raises(WorldError, match="every name exactly once"):
        umbrella.reorder(["rain"])


def test_relabel_keeps_the_meaning(umbrella):
    """With values listed the other way round, every unit has the same labels."""
    turned = umbrella.relabel({"rain": [1, 0], "season": [1, 0]})
    assert turned.variable("rain").values == ("yes", "no")
    unit = umbrella.draw_noise(300, rng=generator(0, "relabel"))
    first, second = umbrella.solve(unit), turned.solve(unit)
    for name in umbrella.names:
        old, new = umbrella.variable(name).labels, turned.variable(name).labels
        assert [old[c] for c in first[name]] == [new[c] for c in second[name]]


def test_relabel_moves_numbers_and_inverts(umbrella_dict):
    """A permutation of three values carries numbers along; its inverse undoes it."""
    umbrella_dict["variables"]["t"] = {"values": ["a", "b", "c"], "numbers": [1, 2, 3]}
    umbrella_dict["mechanisms"]["t"] = {"cpt": [0.5, 0.25, 0.25]}
    world = SCM.from_dict(umbrella_dict)
    turned = world.relabel({"t": [2, 0, 1]})
    assert turned.variable("t").numbers == (3.0, 1.0, 2.0)
    assert turned.relabel({"t": [1, 2, 0]}) == world


def test_relabel_needs_a_permutation(umbrella):
    """A list that repeats a value is refused."""
    with pytest.raises(WorldError, match="no permutation"):
        umbrella.relabel({"rain": [0, 0]})


def test_replace_puts_a_mechanism_in(umbrella):
    """Only the mechanism named changes."""
    other = Mechanism((), [1.0], [1])
    found = umbrella.replace(mechanisms={"seed": other})
    assert found.mechanism("seed") == other
    assert found.mechanism("rain") == umbrella.mechanism("rain")


@pytest.mark.parametrize(
    ("variables", "mechanisms", "message"),
    [
        ({}, {}, "none are given"),
        ({"x": Variable("x", ("0",))}, {}, "mechanism of 'x' is missing"),
        (
            {"x": Variable("x", ("0",))},
            {"x": Mechanism((), [1.0], [0]), "xx": Mechanism((), [1.0], [0])},
            "no variable 'xx'.*Did you mean 'x'",
        ),
        ({"x": Variable("y", ("0",))}, {"x": Mechanism((), [1.0], [0])}, "named 'y'"),
        ({"x": Variable("x", ("0",))}, {"x": Mechanism((), [1.0], [1])}, r"table\[0\]: 1 is out"),
        ({"x": Variable("x", ("0",))}, {"x": LinearMechanism((), [])}, "discrete and needs"),
        ({"x": Variable("x", None)}, {"x": Mechanism((), [1.0], [0])}, "real and needs"),
        (
            {"x": Variable("x", None), "y": Variable("y", ("0",))},
            {"x": LinearMechanism((), []), "y": Mechanism((), [1.0], [0])},
            "make all alike",
        ),
        (
            {"x": Variable("x", ("0", "1")), "y": Variable("y", ("0",))},
            {"x": Mechanism((), [1.0], [0]), "y": Mechanism(("x",), [1.0], [[0, 0, 0]])},
            r"shape \(3,\)",
        ),
    ],
)
def test_bad_parts_are_named(variables, mechanisms, message):
    """Parts that don't belong together are refused, and the place is named."""
    with pytest.raises(WorldError, match=message):
        SCM(variables, mechanisms)


def test_rough_sums_are_divided_out():
    """A sum that is off by less than 1e-9 is accepted and made exact, once."""
    first = Mechanism((), [0.5, 0.5 + 5e-10], [0, 1])
    assert first.noise.sum() == pytest.approx(1, abs=2.0**-52)
    assert Mechanism((), first.noise, first.table) == first


def test_networkx_shows_all_variables(umbrella):
    """The graph has every variable, with its hiddenness."""
    graph = umbrella.to_networkx()
    assert graph.nodes["season"]["hidden"]
    assert set(graph.predecessors("rain")) == {"season", "seed"}
