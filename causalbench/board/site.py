"""Write the board: a static page for each suite and seed, readable from disk, nothing fetched."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench.board.page import Entry, costs, form_tables, merged, submission_lines, tracks
from causalbench.board.submission import part
from causalbench.board.verify import verify
from causalbench.errors import MissingExtraError, SubmissionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["board"]

_MANY = 100  # from here on a cost is shown without decimals


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
    pages: dict[Any, list[Entry]] = defaultdict(list)
    for verdict in verdicts:
        if not verdict.ok or verdict.submission is None:
            msg = f"'{verdict.path.name}' does not verify: {verdict.reason}"
            raise SubmissionError(msg)
        for agent in verdict.agents:
            pages[_page_of(agent.manifest)].append(Entry(verdict.submission, agent))
    output = Path(output)
    environment = _environment()
    try:
        output.mkdir(parents=True, exist_ok=True)
        index = [_write(environment, output, page, pages[page]) for page in sorted(pages)]
        _render(environment, output / "index.html", "index.html", {"pages": index})
    except OSError as error:
        msg = f"'{output}' can't be written: {error.strerror or error}; give another folder."
        raise SubmissionError(msg) from error
    return output / "index.html"


def _page_of(manifest: Mapping[str, Any]) -> tuple[str, str, int, str, str]:
    """Name what must be equal for two runs to stand on one page."""
    suite = manifest["suite"]
    digest = suite["digest"]
    return suite["name"], suite["version"], manifest["seed"], digest, part(manifest)


def _write(
    environment: Any, output: Path, page: tuple[str, str, int, str, str], entries: list[Entry]
) -> dict[str, Any]:
    """Write one page and return its line of the index."""
    from causalbench.score.by import said, trait_rows
    from causalbench.score.record import COSTS
    from causalbench.score.table import score_table

    suite, version, seed, digest, piece = page
    named, records = merged(entries)
    table = score_table(records, suite=suite, seed=seed, digest=digest)
    told = said(records, "form")
    forms = trait_rows(records, "form", seed=seed, digest=digest) if told else []
    title = ", ".join(filter(None, [f"{suite} {version}", piece]))
    submissions = submission_lines(entries)
    context = {
        "suite": title,
        "seed": seed,
        "digest": digest,
        "tracks": [
            {**each, "forms": form_tables(forms, each["name"], [a["name"] for a in each["agents"]])}
            for each in tracks(table)
        ],
        "costs": costs(table),
        "cost_names": COSTS,
        "submissions": submissions,
    }
    safe = re.sub(r"[\W_]+", "-", f"{suite}-{version}-{piece}").strip("-")
    file = f"{safe}-seed-{seed}.html"
    _render(environment, output / file, "suite.html", context)
    return {
        "file": file,
        "suite": title,
        "seed": seed,
        "digest": digest,
        "agents": sum(not entry.control for entry in named.values()),
        "submissions": len(submissions),
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
    environment.filters["fixed"] = _fixed
    environment.filters["amount"] = lambda value: (
        f"{value:,.0f}" if value >= _MANY else f"{value:.2g}"
    )
    environment.globals["version"] = package_version()
    return environment


def _fixed(value: float) -> str:
    """Write a skill with two decimals and a true minus sign; what rounds to zero has none."""
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "\N{MINUS SIGN}")


def _render(environment: Any, path: Path, template: str, context: Mapping[str, Any]) -> None:
    """Write a page so that a reader finds the old one or the new one, never half."""
    draft = path.with_name(f"{path.name}.tmp")
    draft.write_text(environment.get_template(template).render(context), encoding="utf-8")
    draft.replace(path)
