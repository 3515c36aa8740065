"""Every example on the query language's page is what the page says."""

import re
from pathlib import Path

import pytest

from causalbench.query import QueryError, Vocabulary, parse

BITS = ("0", "1")
STORY = ("no", "yes")
VOCABULARY = Vocabulary(
    dict.fromkeys("xyzm", BITS) | {"t": None} | dict.fromkeys(("rain", "umbrella", "wet"), STORY)
)
PAGE = (Path(__file__).parents[2] / "docs" / "query-language.md").read_text(encoding="utf-8")


def blocks(kind):
    """Return the lines of the page's fenced blocks of a kind."""
    found = re.findall(rf"^```{kind}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    return [line for block in found for line in block.splitlines()]


EXAMPLES = [re.fullmatch(r"(.*?)\s+# rung (\d).*", line).groups() for line in blocks("query")]
TABLE = [re.fullmatch(r"(.*?\))\s+= (.*)", line).groups() for line in blocks("names")]
ERRORS = list(zip(blocks("errors")[::2], blocks("errors")[1::2], strict=True))


@pytest.mark.parametrize(("text", "rung"), EXAMPLES)
def test_example(text, rung):
    """An example parses, has the rung beside it, and survives being written."""
    query = parse(text, VOCABULARY)
    assert int(rung) == query.rung
    assert query == parse(str(query), VOCABULARY)


@pytest.mark.parametrize(("named", "expanded"), TABLE)
def test_expansion(named, expanded):
    """A named quantity is the expansion beside it."""
    assert parse(expanded) == parse(named)


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_error(text, message):
    """An error reads as printed."""
    with pytest.raises(QueryError) as caught:
        parse(text, VOCABULARY)
    assert message == str(caught.value)


def test_nothing_is_missed():
    """The patterns above find what the page holds."""
    assert (len(blocks("query")), 11, 4) == (len(EXAMPLES), len(TABLE), len(ERRORS))
    assert len(EXAMPLES) > 20
