"""Write the board: a static page for each suite and seed, readable from disk, nothing fetched."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench.board.verify import verify
from causalbench.errors import MissingExtraError, SubmissionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from causalbench.board.verify import Verdict, Verified

__all__ = ["board", "ranks"]

_RUNGS = {1: "Rung 1, see", 2: "Rung 2, do", 3: "Rung 3, imagine"}
_CELLS = ("mechanisms", "diagram", "lab")
_GROUPS = ("reasoning", "learning")


@dataclass(frozen=True)
class _Entry:
    """One agent of one submission on one page."""

    verdict: Verdict
    agent: Verified

    @property
    def name(self) -> str:
        return str(self.agent.manifest["agent"]["name"])

    @property
    def control(self) -> bool:
        return bool(self.agent.manifest["agent"]["control"])


def board(submissions: Iterable[str | Path], output: str | Path) -> Path:
    """Verify submissions and write their pages.

    Args:
        submissions: the files; each is recomputed first.
        output: the folder to write; files of the same names are replaced.

    Returns:
        The path of ``index.html``.

    Raises:
        SubmissionError: one that doesn't verify, none at all, or a folder that can't be written.
        NotFoundError: a file that isn't there.
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    verdicts = [verify(path) for path in dict.fromkeys(Path(path) for path in submissions)]
    if not verdicts:
        msg = "a board of no submissions is no board; give at least one file."
        raise SubmissionError(msg)
    for verdict in verdicts:
        if not verdict.ok:
            msg = f"'{verdict.path.name}' does not verify: {verdict.reason}"
            raise SubmissionError(msg)
    pages: dict[Any, list[_Entry]] = defaultdict(list)
    for verdict in verdicts:
        for agent in verdict.agents:
            pages[_page_of(agent.manifest)].append(_Entry(verdict, agent))
    output = Path(output)
    environment = _environment()
    try:
        output.mkdir(parents=True, exist_ok=True)
        index = [_write(environment, output, page, pages[page]) for page in sorted(pages)]
        _render(environment, output / "index.html", "index.html", {"pages": index})
    except OSError as error:
        msg = f"'{output}' can't be written: {error.strerror or error}."
        raise SubmissionError(msg) from error
    return output / "index.html"


def ranks(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Rank rows by skill, sharing a rank where intervals can't tell.

    Args:
        rows: each with ``low`` and ``high``.

    Returns:
        One more than the number of rows whose whole interval lies above the row's.
    """
    return [1 + sum(other["low"] > row["high"] for other in rows) for row in rows]


def _page_of(manifest: Mapping[str, Any]) -> tuple[str, str, int, str, str]:
    """Name what must be equal for two runs to stand on one page."""
    suite = manifest["suite"]
    part = ", ".join(
        f"{name} {manifest[name]}" for name in ("limit", "where") if manifest.get(name) is not None
    )
    return suite["name"], suite["version"], manifest["seed"], suite["digest"], part


def _write(
    environment: Any, output: Path, page: tuple[str, str, int, str, str], entries: list[_Entry]
) -> dict[str, Any]:
    """Write one page and return its line of the index."""
    from causalbench.score.table import score_table

    suite, version, seed, digest, part = page
    named = _named(entries)
    records = [
        record if record.agent == name else _renamed(record, name)
        for name, entry in named.items()
        for record in entry.agent.records
    ]
    table = score_table(records, suite=suite, seed=seed, digest=digest)
    verdicts = list({id(entry.verdict): entry.verdict for entry in entries}.values())
    title = f"{suite} {version}" + (f" ({part})" if part else "")
    context = {
        "suite": title,
        "seed": seed,
        "digest": digest,
        "tracks": list(_tracks(table)),
        "costs": _costs(table),
        "cost_names": ["rows", "interventions", "replays", "env_steps", "seconds"],
        "submissions": [_submission(verdict, entries) for verdict in verdicts],
    }
    safe = "".join(char if char.isalnum() else "-" for char in f"{suite}-{version}-{part}")
    file = f"{safe.strip('-')}-seed-{seed}.html"
    _render(environment, output / file, "suite.html", context)
    return {
        "file": file,
        "suite": title,
        "seed": seed,
        "digest": digest,
        "agents": sum(not entry.control for entry in named.values()),
        "submissions": len(verdicts),
    }


def _named(entries: Iterable[_Entry]) -> dict[str, _Entry]:
    """Give each agent a name of its own on the page; a control stands there once."""
    named: dict[str, _Entry] = {}
    for entry in entries:
        name = entry.name
        if name in named:
            if entry.control and named[name].control:
                continue
            name = f"{name} ({entry.verdict.submission.title})"  # type: ignore[union-attr]
            while name in named:
                name += "'"
        named[name] = entry
    return named


def _renamed(record: Any, name: str) -> Any:
    from dataclasses import replace

    return replace(record, agent=name)


def _tracks(table: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Yield what the template shows of each track."""
    from causalbench.board.figure import rung_plot

    for track in ("estimates", "decisions"):
        rows = [row for row in table["rows"] if row["track"] == track and row["skill"] is not None]
        if not rows:
            continue
        found = {(row["agent"], row["rung"], row["cell"]): row for row in rows}
        ranked = _ranked(rows)
        agents = _order(rows)
        rungs = []
        for number, title in _RUNGS.items():
            cells = [c for c in _CELLS if any(r["rung"] == number and r["cell"] == c for r in rows)]
            if not cells:
                continue
            panels = {
                cell: {a: found[a, number, cell] for a in agents if (a, number, cell) in found}
                for cell in cells
            }
            plot = rung_plot(agents, panels)
            rungs.append({"number": number, "title": title, "cells": cells, "plot": plot})
        yield {
            "name": track,
            "rungs": rungs,
            "agents": [_agent(name, track, rungs, found, ranked, table) for name in agents],
        }


def _ranked(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int, str], int]:
    """Rank the agents of each column; controls take no rank."""
    columns = defaultdict(list)
    for row in rows:
        if not row["control"] and row["low"] is not None:
            columns[row["rung"], row["cell"]].append(row)
    return {
        (row["agent"], *column): rank
        for column, held in columns.items()
        for row, rank in zip(held, ranks(held), strict=True)
    }


