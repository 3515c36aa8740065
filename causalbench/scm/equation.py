"""Turn an equation such as ``"a or b"`` into a deterministic mechanism, without ``eval``.

The grammar: names (in backticks where they are odd), ``and or not``, comparisons, ``+ - * %``,
``min`` and ``max``, ``... if ... else ...``, numbers, quoted labels, True and False. ``!=`` of two
truth values is exclusive or.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from causalbench.errors import WorldError, suggest
from causalbench.scm.mechanism import MAX_CELLS, Mechanism

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from causalbench.scm.variable import Variable

__all__ = ["MAX_EQUATION", "equation_mechanism"]

MAX_EQUATION = 2000
Array = NDArray[Any]
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Mod: np.mod,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


@dataclass(frozen=True)
class _Value:
    """A value at every parent row: truth, number, or the code of a variable or label."""

    kind: str  # "truth", "number", "variable" or "label"
    array: Array
    variable: Variable | None = None
    label: str = ""


def equation_mechanism(variables: Mapping[str, Variable], target: str, text: str) -> Mechanism:
    """Return the deterministic mechanism of an equation; its parents are the names it has.

    A truth value gives a binary variable's first value if false and its last if true; a number
    finds the value with that number, or that label; a label or a variable finds its label.

    Args:
        variables: all of the world's, hidden ones too.
        target: the variable on the left.
        text: the right-hand side.

    Raises:
        WorldError: what stands there is not allowed, or gives no value of the target.
    """
    if len(text) > MAX_EQUATION:
        raise WorldError(f"equation has {len(text)} characters, over {MAX_EQUATION}; use a table")
    source, odd = _unquote(text)
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = getattr(error, "offset", None) or 1
        raise WorldError(f"equation '{text}': cannot be read at column {column}") from None
    reader = _Reader(variables, target, text, odd)
    try:
        reader.find_parents(tree)
        value = reader.read(tree)
    except RecursionError:
        raise WorldError("equation is nested too deep; use a table") from None
    codes = np.broadcast_to(reader.codes(value), reader.shape)
    return Mechanism(tuple(reader.parents), np.ones(1), codes[None].copy())


class _Reader:
    """Walks the tree; every node becomes a value at all parent rows at once."""

    def __init__(
        self, variables: Mapping[str, Variable], target: str, text: str, odd: Mapping[str, str]
    ) -> None:
        self.variables, self.target, self.text, self.odd = variables, variables[target], text, odd
        self.parents: list[str] = []
        self.shape: tuple[int, ...] = ()

    def fail(self, why: str, node: ast.AST | None = None) -> WorldError:
        column = getattr(node, "col_offset", None)
        where = "" if column is None else f" at column {column + 1}"
        return WorldError(f"equation '{self.text}'{where}: {why}")

    def find_parents(self, tree: ast.expr) -> None:
        if self.target.is_real:
            raise self.fail(f"'{self.target.name}' is real; give 'linear'")
        calls = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        names = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in calls]
        for node in sorted(names, key=lambda n: (n.lineno, n.col_offset)):
            name = self.odd.get(node.id, node.id)
            if name not in self.variables:
                hint = suggest(name, self.variables)
                raise self.fail(f"there is no variable '{name}' (labels take quotes).{hint}", node)
            if self.variables[name].is_real:
                raise self.fail(f"'{name}' is real; equations take discrete parents", node)
            if name not in self.parents:
                self.parents.append(name)
        self.shape = tuple(self.variables[name].cardinality for name in self.parents)
        if math.prod(self.shape) > MAX_CELLS:
            raise self.fail("the table would have over 1e7 cells; use fewer parents")

    def read(self, node: ast.expr) -> _Value:  # noqa: C901, PLR0911  (one line a kind of node)
        if isinstance(node, ast.Name):
            name = self.odd.get(node.id, node.id)
            axis = self.parents.index(name)
            size = [1] * len(self.shape)
            size[axis] = self.shape[axis]
            codes = np.arange(self.shape[axis]).reshape(size)
            return _Value("variable", codes, self.variables[name])
        if isinstance(node, ast.Constant):
            return self.constant(node)
        if isinstance(node, ast.BoolOp):
            parts = [self.truth(self.read(part), part) for part in node.values]
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            result: Array = parts[0]
            for part in parts[1:]:
                result = join(result, part)
            return _Value("truth", result)
        if isinstance(node, ast.UnaryOp):
            return self.unary(node)
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            left = self.number(self.read(node.left), node.left)
            right = self.number(self.read(node.right), node.right)
            if isinstance(node.op, ast.Mod) and (right == 0).any():
                raise self.fail("'%' by a number that can be 0", node)
            return _Value("number", _ARITHMETIC[type(node.op)](left, right))
        if isinstance(node, ast.Compare):
            return self.compare(node)
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.IfExp):
            test = self.truth(self.read(node.test), node.test)
            yes, no = (self.codes(self.read(part)) for part in (node.body, node.orelse))
            return _Value("variable", np.where(test, yes, no), self.target)
        kind = type(getattr(node, "op", node)).__name__
        raise self.fail(
            f"{kind} is not allowed; use and, or, not, comparisons, + - * %, min, max", node
        )

    def constant(self, node: ast.Constant) -> _Value:
        value = node.value
        if isinstance(value, bool):
            return _Value("truth", np.array(value))
        if isinstance(value, int | float) and abs(value) < 2**53:
            return _Value("number", np.array(float(value)))
        if isinstance(value, str):
            return _Value("label", np.array(0), None, value)
        raise self.fail(f"{str(value)[:40]} is not allowed here", node)

    def unary(self, node: ast.UnaryOp) -> _Value:
        value = self.read(node.operand)
        if isinstance(node.op, ast.Not):
            return _Value("truth", ~self.truth(value, node.operand))
        if isinstance(node.op, ast.USub):
            return _Value("number", -self.number(value, node.operand))
        raise self.fail("this sign is not allowed; use not or -", node)

    def call(self, node: ast.Call) -> _Value:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in {"min", "max"} or node.keywords or len(node.args) < 2:  # noqa: PLR2004
            raise self.fail("only min(a, b, ...) and max(a, b, ...) may be called", node)
        parts = [self.number(self.read(part), part) for part in node.args]
        join = np.minimum if name == "min" else np.maximum
        result: Array = parts[0]
        for part in parts[1:]:
            result = join(result, part)
        return _Value("number", result)

    def compare(self, node: ast.Compare) -> _Value:
        parts = [node.left, *node.comparators]
        values = [self.read(part) for part in parts]
        result: Array = np.array(True)  # noqa: FBT003
        for i, op in enumerate(node.ops):
            if type(op) not in _COMPARE:
                raise self.fail(f"{type(op).__name__} is not allowed; use = != < <= > >=", node)
            left, right = self.comparable(values[i], values[i + 1], op, node)
            result = np.logical_and(result, _COMPARE[type(op)](left, right))
        return _Value("truth", result)

    def comparable(
        self, left: _Value, right: _Value, op: ast.cmpop, node: ast.AST
    ) -> tuple[Array, Array]:
        """Bring two values to one kind: labels, truth or numbers."""
        equality = isinstance(op, ast.Eq | ast.NotEq)
        for one, other, turned in ((left, right, False), (right, left, True)):
            if one.kind == "label" and other.variable is not None:
                if not equality:
                    raise self.fail("labels have no order; compare with == or !=", node)
                code = np.array(other.variable.code(one.label))
                return (code, other.array) if turned else (other.array, code)
        both = (left.variable, right.variable)
        if equality and both[0] is not None and both[1] is not None:
            if both[0].values == both[1].values:
                return left.array, right.array
            if _has_numbers(both[0]) and _has_numbers(both[1]):
                return self.number(left, node), self.number(right, node)
        if equality and self.has_truth(left) and self.has_truth(right):
            return self.truth(left, node), self.truth(right, node)
        return self.number(left, node), self.number(right, node)

    def has_truth(self, value: _Value) -> bool:
        if value.variable is not None:
            return value.variable.cardinality == 2  # noqa: PLR2004
        return value.kind == "truth"

    def truth(self, value: _Value, node: ast.AST) -> Array:
        if not self.has_truth(value):
            what = f"'{value.variable.name}'" if value.variable else f"a {value.kind}"
            raise self.fail(f"{what} is neither true nor false; compare it with a value", node)
        return value.array.astype(bool)

    def number(self, value: _Value, node: ast.AST) -> Array:
        if value.kind in {"number", "truth"}:
            return value.array.astype(np.float64)
        if value.variable is None:
            raise self.fail(f"the label '{value.label}' is no number", node)
        numbers = _numbers(value.variable)
        if numbers is None:
            raise self.fail(f"'{value.variable.name}' has no 'numbers'; add them", node)
        return np.array(numbers)[value.array]

    def codes(self, value: _Value) -> Array:
        """Return the target's codes that a value stands for."""
        target, card = self.target, self.target.cardinality
        labels = target.labels
        if value.kind == "label":
            if value.label not in labels:
                hint = suggest(value.label, labels)
                raise self.fail(f"'{target.name}' has no value '{value.label}'.{hint}")
            return np.array(labels.index(value.label))
        if value.variable is not None and set(value.variable.labels) <= set(labels):
            return np.array([labels.index(label) for label in value.variable.labels])[value.array]
        if value.kind == "truth" or (value.kind == "variable" and self.has_truth(value)):
            if card != 2:  # noqa: PLR2004
                raise self.fail(f"it is true or false, but '{target.name}' has {card} values")
            return value.array.astype(np.int64)
        wanted = self.number(value, ast.Constant(0))
        numbers = _numbers(target)
        if numbers is None:
            raise self.fail(f"it gives numbers, but '{target.name}' has no 'numbers'; add them")
        distance = np.abs(wanted[..., None] - np.array(numbers))
        found: Array = distance.argmin(axis=-1)
        missing = distance.min(axis=-1) > 1e-9 * np.maximum(1, np.abs(wanted))
        if missing.any():
            raise self.fail(f"it can give {wanted[missing].flat[0]:g}, no value of '{target.name}'")
        return found


def _has_numbers(variable: Variable) -> bool:
    return _numbers(variable) is not None


def _numbers(variable: Variable) -> tuple[float, ...] | None:
    """Return a variable's numbers, or its labels read as numbers if all of them are."""
    if variable.numbers is not None:
        return variable.numbers
    try:
        numbers = tuple(float(label) for label in variable.labels)
    except ValueError:
        return None
    return numbers if all(math.isfinite(number) for number in numbers) else None


def _unquote(text: str) -> tuple[str, dict[str, str]]:
    """Replace names in backticks by plain ones of the same length, where that is possible."""
    odd: dict[str, str] = {}

    def put(match: re.Match[str]) -> str:
        plain = f"_odd{len(odd)}".ljust(len(match[0]), "_")
        odd[plain] = match[1]
        return plain

    return re.sub(r"`([^`]+)`", put, text), odd
