"""One honest submission, and a way to make dishonest ones of it."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from causalbench.board import pack
from causalbench.run import evaluate

sys.path.insert(0, str(Path(__file__).parent))  # for tamper.py, which is no test

Edit = Callable[[dict[str, bytes]], None]


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of two agents on the umbrella suite."""
    folder = tmp_path_factory.mktemp("board") / "logs"
    evaluate(["exact", "random"], "umbrella-rain", log_dir=folder)
    return folder


@pytest.fixture(scope="session")
def honest(log: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log, packed."""
    return pack(log, tmp_path_factory.mktemp("packed") / "honest.zip", by="a <b>tester</b>")


@pytest.fixture
def tampered(honest: Path, tmp_path: Path) -> Callable[[Edit], Path]:
    """A function that edits the members of the honest submission and writes them anew."""

    def write(edit: Edit) -> Path:
        with zipfile.ZipFile(honest) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        edit(members)
        path = tmp_path / "tampered.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return path

    return write
