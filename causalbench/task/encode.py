"""Turn dossiers, questions and keys into strict JSON values and back, losing nothing.

Floats keep all their digits, except in keys, which are written to 12 digits so that the same seed
gives the same bytes everywhere.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from causalbench.errors import AnswerError, CausalBenchError, WorldError
from causalbench.graph import Diagram
from causalbench.scm import SCM, Variable
from causalbench.task.types import Certificate, Decision, Dossier, Key, Law, Question
from causalbench.truth.knowledge import Budget, Knowledge

__all__ = [
    "DIGITS",
    "canonical_json",
    "decision_from_dict",
    "dossier_from_dict",
    "dossier_to_dict",
    "key_from_dict",
    "key_to_dict",
    "question_from_dict",
    "rounded",
]

DIGITS = 12
_T = TypeVar("_T")
_LOG_TYPES = {
    "obs": np.int64,
    "action": np.int64,
    "reward": np.float64,
    "terminal": np.bool_,
    "source": np.str_,
}


def canonical_json(value: Any) -> str:
    """Write JSON in its one canonical form: keys sorted, no blanks, ASCII, no NaN or infinity.

    Raises:
        AnswerError: a value that JSON has no form for.
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        msg = f"a value cannot be written as JSON: {error}; use plain finite values."
        raise AnswerError(msg) from None


def rounded(number: float) -> float:
    """Round to 12 digits after the point, with no negative zero."""
    return round(float(number), DIGITS) + 0.0


def dossier_to_dict(dossier: Dossier) -> dict[str, Any]:
    """Return a dossier as JSON-ready values; `dossier_from_dict` gives an equal one back."""
    return {
        "id": dossier.id,
        "cell": dossier.cell,
        "variables": [_variable_to_dict(variable) for variable in dossier.variables],
        "knowledge": dossier.knowledge.to_dict(),
        "budget": dossier.budget.to_dict(),
        "diagram": None if dossier.diagram is None else _diagram_to_dict(dossier.diagram),
        "mechanisms": None if dossier.mechanisms is None else _scm_to_dict(dossier.mechanisms),
        "laws": [
            {"do": [list(pair) for pair in law.do], "table": law.table.tolist()}
            for law in dossier.laws
        ],
        "couplings": [list(pair) for pair in dossier.couplings],
        "rows": {"columns": int(dossier.rows.shape[1]), "codes": dossier.rows.tolist()},
        "logs": {
            name: {field: np.asarray(array).tolist() for field, array in log.items()}
            for name, log in dossier.logs.items()
        },
        "decisions": [_decision_to_dict(decision) for decision in dossier.decisions],
        "story": dossier.story,
    }


def dossier_from_dict(record: Mapping[str, Any]) -> Dossier:
    """Rebuild a dossier.

    Raises:
        WorldError: a field is missing, unknown or malformed; names it.
    """
    fields = _fields(
        record,
        "dossier",
        "id cell variables knowledge budget diagram mechanisms laws couplings rows logs "
        "decisions story",
    )
    return _guard("dossier", lambda: _dossier(fields))


def question_from_dict(record: Mapping[str, Any]) -> Question:
    """Rebuild a question from `Question.to_dict`.

    Raises:
        WorldError: a field is missing, unknown or malformed; names it.
    """
    fields = _fields(record, "question", "id query kind actions decision_id observation text")
    observation = fields["observation"]
    if fields["kind"] not in ("estimate", "bet", "act", "redo"):
        msg = f"question: kind {fields['kind']!r} does not exist; take estimate, bet, act or redo."
        raise WorldError(msg)
    return _guard(
        "question",
        lambda: Question(
            id=_text(fields["id"]),
            query=_text(fields["query"]),
            kind=fields["kind"],
            actions=_texts(fields["actions"]),
            decision_id=None if fields["decision_id"] is None else _text(fields["decision_id"]),
            observation=None
            if observation is None
            else {_text(k): _text(v) for k, v in observation.items()},
            text=_text(fields["text"]),
        ),
    )


def decision_from_dict(record: Mapping[str, Any]) -> Decision:
    """Rebuild a decision from `Decision.to_dict`, or from a dossier's record of it.

    Raises:
        WorldError: a field is missing, unknown or malformed; names it.
    """
    fields = _fields(record, "decision", "id mode actions utility observes given factual")
    if fields["mode"] not in {"bet", "act", "redo"}:
        msg = f"decision: mode {fields['mode']!r} does not exist; take bet, act or redo."
        raise WorldError(msg)
    given = fields["given"]
    given = list(given.items()) if isinstance(given, Mapping) else given
    return _guard(
        "decision",
        lambda: Decision(
            id=_text(fields["id"]),
            mode=fields["mode"],
            actions=_texts(fields["actions"]),
            utility=tuple((_number(weight), _text(event)) for weight, event in fields["utility"]),
            observes=_texts(fields["observes"]),
            given=None if given is None else tuple((_text(k), _text(v)) for k, v in given),
            factual=_text(fields["factual"]),
        ),
    )


