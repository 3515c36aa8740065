"""What an arena found: a row a point of every curve, with intervals, beside the references."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.run.arena.bout import CHOICES, key_of
from causalbench.run.arena.measure import climb, interval, reached, spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from causalbench.run.arena.bout import Bout
    from causalbench.run.arena.study import Ground, Study

__all__ = ["Arena", "Finding"]

PLANNER = "planner"
_BLANK: Mapping[str, Any] = {
    "worlds": 1,
    "learner": PLANNER,
    "options": {},
    "regime": "do",
    "rung3": "rung-2",
    "stage": 0,
    "steps": 0,
    "total": 0,
    "failed": 0,
    "seconds": 0.0,
    "spent": {},
    "repeats": 1,
}

Lines = tuple["Bout", "Mapping[str, Mapping[str, Any]]"]


@dataclass(frozen=True, eq=False)
class Finding:
    """What one study found.

    Args:
        study: what was asked.
        title: one line.
        seed: of the intervals.
        lines: (training, its log by key), of all trainings.
        references: (world, phase -> name -> value), of all worlds.
        rung3: (contestant, regime) -> which of `RUNG3` its answer is.
        errors: the trainings that failed.
        goal: whether what is meant differs from what is paid.
    """

    study: Study
    title: str
    seed: int
    lines: Sequence[Lines]
    references: Sequence[tuple[Ground, Mapping[str, Mapping[str, Any]]]]
    rung3: Mapping[tuple[str, str], str]
    errors: Sequence[Bout]
    goal: bool

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """A row for each setting, learner, regime, checkpoint and phase that it is valued in."""
        return list(self._planned() if self.study.alone else self._rows())

    @cached_property
    def reference_rows(self) -> list[dict[str, Any]]:
        """A row for each setting, phase and reference, averaged over the setting's worlds."""
        apart = self.study.alone
        found = self._references()
        return [row for row in found if not (apart and row["name"].startswith(PLANNER))]

    def _references(self) -> list[dict[str, Any]]:
        made = []
        for setting in self.study.settings:
            held = [told for ground, told in self.references if self._of(ground, setting)]
            for phase in held[0] if held else ():
                for name in held[0][phase]:
                    each = [told[phase][name] for told in held]
                    made.append(
                        {
                            "setting": setting,
                            "phase": phase,
                            "name": name,
                            **{
                                key: float(np.mean([one[key] for one in each]))
                                for key in ("value", "low", "high", "goal")
                            },
                            "exact": all(one["exact"] for one in each),
                        }
                    )
        return made

    @property
    def phases(self) -> list[str]:
        """The phases that were valued, in order."""
        return list(dict.fromkeys(row["phase"] for row in self.reference_rows or self.rows))

    def against(self, setting: Mapping[str, float], phase: str) -> dict[str, dict[str, Any]]:
        """Return the references of a setting and a phase, by name."""
        return {
            row["name"]: row
            for row in self.reference_rows
            if row["setting"] == setting and row["phase"] == phase
        }

    def _of(self, ground: Ground, setting: Mapping[str, float]) -> bool:
        return dict(ground.knobs) == dict(setting) or ground.index is None

    def _planned(self) -> Iterator[dict[str, Any]]:
        """Yield a row a planner: what it is worth, without any training."""
        for one in self._references():
            kind, _, depth = one["name"].partition(" ")
            if kind != PLANNER:
                continue
            about = self.against(one["setting"], one["phase"])
            told = {
                name: np.array([[one[name]]]) for name in ("value", "low", "high", "goal", "exact")
            }
            told["length"] = np.zeros((1, 1))
            held = _measured(told, about, "do", self.seed, one["name"])
            yield {
                **_BLANK,
                "setting": one["setting"],
                "phase": one["phase"],
                "lived": one["phase"],
                "varied": {"depth": int(depth)},
                "agent": one["name"],
                **dict.fromkeys(CHOICES, held),
            }

    def _rows(self) -> Iterator[dict[str, Any]]:
        for setting in self.study.settings:
            for one in self.study.contestants:
                own = [
                    (bout, told)
                    for bout, told in self.lines
                    if bout.contestant.name == one.name and self._of(bout.ground, setting)
                ]
                for regime in dict.fromkeys(bout.regime for bout, _ in own):
                    held = [(bout, told) for bout, told in own if bout.regime == regime]
                    yield from self._curve(setting, held)

    def _curve(
        self, setting: Mapping[str, float], held: Sequence[Lines]
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows of one learner under one regime."""
        first = held[0][0]
        errors = sum(bout in self.errors for bout, _ in held)
        for number, stage in enumerate(first.stages):
            for steps in stage.budgets:
                for phase in first.phases:
                    keys = {choice: key_of(number, steps, phase, choice) for choice in CHOICES}
                    found = {choice: _table(held, key) for choice, key in keys.items()}
                    tables = {choice: table for choice, table in found.items() if table}
                    if len(tables) < len(CHOICES):
                        continue  # every training failed before; the row's own count says so
                    some = next(t[keys["greedy"]] for _, t in held if keys["greedy"] in t)
                    row: dict[str, Any] = {
                        "setting": dict(setting),
                        "worlds": len({id(bout.ground) for bout, _ in held}),
                        "agent": first.contestant.name,
                        "learner": first.contestant.agent,
                        "options": dict(first.contestant.options),
                        "varied": dict(first.contestant.varied),
                        "regime": first.regime,
                        "rung3": self.rung3.get((first.contestant.name, first.regime), "abstain"),
                        "stage": number,
                        "lived": some["lived"],
                        "steps": steps,
                        "total": some["total"],
                        "phase": phase,
                        "failed": errors,
                        "seconds": _mean(held, keys["greedy"], "seconds"),
                        "spent": _spent(held, keys["greedy"]),
                    }
                    about = self.against(setting, phase)
                    for choice, table in tables.items():
                        tag = f"{setting} {row['agent']} {first.regime} {keys[choice]}"
                        row[choice] = _measured(table, about, first.regime, self.seed, tag)
                    row["repeats"] = len(row["greedy"]["values"])
                    yield row


@dataclass(frozen=True, eq=False)
class Arena:
    """What a page found.

    Args:
        title: one line.
        seed: of all of it.
        repeats: trainings of each learner.
        findings: one a study.
        notes: what a reader should know, one line each.
        log_dir: where the logs are, or None.
    """

    title: str
    seed: int
    repeats: int
    findings: Sequence[Finding]
    notes: Sequence[str] = ()
    log_dir: Path | None = None

    def __repr__(self) -> str:
        rows = sum(len(finding.rows) for finding in self.findings)
        return f"Arena('{self.title}', rows: {rows})"

    @property
    def failed(self) -> int:
        """How many trainings failed."""
        return sum(len(finding.errors) for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return everything, JSON-ready."""
        return {
            "title": self.title,
            "seed": self.seed,
            "repeats": self.repeats,
            "failed": self.failed,
            "notes": list(self.notes),
            "studies": [
                {
                    "title": finding.title,
                    "world": finding.study.world,
                    "rows": finding.rows,
                    "references": finding.reference_rows,
                }
                for finding in self.findings
            ],
        }


def _table(held: Sequence[Lines], key: str) -> dict[str, NDArray[np.float64]] | None:
    """Return float64[repeats, worlds] of each figure, of the repeats that all worlds have."""
    grounds = list({id(bout.ground): bout.ground for bout, _ in held}.values())
    by = {(bout.repeat, id(bout.ground)): told for bout, told in held}
    repeats = sorted({bout.repeat for bout, _ in held})
    whole = [n for n in repeats if all(key in by.get((n, id(g)), {}) for g in grounds)]
    if not whole:
        return None
    return {
        name: np.array([[float(by[n, id(g)][key][name]) for g in grounds] for n in whole])
        for name in ("value", "low", "high", "goal", "length", "exact")
    }


def _mean(held: Sequence[Lines], key: str, name: str) -> float:
    return float(np.mean([told[key][name] for _, told in held if key in told]))


def _spent(held: Sequence[Lines], key: str) -> dict[str, float]:
    """Return the mean of what a training has used of each kind."""
    spent = [told[key]["spent"] for _, told in held if key in told]
    kinds = dict.fromkeys(kind for one in spent for kind in one)
    return {kind: float(np.mean([one.get(kind, 0) for one in spent])) for kind in kinds}


def _measured(
    table: Mapping[str, NDArray[np.float64]],
    about: Mapping[str, Mapping[str, Any]],
    regime: str,
    seed: int,
    tag: str,
) -> dict[str, Any]:
    """Return a point of a curve: interquartile mean, interval, and where it stands."""
    value, low, high = interval(table["value"], seed, tag, table["low"], table["high"])
    goal, goal_low, goal_high = interval(table["goal"], seed, tag)
    rung = climb(about, regime)
    return {
        "value": value,
        "low": low,
        "high": high,
        "exact": bool(table["exact"].all()),
        "values": [float(each) for each in table["value"].mean(axis=1)],
        **spread(table["value"]),
        "goal": goal,
        "goal_low": goal_low,
        "goal_high": goal_high,
        "length": float(table["length"].mean()),
        "climb": None if rung is None else rung(value),
        "climb_low": None if rung is None else rung(low),
        "climb_high": None if rung is None else rung(high),
        "reaches": reached(about, low),
    }
