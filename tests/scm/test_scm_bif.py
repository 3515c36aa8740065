"""BIF: what is read, agreement with pgmpy, and malformed files."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import warnings

import numpy as np
import pytest

from causalbench.errors import NotFoundError, WorldError
from causalbench.rng import generator
from causalbench.scm import SCM, Variable, random_scm
from causalbench.scm.bif import PRINTED, read_bif, shipped_network, shipped_networks

CANCER = """network unknown {
  property "made by hand" ;
}
// a comment
variable a { type discrete [ 2 ] { no, yes }; }
variable b {
  type discrete [3] { "<5", 5-12, >12 };   /* odd
  labels */
  property note here ;
}
probability ( a ) { table 0.25, 0.75; }
probability ( b | a ) {
  (no) 0.5, 0.25, 0.25;
  (yes) 1e-1 .2 0.7;
}
"""


def test_a_small_network():
    """Comments, properties, quotes, odd labels and both list styles are read."""
    world = SCM.from_bif(CANCER)
    assert world.variable("b").values == ("<5", "5-12", ">12")
    expected = [[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]]
    assert np.abs(world.cpt("b") - expected).max() < 1e-15
    assert not world.couplings_known


def test_default_rows():
    """Rows that are not given take the default."""
    text = CANCER.replace("(yes) 1e-1 .2 0.7", "default 0.25 0.25 0.5")
    assert SCM.from_bif(text).cpt("b").tolist() == [
        [0.5, 0.25, 0.25],
        [0.25, 0.25, 0.5],
    ]


def test_a_table_counts_with_the_child_slowest():
    """In a bare table the last parent runs fastest, as BIF 0.15 says."""
    rows = CANCER[CANCER.index("  (no)") : CANCER.rindex("}")]
    text = CANCER.replace(rows, "  table 0.5, 0.1, 0.25, 0.2, 0.25, 0.7;\n")
    assert SCM.from_bif(text) == SCM.from_bif(CANCER)


def test_old_style_parents_without_a_bar():
    """BIF 0.15's ``probability(child parent)`` is read too."""
    assert SCM.from_bif(CANCER.replace("( b | a )", '("b" "a")')) == SCM.from_bif(CANCER)


def test_the_coupling_can_be_chosen():
    """All CPTs take the coupling asked for, and none where none is."""
    free, tied = (SCM.from_bif(CANCER, coupling=each) for each in ("independent", "monotone"))
    assert len(free.mechanism("b").noise) == 9
    assert len(tied.mechanism("b").noise) < 9
    assert free.couplings_known
    assert SCM.from_bif(CANCER).uncoupled == ("b",)


def test_rows_off_by_rounding_are_errors_unless_asked():
    """A row that sums to .999 is named; renormalise=True divides it and says so."""
    text = CANCER.replace("0.5, 0.25, 0.25", "0.5, 0.25, 0.249")
    with pytest.raises(WorldError, match=r"line 15: probability of 'b', row \(no\) sums to 0.999"):
        SCM.from_bif(text)
    network = read_bif(text, renormalise=True)
    assert network.renormalised == ("probability of 'b', row (no): 0.999",)
    assert network.scm.cpt("b")[0, 0] == pytest.approx(0.5 / 0.999, abs=1e-15)
    with pytest.warns(UserWarning, match=r"1 rows did not sum to 1 .* row \(no\): 0.999"):
        SCM.from_bif(text, renormalise=True)


def test_exact_networks_renormalise_silently():
    """Nothing is said where nothing was changed."""
    assert read_bif(CANCER, renormalise=True).renormalised == ()
    assert SCM.from_bif(CANCER, renormalise=True) == SCM.from_bif(CANCER)


