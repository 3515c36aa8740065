"""Choose what a study's table shows: which points of the curves stand across, and what beside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from causalbench.report.cells import number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from causalbench.run.arena import Finding

    Row = Mapping[str, Any]

__all__ = [
    "Cell",
    "Sheet",
    "base_name",
    "last_points",
    "sheets",
    "steps_text",
    "sweep_axis",
]

_MANY = 10_000
_DIGITS = 3
_LONG = 1000  # a climb or a number beyond it says nothing


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: a text, and an interval's ends beside or below it."""

    text: str
    ends: str = ""
    style: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table, before it is drawn.

    Args:
        title: one line.
        columns: headings.
        left: whether each column stands to the left.
        rows: cells.
        grouped: whether a line is drawn where the first cell changes.
    """

    title: str
    columns: Sequence[str]
    left: Sequence[bool]
    rows: Sequence[Sequence[Cell]]
    grouped: bool = False


def sheets(finding: Finding) -> list[Sheet]:
    """Return a study's tables: its learners, then the references."""
    made = [_learners(finding)] if finding.rows else []
    return [*made, _references(finding)] if finding.reference_rows else made


def steps_text(steps: float) -> str:
    """Write a number of steps: 256, 4096, 16k."""
    return f"{steps:g}" if steps < _MANY else f"{steps / 1000:.3g}k"


def base_name(row: Row) -> str:
    """Return a learner's name without the options of which several are tried."""
    name = str(row["agent"])
    for key, value in row["varied"].items():
        name = name.replace(f" {key}={value}", "").replace(f"planner {value}", "planner")
    return name


def sweep_axis(finding: Finding) -> tuple[str, Callable[[Row], Any]] | None:
    """Return what is varied, by name and as a function of a row; None where nothing is."""
    if not finding.study.varied:
        return None
    name = finding.study.varied[0]
    return name, lambda row: row["setting"].get(name, row["varied"].get(name))


def last_points(finding: Finding) -> list[Row]:
    """Return each curve's last point: one row a setting, learner, regime and phase."""
    last = {
        (str(row["setting"]), row["agent"], row["regime"], row["phase"]): row
        for row in finding.rows
    }
    return list(last.values())


def _learners(finding: Finding) -> Sheet:
    kinds: Mapping[str, Callable[[Finding], Sheet]] = {
        "curves": _curves,
        "life": _life,
        "sweep": _sweep,
        "spread": _spread,
        "goal": _goal,
    }
    return kinds[finding.study.plot](finding)


def _curves(finding: Finding) -> Sheet:
    """Budgets across."""
    budgets = sorted({row["total"] for row in finding.rows})
    several = len(finding.phases) > 1
    columns = ["learner", "regime", *(["in"] if several else [])]
    rows = []
    for held in _grouped(finding.rows, "agent", "regime", "phase").values():
        at = {row["total"]: row for row in held}
        cells = [Cell(held[0]["agent"], style="bold"), Cell(held[0]["regime"])]
        cells += [Cell(held[0]["phase"])] if several else []
        cells += [_value(at.get(budget)) for budget in budgets]
        rows.append([*cells, *_beside(held[-1])])
    return _sheet(finding, columns, [steps_text(b) for b in budgets], rows)


def _life(finding: Finding) -> Sheet:
    """The ends of the stretches of a life across, a line for each phase that is valued."""
    lives = {row["stage"]: row["lived"] for row in finding.rows}
    across = [f"after {number + 1}\n{lived}" for number, lived in sorted(lives.items())]
    rows = []
    for held in _grouped(finding.rows, "agent", "regime", "phase").values():
        ends = {row["stage"]: row for row in held}
        cells = [Cell(held[0]["agent"], style="bold"), Cell(held[0]["regime"])]
        cells += [Cell(held[0]["phase"]), *(_value(ends.get(stage)) for stage in sorted(lives))]
        rows.append([*cells, *_beside(held[-1])])
    return _sheet(finding, ["learner", "regime", "in"], across, rows)


def _sweep(finding: Finding) -> Sheet:
    """What is varied across, a line for each budget."""
    axis = sweep_axis(finding)
    if axis is None:
        return _curves(finding)
    name, of = axis
    several, phased = _several(finding), len(finding.phases) > 1
    values = _values(finding.rows, of)
    rows = []
    for (agent, regime, phase, steps), held in _by(finding.rows, base_name).items():
        at = {of(row): row for row in held}
        cells = [Cell(agent, style="bold"), Cell(regime), *([Cell(phase)] if phased else [])]
        cells += [Cell(steps_text(steps))] if several else []
        rows.append([*cells, *(_value(at.get(value)) for value in values), *_beside(held[-1])])
    columns = ["learner", "regime", *(["in"] if phased else []), *(["steps"] if several else [])]
    return _sheet(
        finding,
        columns,
        [
            f"{name} {value:g}" if not isinstance(value, str) else f"{name} {value}"
            for value in values
        ],
        rows,
    )


def _goal(finding: Finding) -> Sheet:
    """What is paid and what is meant, a line each."""
    axis = sweep_axis(finding)
    several = axis is not None and _several(finding)
    of: Callable[[Row], Any] = axis[1] if axis else lambda row: row["total"]
    values = _values(finding.rows, of)
    grouped: dict[tuple[str, ...], list[Row]] = _grouped(finding.rows, "agent", "regime")
    if axis:
        grouped = {
            (agent, regime, steps_text(steps)): held
            for (agent, regime, _, steps), held in _by(finding.rows, base_name).items()
        }
    rows = []
    for (agent, regime, *steps), held in grouped.items():
        at = {of(row): row for row in held}
        for what, key in (("paid", "value"), ("meant", "goal")):
            cells = [Cell(agent, style="bold"), Cell(regime)]
            cells += [*(Cell(each) for each in steps if several), Cell(what)]
            rows.append([*cells, *(_value(at.get(value), key) for value in values)])
    across = [f"{axis[0]} {v}" if axis else steps_text(v) for v in values]
    titles = ["learner", "regime", *(["steps"] if several else []), "return", *across]
    left = [True] * (len(titles) - len(across)) + [False] * len(across)
    return Sheet(_titled(finding), titles, left, rows, grouped=True)