def key_to_dict(key: Key) -> dict[str, Any]:
    """Return a key as JSON-ready values, its numbers to 12 digits."""
    certificate = key.certificate
    ends = certificate.bounds
    options = [[rounded(end) for end in option] for option in certificate.option_bounds]
    return {
        "question_id": key.question_id,
        "rung": key.rung,
        "truth": _short(key.truth),
        "readings": {name: _short(value) for name, value in key.readings.items()},
        "certificate": {
            "identified": certificate.identified,
            "proof": certificate.proof,
            "estimand": certificate.estimand,
            "bounds": None if ends is None else [rounded(end) for end in ends],
            "sharp": certificate.sharp,
            **({"option_bounds": options} if options else {}),
        },
        "values": [rounded(value) for value in key.values],
        "weight": rounded(key.weight),
        "floor": rounded(key.floor),
    }


def key_from_dict(record: Mapping[str, Any]) -> Key:
    """Rebuild a key.

    Raises:
        AnswerError: a field is missing, unknown or malformed; names it.
    """
    names = "question_id rung truth readings certificate values weight floor"
    fields = _fields(record, "key", names, AnswerError)
    parts = "identified proof estimand bounds sharp"
    proof = _fields(fields["certificate"], "key.certificate", parts, AnswerError, "option_bounds")
    return _guard(
        "key",
        lambda: Key(
            question_id=_text(fields["question_id"]),
            rung=_rung(fields["rung"]),
            truth=_value(fields["truth"]),
            readings={_text(name): _value(value) for name, value in fields["readings"].items()},
            certificate=Certificate(
                identified=_flag(proof["identified"]),
                proof=_text(proof["proof"]),
                estimand=_text(proof["estimand"]),
                bounds=None if proof["bounds"] is None else _ends(proof["bounds"]),
                sharp=_flag(proof["sharp"]),
                option_bounds=tuple(_ends(each) for each in proof.get("option_bounds", ())),
            ),
            values=tuple(_number(value) for value in fields["values"]),
            weight=_number(fields["weight"]),
            floor=_number(fields["floor"]),
        ),
        AnswerError,
    )


def _ends(value: Any) -> tuple[float, float]:
    low, high = value
    return _number(low), _number(high)


def _dossier(fields: dict[str, Any]) -> Dossier:
    variables = tuple(_variable(each, i) for i, each in enumerate(fields["variables"]))
    shape = tuple(len(variable.values or ()) for variable in variables)
    told = "regime shown assumptions"
    knowledge = _fields(fields["knowledge"], "dossier.knowledge", told, extra="manipulable")
    budget = _fields(fields["budget"], "dossier.budget", "rows interventions replays")
    rows = _fields(fields["rows"], "dossier.rows", "columns codes")
    real = bool(rows["codes"]) and any(variable.is_real for variable in variables)
    kind: type[Any] = np.float64 if real else np.int64  # a real variable's column holds its values
    codes = np.asarray(rows["codes"], dtype=kind).reshape(len(rows["codes"]), rows["columns"])
    return Dossier(
        id=_text(fields["id"]),
        cell=_text(fields["cell"]),
        variables=variables,
        knowledge=Knowledge(
            knowledge["regime"],
            knowledge["shown"],
            _texts(knowledge["assumptions"]),
            _texts(knowledge["manipulable"]) if "manipulable" in knowledge else None,
        ),
        budget=Budget(**{name: _count(value) for name, value in budget.items()}),
        diagram=None if fields["diagram"] is None else _diagram(fields["diagram"]),
        mechanisms=None if fields["mechanisms"] is None else _scm(fields["mechanisms"]),
        laws=tuple(_law(each, i, shape) for i, each in enumerate(fields["laws"])),
        couplings=tuple((_text(name), _text(coupling)) for name, coupling in fields["couplings"]),
        rows=codes,
        logs={_text(name): _log(log, name) for name, log in fields["logs"].items()},
        decisions=tuple(decision_from_dict(each) for each in fields["decisions"]),
        story=_text(fields["story"]),
    )


def _decision_to_dict(decision: Decision) -> dict[str, Any]:
    # Pairs, because the order of stated facts means something and sorted JSON keys would lose it.
    given = None if decision.given is None else [list(pair) for pair in decision.given]
    return {**decision.to_dict(), "given": given}


def _variable_to_dict(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "values": None if variable.values is None else list(variable.values),
        "hidden": variable.hidden,
        "numbers": None if variable.numbers is None else list(variable.numbers),
        "unit": variable.unit,
    }


