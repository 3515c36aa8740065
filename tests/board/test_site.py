"""The pages show what was verified, and nothing that wasn't."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tamper import edit_lines

from causalbench.board import board, pack
from causalbench.board.page import ranks
from causalbench.board.site import _fixed
from causalbench.errors import SubmissionError
from causalbench.run import evaluate


@pytest.fixture(scope="module")
def site(honest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a board."""
    return board([honest], tmp_path_factory.mktemp("site")).parent


def page(site: Path) -> str:
    """Return the one suite's page."""
    (path,) = [path for path in site.glob("*.html") if path.name != "index.html"]
    return path.read_text(encoding="utf-8")


def test_the_index_links_every_page(site: Path) -> None:
    """Each link of the index leads to a file beside it."""
    links = re.findall(r'href="([^"]+)"', (site / "index.html").read_text(encoding="utf-8"))
    assert [(link, (site / link).is_file()) for link in links] == [
        (path.name, True) for path in site.glob("*.html") if path.name != "index.html"
    ]


def test_every_agent_stands_on_the_page(site: Path) -> None:
    """Both agents of the submission are shown."""
    assert [name in page(site) for name in ("exact", "random")] == [True, True]


def test_nothing_is_fetched(site: Path) -> None:
    """A page names no address that a browser would load."""
    loads = re.findall(r'(?:src|href)="(?:https?:)?//[^"]+"|@import|<script', page(site))
    assert loads == []


def test_what_a_submitter_wrote_is_escaped(site: Path) -> None:
    """Markup in a name is shown, not obeyed."""
    text = page(site)
    assert ("a &lt;b&gt;tester&lt;/b&gt;" in text, "<b>tester</b>" in text) == (True, False)


def test_a_board_refuses_what_does_not_verify(tampered: object, tmp_path: Path) -> None:
    """One bad submission stops the build, with its reason."""
    bad = tampered(lambda m: edit_lines(m, "random", lambda a: a.pop()))  # type: ignore[operator]
    with pytest.raises(SubmissionError, match=r"does not verify: .* is missing"):
        board([bad], tmp_path / "site")


def test_a_board_of_nothing_is_an_error(tmp_path: Path) -> None:
    """There is no empty board."""
    with pytest.raises(SubmissionError, match="no submissions"):
        board([], tmp_path / "site")


def test_a_part_of_a_suite_is_named_in_words(tmp_path: Path) -> None:
    """Filter and limit stand in the title and in the file's name as a person would write them."""
    where = {"track": "estimates", "cell": "lab"}
    evaluate("random", "umbrella-rain", log_dir=tmp_path / "logs", where=where, limit=3)
    index = board([pack(tmp_path / "logs", tmp_path / "part.zip")], tmp_path / "site")
    text = index.read_text(encoding="utf-8")
    assert ">umbrella-rain 2, cell=lab, track=estimates, limit 3<" in text
    assert 'href="umbrella-rain-2-cell-lab-track-estimates-limit-3-seed-0.html"' in text


def test_columns_say_how_many_pairs_they_hold(site: Path) -> None:
    """Under the cell's name."""
    assert 'lab<span class="range">1 pair</span>' in page(site)


def test_colours_are_explained(site: Path) -> None:
    """Before the first table."""
    intro = page(site).split("<table>")[0]
    assert [colour in intro for colour in ("green", "red</span>", "grey")] == [True, True, True]


def test_overlapping_intervals_share_a_rank() -> None:
    """Only a whole interval above another makes a difference."""
    rows = [{"low": 0.8, "high": 0.9}, {"low": 0.5, "high": 0.85}, {"low": 0.1, "high": 0.4}]
    assert ranks(rows) == [1, 1, 3]


def test_a_difference_that_is_not_printed_makes_no_rank() -> None:
    """.9999 and 1 are both printed as 1.00, and share the rank."""
    rows = [{"low": 1.0, "high": 1.0}, {"low": 0.9998, "high": 0.9999}]
    assert ranks(rows) == [1, 1]


def test_what_rounds_to_zero_has_no_sign() -> None:
    """-.001 is printed as 0.00, -.01 with a minus sign."""
    assert [_fixed(value) for value in (-0.001, -0.01, 0.5)] == [
        "0.00",
        "\N{MINUS SIGN}0.01",
        "0.50",
    ]


def test_columns_stand_under_their_rung(site: Path) -> None:
    """The row of rungs and the row of cells have as many columns."""
    for head in re.findall(r"<thead>(.*?)</thead>", page(site), re.DOTALL):
        widths = []
        for row in re.findall(r"<tr.*?</tr>", head, re.DOTALL):
            spans = [re.search(r'colspan="(\d+)"', th) for th in re.findall(r"<th[^>]*>", row)]
            widths.append(sum(1 if span is None else int(span[1]) for span in spans))
        assert len(set(widths)) == 1
