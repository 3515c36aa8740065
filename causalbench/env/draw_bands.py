"""Sort what an agent sees into two bands: the step just played, and the one before it now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from causalbench.scm.process import BEFORE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.env.picture import Picture
    from causalbench.scm.program import Program

__all__ = ["Band", "Node", "bands", "caption", "plain_bands", "twofold"]

Edge = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Node:
    """A variable of a band.

    Args:
        name: which.
        value: its label where it is known, else None.
        natural: the natural value that was or is shown of it, where its action is set apart.
        cut: whether the action has set it, in place of its causes.
        choice: whether the coming action may set it.
        hidden: whether nobody sees it.
        blank: whether the band has no step, so that nothing is to be said of it.
    """

    name: str
    value: str | None
    natural: str | None
    cut: bool
    choice: bool
    hidden: bool
    blank: bool

    @property
    def text(self) -> str:
        """What is written under the name."""
        if self.hidden or self.blank:
            return ""
        if self.cut:
            other = self.natural is not None and self.natural != self.value
            return f"set {self.value}, not {self.natural}" if other else f"set {self.value}"
        if self.natural is not None:
            return f"nature: {self.natural}"
        return "?" if self.value is None else self.value


@dataclass(frozen=True, slots=True)
class Band:
    """One step: its variables, and the arrows that end in it.

    Args:
        title: such as ``"step 2, played"``.
        nodes: by name, causes before effects.
        edges: within the step.
        before: from the step before it, (cause, effect).
        live: whether there is such a step.
    """

    title: str
    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]
    before: tuple[Edge, ...]
    live: bool


def twofold(program: Program, regime: str) -> bool:
    """Tell whether a drawing has two bands: not where there is one step, played once."""
    return program.horizon > 1 or regime == "replay"


def bands(picture: Picture) -> tuple[Band, ...]:
    """Return the bands of a picture: the step just played, then the one to come; or one band.

    What no action of a step can change is seen at its beginning, and the rest at its end; so the
    present observation fills a part of either band, and the one before it the rest of the upper.
    """
    played, coming = _played(picture), _coming(picture)
    if twofold(picture.program, picture.regime):
        return played, coming
    return (played if picture.step else coming,)


def plain_bands(program: Program) -> tuple[Band, ...]:
    """Return the bands of a process at any time, with no values."""
    found = []
    for place in range(2 if program.horizon > 1 else 1):
        nodes = {
            name: Node(
                name,
                "",  # nothing is written under the name
                None,
                cut=False,
                choice=bool(program.forced[program.slot[name]]),
                hidden=program.process.variable(name).hidden,
                blank=False,
            )
            for name in program.names
        }
        title = "the next step" if place else "a step" if program.horizon > 1 else "the step"
        edges = _edges(program, 2 if program.horizon > 1 else 1)
        found.append(Band(title, nodes, edges, _before(program, 1 + place), live=True))
    return tuple(found)


def caption(picture: Picture) -> tuple[str, str]:
    """Return two lines: where the episode stands, and what was done last."""
    where = f"regime {picture.regime} | step {picture.step} of {picture.horizon}"
    done = ", ".join(f"{name} = {label}" for name, label in picture.set.items())
    if picture.watching:
        last = "nature acts, you watch"
    elif picture.step == 0:
        last = "no action yet"
    elif picture.program.play.mode == "bet":
        last = "a bet was placed, which changes nothing"
    else:
        last = f"the last action set {done}" if done else "the last action set nothing"
    return f"{where} | return so far {picture.paid:.3f}", last


def _played(picture: Picture) -> Band:
    """Return the last step that was played or watched."""
    program, step = picture.program, picture.step
    again = picture.regime == "replay" and not picture.watching and step == 0
    values: dict[str, str | None] = {}
    natural: dict[str, str] = {}
    for name in program.play.observes:
        early = bool(program.early[program.slot[name]])
        shown = picture.regime in {"see", "intent"} and bool(program.forced[program.slot[name]])
        # Where it was one step long, the second course begins as the watched one did.
        current = picture.over or not (early or shown) or (again and program.horizon == 1)
        values[name] = picture.values.get(name) if current else picture.earlier.get(name)
        told = picture.earlier.get(name)
        if shown and told is not None:
            natural[name] = told
    live = step > 0 or again
    title = "before the first step"
    if again:
        title = "watched, last step"
    elif live:
        title = f"step {step}, {'watched' if picture.watching else 'played'}"
    nodes = {}
    for name in program.names:
        cut = live and name in picture.set
        nodes[name] = Node(
            name,
            picture.set[name] if cut else values.get(name),
            natural.get(name) if cut else None,
            cut=cut,
            choice=False,
            hidden=program.process.variable(name).hidden,
            blank=not live,
        )
    step = program.horizon if again else step
    return Band(title, nodes, _edges(program, step), _before(program, step), live)


def _coming(picture: Picture) -> Band:
    """Return the step that is to be decided or watched."""
    program = picture.program
    step, live = picture.step + 1, not (picture.over or picture.step >= picture.horizon)
    again = picture.regime == "replay" and not picture.watching and step == 1
    title = "over"
    if live:
        title = f"step {step}, {'to watch' if picture.watching else 'to decide'}"
        title = "step 1, same unit" if again else title
    nodes = {}
    for name in program.names:
        slot = program.slot[name]
        seen = bool(program.early[slot]) and name in program.play.observes
        nodes[name] = Node(
            name,
            picture.values.get(name) if seen else None,
            picture.natural.get(name),
            cut=False,
            choice=bool(program.forced[slot]) and not picture.watching,
            hidden=program.process.variable(name).hidden,
            blank=not live,
        )
    before = _before(program, step) if live else ()
    return Band(title, nodes, _edges(program, step), before, live)


def _edges(program: Program, step: int) -> tuple[Edge, ...]:
    slice_ = program.process.slice(max(step, 1))
    return tuple(
        (parent, name)
        for name in program.names
        for parent in slice_.parents(name)
        if not parent.endswith(BEFORE)
    )


def _before(program: Program, step: int) -> tuple[Edge, ...]:
    if step <= 1:
        return ()
    later = program.process.later
    return tuple(
        (parent.removesuffix(BEFORE), name)
        for name in program.names
        for parent in later.parents(name)
        if parent.endswith(BEFORE)
    )
