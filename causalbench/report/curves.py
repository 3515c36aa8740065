"""Draw what an arena found: values over budgets, lives, sweeps and seeds, beside the references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from causalbench.errors import MissingExtraError, ScoreError
from causalbench.report.arena_sheets import base_name, last_points, steps_text, sweep_axis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from causalbench.run.arena import Arena, Finding

    Row = Mapping[str, Any]

__all__ = ["plot_arena"]

# Okabe and Ito's colours, which colour-blind readers tell apart.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5C00", "#000000")
_MARKS = ("o", "s", "D", "^", "v", "P", "X", "*")
_INK, _SOFT, _LINE = "#16232b", "#5b6b75", "#c5ced3"
_SHADE = "#e6eff5"
_REFERENCES: Mapping[str, tuple[str, Any, float]] = {
    "uniform": ("#a9b3b9", (0, (1, 2)), 0.9),
    "natural": ("#a9b3b9", (0, (1, 2)), 0.9),
    "see": ("#8a979f", (0, (5, 2)), 1.0),
    "bayes": ("#5b6b75", (0, (3, 1, 1, 1)), 1.0),
    "do": ("#5b6b75", (0, (5, 2)), 1.0),
    "intent": ("#37474f", (0, (5, 2)), 1.0),
    "replay": ("#16232b", (0, (5, 2)), 1.0),
}
_REGIMES: Mapping[str, str] = {
    "see": "from a log",
    "do": "acting",
    "intent": "acting, own choice shown first",
    "replay": "acting on the same unit again",
}
_WORLDS: Mapping[str, str] = dict.fromkeys(("practice", "held out", "shifted"), " worlds")
_WIDE, _HIGH = 3.5, 2.6  # inches of a panel
_BESIDE = 2  # studies of one panel each on a line
_MOST = 3  # panels of a life on a line
_APART = 0.004  # references nearer than this share of the axis are labelled together
_GAP = 0.062  # of a panel's height, between two labels


@dataclass(frozen=True)
class _Panel:
    """One set of axes: what is drawn, over what, beside which references."""

    title: str
    rows: Sequence[Row]
    across: Callable[[Row], Any]
    label: str
    name: Callable[[Row], str]
    key: str = "value"
    log: bool = False
    phase: str = ""


def plot_arena(found: Arena, path: str | Path) -> Path:
    """Draw an arena: a line of panels a study, and save the figure.

    Args:
        found: what to draw.
        path: a file ending in .png, .svg or .pdf.

    Returns:
        The path.

    Raises:
        MissingExtraError: matplotlib isn't installed.
        ScoreError: nothing was measured.
    """
    from pathlib import Path

    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        msg = "plots need matplotlib; pip install 'causalbench-ladder[board]'."
        raise MissingExtraError(msg) from error
    path = Path(path)
    studies = [(finding, _panels(finding)) for finding in found.findings]
    studies = [(finding, panels) for finding, panels in studies if panels]
    if not studies:
        msg = "nothing was measured, so there is nothing to draw; look at what failed."
        raise ScoreError(msg)
    styles = _styles(studies)
    most = max(_columns(finding, panels) for finding, panels in studies)
    beside = min(len(studies), _BESIDE) if most == 1 else 1  # single panels share a line
    heights = [
        max(_height(*each) for each in studies[at : at + beside])
        for at in range(0, len(studies), beside)
    ]
    wide = max(7.0, _WIDE * most * beside + 0.6) * (1.15 if beside > 1 else 1.0)
    figure = Figure(figsize=(wide, 0.8 + sum(heights) + 0.5), layout="constrained")
    FigureCanvasAgg(figure)
    parts = figure.subfigures(
        len(heights), beside, squeeze=False, height_ratios=heights, hspace=0.03, wspace=0.03
    )
    for part, (finding, panels) in zip(parts.flat, studies, strict=False):
        columns = _columns(finding, panels)
        lines = -(-len(panels) // columns)
        axes = part.subplots(lines, most, sharex="col", sharey=True, squeeze=False)
        for spare in [*axes[:, columns:].flat, *axes[:, :columns].flat[len(panels) :]]:
            spare.set_visible(False)
        if len(studies) > 1:
            part.suptitle(finding.title, fontsize=9.5, x=0.01, ha="left", color=_INK)
        span = _span(finding, panels)
        for number, (panel, ax) in enumerate(zip(panels, axes[:, :columns].flat, strict=False)):
            _dressed(ax, panel, first=number % columns == 0, last=number >= len(panels) - columns)
            if finding.study.plot == "spread":
                _spread(ax, panel, finding, styles, span)
            else:
                _drawn(ax, panel, finding, styles, span)
    if any(finding.study.plot != "spread" for finding, _ in studies):  # whose axes name learners
        figure.legend(
            handles=_handles(styles),
            loc="outside lower center",
            ncols=min(len(styles), max(3, int(wide / 1.3))),
            frameon=False,
            fontsize=8.5,
        )
    figure.suptitle(found.title, fontsize=11.5, x=0.01, ha="left", color=_INK)
    figure.savefig(path, dpi=160)
    return path


def _panels(finding: Finding) -> list[_Panel]:
    """Return a study's panels, from left to right."""
    rows, plot = finding.rows, finding.study.plot
    if not rows:
        return []
    regimes = list(dict.fromkeys(row["regime"] for row in rows))
    axis = sweep_axis(finding) if plot in {"sweep", "goal"} else None
    made = []
    for regime in regimes:
        for phase in finding.phases:
            held = [row for row in rows if row["regime"] == regime and row["phase"] == phase]
            told = [_REGIMES[regime]] if len(regimes) > 1 or plot == "curves" else []
            told += _after(held) if axis is not None or plot == "spread" else []
            told += (
                [f"valued in {phase}{_WORLDS.get(phase, '')}"] if len(finding.phases) > 1 else []
            )
            common: dict[str, Any] = {
                "rows": held,
                "across": lambda row: row["total"],
                "label": "steps of training",
                "name": _full_name,
                "phase": phase,
                "log": plot != "life",
            }
            if axis is not None:
                last = {id(row) for row in last_points(finding)}
                common |= {
                    "rows": [row for row in held if id(row) in last],
                    "across": axis[1],
                    "label": axis[0],
                    "name": base_name,
                    "log": _doubling([axis[1](row) for row in held]),
                }
            if plot == "spread":
                common["rows"] = [
                    r for r in last_points(finding) if r["phase"] == phase and r["regime"] == regime
                ]
            title = ", ".join(told)
            if plot == "goal":
                for key, word in (("value", "what is paid"), ("goal", "what is meant")):
                    made.append(_Panel(title=", ".join([*told, word]), key=key, **common))
            else:
                made.append(_Panel(title=title, **common))
    return made


