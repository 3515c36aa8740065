"""Turn counterfactual terms into the fewest nodes of parallel worlds that share their noise.

A node is a variable together with what its parents are: other nodes, or constants. Two worlds in
which a variable's parents are the same nodes share one node for it, so worlds are merged above
their interventions; evidence that fixes a node turns it into a constant for its children, and
merges further. Noise never becomes a node: the copies of a variable share one kernel.

Reference: Shpitser and Pearl (2007), the counterfactual graph; here nodes are merged by what
they read, which needs no twin network to start from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.errors import QueryError
from causalbench.query.ast import Term

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from causalbench.truth.structure import Structure

__all__ = ["Worlds", "misplaced"]


def misplaced(name: str, other: str) -> QueryError:
    """Return the error for a variable that is forced to the value of another one."""
    return QueryError(
        f"'{name}' cannot be forced to a value of '{other}'; "
        f"nest a value of '{name}' itself, e.g. {name}={name}[...]."
    )


# A reference is a node's number (>= 0) or ~code of a constant (< 0).


class Worlds:
    """The nodes that some terms need.

    Attributes:
        variables: per node, the position of its variable; parents come before children.
        references: per node, one reference per parent.
        fixed: per node that evidence leaves one value, its code.
        masks: per node that evidence narrows to several values, their codes.
        impossible: whether the evidence contradicts itself by its form alone.
    """

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.variables: list[int] = []
        self.references: list[tuple[int, ...]] = []
        self.fixed: dict[int, int] = {}
        self.masks: dict[int, frozenset[int]] = {}
        self.impossible = False
        self._known: dict[tuple[int, tuple[int, ...]], int] = {}
        self._same: list[int] = []

    def reference(self, term: Term) -> int:
        """Return the reference of a term, adding the nodes that it needs.

        Raises:
            UnknownNameError: a variable or value that the world does not have.
            QueryError: a variable forced to the value of another one.
        """
        structure = self.structure
        target = structure.position(term.variable)
        forced: dict[int, int] = {}
        for name, setting in term.subscript:
            position = structure.position(name)
            if isinstance(setting, Term):
                if setting.variable != name:
                    raise misplaced(name, setting.variable)
                forced[position] = self.reference(setting)
            else:
                forced[position] = ~structure.code(position, setting)
        return self._natural(target, forced)

    def _natural(self, target: int, forced: dict[int, int]) -> int:
        if target in forced:
            return forced[target]
        parents = self.structure.parents
        needed, stack = {target}, [target]
        while stack:
            for parent in parents[stack.pop()]:
                if parent not in needed and parent not in forced:
                    needed.add(parent)
                    stack.append(parent)
        found = dict(forced)
        for position in sorted(needed):
            found[position] = self._node(position, tuple(found[p] for p in parents[position]))
        return found[target]

    def _node(self, position: int, references: tuple[int, ...]) -> int:
        if self.structure.cards[position] == 1:
            return ~0
        key = (position, references)
        node = self._known.get(key)
        if node is None:
            node = self._known[key] = len(self.variables)
            self.variables.append(position)
            self.references.append(references)
        return node

    def observe(self, evidence: Iterable[tuple[int, frozenset[int]]]) -> None:
        """Take in evidence: each reference's code is one of the given ones. Call once, last."""
        allowed: dict[int, frozenset[int]] = {}
        for reference, codes in evidence:
            if reference < 0:
                self.impossible = self.impossible or ~reference not in codes
            else:
                allowed[reference] = allowed.get(reference, codes) & codes
        self._same = list(range(len(self.variables)))
        while self._merge(allowed):
            pass
        for node, codes in allowed.items():
            self.impossible = self.impossible or not codes
            if len(codes) == 1:
                (self.fixed[node],) = codes
            elif len(codes) < self.structure.cards[self.variables[node]]:
                self.masks[node] = codes

    def _merge(self, allowed: dict[int, frozenset[int]]) -> bool:
        """Merge nodes made equal by the evidence; say whether anything changed."""
        constant = {node: ~next(iter(codes)) for node, codes in allowed.items() if len(codes) == 1}
        seen: dict[tuple[int, tuple[int, ...]], int] = {}
        changed = False
        for node, position in enumerate(self.variables):
            if self._same[node] != node:
                continue
            references = tuple(
                ref if ref < 0 else constant.get(self._same[ref], self._same[ref])
                for ref in self.references[node]
            )
            self.references[node] = references
            first = seen.setdefault((position, references), node)
            if first != node:
                self._same = [first if same == node else same for same in self._same]
                changed = True
                if node in allowed:
                    codes = allowed.pop(node)
                    allowed[first] = allowed.get(first, codes) & codes
        return changed

    def settle(self, reference: int) -> int:
        """Return what a reference is after the evidence: a node, or ~code."""
        if reference < 0:
            return reference
        node = self._same[reference]
        return ~self.fixed[node] if node in self.fixed else node

    def needed(self, references: Sequence[int]) -> list[int]:
        """Return the nodes on which the references and the evidence depend, parents first."""
        return sorted(self.reached([*references, *self.fixed, *self.masks]))

    def reached(self, references: Iterable[int]) -> set[int]:
        """Return the nodes on which the references depend, themselves included."""
        stack = [ref for ref in references if ref >= 0]
        found = set(stack)
        while stack:
            for ref in self.references[stack.pop()]:
                if ref >= 0 and ref not in found:
                    found.add(ref)
                    stack.append(ref)
        return found