def _order(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Order agents by their mean skill over the columns they play, controls last."""
    skills = defaultdict(list)
    for row in rows:
        skills[bool(row["control"]), row["agent"]].append(max(row["skill"], -1.0))
    return [
        name
        for (_, name), _ in sorted(
            skills.items(), key=lambda kept: (kept[0][0], -sum(kept[1]) / len(kept[1]), kept[0][1])
        )
    ]


def _agent(
    name: str,
    track: str,
    rungs: Sequence[Mapping[str, Any]],
    found: Mapping[Any, Mapping[str, Any]],
    ranked: Mapping[Any, int],
    table: Mapping[str, Any],
) -> dict[str, Any]:
    """Return one line of a track's table."""
    cells = {}
    for rung in rungs:
        for cell in rung["cells"]:
            row = found.get((name, rung["number"], cell))
            rank = ranked.get((name, rung["number"], cell))
            cells[rung["number"], cell] = None if row is None else {**row, "rank": rank}
    heights = {
        row["group"]: row["height"]
        for row in table["agents"]
        if row["agent"] == name and row["track"] == track
    }
    return {
        "name": name,
        "control": any(found[key]["control"] for key in found if key[0] == name),
        "cells": cells,
        "height": [(group, heights[group]) for group in _GROUPS if heights.get(group) is not None],
    }


def _costs(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each agent's mean cost of a dossier over all cells, and its statuses."""
    totals: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    counts: dict[str, int] = defaultdict(int)
    statuses: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in table["rows"]:
        counts[row["agent"]] += 1
        for name, value in row["cost"].items():
            totals[row["agent"]][name] += value
        for name, value in row["status_counts"].items():
            statuses[row["agent"]][name] += value
    return [
        {
            "agent": agent,
            "cost": {name: value / counts[agent] for name, value in totals[agent].items()},
            "statuses": ", ".join(f"{n} {name}" for name, n in statuses[agent].items() if n),
        }
        for agent in totals
    ]


def _submission(verdict: Verdict, entries: Sequence[_Entry]) -> dict[str, Any]:
    """Return one line of who and when."""
    submission = verdict.submission
    if submission is None:  # a verdict that is ok always has one
        raise SubmissionError(verdict.reason)
    return {
        "title": submission.title,
        "by": submission.by,
        "when": submission.packed,
        "version": submission.version,
        "digest": submission.digest,
        "agents": ", ".join(entry.name for entry in entries if entry.verdict is verdict),
    }


def _environment() -> Any:
    """Return a template environment that escapes everything."""
    try:
        import jinja2
    except ImportError:
        msg = "boards need jinja2; install the extra: pip install 'causalbench-ladder[board]'."
        raise MissingExtraError(msg) from None
    from causalbench.run.identity import package_version

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("causalbench.board"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["fixed"] = lambda value: f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
    environment.filters["amount"] = lambda value: (
        f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
    )  # noqa: PLR2004
    environment.globals["version"] = package_version()
    return environment


def _render(environment: Any, path: Path, template: str, context: Mapping[str, Any]) -> None:
    """Write a page so that a reader finds the old one or the new one, never half."""
    draft = path.with_name(f"{path.name}.tmp")
    draft.write_text(environment.get_template(template).render(context), encoding="utf-8")
    draft.replace(path)
