"""Turn records into the rows that tables print and ``run --json`` gives.

Three tables. *Rows*: skill by (agent, track, cell, rung). *Agents*: height, honesty and statuses by
(agent, track, group). *Named*: questions without a twin, by their mean error, never in skill.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from causalbench.errors import ScoreError
from causalbench.score.honesty import honesty, verdicts
from causalbench.score.losses import STATUSES
from causalbench.score.profile import profile
from causalbench.score.record import COSTS
from causalbench.score.skill import Skill, height, scored, skill

if TYPE_CHECKING:
    import numpy as np

    from causalbench.score.record import Record

__all__ = [
    "GROUPS",
    "TRACKS",
    "agent_rows",
    "maximum",
    "named_rows",
    "numbers",
    "score_table",
    "seeded",
    "skill_rows",
    "split",
    "status_counts",
]

TRACKS = ("estimates", "decisions")
_CELLS = ("mechanisms", "diagram", "lab")
GROUPS = ("learning", "reasoning", "beyond")
_Place = TypeVar("_Place", bound=Hashable)


def score_table(records: Sequence[Record], *, suite: str, seed: int, digest: str) -> dict[str, Any]:
    """Build everything that ``run --json`` prints.

    Args:
        records: of all agents, in the order in which tables show the agents.
        suite: the suite's name.
        seed: the suite's seed, which also seeds the bootstrap.
        digest: the suite's digest.

    Returns:
        Keys ``suite``, ``seed``, ``digest``, ``rows``, ``agents``, ``named``.

    Raises:
        ScoreError: no records.
    """
    if not records:
        msg = "a table of no answers doesn't exist; run an agent that accepts these questions."
        raise ScoreError(msg)
    return {
        "suite": suite,
        "seed": seed,
        "digest": digest,
        "rows": skill_rows(records, seed=seed, digest=digest),
        "agents": agent_rows(records, seed=seed, digest=digest),
        "named": named_rows(records),
    }


def skill_rows(records: Sequence[Record], *, seed: int, digest: str) -> list[dict[str, Any]]:
    """Compute one row for each (agent, track, cell, rung) that was played.

    A row is over the pairs alone; honesty and named questions have figures of their own. Where a
    suite holds pairs of two groups in one cell and rung, each group has a row: they aren't pooled.
    ``maximum`` bounds the skill that can be expected (`maximum`). A cell played on other questions
    only has 0 pairs and no skill. ``cost`` is the mean per dossier.

    Args:
        records: of all agents.
        seed: seeds the bootstrap.
        digest: seeds the bootstrap too.
    """
    rows = []
    places = split(records, lambda one: (one.agent, one.track, one.cell, one.rung))
    for place, held in _ordered(places, records, _CELLS):
        groups = split(scored(held), lambda one: one.group)
        rows += [_skill_row(place, pairs, seed, digest) for pairs in groups.values() or [held]]
    return rows


def _skill_row(
    place: tuple[str, str, str, int], held: Sequence[Record], seed: int, digest: str
) -> dict[str, Any]:
    """Return one row: over the pairs of one group, or over what has no pairs."""
    agent, track, cell, rung = place
    pairs = scored(held)
    group = held[0].group
    found = skill(pairs, rng=seeded(seed, digest, track, cell, rung, group)) if pairs else None
    return {
        "agent": agent,
        "track": track,
        "cell": cell,
        "rung": rung,
        **numbers(found),
        "maximum": maximum(pairs),
        "profile": profile(held),
        "cost": _cost(held),
        "group": group,
        "control": held[0].control,
        "items": len({(one.dossier, one.question) for one in held}),
        "status_counts": status_counts(held),
    }


def agent_rows(records: Sequence[Record], *, seed: int, digest: str) -> list[dict[str, Any]]:
    """Compute height and honesty for each (agent, track, group) that was played.

    Height pools the cells of one group by their sums; honesty is over all of the track's honesty
    items, whatever their group, so it stands alike in each of the track's rows.

    Args:
        records: of all agents.
        seed: seeds the bootstrap.
        digest: seeds the bootstrap too.
    """
    rows = []
    tracks = split(records, lambda one: (one.agent, one.track))
    places = split(records, lambda one: (one.agent, one.track, one.group))
    for (agent, track, group), held in _ordered(places, records, GROUPS):
        rungs = {
            rung: skill(pairs, rng=seeded(seed, digest, track, group, rung))
            for (rung,), pairs in split(scored(held), lambda one: (one.rung,)).items()
        }
        rows.append(
            {
                "agent": agent,
                "track": track,
                "height": height(rungs),
                "honesty": _short(honesty(tracks[agent, track])),
                "verdicts": _short(verdicts(tracks[agent, track])),
                "status_counts": status_counts(held),
                "group": group,
                "control": held[0].control,
                "rungs": {str(rung): numbers(rungs[rung]) for rung in sorted(rungs)},
            }
        )
    return rows


def named_rows(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Compute the mean error of the questions without a twin, and whose readings they follow.

    Args:
        records: of all agents; only those of role ``named`` count.

    Returns:
        One row for each (agent, track, cell, rung), and one more, ``real``, for the estimates on
        worlds of real numbers, each with its own scale. ``error`` is the mean absolute error of the
        answered estimates, or the mean regret of the answered decisions weighted by how often their
        observations occur; None where none was answered.
    """
    rows = []
    named = [record for record in records if record.role == "named"]
    places = split(named, lambda one: (one.agent, one.track, one.cell, one.rung))
    parts = [
        (place, part)
        for place, held in _ordered(places, records, _CELLS)
        for _, part in sorted(split(held, lambda one: one.real).items())
    ]
    for (agent, track, cell, rung), held in parts:
        answered = [record for record in held if record.status == "answered"]
        weight = sum(record.weight for record in answered)
        rows.append(
            {
                "agent": agent,
                "track": track,
                "cell": cell,
                "rung": rung,
                "real": held[0].real,
                "questions": len({(one.dossier, one.question) for one in held}),
                "error": sum(one.loss for one in answered) / weight if weight > 0 else None,
                "profile": profile(held),
                "group": held[0].group,
                "control": held[0].control,
                "status_counts": status_counts(held),
            }
        )
    return rows


