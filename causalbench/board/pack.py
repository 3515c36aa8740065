"""Pack the logs of finished runs into one file that anyone can recompute."""

from __future__ import annotations

import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench.board.submission import ANSWERS, HEAD, MANIFEST, SCHEMA, line_digest, part
from causalbench.errors import LogError, SubmissionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from causalbench.score.record import Record

__all__ = ["contents", "pack"]

_STAMP = (1980, 1, 1, 0, 0, 0)  # the same log packs to the same bytes


def pack(
    log_dir: str | Path, output: str | Path, *, title: str = "", by: str = "", force: bool = False
) -> Path:
    """Pack every run under a log folder, after scoring it again.

    Args:
        log_dir: the folder of one run, or one that holds several.
        output: the zip file to write.
        title: what to call the submission; the file's stem if "".
        by: who submits; "anonymous" if "".
        force: overwrite the output.

    Returns:
        The path written.

    Raises:
        LogError: no finished run there, or an unfinished one.
        SubmissionError: the output exists, or can't be written.
    """
    from causalbench.run.identity import now, package_version
    from causalbench.run.rescore import rescored

    output = Path(output)
    if output.exists() and not force:
        msg = f"'{output}' exists; give another name, or --force to overwrite it."
        raise SubmissionError(msg)
    members: dict[str, str] = {}
    manifests = _finished(Path(log_dir))
    for folder, _, records in rescored(manifests):
        manifest = manifests[folder]
        lines = _lines(manifest["agent"]["name"], records)
        members[f"{folder.name}/{MANIFEST}"] = json.dumps(manifest, indent=1, sort_keys=True)
        members[f"{folder.name}/{ANSWERS}"] = "".join(f"{json.dumps(line)}\n" for line in lines)
    head = {
        "schema": SCHEMA,
        "title": title or output.stem,
        "by": by or "anonymous",
        "packed": now(),
        "version": package_version(),
    }
    members[HEAD] = json.dumps(head, indent=1)
    draft = output.with_name(f"{output.name}.tmp")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(members):
                archive.writestr(zipfile.ZipInfo(name, _STAMP), members[name].encode(), 8)
        draft.replace(output)
    except OSError as error:
        with suppress(OSError):  # what refused the draft may refuse to remove it too
            draft.unlink(missing_ok=True)
        msg = f"'{output}' can't be written: {error.strerror or error}; give another place."
        raise SubmissionError(msg) from error
    return output


def contents(path: Path) -> tuple[str, list[str]]:
    """Say what was packed.

    Args:
        path: what `pack` returned.

    Returns:
        The suites with their agents, on one line; and the suites that `verify` refuses, since not
        everybody has them.
    """
    from causalbench.board.verify import published

    runs: dict[str, list[str]] = {}
    own: list[str] = []
    with zipfile.ZipFile(path) as archive:
        names = [name for name in sorted(archive.namelist()) if name.endswith(f"/{MANIFEST}")]
        manifests = [json.loads(archive.read(name)) for name in names]
    for manifest in manifests:
        suite = manifest["suite"]
        run = f"{suite['name']} seed {manifest['seed']}"
        run = ", ".join(filter(None, [run, part(manifest)]))
        runs.setdefault(run, []).append(manifest["agent"]["name"])
        if not published(suite.get("reference")) and suite["name"] not in own:
            own.append(suite["name"])
    return "; ".join(f"{run} ({', '.join(agents)})" for run, agents in runs.items()), own


def _finished(log_dir: Path) -> dict[Path, dict[str, Any]]:
    """Return the manifests of all runs under a folder; each must have finished."""
    from causalbench.run.rescore import run_folders
    from causalbench.run.store import read_manifest

    manifests = {folder: read_manifest(folder) for folder in run_folders(log_dir)}
    if not manifests:
        msg = f"'{log_dir}' holds no run; give the --log-dir of `causalbench run`."
        raise LogError(msg)
    for folder, manifest in manifests.items():
        if manifest.get("status") != "success":
            msg = (
                f"the run in '{folder}' has not finished (status {manifest.get('status')}); "
                "run the same command again to finish it."
            )
            raise LogError(msg)
    return manifests


def _lines(name: str, records: Iterable[Record]) -> Iterator[dict[str, Any]]:
    """Yield a line an item: what was said, its digest and its loss; nothing of the key."""
    for record in records:
        line = {
            "repeat": record.repeat,
            "dossier": record.dossier,
            "question": record.question,
            "answer": None if record.answer is None else record.answer.to_dict(),
            "status": record.status,
            "cost": dict(record.cost),
            "loss": record.loss,
        }
        yield {**line, "digest": line_digest(name, line)}
