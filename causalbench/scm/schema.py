"""Read the JSON form of a model; every error names the variable and the place.

    {"schema": 1,
     "variables": {"x": {"values": ["no", "yes"], "hidden": false, "numbers": [0, 1]},
                   "t": {"kind": "real"}},
     "mechanisms": {"x": {"parents": ["z"], "noise": [0.3, 0.7], "table": [[0, 1], [1, 1]]},
                    "w": {"parents": ["x"], "cpt": [[0.9, 0.1], [0.2, 0.8]],
                          "coupling": "monotone"},
                    "t": {"linear": {"x": 2.0}, "intercept": 0, "std": 1},
                    "d": {"equation": "a or b"},
                    "s": {"equation": "2 * t ** 2 + sin(u)", "noise": {"normal": 1}}}}

A CPT without a coupling is read as "independent"; with the coupling "unknown" it stays a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from causalbench.errors import WorldError, suggest
from causalbench.scm.additive import additive_equation
from causalbench.scm.couplings import couple
from causalbench.scm.encode import SCHEMA
from causalbench.scm.equation import equation_mechanism
from causalbench.scm.mechanism import MAX_CELLS, LinearMechanism, Mechanism
from causalbench.scm.model import SCM
from causalbench.scm.tables import UNKNOWN, TableMechanism
from causalbench.scm.variable import Variable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.scm.check import AnyMechanism

__all__ = ["MechanismForm", "ModelForm", "VariableForm", "scm_from_dict"]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class VariableForm(_Form):
    """One entry of ``variables``."""

    values: list[str | int | float] | None = None
    kind: Literal["discrete", "real"] | None = None
    hidden: bool = False
    numbers: list[float] | None = None
    unit: str | None = None


class MechanismForm(_Form):
    """One entry of ``mechanisms``, in one of its four forms."""

    parents: list[str] | None = None
    noise: list[float] | dict[str, float | list[float]] | None = None
    table: list[Any] | None = None
    cpt: list[Any] | None = None
    coupling: str | dict[str, Any] | None = None
    linear: dict[str, float] | None = None
    intercept: float | None = None
    std: float | None = None
    equation: str | None = None


class ModelForm(_Form):
    """The whole."""

    schema_: Literal[1] = Field(alias="schema")
    variables: dict[str, VariableForm]
    mechanisms: dict[str, MechanismForm]
    couplings_known: bool = True


_FORMS = {  # the key that tells the form, and the other keys that may stand beside it
    "table": {"parents", "noise"},
    "cpt": {"parents", "coupling"},
    "linear": {"intercept", "std"},
    "equation": {"noise"},  # of a real variable
}
_PLACES: dict[str, type[_Form]] = {"variables": VariableForm, "mechanisms": MechanismForm}


def scm_from_dict(data: Mapping[str, Any]) -> SCM:
    """Return the model that JSON values describe.

    Raises:
        WorldError: they break the schema or a law of models.
    """
    if not isinstance(data, Mapping):
        raise WorldError(f"a model must be a mapping with 'schema', not {type(data).__name__}")
    if data.get("schema") != SCHEMA or isinstance(data.get("schema"), bool):
        given = repr(data["schema"]) if "schema" in data else "missing"
        raise WorldError(f"schema: it is {given}; this version reads 'schema: {SCHEMA}'")
    try:
        form = ModelForm.model_validate(dict(data))
    except ValidationError as error:
        raise WorldError(_explain(error)) from None
    variables = {name: _variable(name, entry) for name, entry in form.variables.items()}
    mechanisms: dict[str, AnyMechanism] = {}
    for name, entry in form.mechanisms.items():
        place = f"mechanism of '{name}'"
        if name not in variables:
            hint = suggest(name, variables)
            raise WorldError(f"{place}: there is no variable '{name}'; add it.{hint}")
        try:
            mechanisms[name] = _mechanism(variables, name, entry)
        except WorldError as error:
            raise WorldError(_join(place, str(error))) from None
    return SCM(variables, mechanisms, form.couplings_known)


def _variable(name: str, form: VariableForm) -> Variable:
    place = f"variable '{name}'"
    if form.kind == "real":
        if form.values is not None:
            raise WorldError(f"{place}: a real variable takes no 'values'; drop them or the kind")
        values = None
    elif form.values is None:
        raise WorldError(f"{place}: 'values' is missing; list them, or say 'kind: real'")
    else:
        values = tuple(str(value) for value in form.values)
    numbers = None if form.numbers is None else tuple(form.numbers)
    return Variable(name, values, form.hidden, numbers, form.unit)


def _mechanism(variables: Mapping[str, Variable], name: str, form: MechanismForm) -> AnyMechanism:
    given = form.model_fields_set
    kinds = [kind for kind in _FORMS if kind in given]
    if len(kinds) != 1:
        what = " and ".join(f"'{kind}'" for kind in kinds) or "none of them is given"
        raise WorldError(f"give one of {', '.join(_FORMS)}: {what}")
    kind = kinds[0]
    extra = sorted(given - _FORMS[kind] - {kind})
    if extra:
        raise WorldError(f"'{extra[0]}' does not go with '{kind}'; drop one of them")
    if kind == "equation":
        return _equation(variables, name, form)
    if kind == "linear":
        linear = form.linear or {}
        std = 1.0 if form.std is None else form.std
        weights = np.array(list(linear.values()), dtype=np.float64)
        return LinearMechanism(tuple(linear), weights, form.intercept or 0.0, std)
    if variables[name].is_real:
        raise WorldError(f"'{name}' is real and needs 'linear' or 'equation', not '{kind}'")
    parents = tuple(form.parents or ())
    shape = [_cardinality(variables, parent) for parent in parents]
    card = variables[name].cardinality
    if kind == "cpt":
        cpt = _array(form.cpt, [*shape, card], "cpt", float)
        if form.coupling == UNKNOWN:
            return TableMechanism(parents, cpt)
        return couple(cpt, form.coupling or "independent", parents)
    if not isinstance(form.noise, list):
        why = "missing" if form.noise is None else "a law, which is for real variables"
        raise WorldError(f"'noise' is {why}; give the probability of each row of the table")
    codes = _array(form.table, [len(form.noise), *shape], "table", int)
    wrong = np.argwhere((codes < 0) | (codes >= card))
    if len(wrong):
        spot = "".join(f"[{i}]" for i in wrong[0])
        raise WorldError(f"table{spot}: {codes[tuple(wrong[0])]} is out of range 0 to {card - 1}")
    return Mechanism(parents, np.array(form.noise, dtype=np.float64), codes)


def _equation(variables: Mapping[str, Variable], name: str, form: MechanismForm) -> AnyMechanism:
    """Return the mechanism of an equation: noise is added to a real variable alone."""
    text, noise = form.equation or "", form.noise
    if not variables[name].is_real:
        if noise is not None:
            raise WorldError("'noise' does not go with the 'equation' of a discrete variable")
        return equation_mechanism(variables, name, text)
    if isinstance(noise, list):
        raise WorldError("noise: name the law and its numbers, e.g. {normal: 1}")
    return additive_equation(text, noise)


def _cardinality(variables: Mapping[str, Variable], parent: str) -> int:
    if parent not in variables:
        raise WorldError(f"there is no parent '{parent}'.{suggest(parent, variables)}")
    return variables[parent].cardinality


def _array(data: Any, shape: list[int], place: str, kind: type) -> NDArray[Any]:
    """Return nested lists as an array once every list has the length it should have."""
    cells = 1
    for size in shape:
        cells *= size
    if cells > MAX_CELLS:
        raise WorldError(f"{place} would have {cells} cells, over 1e7; use fewer parents")
    _walk(data, shape, place, kind)
    return np.array(data, dtype=np.int64 if kind is int else np.float64).reshape(shape)


def _walk(data: Any, shape: list[int], place: str, kind: type) -> None:
    if not shape:
        if isinstance(data, bool) or not isinstance(data, int if kind is int else int | float):
            wanted = "a whole number" if kind is int else "a number"
            found = "a list" if isinstance(data, list) else repr(data)[:60]
            raise WorldError(f"{place}: {found} stands where {wanted} should")
        if isinstance(data, int) and abs(data) >= 2**62:
            raise WorldError(f"{place}: the number is far too large")
        return
    if not isinstance(data, list):
        raise WorldError(f"{place}: {repr(data)[:60]} stands where a list of {shape[0]} should")
    if len(data) != shape[0]:
        raise WorldError(f"{place}: {len(data)} entries where {shape[0]} are needed")
    for i, item in enumerate(data):
        _walk(item, shape[1:], f"{place}[{i}]", kind)


def _explain(error: ValidationError) -> str:
    """Return the first complaint of pydantic as one line of ours."""
    first = error.errors(include_url=False)[0]
    where = [str(part) for part in first["loc"]]
    group = where[0] if where else "model"
    place = group
    if group in _PLACES and len(where) > 1:
        place = f"{'variable' if group == 'variables' else 'mechanism of'} '{where[1]}'"
        inner = [part for part in where[2:] if part not in {"str", "int", "float"}]
        inner = [part for part in inner if not part.startswith(("function", "dict[", "list["))]
        if inner:
            tail = "".join(f"[{part}]" for part in inner[1:])
            place += f", {inner[0]}{tail}"
    if first["type"] == "extra_forbidden":
        owner = _PLACES[group] if group in _PLACES and len(where) > 1 else ModelForm
        known = [field.alias or name for name, field in owner.model_fields.items()]
        return f"{place}: unknown key; known are {', '.join(known)}.{suggest(where[-1], known)}"
    if first["type"] == "missing":
        return f"{place}: it is missing; add it"
    if isinstance(first["input"], bool):
        return f"{place}: {first['input']} is a truth value; put quotes around yes and no"
    message = first["msg"].partition(" or instance of ")[0]
    return f"{place}: {message[0].lower()}{message[1:]}, got {str(first['input'])[:60]!r}"


def _join(place: str, message: str) -> str:
    """Put the variable before the inner place, and mend rows that a message names bare."""
    starts = ("cpt", "table", "noise", "equation", "linear", "std", "intercept")
    return f"{place}, {message}" if message.startswith(starts) else f"{place}: {message}"