def _after(rows: Sequence[Row]) -> list[str]:
    """Say after how many steps values are shown that stand for a whole curve: its last point."""
    last = max((row["total"] for row in rows), default=0)
    return [f"after {steps_text(last)} steps"] if last else []


def _doubling(values: Sequence[Any]) -> bool:
    """Say whether numbers are spaced by factors rather than by steps."""
    numbers = sorted({value for value in values if isinstance(value, int | float)})
    return len(numbers) > 2 and numbers[0] > 0 and numbers[-1] / numbers[0] >= 8  # noqa: PLR2004


def _full_name(row: Row) -> str:
    return str(row["agent"])


def _styles(studies: Sequence[tuple[Finding, Sequence[_Panel]]]) -> dict[str, dict[str, Any]]:
    """Give each learner its colour and mark, the same in all panels."""
    names = list(
        dict.fromkeys(
            panel.name(row) for _, panels in studies for panel in panels for row in panel.rows
        )
    )
    return {
        name: {
            "color": _COLOURS[place % len(_COLOURS)],
            "marker": _MARKS[place % len(_MARKS)],
            "lw": 1.7,
            "ms": 4.5,
            "mec": "white",
            "mew": 0.6,
            "zorder": 4,
        }
        for place, name in enumerate(names)
    }


def _columns(finding: Finding, panels: Sequence[_Panel]) -> int:
    """Return how many panels stand side by side: a life's phases, with its regimes below."""
    if finding.study.plot == "life" and len(panels) > _MOST:
        return len(finding.phases)
    return len(panels)


