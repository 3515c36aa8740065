"""What a run found: its records, the tables made of them, and where the logs lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from causalbench.errors import LogError, ScoreError
from causalbench.score.by import trait_rows
from causalbench.score.items import item_rows
from causalbench.score.table import score_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from causalbench.score.record import Record

__all__ = ["Run"]


@dataclass(frozen=True)
class Run:
    """The answers of one or more agents on one suite, scored.

    Args:
        suite: the suite's name.
        version: the suite's version.
        seed: which items were drawn.
        digest: of the suite.
        records: one for each item, agent and repeat, agents in the order they were named.
        log_paths: agent -> its log folder; empty where nothing was logged.
        notes: what a reader should know, one line each.
        manifests: agent -> what its log says of the run; empty where nothing was logged.
    """

    suite: str
    version: str
    seed: int
    digest: str
    records: Sequence[Record]
    log_paths: Mapping[str, Path] = field(default_factory=dict)
    notes: Sequence[str] = ()
    manifests: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __repr__(self) -> str:
        agents = ", ".join(dict.fromkeys(record.agent for record in self.records))
        items = len({(record.dossier, record.question) for record in self.records})
        return (
            f"<Run of {self.suite} version {self.version}, seed {self.seed}: "
            f"agents {agents or 'none'}; items {items}>"
        )

    def _repr_html_(self) -> str | None:
        """Return the skill table as a notebook shows it."""
        return self.ladder().to_html() if self.records else None

    @cached_property
    def _table(self) -> dict[str, Any]:
        return score_table(self.records, suite=self.suite, seed=self.seed, digest=self.digest)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Skill: a row for each (agent, track, cell, rung) that was played."""
        rows: list[dict[str, Any]] = self._table["rows"]
        return rows

    @property
    def agents(self) -> list[dict[str, Any]]:
        """Height, honesty and statuses: a row for each (agent, track, group)."""
        rows: list[dict[str, Any]] = self._table["agents"]
        return rows

    @property
    def named(self) -> list[dict[str, Any]]:
        """The questions without a twin: a row for each (agent, track, cell, rung)."""
        rows: list[dict[str, Any]] = self._table["named"]
        return rows

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest of a run of one agent.

        Raises:
            LogError: nothing was logged, or several agents were.
        """
        if len(self.manifests) != 1:
            msg = f"the run has {len(self.manifests)} manifests; take one of `run.manifests`."
            raise LogError(msg)
        return next(iter(self.manifests.values()))

    @property
    def failed(self) -> int:
        """How many items failed or are missing."""
        return sum(record.status in ("failed", "missing") for record in self.records)

    def to_json(self) -> dict[str, Any]:
        """Return what ``causalbench run --json`` prints."""
        return dict(self._table)

    def ladder(self) -> pd.DataFrame:
        """Return the skill table, a row for each (agent, track, cell, rung)."""
        import pandas as pd

        rows = [
            {
                **{name: value for name, value in row.items() if not isinstance(value, dict)},
                **{f"profile_{name}": share for name, share in (row["profile"] or {}).items()},
                **{f"cost_{name}": value for name, value in row["cost"].items()},
                **row["status_counts"],
            }
            for row in self.rows
        ]
        return pd.DataFrame(rows)

    def lines(self, by: str = "form") -> list[dict[str, Any]]:
        """Sort skill by a trait: a row for each (agent, track, group, rung, trait) with pairs.

        Args:
            by: ``form`` (the type of question), ``access``, ``size``, ``motif``, ``family``,
                ``surface`` or ``construction``.

        Raises:
            UnknownNameError: no such trait.
            ScoreError: no pair of the run says it.
        """
        return trait_rows(self.records, by, seed=self.seed, digest=self.digest)

    def table(self, by: str = "form") -> pd.DataFrame:
        """Return `lines` as a data frame, statuses in columns of their own."""
        import pandas as pd

        rows = [{**row, **row["status_counts"]} for row in self.lines(by)]
        return pd.DataFrame(rows).drop(columns="status_counts")

    def item_rows(self) -> list[dict[str, Any]]:
        """Say of each item with a twin how hard it was and how well it tells the agents apart.

        Raises:
            ScoreError: the run has no such item.
        """
        rows = item_rows(self.records)
        if not rows:
            msg = "difficulty is measured on items of pairs, and this run has none; run a suite"
            raise ScoreError(f"{msg} with pairs.")
        return rows

    def items(self) -> pd.DataFrame:
        """Return `item_rows` as a data frame."""
        import pandas as pd

        return pd.DataFrame(self.item_rows())

    def frame(self) -> pd.DataFrame:
        """Return one row an item, agent and repeat; ``reason`` is an abstaining agent's."""
        import pandas as pd

        rows = []
        for record in self.records:
            flat = record.to_dict()
            readings, cost, answer = flat.pop("readings"), flat.pop("cost"), flat.pop("answer")
            flat["answer"] = None if answer is None else _said(answer)
            flat["reason"] = None if answer is None else answer.get("reason")
            flat.update({f"reading_{name}": value for name, value in readings.items()})
            flat.update({f"cost_{name}": value for name, value in cost.items()})
            rows.append(flat)
        return pd.DataFrame(rows)


def _said(answer: Mapping[str, Any]) -> Any:
    """Return an answer as one value: a number, a label, (low, high), or None for abstaining."""
    if answer["type"] == "interval":
        return (answer["low"], answer["high"])
    return answer.get("value", answer.get("action"))
