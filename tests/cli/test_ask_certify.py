"""``ask --certify``: what is printed, what is JSON, and the witness worlds as files."""

from __future__ import annotations

import json

import pytest
from causalbench.cli import app
from typer.testing import CliRunner

import causalbench as cb

SEEDING = "P(rain=yes | do(seed=yes))"


def cli(*arguments, **env):
    """Run a command line in this process."""
    return CliRunner().invoke(app, [str(one) for one in arguments], env=env or None)


def test_a_settled_query_is_printed_with_its_estimand():
    """What is given, the value, the expression, the method and its source, a line each."""
    result = cli("ask", "smoking-tar", "P(cancer=yes | do(smoking=yes))", "--certify")
    assert result.exit_code == 0
    proof = result.stdout.split("\n\n")[1].splitlines()
    assert proof[0] == "given    regime see, shown diagram"
    assert proof[1] == "settled  0.5475"
    assert proof[2].startswith("  = sum_{tar} P(tar | smoking=yes) sum_{smoking'}")
    assert proof[3] == "by       ID"
    assert "Shpitser and Pearl (2006)" in proof[4]


def test_a_difference_that_rounding_leaves_is_printed_as_0():
    """Smoking raises cancer by .045, and sums of doubles miss that by 1e-16."""
    query = "ATE(smoking: no -> yes; cancer=yes) - 0.045"
    assert cb.certify(cb.load_world("smoking-tar"), query).value != 0
    result = cli("ask", "smoking-tar", query, "--certify")
    assert "settled  0\n" in result.stdout


def test_an_open_query_is_printed_with_its_bounds():
    """From .176 to .956, sharp, and two worlds."""
    result = cli("ask", "umbrella-rain", SEEDING, "--certify")
    assert "open     from 0.176 to 0.956 (sharp bounds)" in result.stdout
    assert "two worlds that agree with this one on all that is given have 0.176" in result.stdout


def test_json_carries_the_certificate():
    """Under "certificate", or under "certificates" by action for a choice."""
    one = json.loads(cli("ask", "umbrella-rain", SEEDING, "--certify", "--json").stdout)
    assert one["certificate"]["identified"] is False
    assert len(one["certificate"]["witnesses"]) == 2
    choice = "argmax a in {umbrella=yes, umbrella=no}: P(wet=no | do(a))"
    both = json.loads(cli("ask", "umbrella-rain", choice, "--certify", "--json").stdout)
    assert list(both["certificates"]) == ["umbrella=yes", "umbrella=no"]


def test_options_come_from_the_environment():
    """Every flag has a variable."""
    result = cli("ask", "umbrella-rain", SEEDING, "--certify", CAUSALBENCH_REGIME="do")
    assert "given    regime do, shown diagram" in result.stdout
    assert "settled  0.46" in result.stdout


@pytest.mark.parametrize(("end", "value"), [("lower", "0.176"), ("upper", "0.956")])
def test_witnesses_are_world_files(tmp_path, end, value):
    """Each is read by every command, has its end as the answer, and the same seen law."""
    cli("ask", "umbrella-rain", SEEDING, "--certify", "--witnesses", tmp_path / "found")
    file = tmp_path / "found" / f"{end}.yaml"
    assert f"value    {value}\n" in cli("ask", file, SEEDING).stdout
    seen = "P(rain=yes | seed=yes)"
    own, other = (cli("ask", world, seen).stdout for world in ("umbrella-rain", file))
    assert own == other
    assert cli("check", "world", file).exit_code == 0


def test_tables_without_couplings_are_certified_by_their_bounds():
    """The truth does not exist there, but what the tables leave open does."""
    pns = "PNS(smoke -> bronc)"
    result = cli("ask", "bnlearn/asia", pns, "--certify", "--shown", "mechanisms")
    assert result.exit_code == 0
    assert "open     from 0.3 to 0.6 (sharp bounds)" in result.stdout
    assert "value" not in result.stdout
    named = ["--coupling", "monotone", "--certify", "--shown", "mechanisms"]
    assert "settled  0.3" in cli("ask", "bnlearn/asia", pns, *named).stdout