def _variable(record: Mapping[str, Any], index: int) -> Variable:
    fields = _fields(record, f"dossier.variables[{index}]", "name values hidden numbers unit")
    values, numbers = fields["values"], fields["numbers"]
    return Variable(
        name=_text(fields["name"]),
        values=None if values is None else _texts(values),
        hidden=_flag(fields["hidden"]),
        numbers=None if numbers is None else tuple(_number(each) for each in numbers),
        unit=None if fields["unit"] is None else _text(fields["unit"]),
    )


def _diagram_to_dict(diagram: Diagram) -> dict[str, Any]:
    return {
        "nodes": list(diagram.nodes),
        "directed": sorted(list(edge) for edge in diagram.directed),
        "bidirected": sorted(list(edge) for edge in diagram.bidirected),
    }


def _diagram(record: Mapping[str, Any]) -> Diagram:
    fields = _fields(record, "dossier.diagram", "nodes directed bidirected")
    edges = {
        kind: [(_text(a), _text(b)) for a, b in fields[kind]] for kind in ("directed", "bidirected")
    }
    return Diagram(_texts(fields["nodes"]), edges["directed"], edges["bidirected"])


def _scm_to_dict(scm: SCM) -> dict[str, Any]:
    # Canonical JSON sorts keys; a list keeps the order in which variables are declared.
    return {"order": list(scm.names), "model": scm.to_dict()}


def _scm(record: Mapping[str, Any]) -> SCM:
    fields = _fields(record, "dossier.mechanisms", "order model")
    return SCM.from_dict(fields["model"]).reorder(_texts(fields["order"]))


def _law(record: Mapping[str, Any], index: int, shape: tuple[int, ...]) -> Law:
    fields = _fields(record, f"dossier.laws[{index}]", "do table")
    table = np.asarray(fields["table"], dtype=np.float64)
    if table.shape != shape or not np.isfinite(table).all():
        msg = f"dossier.laws[{index}].table has shape {table.shape}, not {shape}, or is not finite."
        raise WorldError(msg)
    return Law(tuple((_text(name), _text(value)) for name, value in fields["do"]), table)


def _log(record: Mapping[str, Any], name: str) -> dict[str, np.ndarray]:
    fields = _fields(record, f"dossier.logs.{name}", " ".join(_LOG_TYPES))
    log: dict[str, np.ndarray] = {
        field: np.asarray(fields[field], dtype=kind) for field, kind in _LOG_TYPES.items()
    }
    if len({len(array) for array in log.values()}) > 1:
        msg = f"dossier.logs.{name} has columns of unequal length; give one entry a row."
        raise WorldError(msg)
    return log


def _fields(
    record: Any,
    place: str,
    names: str,
    error: type[CausalBenchError] = WorldError,
    extra: str = "",
) -> dict[str, Any]:
    """Return the record as a dict with exactly the fields named, and perhaps the extra one."""
    if not isinstance(record, Mapping):
        msg = f"{place} is a {type(record).__name__}; it must be a mapping."
        raise error(msg)
    wanted = names.split()
    unknown = [str(name) for name in record if name not in (*wanted, extra)]
    missing = [name for name in wanted if name not in record]
    if unknown or missing:
        parts = [f"unknown field '{name}'" for name in unknown[:3]]
        parts += [f"field '{name}' is missing" for name in missing[:3]]
        msg = f"{place}: {'; '.join(parts)}; write exactly the fields {', '.join(wanted)}."
        raise error(msg)
    return dict(record)


def _guard(place: str, build: Callable[[], _T], error: type[CausalBenchError] = WorldError) -> _T:
    """Run a builder and turn whatever malformed content makes it raise into one clear line."""
    try:
        return build()
    except CausalBenchError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as problem:
        msg = f"{place} is malformed: {' '.join(str(problem).split())}; write what to_dict writes."
        raise error(msg) from None


def _short(value: float | str) -> float | str:
    return value if isinstance(value, str) else rounded(value)


def _value(value: Any) -> float | str:
    return value if isinstance(value, str) else _number(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        msg = f"{value!r} is not a finite number"
        raise ValueError(msg)
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        msg = f"{value!r} is not a whole number of 0 or more"
        raise ValueError(msg)
    return value


def _rung(value: Any) -> int:
    if isinstance(value, bool) or value not in {1, 2, 3}:
        msg = f"rung {value!r} does not exist"
        raise ValueError(msg)
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        msg = f"{value!r} is not text"
        raise TypeError(msg)
    return value


def _texts(values: Any) -> tuple[str, ...]:
    if isinstance(values, str) or not isinstance(values, Sequence):
        msg = f"{values!r} is not a list of texts"
        raise TypeError(msg)
    return tuple(_text(value) for value in values)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        msg = f"{value!r} is not true or false"
        raise TypeError(msg)
    return value
