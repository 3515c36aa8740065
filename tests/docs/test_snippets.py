"""Run every snippet of the README and the docs, as a reader would."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("**/*.md")])
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of one language, in order."""
    text = page.read_text(encoding="utf-8")
    return [body for found, body in FENCE.findall(text) if found == language]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_snippets_run(page: Path, tmp_path: Path) -> None:
    """The python blocks of a page run one after the other, in an empty folder."""
    code = "\n".join(blocks(page, "python"))
    if not code:
        assert not blocks(page, "python")
        return
    script = tmp_path / "snippet.py"
    # Spawned workers import the script again: only the main process runs it.
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr[-2000:] if done.returncode else "") == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_console_snippets_run(page: Path, tmp_path: Path) -> None:
    """Every `$ causalbench ...` line of a page's console blocks exits with 0."""
    lines = [
        line[2:]
        for block in blocks(page, "console")
        for line in block.replace("\\\n", " ").splitlines()
        if line.startswith("$ causalbench")
    ]
    for line in lines:
        command = [str(Path(sys.executable).parent / "causalbench"), *shlex.split(line)[1:]]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (line, done.returncode, done.stderr[-2000:] if done.returncode else "") == (
            line,
            0,
            "",
        )
