"""Write an environment's picture as text: a line for each variable, with its value and causes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.env.draw_bands import bands, caption

if TYPE_CHECKING:
    from causalbench.env.draw_bands import Band, Node
    from causalbench.env.picture import Picture

__all__ = ["text"]

_ARROW, _CUT = "<--", "-\N{BLACK SCISSORS}-"


def text(picture: Picture) -> str:
    """Write a picture in lines.

    A variable's causes stand after an arrow, or after scissors where the action has set it; an
    apostrophe marks a cause of the step before.
    """
    lines = [*caption(picture)]
    for band in bands(picture):
        lines += ["", band.title]
        if band.live:
            lines += _lines(band)
    return "\n".join(lines)


def _lines(band: Band) -> list[str]:
    long = max(len(name) for name in band.nodes)
    said = {name: _said(node) for name, node in band.nodes.items()}
    wide = max(len(each) for each in said.values())
    lines = []
    for name, node in band.nodes.items():
        causes = [f"{parent}'" for parent, child in band.before if child == name]
        causes += [parent for parent, child in band.edges if child == name]
        arrow = f"  {_CUT if node.cut else _ARROW} {', '.join(causes)}" if causes else ""
        lines.append(f"  {name:<{long}}  {said[name]:<{wide}}{arrow}".rstrip())
    return lines


def _said(node: Node) -> str:
    if node.hidden:
        return "(hidden)"
    if node.choice and node.natural is None:
        return "your choice"
    return node.text
