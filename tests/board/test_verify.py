"""Verification recomputes everything and names the first difference."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tamper import edit_lines, edit_manifest, member

from causalbench.board import pack, verify
from causalbench.board.submission import line_digest
from causalbench.errors import LogError, NotFoundError, SubmissionError

Members = dict[str, bytes]
Tamper = Callable[[Callable[[Members], None]], Path]


def lines(edit: Callable[[list[dict[str, Any]]], object], agent: str = "random") -> Any:
    """Return an edit of an agent's answers."""
    return lambda members: edit_lines(members, agent, edit)  # type: ignore[arg-type]


def manifest(edit: Callable[[dict[str, Any]], object]) -> Any:
    """Return an edit of the random agent's manifest."""
    return lambda members: edit_manifest(members, "random", edit)  # type: ignore[arg-type]


def better(answers: list[dict[str, Any]]) -> None:
    """Change an answer, and its digest with it."""
    line = next(one for one in answers if (one["answer"] or {}).get("type") == "estimate")
    line["answer"]["value"] = 0.123456
    line["digest"] = line_digest("random", line)


def changed(answers: list[dict[str, Any]]) -> None:
    """Change an answer, but not its digest."""
    next(one for one in answers if (one["answer"] or {}).get("type") == "estimate")["answer"][
        "value"
    ] = 0.5


def silent(answers: list[dict[str, Any]]) -> None:
    """Claim that an answer was an abstention."""
    line = next(one for one in answers if one["status"] == "answered")
    line["status"] = "abstained"
    line["digest"] = line_digest("random", line)


def nan(answers: list[dict[str, Any]]) -> None:
    """Claim a loss that is no number."""
    answers[0]["loss"] = float("nan")


def drop(members: Members) -> None:
    """Leave a member out."""
    del members[member(members, "random", "manifest.json")]


TAMPERINGS = {
    "an edited score": (lines(lambda a: a[3].update(loss=a[3]["loss"] / 2 + 0.01)), "is claimed"),
    "a loss that is no number": (lines(nan), "is claimed"),
    "an answer that does not match its digest": (lines(changed), "does not match its digest"),
    "an answer edited with its digest": (lines(better), "recomputed"),
    "an abstention that was an answer": (lines(silent), "status 'abstained' is claimed"),
    "a status that does not exist": (lines(lambda a: a[0].update(status="great")), "not a legal"),
    "a missing item": (lines(lambda a: a.pop(5)), "is missing"),
    "an item answered twice": (lines(lambda a: a.append(a[0])), "answered twice"),
    "an item of no suite": (lines(lambda a: a.append({**a[0], "question": "x"})), "not in the"),
    "a line that is no JSON": (
        lambda m: m.update({member(m, "random", "answers.jsonl"): b"{\n"}),
        "is not JSON",
    ),
    "a line nested too deep": (
        lambda m: m.update({member(m, "random", "answers.jsonl"): b"[" * 100_000 + b"\n"}),
        "is not JSON",
    ),
    "a line without its answer's loss": (lines(lambda a: a[0].pop("loss")), "'loss' is missing"),
    "another suite digest": (manifest(lambda m: m["suite"].update(digest="0" * 64)), "has digest"),
    "another suite": (manifest(lambda m: m["suite"].update(reference="ladder-mini")), "has digest"),
    "another seed": (manifest(lambda m: m.update(seed=9)), "is missing"),
    "a seed below zero": (manifest(lambda m: m.update(seed=-9)), "seed"),
    "an absurd number of repeats": (manifest(lambda m: m.update(repeats=10**9)), "repeats"),
    "a suite given by a path": (
        manifest(lambda m: m["suite"].update(reference="../../evil.yaml")),
        "not one that everybody has",
    ),
    "a suite given by a network's path": (
        manifest(lambda m: m["suite"].update(reference="bnlearn/../evil")),
        "not one that everybody has",
    ),
    "an unfinished run": (manifest(lambda m: m.update(status="interrupted")), "finished runs only"),
    "a manifest of another form": (manifest(lambda m: m.update(agent="x")), "'agent' is"),
    "a missing manifest": (drop, "missing"),
    "a member of no use": (lambda m: m.update({"extra/x.py": b""}), "missing"),
    "a missing head": (lambda m: m.pop("submission.json"), "there is no submission.json"),
    "a head of another schema": (
        lambda m: m.update({"submission.json": json.dumps({"schema": 9}).encode()}),
        "submission.json",
    ),
}


def test_an_honest_submission_verifies(honest: Path) -> None:
    """Everything is recomputed as claimed."""
    verdict = verify(honest)
    assert (verdict.ok, verdict.reason, len(verdict.agents)) == (True, "", 2)


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampered_submission_is_refused_with_the_reason(tampered: Tamper, name: str) -> None:
    """Each way of tampering is refused in one line that names it."""
    edit, reason = TAMPERINGS[name]
    verdict = verify(tampered(edit))
    assert (verdict.ok, reason in verdict.reason, "\n" in verdict.reason) == (False, True, False), (
        verdict.reason
    )


def test_a_file_that_is_not_there_is_the_user_s_error(tmp_path: Path) -> None:
    """No file is no verdict."""
    with pytest.raises(NotFoundError, match="there is no submission"):
        verify(tmp_path / "none.zip")


def test_no_key_is_packed(honest: Path) -> None:
    """Nothing in the file names a truth, a reading or a value of an action."""
    import zipfile

    with zipfile.ZipFile(honest) as archive:
        text = b"".join(archive.read(name) for name in archive.namelist())
    assert [
        word for word in (b'"truth"', b'"readings"', b'"values"', b'"world"') if word in text
    ] == []


def test_the_same_log_packs_to_the_same_answers(log: Path, honest: Path, tmp_path: Path) -> None:
    """Packing twice differs in the time of packing alone."""
    from causalbench.board.archive import read_archive

    first, second = read_archive(honest), read_archive(pack(log, tmp_path / "again.zip"))
    assert {name for name in first if first[name] != second[name]} == {"submission.json"}


def test_packing_never_overwrites_unasked(log: Path, honest: Path) -> None:
    """An existing file stays as it is."""
    with pytest.raises(SubmissionError, match="--force"):
        pack(log, honest)


def test_packing_where_nothing_can_be_written_is_one_error(log: Path, tmp_path: Path) -> None:
    """Also where the draft can't be removed: its own name says nothing to the user."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SubmissionError, match=r"mine\.zip' can't be written: .*; give another"):
        pack(log, tmp_path / "file" / "mine.zip")


def test_packing_nothing_is_an_error(tmp_path: Path) -> None:
    """A folder without a run can't be packed."""
    with pytest.raises(LogError, match="holds no run"):
        pack(tmp_path, tmp_path / "x.zip")


def test_an_unfinished_run_is_not_packed(log: Path, tmp_path: Path) -> None:
    """A run that was interrupted has to be finished first."""
    import shutil

    copy = tmp_path / "logs"
    shutil.copytree(log, copy)
    path = next(copy.glob("*-random-*/manifest.json"))
    path.write_text(path.read_text().replace('"success"', '"interrupted"'))
    with pytest.raises(LogError, match="has not finished"):
        pack(copy, tmp_path / "x.zip")
