"""Time exact answers against pyAgrum and pgmpy, on the same random worlds in the same run.

    python benchmarks/truth.py [--quick] [--sizes 5,10,20,50] [--json FILE]

Worlds have one or two hidden binary confounders and up to three parents a variable, hidden ones
counted. Before a figure counts, all engines must agree to 1e-9 on every question that rivals get.

Microseconds a question, the best of several rounds, each with new worlds and questions:

* prepared: every engine has its own form of the world before the clock starts. Rivals then get
  names and codes. see: inference alone. do: the network is copied and cut (pgmpy: built), then
  inference. imagine: a lean twin network is built, then inference. Ours: "batch" is one call of
  truth_many on all worlds, 20 parsed questions each, none of them asked before; "again" is that
  call once more; "single" is one call of truth(world, text) a question, which reads the text and
  gives the readings of lower rungs too.
* new: the clock starts with a world that no engine has met. Rivals build its network from CPTs in
  numpy, we take an SCM; batch and single read the question's text.
* family: truth_many(family, text) with thousands of parameter sets of one world, time a set,
  kernels from the family's arrays included, the plan known from the call before; against the
  rivals' prepared time. The first call, which plans, and making a family stand below, apart.

pyAgrum: the faster of LazyPropagation and VariableElimination. Left out: compiling our loops, once
in a machine's life, and all imports.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from truth_rivals import RIVALS, nodes_of

import causalbench as cb
from causalbench.rng import generator, integers, permutation, simplex
from causalbench.scm import SCM, Variable
from causalbench.scm.couplings import couple
from causalbench.truth import Family

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = dict[str, Any]
KINDS = ("see", "do", "imagine")
AIMS = {"see": 50, "do": 50, "imagine": 300}  # batch, at 20 variables
FAMILY_AIM = 3000  # at 10 variables
TOLERANCE = 1e-9
MOST = 3  # parents
EACH = 20  # questions a world in a prepared batch


@dataclass(frozen=True)
class Asked:
    """A question of P(target = code | ...), in codes; ``forced`` is set to ``to``."""

    kind: str
    target: str
    code: int
    evidence: dict[str, int]
    forced: str = ""
    to: int = 0

    @property
    def text(self) -> str:
        """The question in the query language; labels are codes."""
        given = ", ".join(f"{name}={code}" for name, code in self.evidence.items())
        if self.kind == "see":
            return f"P({self.target}={self.code} | {given})"
        if self.kind == "do":
            return f"P({self.target}={self.code} | do({self.forced}={self.to}))"
        return f"P({self.target}[{self.forced}={self.to}]={self.code} | {given})"


def random_world(rng: Any, n: int, cards: Sequence[int], *, exact: bool) -> SCM:
    """Draw a world of n visible variables; ``exact``: three parents wherever there is room."""
    order = [f"v{i}" for i in range(n)]
    parents: dict[str, list[str]] = {name: [] for name in order}
    hidden = [f"h{i}" for i in range(1 + int(integers(rng, 2)))]
    for name in hidden:
        room = [v for v in order if len(parents[v]) < MOST]
        for i in permutation(rng, len(room))[:2]:
            parents[room[i]].append(name)
    for place, name in enumerate(order):
        wanted = MOST if exact else int(integers(rng, 4))
        if place == n - 1:  # some edge there must be
            wanted = max(wanted, 1 + len(parents[name]))
        for i in permutation(rng, place)[: max(0, wanted - len(parents[name]))]:
            parents[name].append(order[i])
    variables, mechanisms = {}, {}
    size = dict.fromkeys(hidden, 2) | {v: cards[int(integers(rng, len(cards)))] for v in order}
    for name in (*hidden, *order):
        labels = tuple(str(code) for code in range(size[name]))
        variables[name] = Variable(name, labels, name in hidden)
        given = tuple(sorted(parents.get(name, ())))
        rows = simplex(rng, size[name], 1 / 16, tuple(size[p] for p in given))
        mechanisms[name] = couple(rows, "monotone", given)
    return SCM(variables, mechanisms)


def questions(scm: SCM, place: int, number: int) -> list[Asked]:
    """Draw one question of each kind; evidence is what a drawn unit shows."""
    rng = generator(number, "truth questions", place)
    visible = [name for name in scm.order if name in scm.visible]
    unit = {name: int(codes[0]) for name, codes in scm.draw(1, rng=rng).items()}
    first, second, third = (visible[i] for i in permutation(rng, len(visible))[:3])
    see = Asked("see", first, 1, {second: unit[second], third: unit[third]})
    causes = {y: scm.full_diagram.ancestors([y]) for y in visible}
    pairs = [(x, y) for y in visible for x in visible if x != y and x in causes[y]]
    x, y = pairs[int(integers(rng, len(pairs)))]
    other = next(name for name in visible if name not in {x, y})
    to = (unit[x] + 1) % scm.variable(x).cardinality
    facts = {name: unit[name] for name in (x, y, other)}
    return [see, Asked("do", y, 1, {}, x, to), Asked("imagine", y, 1, facts, x, to)]


def seconds(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def random_family(scm: SCM, sets: int, seed: int) -> tuple[Family, float]:
    """Draw CPTs for every mechanism and set; also the seconds that making the family takes."""
    rng = np.random.default_rng(seed)
    given = {}
    for name in scm.names:
        shape = (sets, *scm.mechanisms[name].shape, scm.variable(name).cardinality)
        rows = rng.random(shape) + 0.1
        given[name] = {"cpt": rows / rows.sum(axis=-1, keepdims=True), "coupling": "monotone"}
    start = time.perf_counter()
    family = Family(scm, given)
    return family, time.perf_counter() - start


def measure(draw: Callable[[int], list[SCM]], kind: int, options: argparse.Namespace) -> Row:
    """Check and time one kind of question, in microseconds a question."""
    row: Row = {}
    for number in range(options.rounds):
        for name, time_ in one_round(draw, kind, number).items():
            row[name] = (
                max(row.get(name, 0.0), time_)
                if name == "gap"
                else min(row.get(name, np.inf), time_)
            )
    worlds = draw(2 * options.rounds)
    asked = [questions(scm, i, 0)[kind] for i, scm in enumerate(worlds)]
    apart, gap = measure_families(worlds, asked, options)
    return {**row, **apart, "gap": max(row["gap"], gap)}


def one_round(draw: Callable[[int], list[SCM]], kind: int, number: int) -> Row:
    """Time every engine once, on worlds that none has met."""
    row: Row = {}
    worlds, others = draw(2 * number), draw(2 * number + 1)
    scale = 1e6 / len(worlds)
    first = [questions(scm, i, 0)[kind] for i, scm in enumerate(worlds)]
    asked = [questions(scm, i, 1)[kind] for i, scm in enumerate(worlds)]
    elsewhere = [[questions(scm, i, j)[kind].text for i, scm in enumerate(others)] for j in (0, 1)]
    texts = [question.text for question in first]
    row["batch new"] = scale * seconds(lambda: cb.truth_many(worlds, texts))
    parsed = [
        cb.parse(questions(scm, i, draw_)[kind].text, scm)
        for draw_ in range(1, 1 + EACH)
        for i, scm in enumerate(worlds)
    ]
    row["batch"] = scale / EACH * seconds(lambda: cb.truth_many(worlds * EACH, parsed))
    row["again"] = scale / EACH * seconds(lambda: cb.truth_many(worlds * EACH, parsed))
    answers = cb.truth_many(worlds * EACH, parsed)[: len(worlds)]
    for name, lines in zip(("single new", "single"), elsewhere, strict=True):
        row[name] = scale * seconds(
            lambda lines=lines: [
                cb.truth(scm, line) for scm, line in zip(others, lines, strict=True)
            ]
        )
    singles = [float(cb.truth(scm, q.text).value) for scm, q in zip(worlds, asked, strict=True)]
    gap = float(np.abs(answers - singles).max())
    nodes = [nodes_of(scm) for scm in worlds]
    for name, make in RIVALS.items():
        built: list[Callable[[Asked], float]] = []
        found: list[float] = []
        building = seconds(lambda make=make, built=built: built.extend(map(make, worlds, nodes)))
        asking = seconds(
            lambda built=built, found=found: found.extend(
                rival(question) for rival, question in zip(built, asked, strict=True)
            )
        )
        # A twin network is made from the CPTs and needs no other network first.
        row[f"{name} new"] = scale * (asking if KINDS[kind] == "imagine" else building + asking)
        row[name] = scale * asking
        gap = max(gap, float(np.abs(answers - found).max()))
    row["gap"] = gap
    return row


def measure_families(
    worlds: list[SCM], asked: list[Asked], options: argparse.Namespace
) -> tuple[dict[str, float], float]:
    """Check and time families of some of the worlds, in microseconds a set."""
    sums = dict.fromkeys(("family", "family first", "family made", "family stacked"), 0.0)
    gap, count = 0.0, min(len(worlds), options.families)
    for i in range(count):
        family, made = random_family(worlds[i], options.sets, i)
        text = asked[i].text
        first = seconds(lambda family=family, text=text: cb.truth_many(family, text))
        answers = cb.truth_many(family, text)

        def again(family: Family = family, text: str = text) -> None:
            cb.truth_many(family, text)

        for place in (0, options.sets - 1):
            member = family[place]
            rival = RIVALS["pyAgrum lazy"](member, nodes_of(member))
            gap = max(gap, abs(rival(asked[i]) - answers[place]))
        some = [family[place] for place in range(32)]
        scale = 1e6 / options.sets / count
        sums["family"] += scale * min(seconds(again) for _ in range(9))
        sums["family first"] += scale * first
        sums["family made"] += scale * made
        sums["family stacked"] += (
            1e6 / len(some) / count * seconds(lambda some=some: Family.stack(some))
        )
    return sums, gap


def fastest(row: Row, ending: str = "") -> float:
    """Return the fastest rival's time."""
    return min(row[f"{name}{ending}"] for name in RIVALS)


