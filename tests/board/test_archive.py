"""A submission is read without being trusted."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from causalbench.board import archive
from causalbench.board.archive import read_archive
from causalbench.errors import SubmissionError


def write(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    """Write a zip file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def test_members_are_returned_by_name(tmp_path: Path) -> None:
    """An ordinary archive is read whole."""
    path = write(tmp_path / "a.zip", ("x/y.json", b"{}"), ("z", b"1"))
    assert read_archive(path) == {"x/y.json": b"{}", "z": b"1"}


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/evil", "C:evil", "..", "a\\..\\evil", "//evil"]
)
def test_a_name_that_leaves_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    """No member may point anywhere but into the archive."""
    path = write(tmp_path / "a.zip", (name, b"x"))
    with pytest.raises(SubmissionError, match="points outside"):
        read_archive(path)


def test_a_link_is_refused(tmp_path: Path) -> None:
    """A symbolic link is not a member."""
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = write(tmp_path / "a.zip", (info, b"/etc/passwd"))
    with pytest.raises(SubmissionError, match="is a link"):
        read_archive(path)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_a_doubled_member_is_refused(tmp_path: Path) -> None:
    """Two members of one name could be read differently by two readers."""
    path = write(tmp_path / "a.zip", ("x", b"1"), ("x", b"2"))
    with pytest.raises(SubmissionError, match="twice"):
        read_archive(path)


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    """What unpacks a thousandfold is not JSON lines."""
    path = write(tmp_path / "a.zip", ("x", bytes(2**24)))
    with pytest.raises(SubmissionError, match="unpacks to more than it may"):
        read_archive(path)


def test_the_total_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many members of a legal size each are limited together."""
    monkeypatch.setattr(archive, "MAX_BYTES", 1000)
    path = write(tmp_path / "a.zip", *((f"x{i}", bytes([65 + i]) * 300) for i in range(5)))
    with pytest.raises(SubmissionError, match="unpacks to more than it may at 'x3'"):
        read_archive(path)


def test_the_number_of_members_is_limited(tmp_path: Path) -> None:
    """An archive of very many tiny members is refused by its list."""
    path = write(tmp_path / "a.zip", *((f"x{i}", b"") for i in range(archive.MAX_MEMBERS + 1)))
    with pytest.raises(SubmissionError, match="more than 1000"):
        read_archive(path)


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04 half", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_submission_is_refused_in_one_line(tmp_path: Path, data: bytes) -> None:
    """Garbage, and an empty archive, give one line each."""
    from causalbench.board import verify

    path = tmp_path / "a.zip"
    path.write_bytes(data)
    verdict = verify(path)
    assert (verdict.ok, "\n" in verdict.reason, bool(verdict.reason)) == (False, False, True)


def test_a_torn_archive_is_refused(honest: Path, tmp_path: Path) -> None:
    """A file cut in the middle is not a zip file."""
    path = tmp_path / "torn.zip"
    path.write_bytes(honest.read_bytes()[: honest.stat().st_size // 2])
    with pytest.raises(SubmissionError, match="not a readable zip file"):
        read_archive(path)


def test_a_member_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    """A flipped byte inside a member is found."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        file.writestr("x", b"content-content")
    path.write_bytes(path.read_bytes().replace(b"content-content", b"content-CONTENT"))
    with pytest.raises(SubmissionError, match="not a readable zip file"):
        read_archive(path)
