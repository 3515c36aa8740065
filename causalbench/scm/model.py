"""Hold a structural causal model as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import WorldError, suggest
from causalbench.graph import Diagram
from causalbench.query.ast import Vocabulary
from causalbench.scm import draw as _draw
from causalbench.scm.check import check_parts
from causalbench.scm.mechanism import LinearMechanism, Mechanism
from causalbench.scm.tables import TableMechanism

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    import networkx as nx
    import pandas as pd
    from numpy.typing import NDArray

    from causalbench.scm.check import AnyMechanism
    from causalbench.scm.couplings import Coupling
    from causalbench.scm.variable import Variable

__all__ = ["SCM"]


@dataclass(frozen=True, eq=False, repr=False)
class SCM:
    """A structural causal model: variables, and one mechanism with its own noise for each.

    Frozen: `do` and its kin return new models. Two models are equal when their `digest` is; the
    order in which variables are declared is presentation, and takes no part in it.

    Args:
        variables: name to `Variable`, all discrete or all real.
        mechanisms: name to `Mechanism` or, without a coupling, `TableMechanism` (discrete); or to
            `LinearMechanism` or `AdditiveMechanism` (real).
        couplings_known: False where a mechanism is a table without a coupling, and where it is
            said of mechanisms whose couplings were assumed.

    Raises:
        WorldError: the parts do not make an acyclic model; the message names the place.
    """

    variables: Mapping[str, Variable]
    mechanisms: Mapping[str, AnyMechanism]
    couplings_known: bool = True

    def __post_init__(self) -> None:
        variables, given = dict(self.variables), dict(self.mechanisms)
        check_parts(variables, given)
        object.__setattr__(self, "variables", MappingProxyType(variables))
        ordered = {name: _settled(given[name]) for name in variables}
        object.__setattr__(self, "mechanisms", MappingProxyType(ordered))
        known = bool(self.couplings_known) and not self.uncoupled
        object.__setattr__(self, "couplings_known", known)
        _ = self.full_diagram  # refuses cycles

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order of declaration."""
        return tuple(self.variables)

    @cached_property
    def visible(self) -> tuple[str, ...]:
        """The names that are not hidden, in the order of declaration."""
        return tuple(name for name, variable in self.variables.items() if not variable.hidden)

    @cached_property
    def hidden(self) -> tuple[str, ...]:
        """The hidden names, in the order of declaration."""
        return tuple(name for name, variable in self.variables.items() if variable.hidden)

    @property
    def order(self) -> tuple[str, ...]:
        """All names, causes before effects."""
        return self.full_diagram.order()

    @cached_property
    def is_discrete(self) -> bool:
        """Whether all variables have labels."""
        return not self.is_real

    @cached_property
    def is_real(self) -> bool:
        """Whether all variables are real."""
        return all(variable.is_real for variable in self.variables.values())

    @cached_property
    def is_linear(self) -> bool:
        """Whether the model is linear-Gaussian: all its mechanisms are linear."""
        return all(isinstance(each, LinearMechanism) for each in self.mechanisms.values())

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What a query may name: all variables, hidden ones too."""
        return Vocabulary({name: variable.values for name, variable in self.variables.items()})  # noqa: PD011

    @cached_property
    def full_diagram(self) -> Diagram:
        """The diagram over all variables, which has no ``<->`` edge."""
        edges = [(a, b) for b, mechanism in self.mechanisms.items() for a in mechanism.parents]
        return Diagram(self.variables, edges)

    @cached_property
    def diagram(self) -> Diagram:
        """The diagram over the visible variables: hidden ones become ``<->`` edges."""
        return self.full_diagram.project(self.visible)

    @cached_property
    def uncoupled(self) -> tuple[str, ...]:
        """The names whose mechanism is a table without a coupling, in the order of declaration."""
        return tuple(n for n, m in self.mechanisms.items() if isinstance(m, TableMechanism))

    def variable(self, name: str) -> Variable:
        """Return a variable.

        Raises:
            WorldError: no variable of that name.
        """
        if name not in self.variables:
            raise WorldError(f"there is no variable '{name}'.{suggest(str(name), self.variables)}")
        return self.variables[name]

    def mechanism(self, name: str) -> AnyMechanism:
        """Return the mechanism of a variable.

        Raises:
            WorldError: no variable of that name.
        """
        self.variable(name)
        return self.mechanisms[name]

    def parents(self, name: str) -> tuple[str, ...]:
        """Return the parents of a variable, hidden ones too, in the order of its table's axes."""
        return self.mechanism(name).parents

    def cpt(self, name: str) -> NDArray[np.float64]:
        """Return P(variable | parents) of a discrete variable, float64[*cards, card].

        Raises:
            WorldError: no variable of that name, or a real one.
        """
        mechanism = self.mechanism(name)
        if isinstance(mechanism, TableMechanism):
            return mechanism.cpt
        if isinstance(mechanism, Mechanism):
            return mechanism.cpt(self.variable(name).cardinality)
        raise WorldError(f"'{name}' is real and has no table; ask for its mechanism")

    def coupled(self, coupling: Coupling | Mapping[str, Coupling]) -> SCM:
        """Return the model with couplings for the tables that have none (see `uncoupled`).

        All CPTs stay as they are, so rungs 1 and 2 do; rung 3 is then answered.

        Args:
            coupling: one for every such table, e.g. ``"monotone"``; or name to coupling, for those
                that a question needs.

        Raises:
            WorldError: no such coupling, a name whose coupling is known, or a mechanism that would
                have over 1e7 cells; the message names the variable.
        """
        from causalbench.scm.transform import coupled

        return coupled(self, coupling)

    def do(self, mapping: Mapping[str, Any] | None = None, /, **labels: Any) -> SCM:
        """Return the model after an intervention: the same noise, the named variables constant.

        ``w.do(x=a).do(x=b)`` equals ``w.do(x=b)``, and ``w.do()`` equals ``w``.

        Args:
            mapping: name to label (a number for real variables), for names that are no keywords.
            **labels: the same as keywords.

        Raises:
            WorldError: an unknown name or value.
        """
        forced: dict[str, AnyMechanism] = {}
        for name, value in {**(mapping or {}), **labels}.items():
            variable, mechanism = self.variable(name), self.mechanism(name)
            if isinstance(mechanism, Mechanism | TableMechanism):
                forced[name] = mechanism.forced(variable.code(value))
            elif isinstance(value, int | float | np.number):
                forced[name] = mechanism.forced(float(value))
            else:
                raise WorldError(f"do: '{name}' is real and takes a number, not {value!r}")
        return self.replace(mechanisms=forced) if forced else self

    def replace(
        self,
        *,
        variables: Mapping[str, Variable] | None = None,
        mechanisms: Mapping[str, AnyMechanism] | None = None,
    ) -> SCM:
        """Return the model with the given variables and mechanisms put in (or added)."""
        return SCM(
            {**self.variables, **(variables or {})},
            {**self.mechanisms, **(mechanisms or {})},
            self.couplings_known,
        )

    def rename(self, names: Mapping[str, str]) -> SCM:
        """Return the model with variables renamed, old name to new; others keep theirs."""
        from causalbench.scm.transform import rename

        return rename(self, names)

    def reorder(self, names: Sequence[str]) -> SCM:
        """Return an equal model that declares its variables in another order."""
        from causalbench.scm.transform import reorder

        return reorder(self, names)

    def relabel(self, permutations: Mapping[str, Sequence[int]]) -> SCM:
        """Return the model with values listed in another order; the labels keep their meaning.

        Args:
            permutations: name to a permutation p: the new value i is the old value p[i].
        """
        from causalbench.scm.transform import relabel

        return relabel(self, permutations)

    def draw_noise(self, n: int, *, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
        """Draw ``n`` units: noise codes; standard normal numbers, or additive noise, if real.

        Takes one word of ``rng`` for each variable and unit, variables in sorted order.

        Raises:
            CouplingError: a table has no coupling, so its noise is not defined; `draw` needs none.
        """
        return _draw.draw_noise(self, n, rng)

    def solve(
        self, unit: Mapping[str, Any], do: Mapping[str, Any] | None = None
    ) -> dict[str, NDArray[Any]]:
        """Compute all variables of given units, under an intervention or none.

        Args:
            unit: name to noise code, or an array of them (if real: standard normal numbers
                for a linear mechanism, the noise itself for an additive one).
            do: name to a label, a code, or an array of codes in which -1 leaves a unit alone
                (real: a number, NaN leaves alone).

        Returns:
            Name to int64 codes (floats if real), broadcast to one shape.

        Raises:
            WorldError: noise that is missing or out of range, or an unknown name or value.
            CouplingError: a table has no coupling, so a unit may go one way or another.
        """
        return _draw.solve(self, unit, do)

    def draw(
        self, n: int, *, rng: np.random.Generator, do: Mapping[str, Any] | None = None
    ) -> dict[str, NDArray[Any]]:
        """Draw all variables of ``n`` fresh units; ``do`` as in `solve`.

        No coupling is needed: a table draws from its row by the quantile of one word.

        Returns:
            Name to int64[n] codes, or float64[n].
        """
        values = _draw.draw(self, n, rng, do)
        return {
            name: value if np.ndim(value) else np.full(n, value) for name, value in values.items()
        }

    def sample(self, n: int, *, rng: np.random.Generator, hidden: bool = False) -> pd.DataFrame:
        """Draw ``n`` fresh units as a table of labels.

        Args:
            n: rows.
            rng: a generator.
            hidden: whether to show the hidden variables too.

        Returns:
            One column a variable, in the order of declaration: categorical, or floats if real.
        """
        import pandas as pd

        values = _draw.draw(self, n, rng, None, small=True)
        columns: dict[str, Any] = {}
        for name in self.names if hidden else self.visible:
            variable, codes = self.variables[name], values[name]
            columns[name] = (
                codes
                if variable.is_real
                else pd.Categorical.from_codes(
                    codes, categories=pd.Index(variable.labels), validate=False
                )
            )
        return pd.DataFrame(columns, copy=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the model as plain JSON values; `from_dict` gives back an equal model."""
        from causalbench.scm.encode import to_dict

        return to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SCM:
        """Read a model from JSON values.

        Raises:
            WorldError: the data break the schema; the message names the variable and the place.
        """
        from causalbench.scm.schema import scm_from_dict

        return scm_from_dict(data)

    @classmethod
    def from_yaml(cls, source: str | PathLike[str]) -> SCM:
        """Read a model from a YAML file, or from YAML text (which has a line break).

        Raises:
            WorldError: the text is no model.
            NotFoundError: there is no such file.
        """
        from causalbench.scm.yaml_text import load_yaml, text_of

        return cls.from_dict(load_yaml(text_of(source)))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal."""
        from causalbench.scm.encode import digest

        return digest(self)

    def to_networkx(self) -> nx.DiGraph[str]:
        """Return the diagram over all variables; nodes carry ``hidden`` and ``values``."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        for name, variable in self.variables.items():
            graph.add_node(name, hidden=variable.hidden, values=variable.values)
        graph.add_edges_from((a, b) for b in self.names for a in self.parents(b))
        return graph

    def to_bif(self) -> str:
        """Return the model's CPTs as BIF text; couplings and hiddenness are not kept by BIF."""
        from causalbench.scm.bif_write import to_bif

        return to_bif(self)

    @classmethod
    def from_bif(
        cls,
        source: str | PathLike[str],
        *,
        coupling: Coupling | None = None,
        renormalise: bool = False,
    ) -> SCM:
        """Read a Bayesian network from a BIF file (.gz too), or from BIF text.

        Args:
            source: a path, or the text itself.
            coupling: for every CPT; None leaves them without, as the network does (`coupled`).
            renormalise: divide rows that do not sum to 1 within 1e-9, with a warning that says how
                many; otherwise they are errors.

        Raises:
            WorldError: the text is no network; the message names the line.
            NotFoundError: there is no such file.
        """
        from causalbench.scm.bif import from_bif

        return from_bif(source, coupling=coupling, renormalise=renormalise)

    def to_pgmpy(self) -> Any:
        """Return a pgmpy ``DiscreteBayesianNetwork`` with the CPTs, hidden variables too."""
        from causalbench.scm.pgmpy_models import to_pgmpy

        return to_pgmpy(self)

    @classmethod
    def from_pgmpy(
        cls,
        model: Any,
        *,
        coupling: Coupling | None = None,
        hidden: Sequence[str] = (),
        renormalise: bool = False,
    ) -> SCM:
        """Read a pgmpy ``DiscreteBayesianNetwork``.

        Args:
            model: with a CPD for every node.
            coupling: as in `from_bif`.
            hidden: names to hide, besides the network's latents.
            renormalise: as in `from_bif`.
        """
        from causalbench.scm.pgmpy_models import from_pgmpy

        return from_pgmpy(model, coupling=coupling, hidden=hidden, renormalise=renormalise)

    def to_dowhy(self) -> Any:
        """Return a ``dowhy.gcm`` model whose mechanisms are this model's."""
        from causalbench.scm.dowhy_models import to_dowhy

        return to_dowhy(self)

    @classmethod
    def from_dowhy(cls, model: Any) -> SCM:
        """Read a linear-Gaussian ``dowhy.gcm`` model, or one made by `to_dowhy`."""
        from causalbench.scm.dowhy_models import from_dowhy

        return from_dowhy(model)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, diagram: str | Diagram, **options: Any) -> SCM:
        """Fit CPTs to a table of labels (see `causalbench.scm.fit.from_frame`)."""
        from causalbench.scm.fit import from_frame

        return from_frame(frame, diagram, **options)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SCM):
            return NotImplemented
        return self is other or self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        kind = "discrete" if self.is_discrete else "additive-noise"
        kind = "linear-Gaussian" if self.is_linear else kind
        hidden = f", {len(self.hidden)} hidden" if self.hidden else ""
        return f"SCM({kind}, {len(self.names)} variables{hidden}: {self.full_diagram})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (SCM, (dict(self.variables), dict(self.mechanisms), self.couplings_known))


def _settled(mechanism: AnyMechanism) -> AnyMechanism:
    """Return a mechanism; a table that has one coupling alone gets it."""
    if isinstance(mechanism, TableMechanism) and mechanism.settled:
        return mechanism.coupled("independent")
    return mechanism
