"""Programs: the ends agree with another solver, whatever the data, and come with a proof."""

from __future__ import annotations

import numpy as np
import pytest
from bounds_builders import Naive, bow
from scipy.optimize import linprog

from causalbench.truth.bounds.program import Program

SAME = 1e-9  # the ends' own promise


def shaped(rng: np.random.Generator, rows: int = 7, columns: int = 24) -> np.ndarray:
    """Draw 0/1 rows with the sum of all masses first, and one row said twice."""
    matrix = rng.integers(0, 2, size=(rows, columns)).astype(float)
    return np.concatenate([np.ones((1, columns)), matrix, matrix[:1]])


@pytest.mark.parametrize("seed", range(10))
def test_ends_agree_with_scipy(seed):
    """Both ends equal scipy's for many data vectors on one shape, hot or cold."""
    rng = np.random.default_rng(seed)
    rows, cost = shaped(rng), rng.normal(size=24)
    program = Program(rows)
    for _ in range(20):
        data = rows @ rng.dirichlet(np.full(24, 0.3))
        found = program.solve(data, cost)
        peers = [linprog(sign * cost, A_eq=rows, b_eq=data).fun * sign for sign in (1, -1)]
        assert [end.value for end in found] == pytest.approx(peers, abs=SAME)


def test_points_meet_the_data_and_attain_the_ends():
    """Each end's point is a law that meets the data to 1e-12 and has the end's value."""
    rng = np.random.default_rng(3)
    rows, cost = shaped(rng), rng.normal(size=24)
    data = rows @ rng.dirichlet(np.ones(24))
    for end in Program(rows).solve(data, cost):
        assert end.point.min() >= 0
        assert np.abs(rows @ end.point - data).max() < 1e-12
        assert end.value == cost @ end.point


def test_dual_bound_meets_the_value():
    """Weak duality proves each end to 1e-12, and from the right side."""
    rng = np.random.default_rng(4)
    rows, cost = shaped(rng), rng.normal(size=24)
    least, most = Program(rows).solve(rows @ rng.dirichlet(np.ones(24)), cost)
    assert least.value - 1e-12 <= least.bound <= least.value + 1e-15
    assert most.value - 1e-15 <= most.bound <= most.value + 1e-12


def test_contradictory_rows_have_no_law():
    """Data that say two things of one row, or ask for negative mass, give None."""
    program = Program(np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 0.0]]))
    assert program.solve(np.array([1.0, 0.2, 0.3]), np.ones(2)) is None
    assert program.solve(np.array([1.0, 1.2, 1.2]), np.ones(2)) is None
    assert program.solve(np.array([1.0, 0.2, 0.2]), np.ones(2)) is not None


def test_identified_forms_are_combinations_of_rows():
    """A form in the span of the rows has one value; another has none."""
    rng = np.random.default_rng(5)
    rows = shaped(rng)
    program = Program(rows)
    law = rng.dirichlet(np.ones(24))
    form = rng.normal(size=len(rows)) @ rows
    weights = program.identified(form)
    assert weights @ program.reduce(rows @ law) == pytest.approx(form @ law, abs=1e-12)
    assert program.identified(rng.normal(size=24)) is None


def test_ends_agree_with_response_functions_written_out():
    """A bow's rows, simulated unit by unit, give the same ends by both solvers."""
    scm = bow(np.random.default_rng(6), card=3)
    naive = Naive(scm, ("x", "y"), {"x": (), "y": ("x",)}, experiments=True)
    cost = naive.form(lambda run: run({})["x"] == "b" and run({"x": "a"})["y"] == "b")
    found = Program(naive.rows).solve(naive.data, cost)
    assert [end.value for end in found] == pytest.approx(naive.ends(cost), abs=SAME)
