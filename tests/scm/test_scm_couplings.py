"""Couplings: every one keeps the CPT, and ties parent rows as it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalbench.errors import WorldError
from causalbench.rng import generator, simplex, uniforms
from causalbench.scm import SCM, Mechanism, couple, pad_noise, shuffle_noise
from causalbench.scm.couplings import natural_coupling

EPS = 2.0**-52
RAIN = np.array([[[0.3, 0.7], [0.65, 0.35]], [[0.05, 0.95], [0.1, 0.9]]])
ANTITONE_RAIN = Mechanism(
    ("season", "seed"),
    [0.1, 0.55, 0.05, 0.25, 0.05],
    [
        [[1, 0], [1, 0]],
        [[1, 0], [1, 1]],
        [[1, 1], [1, 1]],
        [[0, 1], [1, 1]],
        [[0, 1], [0, 1]],
    ],
)
COUPLINGS = [
    "independent",
    "monotone",
    {"antitone": {"in": "a"}},
    {"mixture": {"of": ["monotone", {"antitone": {"in": "b"}}], "weights": [0.25, 0.75]}},
]


@st.composite
def cpts(draw):
    """Draw a CPT over parents a and b, on the grid or not, with zeros or not."""
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    rng = generator(draw(st.integers(0, 2**32 - 1)), "cpt")
    kind = draw(st.sampled_from(["grid", "real", "zeros"]))
    if kind == "grid":
        return simplex(rng, shape[-1], 0, shape[:-1])
    raw = uniforms(rng, shape) + 1e-6
    if kind == "zeros" and shape[-1] > 1:
        raw[..., 0] = np.where(uniforms(rng, shape[:-1]) < 0.5, 0, raw[..., 0])
    return raw / raw.sum(axis=-1, keepdims=True)


@given(cpts(), st.sampled_from(COUPLINGS))
@settings(max_examples=200, deadline=None)
def test_couplings_keep_the_cpt(cpt, coupling):
    """The CPT of a coupled mechanism is the one given, to a few roundings."""
    found = couple(cpt, coupling, ("a", "b"))
    # Thresholds merge within 1e-15; each noise value adds a rounding of at most its own size.
    assert np.abs(found.cpt(cpt.shape[-1]) - cpt).max() <= 4e-15


@given(cpts())
@settings(max_examples=100, deadline=None)
def test_monotone_is_ordered(cpt):
    """Under the monotone coupling each row's value rises with the noise."""
    table = couple(cpt, "monotone", ("a", "b")).table
    assert (np.diff(table, axis=0) >= 0).all()


@given(cpts())
@settings(max_examples=100, deadline=None)
def test_antitone_is_ordered_both_ways(cpt):
    """Rows with an even code of the parent rise with the noise, rows with an odd one fall."""
    table = couple(cpt, {"antitone": {"in": "b"}}, ("a", "b")).table
    assert (np.diff(table[:, :, 0::2], axis=0) >= 0).all()
    assert (np.diff(table[:, :, 1::2], axis=0) <= 0).all()


@given(cpts())
@settings(max_examples=60, deadline=None)
def test_independent_rows_are_independent(cpt):
    """Under the independent coupling two rows' values have the product law."""
    card = cpt.shape[-1]
    mechanism = couple(cpt, "independent", ("a", "b"))
    rows = mechanism.table.reshape(len(mechanism.noise), -1)
    law = cpt.reshape(-1, card)
    for i in range(1, rows.shape[1]):
        joint = np.zeros((card, card))
        np.add.at(joint, (rows[:, 0], rows[:, i]), mechanism.noise)
        assert np.abs(joint - np.outer(law[0], law[i])).max() < 1e-13


def test_flagship_rain_is_monotone():
    """The flagship's M1 gives rain's noise and table; the monotone coupling has its CPT and law."""
    given_table = np.array(
        [[1, 1, 1, 1], [1, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0]]
    ).reshape(5, 2, 2)
    told = Mechanism(("season", "seed"), [0.35, 0.35, 0.2, 0.05, 0.05], given_table)
    made = couple(RAIN, "monotone", ("season", "seed"))
    assert np.abs(told.cpt(2) - made.cpt(2)).max() <= 4 * EPS
    assert np.abs(told.cpt(2) - RAIN).max() <= 4 * EPS
    assert _functions(made) == pytest.approx(_functions(told), abs=4 * EPS)


def test_flagship_antitone_rain_has_the_same_cpt():
    """The flagship's M1a agrees with M1 in the CPT, and is the antitone coupling in seed."""
    made = couple(RAIN, {"antitone": {"in": "seed"}}, ("season", "seed"))
    assert np.abs(ANTITONE_RAIN.cpt(2) - RAIN).max() <= 4 * EPS
    assert _functions(made) == pytest.approx(_functions(ANTITONE_RAIN), abs=4 * EPS)


