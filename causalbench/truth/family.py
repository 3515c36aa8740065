"""Hold many worlds of one shape as one value: a template, and arrays over parameter sets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import WorldError, suggest
from causalbench.scm.couplings import couple
from causalbench.scm.mechanism import Mechanism, as_distribution
from causalbench.scm.tables import UNKNOWN, TableMechanism
from causalbench.truth.subject import scm_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from causalbench.scm import SCM
    from causalbench.scm.couplings import Coupling

__all__ = ["WIDTH", "Family", "Part"]

WIDTH = 128
"""How many sets a block has; the last block is filled up with zeros."""

_FORMS = ({"noise"}, {"noise", "table"}, {"cpt", "coupling"}, {"cpt"})


@dataclass(frozen=True)
class Part:
    """Where one variable's parameters stand in the family's arrays.

    Args:
        form: ``noise`` (the template's table for every set), ``tables`` (a table for each set) or
            ``cpt``.
        row: the first of its rows in ``numbers``.
        size: how many rows: noise values, or cells of the CPT.
        table_row: the first of its rows in ``tables``.
        coupling: of a CPT; "unknown" where none is named.
    """

    form: str
    row: int
    size: int
    table_row: int = 0
    coupling: Coupling = ""


@dataclass(frozen=True, eq=False, repr=False)
class Family:
    """Worlds that share variables and diagram and differ in their numbers.

    ``family[i]`` is the world of set i, ``family[a:b]`` a family of fewer sets, and `truth_many`
    answers for all sets at once.

    Args:
        template: a discrete SCM (or anything with one as ``.scm``); what is not given stays its.
        mechanisms: name to the fields of a mechanism, each with the sets as an axis in front, N
            long: ``{"noise": float64[N, S]}`` with the template's table; ``{"noise": float64[N,
            S], "table": int[N, S, *cards]}``; ``{"cpt": float64[N, *cards, card], "coupling":
            name}``; or ``{"cpt": ...}`` alone, which settles rungs 1 and 2. Parents are the
            template's, in its order.

    Raises:
        WorldError: an array that does not fit or holds no probabilities; the message names it.
    """

    template: SCM
    mechanisms: InitVar[Mapping[str, Mapping[str, Any]]]
    size: int = field(init=False)
    parts: Mapping[str, Part] = field(init=False)
    numbers: NDArray[np.float64] = field(init=False)  # [blocks, rows, WIDTH], as the loops read
    tables: NDArray[np.int16] = field(init=False)  # the same

    def __post_init__(self, mechanisms: Mapping[str, Mapping[str, Any]]) -> None:
        scm: SCM = getattr(self.template, "scm", self.template)
        if not getattr(scm, "is_discrete", False):
            raise WorldError("a family's template must be a discrete world; give an SCM of labels")
        given: object = mechanisms
        if not isinstance(given, Mapping):
            kind = type(given).__name__
            raise WorldError(f"a family's arrays stand by variable, not in a {kind}; give a dict")
        read = {name: _read(scm, name, fields) for name, fields in mechanisms.items()}
        if not read:
            raise WorldError("a family without arrays has no sets; give one mechanism at least")
        lengths = {name: len(arrays[0]) for name, arrays in read.items()}
        first, count = next(iter(lengths.items()))
        for name, length in lengths.items():
            if length != count:
                raise WorldError(
                    f"family: '{first}' has {count} sets and '{name}' has {length}; match them"
                )
        parts: dict[str, Part] = {}
        numbers, tables, row, table_row = [], [], 0, 0
        for name, (array, table, coupling) in read.items():
            form = "cpt" if coupling is not None else "noise" if table is None else "tables"
            numbers.append(array.reshape(count, -1))
            parts[name] = Part(form, row, numbers[-1].shape[1], table_row, coupling or "")
            row += numbers[-1].shape[1]
            if table is not None:
                tables.append(table.reshape(count, -1))
                table_row += tables[-1].shape[1]
        self._put(scm, parts, _blocks(numbers, count, np.float64), _blocks(tables, count, np.int16))
        object.__setattr__(self, "size", count)

    def _put(
        self,
        template: SCM,
        parts: Mapping[str, Part],
        numbers: NDArray[np.float64],
        tables: NDArray[np.int16],
    ) -> None:
        put = object.__setattr__
        put(self, "template", template)
        put(self, "parts", MappingProxyType(dict(parts)))
        put(self, "numbers", numbers)
        put(self, "tables", tables)

    @classmethod
    def stack(cls, worlds: Iterable[Any]) -> Family:
        """Make a family of worlds that have the same variables and parents.

        A mechanism with fewer noise values than another world's gets noise values of probability
        zero: the same law.

        Args:
            worlds: SCMs (or things with one as ``.scm``), at least one.

        Raises:
            WorldError: none are given, or two differ in their shape; the message says where.
            QueryError: something that is no world.
        """
        several: object = worlds
        if not isinstance(several, Iterable):
            kind = type(several).__name__
            raise WorldError(
                f"a family is made of several worlds, not a {kind}; give a list of SCMs"
            )
        scms = [scm_of(world) for world in worlds]
        if not scms:
            raise WorldError("a family needs at least one world; give a list of SCMs")
        for number, scm in enumerate(scms):
            _same_shape(scms[0], scm, number)
        template = scms[0]
        given: dict[str, dict[str, Any]] = {}
        for name in template.names:
            made = [scm.mechanisms[name] for scm in scms]
            if any(one is not made[0] and one != made[0] for one in made):
                given[name] = _stacked(made)
        if not given:  # all alike: any one mechanism gives the number of sets
            name = template.names[0]
            given[name] = _stacked([scm.mechanisms[name] for scm in scms])
        return cls(template, given)

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[SCM]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        return self._world(range(len(self))[index])

    def _world(self, i: int) -> SCM:
        made: dict[str, Mechanism | TableMechanism] = {}
        for name, part in self.parts.items():
            own: Any = self.template.mechanisms[name]
            fields = self._fields(name, np.array([i]))
            if part.coupling == UNKNOWN:
                made[name] = TableMechanism(own.parents, fields["cpt"][0])
            elif part.form == "cpt":
                made[name] = couple(fields["cpt"][0], part.coupling, own.parents)
            else:
                table = fields["table"][0] if part.form == "tables" else own.table
                made[name] = Mechanism(own.parents, fields["noise"][0], table)
        return self.template.replace(mechanisms=made)

    def fields(self, name: str) -> dict[str, Any]:
        """Return the fields given for a mechanism, with the sets in front, as new arrays.

        Raises:
            WorldError: the family gives none, so that the template's mechanism holds in every set.
        """
        if name not in self.parts:
            hint = suggest(str(name), self.parts)
            raise WorldError(f"family: '{name}' is not given here; see the template.{hint}")
        return self._fields(name, np.arange(len(self)))

    def take(self, sets: ArrayLike) -> Family:
        """Return the family of some of the sets, in the order given.

        Args:
            sets: their numbers, int[M] from 0, M at least 1; a number may stand twice.

        Raises:
            WorldError: none are given, or one that the family does not have.
        """
        chosen = np.asarray(sets)
        if not chosen.size:
            raise WorldError("a family needs at least one set; choose some")
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
            raise WorldError(f"sets are chosen by number, not by {sets!r:.60}; give whole numbers")
        wrong = chosen[(chosen < 0) | (chosen >= len(self))]
        if wrong.size:
            raise WorldError(f"there is no set {wrong[0]}; give numbers from 0 to {len(self) - 1}")
        block, place = np.divmod(chosen, WIDTH)
        count = len(chosen)
        numbers = _blocks([self.numbers[block, :, place]], count, np.float64)
        tables = _blocks([self.tables[block, :, place]], count, np.int16)
        made = object.__new__(Family)
        made._put(self.template, self.parts, numbers, tables)
        object.__setattr__(made, "size", count)
        return made

    @cached_property
    def least(self) -> float:
        """The least probability above zero among all numbers of the family."""
        arrays = [self.numbers]
        for name, mechanism in self.template.mechanisms.items():
            if name not in self.parts:
                own: Any = mechanism
                arrays.append(own.cpt if isinstance(own, TableMechanism) else own.noise)
        return min(float(np.min(a, where=a > 0, initial=1.0)) for a in arrays)

    @cached_property
    def layout(self) -> tuple[Any, ...]:
        """What a program depends on, besides the template's shape: equal layouts share programs."""
        items: list[Any] = []
        for name in self.template.order:
            part, own = self.parts.get(name), self.template.mechanisms[name]
            if part is None:
                items.append(own)
            else:
                coupling = json.dumps(part.coupling, sort_keys=True)
                table = own.table.tobytes() if part.form == "noise" else b""  # type: ignore[union-attr]
                items.append((part.form, part.row, part.size, part.table_row, coupling, table))
        return tuple(items)

    def _fields(self, name: str, sets: NDArray[np.intp]) -> dict[str, Any]:
        """Return a mechanism's fields for some sets."""
        part, own = self.parts[name], self.template.mechanisms[name]
        shape: tuple[int, ...] = own.shape  # type: ignore[union-attr]
        block, place = np.divmod(sets, WIDTH)
        rows = self.numbers[block, part.row : part.row + part.size, place]
        if part.form == "cpt":
            found = {"cpt": rows.reshape(len(sets), *shape, -1), "coupling": part.coupling}
            return {"cpt": found["cpt"]} if part.coupling == UNKNOWN else found
        if part.form == "noise":
            return {"noise": rows}
        stop = part.table_row + part.size * int(np.prod(shape, dtype=np.int64))
        codes = self.tables[block, part.table_row : stop, place]
        table = codes.reshape(len(sets), part.size, *shape).astype(np.int64)
        return {"noise": rows, "table": table}

    def __repr__(self) -> str:
        names = ", ".join(self.parts)
        return f"Family({len(self)} sets of {names} in {self.template!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Family, (self.template, {name: self.fields(name) for name in self.parts}))