def maximum(records: Sequence[Record]) -> float | None:
    """Bound the skill that can be expected, whatever the agent.

    It is sum F d / sum F over the pairs, with F a pair's floor and d its ceiling: what the lab's
    budget, or the rows of the dossier, allow at most. d is 1 where what is given settles the
    question, and where no better bound was worked out.

    Args:
        records: of skill pairs.

    Returns:
        In [0, 1]; None without pairs.
    """
    total = sum(one.floor * (1.0 if one.ceiling is None else one.ceiling) for one in records)
    floors = sum(one.floor for one in records)
    return _short(total / floors) if floors else None


def status_counts(records: Iterable[Record]) -> dict[str, int]:
    """Count every status, those that don't occur included."""
    counts = Counter[str](record.status for record in records)
    return {status: counts[status] for status in STATUSES}


def numbers(found: Skill | None) -> dict[str, Any]:
    """Return a skill's columns, all None without pairs."""
    if found is None:
        return {"skill": None, "low": None, "high": None, "pairs": 0, "per_pair_mean": None}
    return {
        "skill": _short(found.value),
        "low": _short(found.low),
        "high": _short(found.high),
        "pairs": found.pairs,
        "per_pair_mean": _short(found.per_pair),
    }


def _short(number: float | None) -> float | None:
    """Round to 12 digits: sums in another order differ in the 16th, and -0 is 0."""
    return None if number is None else round(number, 12) + 0.0


def _cost(records: Sequence[Record]) -> dict[str, float]:
    """Return the mean cost of a dossier."""
    dossiers = len({(record.repeat, record.dossier) for record in records})
    return {
        name: sum(float(record.cost.get(name, 0.0)) for record in records) / dossiers
        for name in COSTS
    }


def split(
    records: Iterable[Record], place: Callable[[Record], _Place]
) -> dict[_Place, list[Record]]:
    """Sort records into their places, each in given order."""
    places: dict[_Place, list[Record]] = defaultdict(list)
    for record in records:
        places[place(record)].append(record)
    return dict(places)


def _ordered(
    places: dict[Any, list[Record]], records: Sequence[Record], third: Sequence[str]
) -> list[tuple[Any, list[Record]]]:
    """Order places by agent as given, track, rung where there is one, and the third key."""
    agents = {name: index for index, name in enumerate(dict.fromkeys(r.agent for r in records))}

    def rank(entry: tuple[Any, list[Record]]) -> tuple[int, ...]:
        agent, track, kind, *rung = entry[0]
        return agents[agent], _index(TRACKS, track), *rung, _index(third, kind)

    return sorted(places.items(), key=rank)


def _index(known: Sequence[str], name: str) -> int:
    """Return a name's place among the known ones, or the place behind them."""
    return known.index(name) if name in known else len(known)


def seeded(seed: int, digest: str, *place: object) -> np.random.Generator:
    """Seed a bootstrap: the same for every agent, so that they are resampled alike."""
    from causalbench.rng import generator

    return generator(seed, " ".join(("bootstrap", digest, *map(str, place))))
