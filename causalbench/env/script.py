"""Write a plan out as straight-line Python, for stepping one copy without arrays.

Each mechanism becomes one line of nested lookups, such as ``v4=T1_4[v0][b2][n4]``: v are values of
the step, b those of the step before, e the early values of the next step and m its natural ones, n
noise codes, and k those of the next step's natural course. Only what reaches an observation, a
reward or an end is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from causalbench.env.plan import Pay, Plan

__all__ = ["Script", "written"]

_DEEP = 4096  # cells up to which a table is nested tuples; beyond, a flat one takes less room

State = tuple[int, ...]
Key = tuple[int, ...]


class Script(NamedTuple):
    """The compiled functions of a plan.

    Args:
        begin: (state, noise) -> (state, key): the first step, opened.
        turns: of the first and of a later step: (action, state, noise, whether it is the last) ->
            (reward, whether the episode is over, state, key).
        late: the positions whose noise comes first in a row of noise: of the step that is finished.
        early: those whose noise follows: of the step that is opened.
        natural: those whose noise is last: also of that step, for its natural course.
        start: the state before the first step.
        source: the text, for readers.
    """

    begin: Callable[[State, Sequence[int]], tuple[State, Key]]
    turns: tuple[Callable[..., tuple[float, bool, State, Key]], ...]
    late: tuple[int, ...]
    early: tuple[int, ...]
    natural: tuple[int, ...]
    start: State
    source: str


def written(plan: Plan) -> Script:
    """Write a plan out and compile it.

    A state is the values of the positions that count, then earlier values that late mechanisms
    read. A key is what an observation shows in the places of the play's observed variables.
    """
    return _Writer(plan).script()


class _Writer:
    def __init__(self, plan: Plan) -> None:
        self.plan, self.size = plan, len(plan.order)
        self.names: dict[str, Any] = {}
        self.counts = self._counting()
        self.noisy = tuple(p for p in self.counts if plan.words[p] >= 0)
        self.noise = (
            tuple(p for p in self.noisy if p >= plan.early),
            tuple(p for p in self.noisy if p < plan.early),
            tuple(p for p in self.noisy if plan.intends[p]),
        )
        late = [p for p in self.counts if p >= plan.early]
        read = {q - self.size for p in late for q in self._parents(1, p) if q >= self.size}
        self.before = sorted(read)

    def script(self) -> Script:
        blocks = [self._begin(), self._turn(0), self._turn(1)]
        source = "\n".join(blocks)
        for slice_ in (0, 1):
            for position in self.counts:
                self.names[f"T{slice_}_{position}"] = self._table(slice_, position)
        for group, pay in enumerate(self.plan.pay):
            self.names[f"R{group}"] = _pay_table(pay)
        if self.plan.ends is not None:
            self.names["Z"] = _pay_table(self.plan.ends)
        space = dict(self.names)
        # The text is made here of whole numbers alone; nothing of a world's wording reaches it.
        exec(compile(source, "<plan>", "exec"), space)  # noqa: S102
        turns = (space["turn0"], space["turn1"])
        start = (0,) * (len(self.counts) + len(self.before))
        return Script(space["begin"], turns, *self.noise, start, source)

    def _counting(self) -> list[int]:
        """Return the positions that what is shown, paid or ended depends on, in order."""
        plan, size = self.plan, self.size
        wanted = {int(p) for p in plan.position[plan.program.seen]}
        for pay in (*plan.pay, *([plan.ends] if plan.ends is not None else [])):
            wanted |= {int(p) for p in pay.positions}
        todo = list(wanted)
        while todo:
            position = todo.pop()
            parents = {q % size for k in (0, 1) for q in self._parents(k, position)}
            todo += parents - wanted
            wanted |= parents
        return sorted(wanted)

    def _parents(self, slice_: int, position: int) -> list[int]:
        return [int(p) for p in self.plan.lines[slice_][position].parents]

    def _line(self, slice_: int, position: int) -> Any:
        program, slot = self.plan.program, int(self.plan.order[position])
        return (program.later if slice_ and program.horizon > 1 else program.first)[slot]

    def _forced(self, position: int) -> bool:
        return bool((self.plan.force[:, position] >= 0).any())

    def _table(self, slice_: int, position: int) -> Any:
        """Return [action if it can set it][parents...][noise], nested, or flat where it is big."""
        line = self._line(slice_, position)
        cards = self._cards(slice_, position)
        table = line.table.T.reshape(*cards, len(line.noise))
        free = _nested(table) if line.table.size <= _DEEP else table.ravel().tobytes()
        if not self._forced(position):
            return free
        forces = self.plan.force[:, position].tolist()
        whole = [free if code < 0 else self._constant(table, code) for code in forces]
        return (*whole, free)  # the last is nature

    def _constant(self, table: NDArray[np.uint8], code: int) -> Any:
        if table.size > _DEEP:
            return bytes([code]) * table.size
        return _nested(np.full(table.shape, code, dtype=np.uint8))

    def _cards(self, slice_: int, position: int) -> list[int]:
        cards = self.plan.program.cards[self.plan.order]
        return [int(cards[p % self.size]) for p in self._parents(slice_, position)]

    def _look(
        self, slice_: int, position: int, name: Callable[[int], str], action: str, noise: str = "n"
    ) -> str:
        """Return the lookup of one mechanism."""
        line = self._line(slice_, position)
        head = f"T{slice_}_{position}" + (f"[{action}]" if self._forced(position) else "")
        noise = f"{noise}{position}" if position in self.noisy and len(line.noise) > 1 else "0"
        parents = [name(p) for p in self._parents(slice_, position)]
        if line.table.size <= _DEEP:
            return head + "".join(f"[{index}]" for index in [*parents, noise])
        cards = [*self._cards(slice_, position), len(line.noise)]
        return head + f"[{_flat([*parents, noise], cards)}]"

    def _early(self, slice_: int, old: str) -> list[str]:
        """Return the lines that open a step: its early values, and natural ones."""
        plan, size = self.plan, self.size
        nature = str(len(plan.force))

        def early(p: int) -> str:
            return f"{old}{p - size}" if p >= size else f"e{p}"

        def natural(p: int) -> str:
            return f"m{p}" if plan.early <= p < size else early(p)

        lines = [
            f"e{p}={self._look(slice_, p, early, nature)}" for p in self.counts if p < plan.early
        ]
        shown = [p for p in self.counts if plan.intends[p]]
        return lines + [f"m{p}={self._look(slice_, p, natural, nature, 'k')}" for p in shown]

    def _begin(self) -> str:
        start = 1 if self.plan.regime == "replay" else 0
        state = self._state(lambda _: "0")
        body = [
            self._unpack([f"v{p}" for p in self.counts], f"s[:{len(self.counts)}]"),
            self._unpack(self._noise(), "n"),
            *self._early(0, "v"),
            f"return {state},{self._key(start)}",
        ]
        return _function("begin(s,n)", body)

    def _turn(self, slice_: int) -> str:
        plan = self.plan

        def present(p: int) -> str:
            return f"b{p - self.size}" if p >= self.size else f"v{p}"

        late = [
            f"v{p}={self._look(slice_, p, present, 'a')}" for p in self.counts if p >= plan.early
        ]
        values = [f"v{p}" for p in self.counts]
        offset = repr(plan.offset) if slice_ == 0 else "0.0"
        paid = "+".join([offset, *(self._paid(f"R{g}", pay) for g, pay in enumerate(plan.pay))])
        over = "last" if plan.ends is None else f"last or {self._paid('Z', plan.ends)}"
        ended = f"{_tuple([*values, *(['0'] * len(self.before))])},{self._key(2)}"
        body = [
            self._unpack([*values, *(f"b{p}" for p in self.before)], "s"),
            self._unpack(self._noise(), "n"),
            *late,
            f"r={paid}",
            f"if {over}:return r,True,{ended}",
            *self._early(1, "v"),
            f"return r,False,{self._state(lambda p: f'v{p}')},{self._key(1)}",
        ]
        return _function(f"turn{slice_}(a,s,n,last)", body)

    def _noise(self) -> list[str]:
        late, early, natural = self.noise
        return [*(f"n{p}" for p in (*late, *early)), *(f"k{p}" for p in natural)]

    def _state(self, before: Callable[[int], str]) -> str:
        now = [f"e{p}" if p < self.plan.early else f"v{p}" for p in self.counts]
        return _tuple([*now, *(before(p) for p in self.before)])

    def _key(self, kind: int) -> str:
        """Return what an observation shows, in the order of the observed places."""
        plan, size = self.plan, self.size
        shown = []
        for place, at in ((p, int(plan.maps[kind, p])) for p in plan.program.places):
            if at >= 3 * size:
                shown.append(str(int(plan.nvec[place]) - 1))
            elif at >= 2 * size:
                shown.append(f"m{at - 2 * size}")
            else:
                shown.append(f"e{at}" if at < plan.early and kind < 2 else f"v{at}")  # noqa: PLR2004
        return _tuple(shown)

    def _paid(self, table: str, pay: Pay) -> str:
        index = [*(["a"] if pay.action else []), *(f"v{p}" for p in pay.positions)]
        if not index:
            return f"{table}[0]"
        if len(pay.table) <= _DEEP:
            return table + "".join(f"[{name}]" for name in index)
        cards = [int(self.plan.program.cards[self.plan.order[p]]) for p in pay.positions]
        if pay.action:
            cards = [len(self.plan.program.play.actions), *cards]
        return f"{table}[{_flat(index, cards)}]"

    @staticmethod
    def _unpack(names: Sequence[str], of: str) -> str:
        return f"{','.join(names)},={of}" if names else "pass"


def _function(head: str, body: Iterable[str]) -> str:
    return "\n ".join([f"def {head}:", *body])


def _tuple(parts: Sequence[str]) -> str:
    return "(" + "".join(f"{part}," for part in parts) + ")"


def _flat(index: Sequence[str], cards: Sequence[int]) -> str:
    """Return a row-major index."""
    text = index[0]
    for name, card in zip(index[1:], cards[1:], strict=True):
        text = f"({text})*{card}+{name}"
    return text


def _nested(array: NDArray[Any]) -> Any:
    """Return an array as tuples of tuples of Python numbers."""

    def fixed(part: Any) -> Any:
        return tuple(fixed(inner) for inner in part) if isinstance(part, list) else part

    return fixed(array.tolist())


def _pay_table(pay: Pay) -> Any:
    """Return [action][values...] where the action matters; at the end, nature is paid nothing."""
    table = np.concatenate([pay.table, np.zeros(pay.action)])
    if len(pay.table) > _DEEP:
        return tuple(table.tolist())
    cards, size = [], pay.action or len(table)
    for stride in pay.strides.tolist():
        cards.append(size // stride)
        size = stride
    return _nested(table.reshape([-1, *cards] if pay.action else cards or [1]))