def _height(finding: Finding, panels: Sequence[_Panel]) -> float:
    if finding.study.plot != "spread":
        return _HIGH * -(-len(panels) // _columns(finding, panels))
    names = {panel.name(row) for panel in panels for row in panel.rows}
    return 1.3 + 0.32 * len(names)


def _span(finding: Finding, panels: Sequence[_Panel]) -> tuple[float, float]:
    """Return the values that a study's panels show."""
    choice = finding.study.choice
    ends = []
    for panel in panels:
        low, high = ("low", "high") if panel.key == "value" else ("goal_low", "goal_high")
        for row in panel.rows:
            ends += [row[choice][low], row[choice][high]]
            ends += row[choice]["values"] if finding.study.plot == "spread" else []
            ends += [
                each[panel.key] for each in finding.against(row["setting"], row["phase"]).values()
            ]
    room = max(max(ends) - min(ends), 0.02) * 0.07
    return min(ends) - room, max(ends) + room


def _dressed(ax: Any, panel: _Panel, *, first: bool, last: bool) -> None:
    """Give axes their title, labels and frame."""
    ax.set_title(panel.title, fontsize=9, loc="left", color=_INK)
    if last:
        ax.set_xlabel(panel.label, fontsize=8.5, color=_INK)
    if first:
        ax.set_ylabel("expected return", fontsize=8.5, color=_INK)
    ax.tick_params(length=2, labelsize=8, labelcolor=_SOFT, color=_LINE)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        ax.spines[side].set_color(_LINE)


def _drawn(
    ax: Any,
    panel: _Panel,
    finding: Finding,
    styles: Mapping[str, Mapping[str, Any]],
    span: tuple[float, float],
) -> None:
    """Draw curves over steps, or over what is varied."""
    choice = finding.study.choice
    xs = sorted({panel.across(row) for row in panel.rows}, key=lambda x: (isinstance(x, str), x))
    words = any(isinstance(x, str) for x in xs)
    place = {x: number for number, x in enumerate(xs)} if words else {x: x for x in xs}
    if panel.log and not words:
        ax.set_xscale("log", base=2)
        ax.minorticks_off()
    _ticked(ax, panel, xs, place)
    ax.set_ylim(*span)
    if finding.study.plot == "life":
        _shaded(ax, panel, span)
    low, high = ("low", "high") if panel.key == "value" else ("goal_low", "goal_high")
    for name, style in styles.items():
        own = [row for row in panel.rows if panel.name(row) == name]
        own.sort(key=lambda row: place[panel.across(row)])
        if not own:
            continue
        at = [place[panel.across(row)] for row in own]
        ax.plot(at, [row[choice][panel.key] for row in own], **style)
        ax.fill_between(
            at,
            [row[choice][low] for row in own],
            [row[choice][high] for row in own],
            color=style["color"],
            alpha=0.15,
            lw=0,
            zorder=2,
        )
    _against(ax, panel, finding, place)


def _ticked(ax: Any, panel: _Panel, xs: Sequence[Any], place: Mapping[Any, float]) -> None:
    """Mark what was tried on the axis; a life's steps are left to the plotting library."""
    if panel.label != "steps of training":
        ax.set_xticks([place[x] for x in xs], [f"{x:g}" if x == place[x] else str(x) for x in xs])
        return
    if panel.log:
        shown = xs if len(xs) <= 6 else xs[:: -(-len(xs) // 6)]  # noqa: PLR2004
        ax.set_xticks(shown, [steps_text(x) for x in shown])
        return
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: steps_text(x)))


def _shaded(ax: Any, panel: _Panel, span: tuple[float, float]) -> None:
    """Shade the stretches of a life that are spent in the phase that is valued; name them all."""
    ends: dict[int, tuple[str, float]] = {}
    for row in panel.rows:
        before = ends.get(row["stage"], ("", 0.0))[1]
        ends[row["stage"]] = row["lived"], max(before, row["total"])
    start = 0.0
    for _, (lived, end) in sorted(ends.items()):
        if lived == panel.phase:
            ax.axvspan(start, end, color=_SHADE, lw=0, zorder=0)
        if start:
            ax.axvline(start, color=_LINE, lw=0.8, zorder=1)
        ax.text((start + end) / 2, span[1], lived, fontsize=7.5, color=_SOFT, ha="center", va="top")
        start = end
    ax.set_xlim(0, 1.02 * start)


def _against(ax: Any, panel: _Panel, finding: Finding, place: Mapping[Any, float]) -> None:
    """Draw the references: level lines, or lines over a knob that changes them."""
    settings = finding.study.settings
    axis = finding.study.varied[0] if finding.study.varied else ""
    over = [s for s in settings if axis in s] if panel.label == axis else []
    last: dict[str, float] = {}
    for name, (colour, dash, width) in _REFERENCES.items():
        if over:
            points = [
                (place[s[axis]], finding.against(s, panel.phase)[name][panel.key])
                for s in over
                if s[axis] in place and name in finding.against(s, panel.phase)
            ]
            if points:
                ax.plot(*zip(*points, strict=True), color=colour, ls=dash, lw=width, zorder=1)
                last[name] = points[-1][1]
            continue
        held = finding.against(settings[0], panel.phase).get(name)
        if held is not None:
            ax.axhline(held[panel.key], color=colour, ls=dash, lw=width, zorder=1)
            last[name] = held[panel.key]
    _labelled(ax, last)


def _labelled(ax: Any, values: Mapping[str, float]) -> None:
    """Write the references' names at the right edge: together where they meet, else apart."""
    low, high = ax.get_ylim()
    groups: list[tuple[float, list[str]]] = []
    for name, value in sorted(values.items(), key=lambda item: item[1]):
        if groups and value - groups[-1][0] < _APART * (high - low):
            groups[-1][1].append(name)
        else:
            groups.append((value, [name]))
    heights = _spaced([value for value, _ in groups], _GAP * (high - low), high)
    for (_, names), at in zip(groups, heights, strict=True):
        ordered = [name for name in _REFERENCES if name in names]
        ax.annotate(
            " = ".join(ordered),
            (1, at),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            fontsize=7,
            color=_REFERENCES[ordered[-1]][0] if ordered[-1] != "uniform" else _SOFT,
            va="center",
            annotation_clip=False,
        )


def _spaced(values: Sequence[float], gap: float, top: float) -> list[float]:
    """Return rising numbers moved apart by at least a gap, none above the top."""
    moved = list(values)
    for number in range(1, len(moved)):
        moved[number] = max(moved[number], moved[number - 1] + gap)
    if moved and moved[-1] > top:
        moved[-1] = top
        for number in range(len(moved) - 2, -1, -1):
            moved[number] = min(moved[number], moved[number + 1] - gap)
    return moved


def _spread(
    ax: Any,
    panel: _Panel,
    finding: Finding,
    styles: Mapping[str, Mapping[str, Any]],
    span: tuple[float, float],
) -> None:
    """Draw every training as a dot, and the interquartile mean with its interval."""
    choice = finding.study.choice
    names = [name for name in styles if any(panel.name(row) == name for row in panel.rows)]
    for row in panel.rows:
        y = names.index(panel.name(row))
        style = styles[panel.name(row)]
        values = row[choice]["values"]
        shift = [0.22 * ((number * 0.618) % 1 - 0.5) * 2 for number in range(len(values))]
        ax.plot(values, [y + s for s in shift], "o", ms=3.6, color=style["color"], alpha=0.5, mew=0)
        ends = [row[choice]["low"], row[choice]["high"]]
        ax.plot(ends, [y, y], color=_INK, lw=1.4, zorder=5)
        ax.plot([row[choice]["value"]], [y], "|", ms=11, mew=2.2, color=_INK, zorder=6)
    ax.set_yticks(range(len(names)), names, fontsize=8.5)
    ax.set_ylim(len(names) - 0.5, -0.6)
    ax.set_xlim(*span)
    ax.set_xlabel("expected return", fontsize=8.5, color=_INK)
    ax.set_ylabel("")
    held = finding.against(finding.study.settings[0], panel.phase)
    shown = [(name, held[name][panel.key]) for name in _REFERENCES if name in held]
    groups: list[tuple[float, list[str]]] = []
    for name, value in sorted(shown, key=lambda item: item[1]):
        if groups and value - groups[-1][0] < _APART * (span[1] - span[0]):
            groups[-1][1].append(name)
        else:
            groups.append((value, [name]))
    for number, (value, names_there) in enumerate(groups):
        told = [name for name in _REFERENCES if name in names_there]
        colour, dash, width = _REFERENCES[told[-1]]
        ax.axvline(value, color=colour, ls=dash, lw=width, zorder=1)
        ax.annotate(
            " = ".join(told),
            (value, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2 + 8 * (number % 2)),
            textcoords="offset points",
            fontsize=7,
            color=_SOFT,
            ha="center",
            annotation_clip=False,
        )
    ax.set_title(panel.title, fontsize=9, loc="left", color=_INK, pad=20)


def _handles(styles: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """Return the legend's entries."""
    from matplotlib.lines import Line2D

    return [Line2D([], [], label=name, **style) for name, style in styles.items()]