def table(rows: list[Row], ending: str, ours: dict[str, int]) -> None:
    """Print rivals' and our times, and how many times as fast as the fastest rival ours are."""
    heads = "".join(f"{name:>18s}" for name in ours)
    print(f"{'worlds':18s}{'kind':9s}{'pgmpy':>9s}{'pyAgrum':>9s}{heads}")
    for row in rows:
        agrum = min(row[f"{name}{ending}"] for name in RIVALS if name != "pgmpy")
        cells = []
        for name, digits in ours.items():
            mine = row[f"{name}{ending}"]
            cells.append(f"{mine:.{digits}f} ({fastest(row, ending) / mine:.1f}x)".rjust(18))
        rivals = f"{row[f'pgmpy{ending}']:9.0f}{agrum:9.0f}"
        print(f"{row['worlds']:18s}{row['kind']:9s}{rivals}{''.join(cells)}")


def report(rows: list[Row]) -> None:
    """Print the tables."""
    print(__doc__[__doc__.index("Worlds have") :])
    print("prepared, microseconds (times as fast as the fastest rival)")
    table(rows, "", {"batch": 2, "again": 2, "single": 1})
    print("\nnew, microseconds (times as fast as the fastest rival)")
    table(rows, " new", {"batch": 1, "single": 1})
    print("\nfamilies apart, microseconds a set")
    heads = f"{'family':>20s}{'first call':>14s}{'from arrays':>14s}{'from SCMs':>14s}"
    print(f"{'worlds':18s}{'kind':9s}{heads}")
    for row in rows:
        family = f"{row['family']:.4f} ({fastest(row) / row['family']:.0f}x)".rjust(20)
        first, made = row["family first"], row["family made"]
        cells = f"{family}{first:14.4f}{made:14.4f}{row['family stacked']:14.1f}"
        print(f"{row['worlds']:18s}{row['kind']:9s}{cells}")
    print(f"\nlargest difference between any two engines: {max(row['gap'] for row in rows):.1e}")
    print("\naims (prepared)")
    for row in rows:
        aims = {"single": 1}
        if row["worlds"] == "n=20":
            aims |= dict.fromkeys(("batch", "again"), AIMS[row["kind"]])
        if row["worlds"] == "n=10":
            aims["family"] = FAMILY_AIM
        for name, aim in aims.items():
            ratio = fastest(row) / row[name]
            verdict = "met" if ratio >= aim else "missed"
            print(
                f"{row['worlds']:18s}{row['kind']:9s}{name:8s}{ratio:10.1f}x of {aim}x: {verdict}"
            )