def _spread(finding: Finding) -> Sheet:
    """How far single trainings lie apart, a line for each budget."""
    rows = []
    for row in finding.rows:
        held = row["greedy"]
        cells = [Cell(row["agent"], style="bold"), Cell(row["regime"])]
        cells += [Cell(steps_text(row["total"])), _value(row)]
        cells += [Cell(number(held[key], _DIGITS)) for key in ("least", "most", "sd")]
        cells += [Cell(str(row["repeats"])), *_beside(row)]
        rows.append(cells)
    return _sheet(
        finding,
        ["learner", "regime", "steps"],
        ["value", "least", "most", "sd", "trainings"],
        rows,
    )


def _references(finding: Finding) -> Sheet:
    names = list(dict.fromkeys(row["name"] for row in finding.reference_rows))
    order = ["uniform", "natural", "see", "do", "intent", "replay"]
    names.sort(key=lambda name: order.index(name) if name in order else len(order))
    keys = [("value", "paid"), ("goal", "meant")] if finding.goal else [("value", "")]
    rows = []
    for held in _grouped(finding.reference_rows, "setting", "phase").values():
        at = {row["name"]: row for row in held}
        setting = ", ".join(f"{key} {value:g}" for key, value in held[0]["setting"].items())
        place = " ".join(part for part in (setting, _phase(finding, held[0])) if part)
        for key, what in keys:
            cells = [Cell(" ".join(part for part in (place, what) if part) or "value")]
            rows.append([*cells, *(_reference(at.get(name), key) for name in names)])
    title = f"reference values of {finding.study.world}"
    return Sheet(title, ["", *names], [True, *[False] * len(names)], rows)


def _reference(row: Row | None, key: str) -> Cell:
    if row is None:
        return Cell("")
    if row["exact"] or key != "value":
        return Cell(number(row[key], _DIGITS))
    return Cell(f"~{number(row[key], _DIGITS)}", _ends(row["low"], row["high"]))


def _phase(finding: Finding, row: Row) -> str:
    return str(row["phase"]) if len(finding.phases) > 1 else ""


def _sheet(
    finding: Finding, first: list[str], across: list[str], rows: Sequence[Sequence[Cell]]
) -> Sheet:
    """Put a table together: who, the points, then what stands beside."""
    last = ["sampled", "climb", "reaches", "rung 3"]
    left = [True] * len(first) + [False] * (len(across) + 2) + [True] * 2
    return Sheet(_titled(finding), [*first, *across, *last], left, rows, grouped=True)


def _titled(finding: Finding) -> str:
    worlds = max((row["worlds"] for row in finding.rows), default=1)
    return finding.title + (f", mean over {worlds} worlds" if worlds > 1 else "")


def _beside(row: Row) -> list[Cell]:
    """Return what stands beside a curve's last point."""
    greedy = row["greedy"]
    climb = greedy["climb"]
    shown = "" if climb is None or abs(climb) > _LONG else number(climb)
    ends = "" if not shown else _ends(greedy["climb_low"], greedy["climb_high"], 2)
    return [
        Cell(number(row["sampled"]["value"], _DIGITS)),
        Cell(shown, ends),
        Cell(greedy["reaches"]),
        Cell(row["rung3"]),
    ]


def _value(row: Row | None, key: str = "value") -> Cell:
    if row is None:
        return Cell("")
    held = row["greedy"]
    low, high = ("low", "high") if key == "value" else (f"{key}_low", f"{key}_high")
    sign = "" if held["exact"] else "~"
    return Cell(sign + number(held[key], _DIGITS), _ends(held[low], held[high]))


def _ends(low: float, high: float, digits: int = _DIGITS) -> str:
    """Write an interval without the noughts before the points."""
    return "[" + " ".join(_bare(number(end, digits)) for end in (low, high)) + "]"


def _bare(text: str) -> str:
    sign, rest = ("-", text[1:]) if text.startswith("-") else ("", text)
    return sign + (rest[1:] if rest.startswith("0.") else rest)


def _several(finding: Finding) -> bool:
    """Say whether learners are valued after several budgets (planners have none)."""
    return len({row["total"] for row in finding.rows}) > 1


def _values(rows: Sequence[Row], of: Callable[[Row], Any]) -> list[Any]:
    """Return what is varied, in order, numbers before names."""
    return sorted({of(row) for row in rows}, key=lambda each: (isinstance(each, str), each))


def _by(
    rows: Sequence[Row], name: Callable[[Row], str]
) -> dict[tuple[str, str, str, float], list[Row]]:
    """Group rows by learner, regime, phase and budget."""
    found: dict[tuple[str, str, str, float], list[Row]] = {}
    for row in rows:
        key = (name(row), row["regime"], row["phase"], row["total"])
        found.setdefault(key, []).append(row)
    return found


def _grouped(rows: Sequence[Row], *keys: str) -> dict[tuple[str, ...], list[Row]]:
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(str(row[key]) for key in keys), []).append(row)
    return found
