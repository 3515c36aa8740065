"""Time bounds beside peers: our programs and closed forms against scipy's linprog.

    python benchmarks/bounds.py [--repeat 300]

Every row is one program on many random data vectors; both solvers are given the same rows, costs
and data, find both ends, and must agree to 1e-9. "first" is a shape's first data vector with
nothing kept, "hot" the mean over the rest, in microseconds of processor time. The closed forms are
checked against the same ends. The algorithms of causalboundingengine follow where it is installed;
it does not come with causalbench[dev]: it wants cvxpy, pulp and pyomo too.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from bounds_rivals import INSTALLED, ask_rival
from scipy.optimize import linprog

from causalbench.graph import Diagram
from causalbench.query import parse
from causalbench.query.ast import Vocabulary
from causalbench.truth.bounds.closed import instrument_ate, necessity_and_sufficiency
from causalbench.truth.bounds.expand import expand
from causalbench.truth.bounds.program import Program
from causalbench.truth.bounds.responses import shape_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SAME = 1e-9
# name -> diagram, query, the component that is open, and whether experiments are permitted
CASES = {
    "instrument, ATE": ("z -> x -> y; x <-> y", "ATE(x: a -> b; y=b)", False),
    "instrument of 3 values, ATE": ("zzz -> x -> y; x <-> y", "ATE(x: a -> b; y=b)", False),
    "bow, P(y | do(x))": ("x -> y; x <-> y", "P(y=b | do(x=b))", False),
    "bow with experiments, PNS": ("x -> y; x <-> y", "PNS(x: a -> b; y=b)", True),
    "bow of 3 values, P(y_x, x')": ("xxx -> y; xxx <-> y", "P(y[xxx=a]=b, xxx=b)", True),
    "confounded mediator, NDE": (
        "x -> m -> y; x -> y; m <-> y",
        "NDE(x: a -> b; y=b; m)",
        True,
    ),
}
# The same for causalboundingengine, which knows these two diagrams, and how many arms a sample has.
SAMPLED = {
    "bow, ATE": ("x -> y; x <-> y", "ATE(x: a -> b; y=b)", 1),
    "bow, PNS": ("x -> y; x <-> y", "PNS(x: a -> b; y=b)", 1),
    "instrument, ATE": ("z -> x -> y; x <-> y", "ATE(x: a -> b; y=b)", 2),
    "instrument, PNS": ("z -> x -> y; x <-> y", "PNS(x: a -> b; y=b)", 2),
}


def program(text: str, query: str, *, experiments: bool) -> tuple[Array, Array]:
    """Return the rows and the cost of a case; a name of k letters has k values, else two."""
    diagram = Diagram.parse(text)
    labels = {name: tuple("abc"[: max(2, len(name))]) for name in diagram.nodes}
    settable = frozenset(diagram.nodes) if experiments else frozenset()
    shape = shape_of(diagram, labels, dict.fromkeys(diagram.nodes), settable)
    component = next(each for each in shape.components if len(each.members) > 1)
    home = shape.components.index(component)
    cost = np.zeros(component.count)
    for weight, quantity in parse(query, Vocabulary(labels)).terms:
        for monomial, factor in expand(shape, quantity)[0].items():
            cost += weight * factor * component.indicator(dict(monomial)[home])
    cells = [
        component.event(group, codes)
        for group in component.laws
        for codes in np.ndindex(*(shape.structure.cards[p] for p in (*group, *shape.outer(group))))
    ]
    rows = [np.ones(component.count), *(component.indicator(cell) for cell in cells)]
    return np.stack(rows), cost


def peer(rows: Array, data: Array, cost: Array) -> tuple[float, float]:
    """Return both ends by linprog."""
    low, high = (linprog(sign * cost, A_eq=rows, b_eq=data, method="highs") for sign in (1, -1))
    return float(low.fun), -float(high.fun)


def clock(call: Callable[[Any], Any], inputs: list[Any]) -> tuple[float, list[Any]]:
    """Return the mean time in microseconds, and the results."""
    start = time.process_time()
    found = [call(each) for each in inputs]
    return (time.process_time() - start) / len(inputs) * 1e6, found


def compare(name: str, rows: Array, cost: Array, repeat: int, rng: np.random.Generator) -> None:
    """Time one case and print its row."""
    data = [rows @ rng.dirichlet(np.full(rows.shape[1], 0.5)) for _ in range(repeat + 1)]
    start = time.process_time()
    made = Program(rows)
    made.solve(data[0], cost)
    first = (time.process_time() - start) * 1e6
    hot, ours = clock(lambda each: made.solve(each, cost), data[1:])
    theirs_time, theirs = clock(lambda each: peer(rows, each, cost), data[1:])
    off = max(
        max(abs(end.value - other) for end, other in zip(pair, two, strict=True))
        for pair, two in zip(ours, theirs, strict=True)
    )
    if off > SAME:
        print(f"{name}: the solvers differ by {off:.1e}")
    size = f"{rows.shape[1]} x {rows.shape[0]}"
    ratio = theirs_time / hot
    print(f"{name:30} {size:>9} {first:9.0f} {hot:8.1f} {theirs_time:9.0f} {ratio:8.1f}x")


def closed(repeat: int, rng: np.random.Generator) -> None:
    """Time the closed forms against linprog on the same data."""
    rows, cost = program(*CASES["instrument, ATE"][:2], experiments=False)
    laws = []
    for _ in range(repeat):
        told = rows @ rng.dirichlet(np.full(rows.shape[1], 0.5))
        laws.append(told[1:])
    theirs, two = clock(lambda d: peer(rows, np.concatenate([[1.0], d]), cost), laws)
    # The component's rows have axes x, y, z; the closed form takes z, x, y.
    tables = [each.reshape(2, 2, 2).transpose(2, 0, 1).copy() for each in laws]
    ours, one = clock(instrument_ate, tables)
    off = max(float(np.abs(np.subtract(a, b)).max()) for a, b in zip(one, two, strict=True))
    print(
        f"{'closed form: instrument, ATE':30} {ours:28.2f} {theirs:9.0f} {theirs / ours:8.0f}x"
        f"   differs by {off:.0e}"
    )
    pns = [(rng.dirichlet(np.ones(4)).reshape(2, 2), (0.4, 0.5)) for _ in range(repeat)]
    ours, _ = clock(lambda each: necessity_and_sufficiency(*each), pns)
    print(f"{'closed form: PNS':30} {ours:28.2f}")


def sampled(repeat: int) -> None:
    """Ask the rival that takes samples; our program gets the law of each sample."""
    if not INSTALLED:
        print("causalboundingengine: not installed, left out")
        return
    cases = {}
    for name, (text, query, arms) in SAMPLED.items():
        rows, cost = program(text, query, experiments=False)
        made = Program(rows)

        def bound(law: Array, made: Program = made, cost: Array = cost) -> tuple[float, float]:
            # The rows have axes x, y, z.
            data = np.concatenate([[1.0], law.transpose(1, 2, 0).ravel()])
            low, high = made.solve(data, cost)
            return low.value, high.value

        cases[name] = query[:3], arms, bound
    ask_rival(cases, repeat)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeat", type=int, default=300, help="data vectors a case")
    repeat = parser.parse_args().repeat
    rng = np.random.default_rng(0)
    print(f"{'case':30} {'size':>9} {'first us':>9} {'hot us':>8} {'linprog':>9} {'ratio':>9}")
    for name, (text, query, experiments) in CASES.items():
        rows, cost = program(text, query, experiments=experiments)
        compare(name, rows, cost, repeat, rng)
    closed(repeat, rng)
    sampled(min(repeat, 20))


if __name__ == "__main__":
    main()
