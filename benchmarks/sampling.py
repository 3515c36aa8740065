"""Time drawing units against dowhy.gcm, on the same worlds in the same run.

    python benchmarks/sampling.py [--rows 1000000] [--rounds 7] [--json FILE]

Ten variables, up to three parents each, none hidden: a binary world and a linear-Gaussian one.
Rows a second, the best of several rounds. Ours: SCM.sample gives a DataFrame of labels (floats),
SCM.draw arrays of codes (floats); two threads, and the bits do not depend on them. dowhy:
gcm.draw_samples gives a DataFrame. It has no mechanism for a table of its own, so the binary world
is given to it as vectorised functions of 0/1 columns and a uniform noise, which is as quick as
numpy makes it ("codes"); "labels" is what SCM.to_dowhy makes, which speaks labels. The linear world
is dowhy's own AdditiveNoiseModel with known coefficients. Before timing, the means of all columns
must agree within six standard errors. Compiling our loops, once in a machine's life, is left out.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from causalbench.rng import generator
from causalbench.scm.random import random_linear, random_scm

if TYPE_CHECKING:
    from collections.abc import Callable

    from causalbench.scm import SCM

AIMS = {"binary": 10, "linear": 3}
LABELLED = 20_000  # rows for dowhy with labels, which takes long


def binary_in_dowhy(scm: SCM) -> Any:  # noqa: C901  (two small classes that need dowhy)
    """Return the world as a dowhy model over 0/1 columns, each mechanism one lookup."""
    from dowhy import gcm
    from dowhy.gcm.causal_mechanisms import FunctionalCausalModel, StochasticModel

    class Root(StochasticModel):  # type: ignore[misc]
        """P(value = 1)."""

        def __init__(self, chance: float) -> None:
            self.chance = chance

        def fit(self, *_: Any) -> None:
            """Do nothing: the mechanism is known."""

        def clone(self) -> Any:
            """Return an equal mechanism."""
            return Root(self.chance)

        def draw_samples(self, num_samples: int) -> Any:
            """Draw values."""
            return (np.random.random((num_samples, 1)) < self.chance).astype(np.int64)  # noqa: NPY002

    class Child(FunctionalCausalModel):  # type: ignore[misc]
        """The chance of 1 for each setting of the parents, in dowhy's (sorted) order."""

        def __init__(self, chances: np.ndarray) -> None:
            self.chances = chances
            self.places = 2 ** np.arange(chances.ndim)[::-1]

        def fit(self, *_: Any) -> None:
            """Do nothing: the mechanism is known."""

        def clone(self) -> Any:
            """Return an equal mechanism."""
            return Child(self.chances)

        def draw_noise_samples(self, num_samples: int) -> Any:
            """Draw uniform numbers."""
            return np.random.random((num_samples, 1))  # noqa: NPY002

        def evaluate(self, parent_samples: Any, noise_samples: Any) -> Any:
            """Return the values."""
            row = np.asarray(parent_samples) @ self.places
            return (noise_samples[:, 0] < self.chances.ravel()[row]).astype(np.int64)[:, None]

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(scm.names)
    graph.add_edges_from((parent, name) for name in scm.names for parent in scm.parents(name))
    model = gcm.StructuralCausalModel(graph)
    for name in scm.names:
        parents = scm.parents(name)
        ordered = sorted(parents)
        chances = scm.cpt(name)[..., 1].transpose([parents.index(p) for p in ordered])
        made = Child(chances) if parents else Root(float(chances))
        model.set_causal_mechanism(name, made)
        model.graph.nodes[name]["parents_during_fit"] = ordered
    return model


def rate(rows: int, rounds: int, work: Callable[[int], object]) -> float:
    """Return rows a second in the best round."""
    work(rows)
    best = np.inf
    for _ in range(rounds):
        start = time.perf_counter()
        work(rows)
        best = min(best, time.perf_counter() - start)
    return rows / best


def check(scm: SCM, model: Any, rows: int) -> None:
    """Stop where dowhy's columns have other means than ours."""
    from dowhy import gcm

    ours, theirs = scm.draw(rows, rng=generator(1, "sampling")), gcm.draw_samples(model, rows)
    for name in scm.names:
        a, b = ours[name].astype(float), theirs[name].to_numpy().astype(float)
        error = np.hypot(a.std(), b.std()) / np.sqrt(rows)
        if abs(a.mean() - b.mean()) > 6 * error:
            raise SystemExit(f"'{name}' has mean {a.mean()} here and {b.mean()} in dowhy")


def main() -> None:
    """Draw, check, time, print."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    from dowhy import gcm

    binary = random_scm(rng=generator(0, "sampling"), n=10, coupling="monotone")
    linear = random_linear(rng=generator(0, "sampling"), n=10)
    models = {"binary": binary_in_dowhy(binary), "linear": linear.to_dowhy()}
    labelled = binary.to_dowhy()
    found: dict[str, dict[str, float]] = {}
    rng = np.random.default_rng(0)
    for kind, scm in (("binary", binary), ("linear", linear)):
        model = models[kind]
        check(scm, model, options.rows)

        def ours(n: int, scm: SCM = scm) -> object:
            return scm.sample(n, rng=rng)

        def arrays(n: int, scm: SCM = scm) -> object:
            return scm.draw(n, rng=rng)

        def theirs(n: int, model: Any = model) -> object:
            return gcm.draw_samples(model, n)

        name = "dowhy codes" if kind == "binary" else "dowhy"
        found[kind] = {
            "SCM.sample": rate(options.rows, options.rounds, ours),
            "SCM.draw": rate(options.rows, options.rounds, arrays),
            name: rate(options.rows, options.rounds, theirs),
        }
    found["binary"]["dowhy labels"] = rate(LABELLED, 2, lambda n: gcm.draw_samples(labelled, n))
    print(str(__doc__)[str(__doc__).index("Ten variables") :])
    print(f"{'world':10s}{'who':16s}{'million rows/s':>16s}{'times dowhy':>14s}{'aim':>6s}")
    for kind, rates in found.items():
        rival = max(value for name, value in rates.items() if name.startswith("dowhy"))
        for name, value in rates.items():
            line = f"{kind:10s}{name:16s}{value / 1e6:16.2f}"
            if not name.startswith("dowhy"):
                ratio = value / rival
                verdict = "met" if ratio >= AIMS[kind] else "missed"
                line += f"{ratio:13.1f}x{AIMS[kind]:5d}x  {verdict}"
            print(line)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