def _functions(mechanism):
    """Return the law over whole response functions, which forgets the order of the noise."""
    law = {}
    for chance, row in zip(mechanism.noise, mechanism.table, strict=True):
        key = tuple(row.ravel().tolist())
        law[key] = law.get(key, 0.0) + float(chance)
    return law


def test_chained_near_ties_keep_the_cpt():
    """Thresholds a rounding apart merge, and no row is moved to a far one by it."""
    base = 0.3
    steps = [base + k * 0.9e-15 for k in range(8)]
    cpt = np.array([[p, 1 - p] for p in [*steps, 0.7]])
    found = couple(cpt, "monotone", ("x",))
    assert np.abs(found.cpt(2) - cpt).max() < 1e-14


def test_deterministic_rows_need_one_noise_value():
    """A CPT of zeros and ones gives a mechanism without noise."""
    cpt = [[1.0, 0.0], [0.0, 1.0]]
    assert couple(cpt, "independent", ("x",)) == Mechanism(("x",), [1.0], [[0, 1]])
    assert couple(cpt, "monotone", ("x",)) == Mechanism(("x",), [1.0], [[0, 1]])


def test_natural_coupling_is_independent_up_to_4096():
    """Twelve free binary rows make 4096 functions; a thirteenth is too many."""
    assert natural_coupling(np.full((12, 2), 0.5)) == "independent"
    assert natural_coupling(np.full((13, 2), 0.5)) == "monotone"


@given(cpts(), st.integers(0, 40), st.integers(0, 1000))
@settings(max_examples=100, deadline=None)
def test_padding_and_shuffling_keep_the_law(cpt, extra, seed):
    """Padded and shuffled noise has the size asked for and the same law over functions."""
    first = couple(cpt, "monotone", ("a", "b"))
    padded = shuffle_noise(pad_noise(first, len(first.noise) + extra), generator(seed, "pad"))
    assert len(padded.noise) == len(first.noise) + extra
    assert padded.noise.min() > 0
    assert _functions(padded) == pytest.approx(_functions(first), abs=1e-15)


def test_padding_cannot_shrink():
    """Fewer noise values than there are can't be had by splitting."""
    with pytest.raises(WorldError, match="cannot shrink 2"):
        pad_noise(Mechanism((), [0.5, 0.5], [0, 1]), 1)


@pytest.mark.parametrize(
    ("coupling", "message"),
    [
        ("montone", "Did you mean 'monotone'"),
        ({"antitone": {"in": "q"}}, "'q', which is no parent"),
        ({"antitone": {}}, "needs the options in"),
        ({"antitone": "x"}, "needs options"),
        ("antitone", "needs the options in; given: none"),
        ({"mixture": {"of": ["monotone"]}}, "needs the options of, weights; given: of"),
        ({"mixture": {"of": "monotone", "weights": [1]}}, "must be a list"),
        ({"mixture": {"of": [], "weights": []}}, "must be a list"),
        ({"mixture": {"of": ["monotone"], "weights": [0.5]}}, "weights.*sum to 0.5"),
        ({"mixture": {"of": ["monotone"], "weights": [0.5, 0.5]}}, "1 parts and 2 weights"),
        ({"mixture": {"of": ["monotone"], "weights": "ab"}}, "weights"),
        ({"mixture": {"of": ["monotone"], "weights": 1}}, "must be a list"),
        ({"mixture": {"of": ["monotone"], "weights": [[1.0]]}}, "1 parts and 1 weights"),
        ({"mixture": {"of": [{"mixture": {}}], "weights": [1]}}, "stands in a mixture"),
        ({"monotone": {"in": "x"}}, "takes no options"),
        ({"monotone": {}, "antitone": {}}, "is no coupling"),
        (3, "is no coupling"),
    ],
)
def test_bad_couplings_are_explained(coupling, message):
    """A coupling that isn't one is refused, and the message says what there is."""
    with pytest.raises(WorldError, match=message):
        couple([[0.5, 0.5], [0.5, 0.5]], coupling, ("x",))


def test_wide_independent_couplings_are_refused():
    """Above 4096 noise values the message proposes the monotone coupling."""
    with pytest.raises(WorldError, match=r"needs 8192 noise values.*use 'monotone'"):
        couple(np.full((13, 2), 0.5), "independent", ("x",))


def test_couplings_in_the_schema(umbrella_dict):
    """A coupling named in a world file ends up in the mechanism."""
    umbrella_dict["mechanisms"]["rain"] = {
        "parents": ["season", "seed"],
        "cpt": RAIN.tolist(),
        "coupling": {"antitone": {"in": "seed"}},
    }
    found = SCM.from_dict(umbrella_dict).mechanism("rain")
    assert _functions(found) == pytest.approx(_functions(ANTITONE_RAIN), abs=4 * EPS)
