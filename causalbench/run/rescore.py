"""Score a log again: build the suite from its seed, hold the logged answers against the keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench.errors import LogError
from causalbench.run.contender import Contender
from causalbench.run.hand import jobs_of
from causalbench.run.plan import Selection, cases_of, select
from causalbench.run.result import Run
from causalbench.run.store import MANIFEST, read_answers, read_manifest
from causalbench.score.record import MISSING, Outcome, record_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from causalbench.score.record import Record
    from causalbench.task.types import Case

__all__ = ["rescore", "rescored", "run_folders"]

_OLD = re.compile(r"\.old-\d+$")


def rescore(log: str | Path | Sequence[str | Path], suite: Any = None) -> Run:
    """Score the answers of a log, without running any agent.

    An item that the log lacks is ``missing`` and costs half its floor, so a run that was cut short
    can be looked at, and can't look better than it is.

    Args:
        log: one run's folder, or a folder of such, or several of either, all on one suite and seed.
        suite: the suite, where the log's was an object rather than a name.

    Returns:
        The run, as `evaluate` returns it.

    Raises:
        LogError: no log there, logs of different suites, or a suite that is no longer the same.
    """
    places = [log] if isinstance(log, str | Path) else list(log)
    shown = ", ".join(str(place) for place in places)
    folders: list[Path] = []
    for place in places:
        found = run_folders(Path(place))
        if not found:
            msg = f"'{place}' holds no {MANIFEST}; give the folder of a run, or one of such."
            raise LogError(msg)
        folders += [folder for folder in found if folder not in folders]
    manifests = {folder: read_manifest(folder) for folder in folders}
    _same(manifests)
    records: list[Record] = []
    paths: dict[str, Path] = {}
    scored = list(rescored(manifests, suite))
    selection = scored[0][1]  # all of one suite and seed
    for folder, _, own in scored:
        name = manifests[folder]["agent"]["name"]
        if name in paths:
            msg = (
                f"'{shown}' holds two runs of '{name}' ({paths[name].name}, "
                f"{folder.name}); give the folder of one."
            )
            raise LogError(msg)
        records += own
        paths[name] = folder
    return Run(
        suite=selection.suite_name,
        version=selection.suite_version,
        seed=selection.seed,
        digest=selection.digest,
        records=tuple(records),
        log_paths=paths,
        manifests={one["agent"]["name"]: one for one in manifests.values()},
    )


def run_folders(log: Path) -> list[Path]:
    """Return the run folders at a path; those moved aside by ``--fresh`` are left out."""
    if (log / MANIFEST).is_file():
        return [log]
    inside = sorted(path.parent for path in log.glob(f"*/{MANIFEST}"))
    return [folder for folder in inside if not _OLD.search(folder.name)]


def rescored(
    manifests: Mapping[Path, dict[str, Any]], suite: Any = None
) -> Iterator[tuple[Path, Selection, list[Record]]]:
    """Score logs one by one, on any number of suites, building what they share once.

    Args:
        manifests: run folder -> its manifest.
        suite: the suite, where the logs' was an object rather than a name.

    Yields:
        Folder, what was run, and its records.

    Raises:
        LogError: a suite that is no longer the same, or a log that can't be read.
    """
    built: dict[tuple[Any, ...], list[Case]] = {}
    for folder, manifest in manifests.items():
        selection = _selection(manifest, suite, folder)
        contender = Contender.from_dict(manifest["agent"])
        part = (
            selection.digest,
            selection.seed,
            selection.limit,
            tuple((selection.where or {}).items()),
        )
        if part not in built:
            built[part] = cases_of(selection)
        yield folder, selection, _records(selection, contender, built[part], folder, manifest)


def _same(manifests: dict[Path, dict[str, Any]]) -> None:
    """Refuse logs that no single table can hold."""
    runs = sorted(
        {
            f"{one['suite']['name']} {one['suite']['version']}, seed {one['seed']}"
            for one in manifests.values()
        }
    )
    if len(runs) > 1:
        msg = f"these are logs of different runs ({'; '.join(runs)}); give the folders of one."
        raise LogError(msg)


def _selection(manifest: dict[str, Any], suite: Any, folder: Path) -> Selection:
    """Find the suite again, and refuse one that has changed."""
    reference = manifest["suite"]["reference"] if suite is None else suite
    if reference is None:
        msg = f"log '{folder}' is of a suite that has no name to find it by; give the suite."
        raise LogError(msg)
    selection = select(
        reference,
        seed=manifest["seed"],
        limit=manifest["limit"],
        where=manifest["where"],
        repeats=manifest["repeats"],
        time_limit=manifest["time_limit"],
    )
    if selection.digest != manifest["suite"]["digest"]:
        msg = (
            f"suite '{selection.suite_name}' has changed since '{folder}' was logged; "
            "score it with the version that it was run with, or run again."
        )
        raise LogError(msg)
    return selection


def _records(
    selection: Selection,
    contender: Contender,
    cases: list[Case],
    folder: Path,
    manifest: Mapping[str, Any],
) -> list[Record]:
    """Score one agent's log."""
    answers = read_answers(folder)
    return [
        record_of(
            cases[job.place],
            item,
            Outcome.from_dict(answers[key]) if key in answers else MISSING,
            agent=contender.name,
            control=contender.control,
            repeat=job.repeat,
        )
        for job in jobs_of(selection, contender, cases, {}, manifest["run"])
        for item, key in zip(job.items, job.keys, strict=True)
    ]