def main() -> None:
    """Draw the worlds, measure, print."""
    first = str(__doc__).partition("\n")[0]
    parser = argparse.ArgumentParser(description=first)
    parser.add_argument("--quick", action="store_true", help="few worlds, few rounds")
    parser.add_argument("--sizes", default="5,10,20,50", help="numbers of visible variables")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    count = 12 if options.quick else 50
    options.rounds = 2 if options.quick else 4
    options.sets = 8192
    options.families = 4 if options.quick else 10
    plans: list[tuple[str, int, tuple[int, ...], bool]]
    plans = [(f"n={n}", int(n), (2,), False) for n in options.sizes.split(",")]
    plans += [("n=20, 3 parents", 20, (2,), True), ("n=10, 3-4 values", 10, (3, 4), False)]
    warm_up()
    rows = []
    for label, n, cards, exact in plans:
        for kind, word in enumerate(KINDS):

            def draw(
                number: int, kind: int = kind, plan: Any = (label, n, cards, exact)
            ) -> list[SCM]:
                name, size, values, three = plan
                rngs = [generator(number, f"truth {name} {kind}", i) for i in range(count)]
                return [random_world(rng, size, values, exact=three) for rng in rngs]

            rows.append({"worlds": label, "kind": word, **measure(draw, kind, options)})
            if rows[-1]["gap"] > TOLERANCE:
                raise SystemExit(f"{label}, {word}: engines disagree by {rows[-1]['gap']:.1e}")
    report(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def warm_up() -> None:
    """Let everybody import and compile."""
    scm = random_world(generator(0, "warm up"), 5, (2,), exact=False)
    for asked in questions(scm, 0, 0):
        cb.truth_many([scm, scm], asked.text)
        cb.truth(scm, asked.text)
        cb.truth_many(Family.stack([scm, scm]), asked.text)
        for make in RIVALS.values():
            make(scm, nodes_of(scm))(asked)


if __name__ == "__main__":
    main()
