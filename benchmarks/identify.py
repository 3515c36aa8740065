"""Time verdict, estimand and value of effects beside pyAgrum, dowhy, y0 and causaleffect.

    python benchmarks/identify.py [--graphs 60] [--repeats 15] [--seed 0]

Named diagrams and random ones with 3 to 6 binary variables. Every row is one question, the best
time of some repeats, in microseconds of one core:

    cold    ours, with nothing kept: verdict, estimand, and its value on fresh laws
    again   ours, for a diagram and question met before, in another world: fresh laws
    pyAgrum causalImpact on a ready causal model (keepArcs): verdict, and a table of all values

The world and pyAgrum's network stand ready before the clock starts. A verdict is wrong where a
search by numbers alone contradicts it; a value, where it is off the exact truth by more than 1e-9.
pyAgrum's network has arcs between neighbours only, so values are compared where the law that is
seen factors so. Under the table: dowhy (verdicts on unconditional effects), and y0 and causaleffect
(verdicts and expressions), which do not come with causalbench[dev].
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import geometric_mean
from typing import TYPE_CHECKING

import numpy as np
from identify_rivals import RIVALS

import causalbench as cb
from causalbench.graph import Diagram
from causalbench.query import Query, parse
from causalbench.truth.identify import interventional
from causalbench.truth.identify.interventional import identify_effect
from causalbench.truth.knowledge import Knowledge
from causalbench.truth.permitted import Permitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from identify_rivals import Rival

    from causalbench.query.ast import Probability
    from causalbench.scm import SCM

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "identify"))
EFFECT = "P(y=1 | do(x=1))"
NAMED = {
    "back door": ("z -> x; z -> y; x -> y", EFFECT),
    "back door given z": ("z -> x; z -> y; x -> y", "P(y=1 | do(x=1), z=0)"),
    "front door": ("x -> m; m -> y; x <-> y", EFFECT),
    "napkin": ("w -> z; z -> x; x -> y; w <-> x; w <-> y", EFFECT),
    "M-bias": ("x -> y; x <-> z; z <-> y", EFFECT),
    "bow arc": ("x -> y; x <-> y", EFFECT),
    "instrument": ("z -> x; x -> y; x <-> y", EFFECT),
    "front door, x <-> m": ("x -> m; m -> y; x <-> y; x <-> m", EFFECT),
    "verma": ("a -> b; b -> x; x -> y; b <-> y", EFFECT),
    "two treatments": (
        "x1 -> z; z -> x2; x1 -> y; x2 -> y; z -> y; x1 <-> z",
        "P(y=1 | do(x1=1, x2=0))",
    ),
}


BOWS = 5  # random diagrams have at most so many bidirected edges, for the search by numbers
EXACT = 1e-9


@dataclass(frozen=True)
class Asked:
    """A question in a world, with what is right."""

    name: str
    diagram: Diagram
    quantity: Probability
    scm: SCM
    identified: bool
    truth: float


@dataclass
class Tally:
    """What somebody took and got wrong."""

    times: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)

    def note(self, asked: Asked, found: bool, value: float | None = None) -> None:  # noqa: FBT001
        """Count a verdict, and a value where there is one."""
        self.counts["verdicts"] += 1
        wrong = found != asked.identified
        self.counts["wrong verdicts"] += wrong
        if asked.identified and value is not None:
            self.counts["values"] += 1
            off = not abs(value - asked.truth) <= EXACT
            self.counts["wrong values"] += off
            wrong = wrong or off
        if wrong:
            self.missed.append(asked.name)

    def __str__(self) -> str:
        counts = self.counts
        shown = f"verdicts {counts['verdicts']}, wrong {counts['wrong verdicts']}"
        if counts["values"]:
            shown += f"; values {counts['values']}, wrong {counts['wrong values']}"
        if counts["errors"]:
            shown += f"; ended in an error {counts['errors']}"
        if self.missed:
            shown += f"; wrong: {', '.join(self.missed)}"
        mean = f"geometric mean {geometric_mean(self.times):7.0f} us; " if self.times else ""
        return mean + shown


def questions(graphs: int, seed: int) -> Iterator[tuple[str, Diagram, Probability]]:
    """Yield (name, diagram, quantity)."""
    from identify_builders import random_diagram, random_effect

    for name, (text, asked) in NAMED.items():
        ((_, quantity),) = parse(asked).terms  # type: ignore[union-attr]
        yield name, Diagram.parse(text), quantity
    rng = np.random.default_rng(seed)
    for number in range(graphs):
        nodes = 3 + number % 4
        while True:
            diagram = random_diagram(rng, nodes, 0.5, rng.choice([0.2, 0.35]))
            if len(diagram.bidirected) <= BOWS:
                break
        quantity = random_effect(rng, diagram.nodes, conditions=1)
        yield f"random {number}, {nodes} nodes", diagram, quantity


def best(call: Callable[[], object], repeats: int) -> float:
    """Return the least time of a call in microseconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times) * 1e6


