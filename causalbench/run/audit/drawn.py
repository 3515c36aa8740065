"""Turn the diagram that a dossier shows into numbers about the variables that are asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.graph import Diagram
    from causalbench.run.audit.roles import Part
    from causalbench.task.types import Dossier

__all__ = ["Drawing", "shown_diagram"]

_ENDS = (("x", "y"), ("x", "m"), ("m", "y"), ("z", "x"), ("z", "y"), ("z", "m"))
_ROLES = ("y", "x", "m", "z")
_NONE = -1.0
_MANY = 99.0  # paths beyond it are counted as so many
Numbers = dict[str, float]


def shown_diagram(dossier: Dossier) -> Diagram | None:
    """Return the diagram over visible variables that is shown; mechanisms show it too."""
    if dossier.diagram is not None:
        return dossier.diagram
    return None if dossier.mechanisms is None else dossier.mechanisms.diagram


class Drawing:
    """What can be counted in a diagram.

    Args:
        dossier: one that shows a diagram, or mechanisms.
        diagram: the diagram.
    """

    def __init__(self, dossier: Dossier, diagram: Diagram) -> None:
        names = list(dossier.names)
        self._place = {name: place for place, name in enumerate(names)}
        size = len(names)
        self.edges = np.zeros((size, size), dtype=np.int64)
        self.bows = np.zeros((size, size), dtype=np.int64)
        for tail, head in diagram.directed:
            self.edges[self._place[tail], self._place[head]] = 1
        for one, two in diagram.bidirected:
            first, second = self._place[one], self._place[two]
            self.bows[first, second] = self.bows[second, first] = 1
        self.paths, self.distance = _walks(self.edges)
        self.reach = self.distance >= 0
        self._districts = {
            self._place[name]: len(part) for part in diagram.c_components() for name in part
        }
        self._whole = self._count(dossier)

    def around(self, part: Part) -> Numbers:
        """Describe the whole diagram, and how the parts of a question stand in it."""
        numbers = dict(self._whole)
        places = {role: self._place.get(getattr(part, role), -1) for role in _ROLES}
        for role, place in places.items():
            numbers |= self._node(role, place)
        for tail, head in _ENDS:
            numbers |= self._between(f"{tail}, {head}", places[tail], places[head])
        return numbers

    def _count(self, dossier: Dossier) -> Numbers:
        full = dossier.mechanisms
        return {
            "edges": float(self.edges.sum()),
            "bows": float(self.bows.sum() / 2),
            "roots": float((self.edges.sum(axis=0) == 0).sum()),
            "leaves": float((self.edges.sum(axis=1) == 0).sum()),
            "most causes": float(self.edges.sum(axis=0).max(initial=0)),
            "longest distance": float(self.distance.max(initial=0)),
            "pairs that reach": float(self.reach.sum() - len(self.reach)),
            "largest district": float(max(self._districts.values(), default=0)),
            "hidden": float(len(full.hidden)) if full is not None else _NONE,
            "arrows of all": (
                float(sum(len(full.parents(name)) for name in full.names))
                if full is not None
                else _NONE
            ),
        }

    def _node(self, role: str, place: int) -> Numbers:
        here = place >= 0
        return {
            f"{role}: causes": float(self.edges[:, place].sum()) if here else _NONE,
            f"{role}: effects": float(self.edges[place].sum()) if here else _NONE,
            f"{role}: bows": float(self.bows[place].sum()) if here else _NONE,
            f"{role}: before": float(self.reach[:, place].sum()) if here else _NONE,
            f"{role}: after": float(self.reach[place].sum()) if here else _NONE,
            f"{role}: district": float(self._districts[place]) if here else _NONE,
        }

    def _between(self, ends: str, tail: int, head: int) -> Numbers:
        if min(tail, head) < 0 or tail == head:
            values = (_NONE,) * 10
        else:
            bow = self.bows[tail, head]
            middles = self.edges[tail] * self.edges[:, head]
            causes = self.edges[:, tail] * self.edges[:, head]
            levers = self.edges[:, tail] * (1 - self.edges[:, head]) * (1 - self.bows[:, head])
            values = (
                float(self.edges[tail, head]),
                float(self.edges[head, tail]),
                float(bow),
                float(self.distance[tail, head]),
                float(self.distance[head, tail]),
                min(_MANY, float(self.paths[tail, head])),
                float(middles.sum()),
                float(causes.sum()),
                float(bow * levers.sum()),
                float(((self.reach[:, tail]) & (self.reach[:, head])).sum()),
            )
        kinds = (
            "edge",
            "edge back",
            "bow",
            "distance",
            "distance back",
            "paths",
            "mediators",
            "common causes",
            "levers under a bow",
            "common ancestors",
        )
        return {f"{ends}: {kind}": value for kind, value in zip(kinds, values, strict=True)}


def _walks(edges: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Count directed paths and the fewest edges between any two variables, -1 where none lead."""
    size = len(edges)
    step = edges.astype(np.float64)
    power, paths = np.eye(size), np.zeros((size, size))
    distance = np.where(np.eye(size, dtype=bool), 0, -1)
    for length in range(1, size):
        power = np.minimum(power @ step, 1e9)
        if not power.any():
            break
        distance[(power > 0) & (distance < 0)] = length
        paths += power
    return paths, distance