def _blocks(arrays: list[Any], count: int, kind: type) -> NDArray[Any]:
    """Return [N, k] arrays side by side as [blocks, rows, WIDTH], filled up with zeros."""
    height = sum(array.shape[1] for array in arrays)
    made = np.zeros((-(-count // WIDTH), height, WIDTH), dtype=kind)
    row = 0
    for array in arrays:
        stop = row + array.shape[1]
        whole = count // WIDTH
        full = array[: whole * WIDTH].reshape(whole, WIDTH, array.shape[1])
        made[:whole, row:stop] = full.transpose(0, 2, 1)
        if whole < len(made):
            made[whole, row:stop, : count - whole * WIDTH] = array[whole * WIDTH :].T
        row = stop
    made.setflags(write=False)
    return made


Read = tuple["NDArray[np.float64]", "NDArray[np.int16] | None", "Coupling | None"]


def _read(scm: SCM, name: str, fields: Mapping[str, Any]) -> Read:
    """Check one mechanism's arrays: its numbers, its tables or None, its coupling or None."""
    if name not in scm.variables:
        raise WorldError(f"family: there is no variable '{name}'.{suggest(str(name), scm.names)}")
    place = f"family, '{name}'"
    own: Any = scm.mechanisms[name]
    if not isinstance(fields, Mapping) or set(fields) not in _FORMS:
        named = isinstance(fields, Mapping)
        given = (
            ", ".join(sorted(map(str, fields))) if named else f"no dict but {type(fields).__name__}"
        )
        raise WorldError(
            f"{place}: give noise, or noise and table, or cpt and its coupling; given: {given:.60}."
        )
    if "cpt" in fields:
        card = scm.variables[name].cardinality
        cpt = _sized(fields["cpt"], (*own.shape, card), f"{place}, cpt")
        if "coupling" not in fields:
            return cpt, None, UNKNOWN
        couple(cpt[0], fields["coupling"], own.parents)  # refuses what is no coupling
        return cpt, None, fields["coupling"]
    if "table" not in fields:
        if isinstance(own, TableMechanism):
            raise WorldError(f"{place}: the template has a CPT and no noise there; give 'cpt'")
        return _sized(fields["noise"], (len(own.noise),), f"{place}, noise"), None, None
    shape = _shape(fields["noise"], f"{place}, noise")
    noise = _sized(fields["noise"], shape[1:2], f"{place}, noise")
    return noise, _table(scm, name, fields["table"], shape), None


def _sized(values: Any, shape: tuple[int, ...], place: str) -> NDArray[np.float64]:
    found = _shape(values, place)
    if len(found) != 1 + len(shape) or found[1:] != shape or not found[0]:
        wanted = ", ".join(["N", *map(str, shape)])
        raise WorldError(f"{place}: the shape is {found}; give ({wanted}), N sets, at least one")
    return as_distribution(values, place)


def _shape(values: Any, place: str) -> tuple[int, ...]:
    try:
        return np.shape(values)
    except ValueError:
        raise WorldError(f"{place}: the sets differ in length; give each as many") from None


def _table(scm: SCM, name: str, values: Any, sizes: tuple[int, ...]) -> NDArray[np.int16]:
    own: Any = scm.mechanisms[name]
    place = f"family, '{name}', table"
    _shape(values, place)
    table = np.asarray(values)
    if table.shape != (*sizes, *own.shape):
        raise WorldError(f"{place}: the shape is {table.shape}; give {(*sizes, *own.shape)}")
    card = scm.variables[name].cardinality
    if table.dtype.kind not in "iu" or table.min() < 0 or table.max() >= card:
        raise WorldError(f"{place}: an entry is no code of '{name}'; give 0 to {card - 1}")
    return table.astype(np.int16)


def _same_shape(first: SCM, other: SCM, number: int) -> None:
    for name in first.names:
        same = name in other.variables and other.variables[name] == first.variables[name]
        if not same or other.parents(name) != first.parents(name):
            raise WorldError(
                f"family: world {number} has another '{name}' or other parents of it than world"
                " 0; give worlds of one shape"
            )
    extra = [name for name in other.names if name not in first.variables]
    if extra:
        raise WorldError(f"family: world {number} alone has '{extra[0]}'; give worlds of one shape")


def _stacked(made: list[Any]) -> dict[str, Any]:
    """Return the fields of some mechanisms, padded to one number of noise values.

    Where one knows no coupling, all are taken as CPTs without one.
    """
    if any(isinstance(one, TableMechanism) for one in made):
        found = next(one for one in made if isinstance(one, TableMechanism))
        card = found.cpt.shape[-1]
        tables = [o.cpt if isinstance(o, TableMechanism) else o.cpt(card) for o in made]
        return {"cpt": np.stack(tables)}
    size = max(len(one.noise) for one in made)
    noise = np.zeros((len(made), size))
    table = np.zeros((len(made), size, *made[0].shape), dtype=np.int64)
    for i, one in enumerate(made):
        noise[i, : len(one.noise)] = one.noise
        table[i, : len(one.noise)] = one.table
    if size == len(made[0].noise) and (table == table[0]).all():
        return {"noise": noise}
    return {"noise": noise, "table": table}