def ours(scm: SCM, quantity: Probability, *, cold: bool) -> tuple[bool, float | None]:
    """Return verdict and value."""
    if cold:
        interventional.forget()
    permitted = Permitted(scm, Knowledge("see", "diagram"))
    estimand = identify_effect(permitted.ground, quantity)
    return (False, None) if estimand is None else (True, estimand.evaluate(permitted))


def ask_us(tally: Tally, asked: Asked, repeats: int, *, cold: bool) -> None:
    """Time ourselves, and count."""
    tally.note(asked, *ours(asked.scm, asked.quantity, cold=cold))
    tally.times.append(best(partial(ours, asked.scm, asked.quantity, cold=cold), repeats))


def ask_agrum(tally: Tally, asked: Asked, repeats: int) -> None:
    """Time pyAgrum, and count."""
    from peers import causal_model, impact, network

    built, exact = network(asked.scm, asked.diagram)
    model = causal_model(built, asked.diagram)
    found, value, _ = impact(model, asked.quantity)
    tally.note(asked, found, value if exact else None)
    tally.times.append(best(partial(impact, model, asked.quantity), repeats))


def ask_rival(tally: Tally, asked: Asked, rival: Rival, repeats: int) -> None:
    """Time verdict and expression of a rival, and count; its expression's value is not timed."""
    if asked.quantity.given and not rival.conditions:
        return
    call = partial(rival.identify, asked.diagram, asked.quantity)
    try:
        found = call()
        value = None if found is None else rival.value(found, asked.scm, asked.quantity)
    except Exception:  # noqa: BLE001  (a rival's failure is a figure of the table)
        tally.counts["errors"] += 1
        return
    tally.note(asked, found is not None, value)
    tally.times.append(best(call, min(repeats, 3)))


def worlds(options: argparse.Namespace) -> Iterator[Asked]:
    """Yield the questions with a world each, the verdict by numbers and the exact value."""
    from identify_builders import world_of
    from witness_search import settles

    rng = np.random.default_rng(options.seed)
    for name, diagram, quantity in questions(options.graphs, options.seed):
        scm = world_of(diagram, rng)
        truth = cb.truth(scm, Query(((1.0, quantity),))).value
        identified = settles(diagram, [()], quantity, rng)
        yield Asked(name, diagram, quantity, scm, identified, float(truth))


def main() -> None:
    """Ask everybody and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name in ("pyagrum", *RIVALS):
        if importlib.util.find_spec(name) is None:
            print(f"{name}: not installed, left out")
    rivals = {name: rival for name, rival in RIVALS.items() if importlib.util.find_spec(name)}
    columns = ["cold", "again"]
    if importlib.util.find_spec("pyagrum"):
        columns.append("pyAgrum")
    tallies = {name: Tally() for name in (*columns, *rivals)}
    print(f"{'question':24s}{'identified':>12s}", *(f"{name:>8s}" for name in columns), " ratios")
    for asked in worlds(options):
        ask_us(tallies["cold"], asked, options.repeats, cold=True)
        ask_us(tallies["again"], asked, options.repeats, cold=False)
        if "pyAgrum" in tallies:
            ask_agrum(tallies["pyAgrum"], asked, options.repeats)
        for rival, given in rivals.items():
            ask_rival(tallies[rival], asked, given, options.repeats)
        row = [tallies[column].times[-1] for column in columns]
        ratios = [f"{row[2] / own:7.1f}x" for own in row[:2]] if len(row) > len(columns[:2]) else []
        verdict = "yes" if asked.identified else "no"
        print(f"{asked.name:24s}{verdict:>12s}", *(f"{each:8.0f}" for each in row), *ratios)
    report(tallies)


def report(tallies: dict[str, Tally]) -> None:
    """Print what everybody took and got wrong."""
    print()
    for name, tally in tallies.items():
        print(f"{name:12s} {tally}")
    if "pyAgrum" in tallies:
        theirs = tallies["pyAgrum"].times
        for kind in ("cold", "again"):
            ratios = [b / a for a, b in zip(tallies[kind].times, theirs, strict=True)]
            print(f"pyAgrum / {kind}: {geometric_mean(ratios):.1f}x in the geometric mean")


if __name__ == "__main__":
    main()
