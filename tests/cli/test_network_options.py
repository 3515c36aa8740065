"""The options of `ask` and `show` that concern Bayesian networks."""

from __future__ import annotations

import json

import pytest
from causalbench.cli import app
from typer.testing import CliRunner

PN = "PN(smoke: no -> yes; lung=yes)"
OFF = """network n { }
variable a { type discrete [ 2 ] { no, yes }; }
probability ( a ) { table 0.25, 0.749; }
"""


def cli(*arguments, **env):
    """Run a command line in this process."""
    return CliRunner().invoke(app, [str(one) for one in arguments], env=env or None)


def test_ask_says_that_a_network_needs_a_coupling():
    """Without one, a line on stderr gives the bounds, and the status is 2."""
    result = cli("ask", "bnlearn/asia", PN)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "it lies in [0.9, 1]; name one" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "value"),
    [
        (["--coupling", "monotone"], 0.9),
        (["--coupling", "independent"], 0.99),
        (["--coupling", "lung=monotone"], 0.9),
        (["--coupling", 'lung={"antitone": {"in": "smoke"}}'], 1.0),
        (["--coupling", "lung=monotone", "--coupling", "dysp=independent"], 0.9),
    ],
)
def test_ask_answers_under_the_coupling_named(options, value):
    """One coupling for all tables, or one for each of those that matter."""
    result = cli("ask", "bnlearn/asia", PN, *options, "--json")
    assert json.loads(result.stdout)["value"] == pytest.approx(value, abs=1e-12)


def test_the_coupling_may_come_from_the_environment():
    """Every flag has its variable."""
    result = cli("ask", "bnlearn/asia", PN, "--json", CAUSALBENCH_COUPLING="monotone")
    assert json.loads(result.stdout)["value"] == pytest.approx(0.9, abs=1e-12)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--coupling", "monotne"], "Did you mean 'monotone'?"),
        (["--coupling", "lng=monotone"], "Did you mean 'lung'?"),
        (["--coupling", "lung={"], "is no JSON"),
        (["--coupling", 'lung={"a":' + '{"a":' * 100_000], "nested too deep"),
        (["--coupling", "lung=monotone", "--coupling", "lung=independent"], "given twice"),
        (["--coupling", "monotone", "--coupling", "lung=monotone"], "gives one for all and more"),
    ],
)
def test_couplings_that_make_no_sense_are_said(options, why):
    """A line says what is wrong, and the status is 2."""
    result = cli("ask", "bnlearn/asia", PN, *options)
    assert result.exit_code == 2
    assert why in result.stderr


def test_a_world_with_couplings_takes_none():
    """Naming one where all are known is an error: it would change nothing, or another world."""
    result = cli("ask", "umbrella-rain", "P(rain=yes)", "--coupling", "monotone")
    assert result.exit_code == 2
    assert "no mechanism of this world lacks a coupling" in result.stderr


def test_rows_are_renormalised_on_request(tmp_path):
    """A row that does not sum to 1 is refused with the flag that divides it."""
    path = tmp_path / "off.bif"
    path.write_text(OFF, encoding="utf-8")
    result = cli("ask", path, "P(a=no)")
    assert result.exit_code == 2
    assert "row () sums to 0.999, not 1; correct it" in result.stderr
    assert "--renormalise" in result.stderr
    found = json.loads(cli("ask", path, "P(a=no)", "--renormalise", "--json").stdout)
    assert found["value"] == pytest.approx(0.25 / 0.999, abs=1e-12)
    shown = cli("show", path, "--renormalise").stdout
    assert "1 row renormalised, which missed 1 by 0.001 at most" in shown


def test_show_says_which_tables_have_no_coupling():
    """For people a count, for programs the names."""
    assert "5 variables have tables without a coupling" in cli("show", "bnlearn/asia").stdout
    names = json.loads(cli("show", "bnlearn/asia", "--json").stdout)["world"]["uncoupled"]
    assert names == ["tub", "lung", "bronc", "xray", "dysp"]
    tied = cli("show", "bnlearn/asia", "--coupling", "monotone", "--json").stdout
    assert json.loads(tied)["world"]["uncoupled"] == []
