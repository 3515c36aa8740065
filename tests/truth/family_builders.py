"""Random families for the tests of the truth room."""

from __future__ import annotations

from typing import Any

import numpy as np
from truth_builders import random_world

from causalbench.truth import Family


def simplices(rng: np.random.Generator, *shape: int) -> Any:
    """Draw probabilities along the last axis, at times with zeros among them."""
    drawn = rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])
    if rng.random() < 0.4:
        drawn = np.where(drawn < 0.1, 0.0, drawn)
    return drawn / drawn.sum(axis=-1, keepdims=True)


def couplings(parents: tuple[str, ...]) -> list[Any]:
    """Return the couplings that a mechanism with these parents can have."""
    found: list[Any] = ["monotone", "independent"]
    if parents:
        antitone = {"antitone": {"in": parents[0]}}
        found += [antitone, {"mixture": {"of": ["monotone", antitone], "weights": [0.25, 0.75]}}]
    return found


def fields(rng: np.random.Generator, scm: Any, name: str, form: str, sets: int) -> dict[str, Any]:
    """Draw the arrays of one mechanism in one of the three forms."""
    own, card = scm.mechanisms[name], scm.variable(name).cardinality
    if form == "noise":
        return {"noise": simplices(rng, sets, len(own.noise))}
    if form == "tables":
        size = int(rng.integers(1, 5))
        table = rng.integers(0, card, (sets, size, *own.shape))
        return {"noise": simplices(rng, sets, size), "table": table}
    allowed = couplings(own.parents)
    if card ** np.prod(own.shape) > 4096:  # too many response functions to be independent
        allowed.remove("independent")
    coupling = allowed[int(rng.integers(len(allowed)))]
    return {"cpt": simplices(rng, sets, *own.shape, card), "coupling": coupling}


def random_family(
    rng: np.random.Generator, *, sets: int = 4, form: str = "any", n: int = 4
) -> Family:
    """Draw a family, each mechanism in a form of its own or all in one, some left as they are."""
    scm = random_world(rng, n=n, hidden=1, noises=(2, 3, 4))
    forms = ("noise", "tables", "cpt")
    names = [name for name in scm.names if rng.random() < 0.8] or [scm.names[0]]
    given = {}
    for name in names:
        chosen = forms[int(rng.integers(3))] if form == "any" else form
        given[name] = fields(rng, scm, name, chosen, sets)
    return Family(scm, given)
