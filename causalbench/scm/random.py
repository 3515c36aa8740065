"""Draw random models whose bytes depend on the words of the generator alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.errors import WorldError
from causalbench.rng import choice, grid, integers, permutation, simplex, uniforms
from causalbench.scm.couplings import Coupling, couple, natural_coupling
from causalbench.scm.mechanism import LinearMechanism, Mechanism
from causalbench.scm.model import SCM
from causalbench.scm.variable import Variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

__all__ = ["random_coupling", "random_linear", "random_mechanism", "random_scm"]

HIDDEN_CARDS = (2, 3)


def random_scm(  # noqa: PLR0913  (a family has its knobs)
    *,
    rng: np.random.Generator,
    n: int = 4,
    cards: Sequence[int] = (2,),
    hidden: int = 0,
    max_parents: int = 3,
    edge: float = 0.5,
    coupling: Coupling = "any",
    minimum: float = 1 / 64,
    names: Sequence[str] | None = None,
) -> SCM:
    """Draw a discrete model; its CPTs are multiples of 1/1024.

    Args:
        rng: a generator.
        n: how many visible variables, at least 1.
        cards: the cardinalities to choose from; labels are "0", "1", ... with equal numbers.
        hidden: how many hidden confounders, roots with two or three children, binary or ternary.
        max_parents: of any variable, hidden parents counted.
        edge: the chance of an edge between two variables in causal order, while there is room.
        coupling: as in `couple`, or "any": each mechanism draws one.
        minimum: the least probability in a CPT.
        names: of the visible variables; "v1", "v2", ... by default. Their order says nothing about
            the causal order, which is drawn.

    Raises:
        WorldError: the confounders find no children with room for another parent.
    """
    visible, latent, parents = _structure(rng, n, hidden, max_parents, edge, names)
    variables: dict[str, Variable] = {}
    for name in (*visible, *latent):
        card = int(choice(rng, HIDDEN_CARDS if name in latent else tuple(cards)))
        labels = tuple(str(code) for code in range(card))
        numbers = None if name in latent else tuple(float(code) for code in range(card))
        variables[name] = Variable(name, labels, name in latent, numbers)
    mechanisms = {}
    for name, variable in variables.items():
        shape = [variables[parent].cardinality for parent in parents[name]]
        card = variable.cardinality
        mechanisms[name] = random_mechanism(
            rng=rng, parents=parents[name], shape=shape, card=card, coupling=coupling,
            minimum=minimum,
        )  # fmt: skip
    return SCM(variables, mechanisms)


def random_mechanism(
    *,
    rng: np.random.Generator,
    parents: Sequence[str],
    shape: Sequence[int],
    card: int,
    coupling: Coupling = "any",
    minimum: float = 1 / 64,
) -> Mechanism:
    """Draw a CPT of multiples of 1/1024, and give it a coupling ("any": a random one)."""
    cpt = simplex(rng, card, min(minimum, 1 / card), tuple(shape))
    if coupling == "any":
        coupling = random_coupling(rng=rng, cpt=cpt, parents=parents)
    return couple(cpt, coupling, tuple(parents))


def random_coupling(
    *, rng: np.random.Generator, cpt: np.ndarray, parents: Sequence[str]
) -> Coupling:
    """Draw one of the couplings that the CPT allows: monotone, antitone, independent, a mixture."""
    options: list[Coupling] = ["monotone"]
    if parents:
        options.append({"antitone": {"in": choice(rng, list(parents))}})
        if natural_coupling(cpt) == "independent":
            options.append("independent")
        options.append({"mixture": {"of": options[:2], "weights": [0.5, 0.5]}})
    return choice(rng, options)


def random_linear(
    *,
    rng: np.random.Generator,
    n: int = 4,
    hidden: int = 0,
    max_parents: int = 3,
    edge: float = 0.5,
    names: Sequence[str] | None = None,
) -> SCM:
    """Draw a linear-Gaussian model: weights +-[1/4, 3/2], intercepts +-1, stds in [1/4, 3/2].

    All are multiples of 1/1024; the other arguments as in `random_scm`.
    """
    visible, latent, parents = _structure(rng, n, hidden, max_parents, edge, names)
    variables = {name: Variable(name, None, name in latent) for name in (*visible, *latent)}
    mechanisms = {}
    for name in variables:
        k = len(parents[name])
        signs = 1.0 - 2.0 * integers(rng, 2, (k,))
        weights = signs * grid(rng, (k,), low=0.25, high=1.5)
        intercept = float(grid(rng, low=-1, high=1))
        std = float(grid(rng, low=0.25, high=1.5))
        mechanisms[name] = LinearMechanism(parents[name], weights, intercept, std)
    return SCM(variables, mechanisms)


def _structure(
    rng: np.random.Generator,
    n: int,
    hidden: int,
    max_parents: int,
    edge: float,
    names: Sequence[str] | None,
) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Draw a diagram: the visible names, the hidden ones, and everyone's parents."""
    visible = tuple(names) if names is not None else tuple(f"v{i + 1}" for i in range(n))
    if n < 1 or len(visible) != n:
        raise WorldError(f"random model: {len(visible)} names for n={n} variables; match them")
    latent = tuple(_fresh(f"h{i + 1}", visible) for i in range(hidden))
    parents: dict[str, list[str]] = {name: [] for name in (*visible, *latent)}
    for name in latent:
        room = [v for v in visible if len(parents[v]) < max_parents]
        if len(room) < 2:  # noqa: PLR2004
            raise WorldError(
                f"random model: no two variables have room for the confounder '{name}';"
                " raise max_parents or n, or ask for fewer hidden"
            )
        size = 2 + int(integers(rng, min(2, len(room) - 1)))
        for i in permutation(rng, len(room))[:size]:
            parents[room[i]].append(name)
    order = permutation(rng, n)
    for later in range(n):
        effect = visible[order[later]]
        wanted = uniforms(rng, later) < edge
        for earlier in permutation(rng, later):
            if wanted[earlier] and len(parents[effect]) < max_parents:
                parents[effect].append(visible[order[earlier]])
    return visible, latent, {name: tuple(sorted(given)) for name, given in parents.items()}


def _fresh(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name += "_"
    return name
