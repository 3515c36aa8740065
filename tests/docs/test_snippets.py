"""Run every snippet of the README and the docs, as a reader would, and compare what is printed.

What a ``console`` block shows under a command is what the command prints; an ``output`` block is
what the ``python`` block before it prints. Line breaks may differ, and ``...`` stands for anything.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("**/*.md")])
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
MARK = "-- end of block --"


def blocks(page: Path, *languages: str) -> list[tuple[str, str]]:
    """Return (language, body) of the fenced blocks of some languages, in order."""
    text = page.read_text(encoding="utf-8")
    return [(found, body) for found, body in FENCE.findall(text) if found in languages]


def same(shown: str, printed: str) -> bool:
    """Tell whether a page shows what was printed."""
    return OutputChecker().check_output(shown, printed, ELLIPSIS | NORMALIZE_WHITESPACE)


def commands(page: Path) -> list[tuple[str, str]]:
    """Return every `$ causalbench ...` line of a page's console blocks, and what it shows below."""
    found: list[tuple[str, str]] = []
    for _, block in blocks(page, "console"):
        for line in block.replace("\\\n", " ").splitlines(keepends=True):
            if line.startswith("$ "):
                found.append((line[2:].strip(), ""))
            elif found:
                found[-1] = found[-1][0], found[-1][1] + line
    return [(line, shown) for line, shown in found if line.startswith("causalbench")]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_snippets_run(page: Path, tmp_path: Path) -> None:
    """The python blocks of a page run one after the other, in an empty folder."""
    code, shown = [], []
    for language, body in blocks(page, "python", "output"):
        if language == "python":
            code.append(body)
            shown.append("")
        else:
            shown[-1] = body
    if not code:
        return
    compared = any(shown)
    script = tmp_path / "snippet.py"
    between = f"print({MARK!r})\n" if compared else ""
    script.write_text(between.join(code), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr[-2000:] if done.returncode else "") == (0, "")
    if compared:
        printed = done.stdout.split(f"{MARK}\n")
        pairs = zip(shown, printed, strict=True)
        assert [(one, two) for one, two in pairs if one and not same(one, two)] == []


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_console_snippets_run(page: Path, tmp_path: Path) -> None:
    """Every command of a page exits with 0 and prints what the page shows below it, if anything."""
    for line, shown in commands(page):
        command = [str(Path(sys.executable).parent / "causalbench"), *shlex.split(line)[1:]]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (line, done.returncode, done.stderr[-2000:] if done.returncode else "") == (
            line,
            0,
            "",
        )
        if shown.strip() and not same(shown, done.stdout):
            assert (line, shown) == (line, done.stdout)