DEEP = "network n { property " + "(" * 100_000
BAD = {
    "empty": ("\n", "BIF line 2: a BIF file starts with 'network', found the end"),
    "no network": (CANCER.replace("network", "net"), "line 1: a BIF file starts with 'network'"),
    "cut short": (CANCER[:-40], "found the end of the file"),
    "cut in a property": (DEEP, "a property without ';'"),
    "open quote": (CANCER.replace('"<5"', '"<5'), "line 7: a quote that is not closed"),
    "odd keyword": (CANCER.replace("variable b", "varable b"), "Did you mean 'variable'?"),
    "continuous": (CANCER.replace("discrete [ 2 ]", "continuous"), "only 'discrete' is read"),
    "no type": (CANCER.replace("type discrete [ 2 ] { no, yes };", ""), "'a' has no type"),
    "wrong count": (CANCER.replace("[ 2 ]", "[ 3 ]"), "lists 2 values but says [3]"),
    "count no number": (CANCER.replace("[ 2 ]", "[ two ]"), "lists 2 values but says [two]"),
    "no values": (CANCER.replace("{ no, yes }", "{ }"), "expected a value, found '}'"),
    "value twice": (CANCER.replace("no, yes", "no, no"), "value 'no' is a duplicate"),
    "variable twice": (CANCER.replace("variable b", "variable a"), "'a' is a duplicate"),
    "unknown child": (CANCER.replace("( b | a )", "( bb | a )"), "there is no variable 'bb'"),
    "unknown parent": (CANCER.replace("( b | a )", "( b | aa )"), "there is no variable 'aa'"),
    "own parent": (CANCER.replace("( b | a )", "( b | b )"), "'b' is named twice"),
    "parent twice": (CANCER.replace("( b | a )", "( b | a, a )"), "'a' is named twice"),
    "block twice": (CANCER + "probability ( a ) { table 1, 0; }", "two probability blocks"),
    "block missing": (CANCER[: CANCER.index("probability ( b")], "'b' has no probability block"),
    "row missing": (CANCER.replace("(no) 0.5, 0.25, 0.25;", ""), "row (no) is missing"),
    "row twice": (CANCER.replace("(yes)", "(no)"), "this row is given twice"),
    "row of nothing": (CANCER.replace("(yes)", "(maybe)"), "'a' has no value 'maybe'"),
    "row too long": (CANCER.replace("(yes)", "(yes, no)"), "over 1 parent values"),
    "row too short": (CANCER.replace("(yes)", "()"), "names 0 of 1 parent values"),
    "numbers too few": (CANCER.replace(".2 0.7", "0.9"), "2 probabilities where 3 are needed"),
    "numbers too many": (CANCER.replace(".2 0.7", ".2 .3 .4"), "4 probabilities where 3"),
    "no number": (CANCER.replace("0.25, 0.75", "0.25, x"), "'x' is no probability"),
    "nan": (CANCER.replace("0.25, 0.75", "nan, 0.75"), "'nan' is no probability"),
    "negative": (CANCER.replace("0.25, 0.75", "-0.25, 1.25"), "'-0.25' is no probability"),
    "over one": (CANCER.replace("0.25, 0.75", "0, 1.25"), "1.25 is over 1"),
    "overflow": (CANCER.replace("0.25, 0.75", "0, 1e999"), "1e999 is over 1"),
    "sum far off": (CANCER.replace("0.25, 0.75", "0.25, 0.25"), "further from 1 than rounding"),
    "table and rows": (CANCER.replace("(yes)", "table"), "a table stands beside rows"),
    "default first": (CANCER.replace("(no)", "default"), "the default must come last"),
    "odd entry": (CANCER.replace("(no)", "rows"), "does not belong in a probability block"),
    "cycle": (CANCER.replace("( a ) { table 0.25, 0.75; }",
                             "( a | b ) { default 0.25, 0.75; }"), "is a cycle"),
    "too wide": (
        "network n { }\n"
        + "".join(f"variable v{i} {{ type discrete [2] {{ a, b }}; }}\n" for i in range(30))
        + f"probability ( v0 | {', '.join(f'v{i}' for i in range(1, 30))} ) {{ table 1; }}",
        "over 1e7 cells",
    ),
    "endless title": ("network " + "a " * 1000 + "{ }", "expected '{', found 'a'"),
    "list for text": ("network n { } { } { }", "expected 'variable' or 'probability', found '{'"),
}  # fmt: skip


@pytest.mark.parametrize("renormalise", [False, True])
@pytest.mark.parametrize("name", BAD)
def test_malformed_files_are_refused_in_one_line(name, renormalise):
    """A malformed file raises one WorldError on one line, quickly, whatever is asked."""
    text, message = BAD[name]
    start = time.perf_counter()
    with pytest.raises(WorldError) as caught:
        read_bif(text, renormalise=renormalise)
    if not renormalise or "over 1" not in message or "1e7" in message:
        assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.perf_counter() - start < 5


def test_long_comments_cost_no_memory():
    """Pieces of space are read one by one; a pattern that repeats them took 150 bytes for each."""
    text = "//\n" * 200_000
    tracemalloc.start()
    try:
        with pytest.raises(WorldError, match="line 200001: a BIF file starts with 'network'"):
            read_bif(text)
        assert tracemalloc.get_traced_memory()[1] < 10 * len(text)
    finally:
        tracemalloc.stop()


def test_cutting_a_file_anywhere_never_crashes():
    """Every prefix of a network is refused with WorldError, or read."""
    for end in range(1, len(CANCER)):
        try:
            SCM.from_bif(CANCER[:end] + "\n{")
        except WorldError as error:
            assert "\n" not in str(error)  # noqa: PT017
        else:
            pytest.fail("a stray brace was read")


def test_files_too_large_are_refused(tmp_path):
    """A small .gz that unpacks to over 16 MB is refused."""
    path = tmp_path / "bomb.bif.gz"
    path.write_bytes(gzip.compress(b" " * (16 * 2**20 + 1)))
    with pytest.raises(WorldError, match="over 16 MB"):
        SCM.from_bif(path)


def test_missing_files_are_not_found():
    """A path that isn't there raises NotFoundError."""
    with pytest.raises(NotFoundError, match="no file"):
        SCM.from_bif("nowhere.bif")


def test_unknown_networks_are_not_found():
    """The message names a network that pgmpy does ship."""
    with pytest.raises(NotFoundError, match="Did you mean 'sachs'"):
        shipped_network("sach")


@pytest.mark.parametrize("seed", range(5))
def test_text_reads_back(seed):
    """A model's BIF text gives its diagram, labels and CPTs back."""
    world = random_scm(rng=generator(seed, "bif"), n=5, cards=(2, 3), hidden=1)
    found = SCM.from_bif(world.to_bif(), renormalise=True)
    assert found.full_diagram == world.full_diagram
    for name in world.names:
        assert found.variable(name).values == world.variable(name).values
        assert found.parents(name) == world.parents(name)
        gap = found.cpt(name) - world.cpt(name)
        assert np.abs(gap).max() < 1e-14


def test_odd_names_are_quoted(umbrella):
    """Names with blanks and braces survive; a quote in a name can't be written."""
    odd = umbrella.rename({"rain": "it rains {now}", "wet": "//wet"})
    assert SCM.from_bif(odd.to_bif()).names == odd.names
    with pytest.raises(WorldError, match="cannot be written in BIF"):
        umbrella.rename({"rain": 'say "x"'}).to_bif()


def test_linear_models_have_no_bif():
    """BIF holds discrete variables only."""
    world = SCM.from_dict(
        {"schema": 1, "variables": {"t": {"kind": "real"}}, "mechanisms": {"t": {"linear": {}}}}
    )
    with pytest.raises(WorldError, match="real"):
        world.to_bif()
    assert Variable("t", None).is_real


SMALL = ["alarm", "asia", "cancer", "child", "earthquake", "insurance", "sachs", "survey", "water"]


@pytest.mark.parametrize("name", SMALL)
def test_shipped_networks_agree_with_pgmpy(name):
    """CPTs of the networks that pgmpy ships are what pgmpy's own reader finds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pgmpy.readwrite import BIFReader

        with gzip.open(shipped_network(name), "rt", encoding="utf-8") as file:
            theirs = BIFReader(string=file.read()).get_model()
    ours = read_bif(shipped_network(name), renormalise=True).scm
    assert set(ours.names) == set(theirs.nodes())
    for node in ours.names:
        cpd = theirs.get_cpds(node)
        values = np.moveaxis(np.asarray(cpd.values), 0, -1)
        labels = [cpd.state_names[v] for v in cpd.variables]
        ordered = [list(ours.variable(v).labels) for v in cpd.variables]
        assert [[str(x).strip() for x in own] for own in labels] == ordered
        turn = [cpd.variables[1:].index(parent) for parent in ours.parents(node)]
        mine = ours.cpt(node)
        # pgmpy keeps rounded rows as published: the worst row is off by 1e-6.
        assert np.abs(mine - values.transpose([*turn, len(turn)])).max() < 2e-6


@pytest.mark.slow
def test_every_shipped_network_is_read():
    """All networks load; no row of any is off by more than printing explains."""
    for name in shipped_networks():
        network = read_bif(shipped_network(name), rounding=PRINTED)
        assert network.furthest <= 3.1e-7
