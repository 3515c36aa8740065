"""The JSON and YAML form of models: what is read, and how malformed worlds are refused."""

from __future__ import annotations

import gzip
import json
import math

import numpy as np
import pytest

from causalbench.errors import NotFoundError, WorldError
from causalbench.scm import SCM, Mechanism, Variable
from causalbench.scm.yaml_text import load_yaml

NESTED = [0, 1]
for _ in range(5000):
    NESTED = [NESTED]


def _put(path, value):
    """Return a spoiler that sets (or, with None, deletes) one place of a world."""

    def spoil(data):
        *where, last = path
        for key in where:
            data = data[key]
        if value is None:
            del data[last]
        else:
            data[last] = value

    return spoil


BAD = {
    "cycle": (_put(["mechanisms", "season"], {"parents": ["wet"], "cpt": [[1, 0], [0, 1]]}),
              "is a cycle"),
    "ragged table": (_put(["mechanisms", "rain", "table", 1, 0], [1]),
                     "mechanism of 'rain', table[1][0]: 1 entries where 2 are needed"),
    "code out of range": (_put(["mechanisms", "rain", "table", 3, 1, 0], 2),
                          "mechanism of 'rain', table[3][1][0]: 2 is out of range 0 to 1"),
    "negative code": (_put(["mechanisms", "rain", "table", 3, 1, 0], -1),
                      "mechanism of 'rain', table[3][1][0]: -1 is out of range"),
    "code no integer": (_put(["mechanisms", "rain", "table", 3, 1, 0], 0.5),
                        "mechanism of 'rain', table[3][1][0]: 0.5 stands where a whole number"),
    "nan": (_put(["mechanisms", "umbrella", "cpt", 0, 1], math.nan),
            "mechanism of 'umbrella', cpt[0][1]: nan is no probability"),
    "infinity": (_put(["mechanisms", "rain", "noise", 0], math.inf),
                 "mechanism of 'rain', noise[0]: inf is no probability"),
    "negative": (_put(["mechanisms", "umbrella", "cpt", 0], [1.1, -0.1]),
                 "mechanism of 'umbrella', cpt[0][0]: 1.1 is no probability"),
    "sum off": (_put(["mechanisms", "wet", "cpt", 1, 0], [0.1, 0.900000002]),
                "mechanism of 'wet', cpt[1][0]: the probabilities sum to 1.000000002"),
    "noise sum off": (_put(["mechanisms", "rain", "noise", 0], 0.3),
                      "mechanism of 'rain', noise: the probabilities sum to 0.95"),
    "duplicate value": (_put(["variables", "rain", "values"], ["no", "no"]),
                        "variable 'rain', values[1]: 'no' is a duplicate"),
    "duplicate number": (_put(["variables", "rain", "numbers"], [1, 1.0]),
                         "variable 'rain', numbers[1]: 1.0 is a duplicate"),
    "numbers too few": (_put(["variables", "rain", "numbers"], [1]),
                        "variable 'rain': 1 numbers for 2 values"),
    "no values": (_put(["variables", "rain", "values"], []), "variable 'rain': values is empty"),
    "values missing": (_put(["variables", "rain"], {"hidden": True}),
                       "variable 'rain': 'values' is missing"),
    "empty label": (_put(["variables", "rain", "values"], ["no", " "]),
                    "variable 'rain', values[1]: ' ' is no label"),
    "truth for a label": (_put(["variables", "rain", "values"], [False, True]),
                          "variable 'rain', values[0]: False is a truth value; put quotes"),
    "unknown parent": (_put(["mechanisms", "wet", "parents"], ["rian", "umbrella"]),
                       "mechanism of 'wet': there is no parent 'rian'. Did you mean 'rain'?"),
    "duplicate parent": (_put(["mechanisms", "wet", "parents"], ["rain", "rain"]),
                         "mechanism of 'wet': parents: 'rain' is a duplicate"),
    "unknown key": (_put(["variables", "rain", "hiden"], bool(1)),
                    "variable 'rain', hiden: unknown key"),
    "unknown mechanism key": (_put(["mechanisms", "seed", "couplings"], "monotone"),
                              "Did you mean 'coupling'?"),
    "unknown top key": (_put(["variable"], {}), "variable: unknown key"),
    "wrong schema": (_put(["schema"], 2), "schema: it is 2; this version reads 'schema: 1'"),
    "no schema": (_put(["schema"], None), "schema: it is missing"),
    "schema as truth": (_put(["schema"], bool(1)), "schema: it is True"),
    "missing mechanism": (_put(["mechanisms", "wet"], None), "mechanism of 'wet' is missing"),
    "mechanism of nothing": (_put(["mechanisms", "wets"], {"cpt": [1, 0]}),
                             "there is no variable 'wets'; add it. Did you mean 'wet'?"),
    "no variables": (_put(["variables"], None), "variables: it is missing"),
    "real among discrete": (
        lambda data: (data["variables"].update(t={"kind": "real"}),
                      data["mechanisms"].update(t={"linear": {}})),
        "variable 't' is real and others are discrete",
    ),
    "linear for discrete": (_put(["mechanisms", "season"], {"linear": {}}),
                            "mechanism of 'season': 'season' is discrete and needs"),
    "two forms": (_put(["mechanisms", "rain", "cpt"], [1, 0]),
                  "mechanism of 'rain': give one of table, cpt, linear, equation"),
    "no form": (_put(["mechanisms", "rain"], {"parents": ["seed"]}), "none of them is given"),
    "form and stranger": (_put(["mechanisms", "season", "std"], 1.0),
                          "'std' does not go with 'cpt'"),
    "noise missing": (_put(["mechanisms", "rain", "noise"], None), "'noise' is missing"),
    "bad equation": (_put(["mechanisms", "wet"], {"equation": "rain +"}),
                     "mechanism of 'wet', equation 'rain +': cannot be read"),
    "bad coupling": (_put(["mechanisms", "wet", "coupling"], "montone"),
                     "mechanism of 'wet': coupling: no 'montone'"),
    "text for a number": (_put(["mechanisms", "season", "cpt", 0], "0.8"),
                          "mechanism of 'season', cpt[0]: '0.8' stands where a number"),
    "text for noise": (_put(["mechanisms", "rain", "noise", 0], "0.35"),
                       "mechanism of 'rain', noise[0]"),
    "list for a mapping": (_put(["mechanisms"], []), "mechanisms: "),
    "huge number": (_put(["mechanisms", "season", "cpt", 0], 10**400), "far too large"),
    "nested too deep": (_put(["mechanisms", "season", "cpt", 0], NESTED),
                        "cpt[0]: a list stands where a number should"),
    "empty name": (lambda data: (data["variables"].update({"": {"values": ["a"]}}),
                                 data["mechanisms"].update({"": {"cpt": [1]}})),
                   "a name is empty"),
    "empty cpt": (_put(["mechanisms", "season", "cpt"], []), "0 entries where 2 are needed"),
    "real with values": (_put(["variables", "rain", "kind"], "real"), "takes no 'values'"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_malformed_worlds_are_refused_in_one_line(umbrella_dict, name):
    """A malformed world raises WorldError on one line that names the place."""
    spoil, message = BAD[name]
    spoil(umbrella_dict)
    with pytest.raises(WorldError) as caught:
        SCM.from_dict(umbrella_dict)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "x", 3])
def test_what_is_no_mapping_is_refused(data):
    """A model must be a mapping."""
    with pytest.raises(WorldError, match="must be a mapping"):
        SCM.from_dict(data)


@pytest.mark.parametrize("given", ["1" * 5000, {"a": list(range(2000))}])
def test_what_stands_where_a_number_should_is_shown_in_short(umbrella_dict, given):
    """One line stays one that can be read."""
    umbrella_dict["mechanisms"]["seed"] = {"parents": [], "noise": [0.5, 0.5], "table": [0, given]}
    with pytest.raises(WorldError, match="stands where a whole number should") as caught:
        SCM.from_dict(umbrella_dict)
    assert len(str(caught.value)) < 200


def test_every_form_is_read():
    """Noise and table, CPT with coupling, equation, labels from numbers, all in one world."""
    world = SCM.from_dict(
        {
            "schema": 1,
            "variables": {
                "a": {"values": ["no", "yes"], "numbers": [0, 1], "unit": "kg"},
                "b": {"values": [0, 1]},
                "c": {"values": ["no", "yes"]},
            },
            "mechanisms": {
                "c": {"equation": "a or b"},
                "a": {"noise": [0.25, 0.75], "table": [0, 1]},
                "b": {"parents": ["a"], "cpt": [[1, 0], [0.5, 0.5]], "coupling": "monotone"},
            },
        }
    )
    assert world.variable("b").values == ("0", "1")
    assert world.variable("a").numbers == (0.0, 1.0)
    assert world.mechanism("c") == Mechanism(("a", "b"), [1.0], [[[0, 1], [1, 1]]])


def test_defaults_of_linear_mechanisms():
    """Without intercept and std a linear mechanism has 0 and 1."""
    world = SCM.from_dict(
        {"schema": 1, "variables": {"t": {"kind": "real"}}, "mechanisms": {"t": {"linear": {}}}}
    )
    assert (world.mechanism("t").intercept, world.mechanism("t").std) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("mechanism", "message"),
    [
        ({"linear": {"q": 1}}, "there is no parent 'q'"),
        ({"linear": {}, "std": -1}, "mechanism of 't', std: -1.0 is negative"),
        ({"linear": {}, "std": math.nan}, "mechanism of 't', std: nan is not finite"),
        ({"linear": {"t": math.inf}}, "mechanism of 't', linear['t']: inf is not finite"),
        ({"linear": {"t": 1}}, "joins a node to itself"),
        ({"cpt": [1]}, "'t' is real and needs 'linear' or 'equation', not 'cpt'"),
        ({"equation": "1", "std": 2}, "'std' does not go with 'equation'"),
    ],
)
def test_malformed_linear_worlds_are_refused(mechanism, message):
    """A linear mechanism that makes no sense is refused with its place."""
    data = {"schema": 1, "variables": {"t": {"kind": "real"}}, "mechanisms": {"t": mechanism}}
    with pytest.raises(WorldError) as caught:
        SCM.from_dict(data)
    assert message in str(caught.value)


def test_unknown_couplings_survive(umbrella_dict):
    """couplings_known is kept by the JSON form and told apart by equality."""
    world = SCM.from_dict({**umbrella_dict, "couplings_known": False})
    assert not world.couplings_known
    assert not SCM.from_dict(world.to_dict()).couplings_known
    assert not world.do(rain="no").couplings_known
    assert world != SCM.from_dict(umbrella_dict)


YAML = """
schema: 1
variables:
  rain: {values: [no, yes]}   # no quotes needed
  wet: {values: [off, on], numbers: [0, 1e-3]}
mechanisms:
  wet: {parents: [rain], cpt: [[1, 0], [2.5e-1, .75]]}
  rain: {noise: [0.5, 0.5], table: [0, 1]}
"""


def test_yaml_is_read_with_words_for_labels(tmp_path):
    """yes, no, on and off are labels, and 1e-3 is a number; a file and its text read alike."""
    world = SCM.from_yaml(YAML)
    assert world.variable("rain").values == ("no", "yes")
    assert world.variable("wet").values == ("off", "on")
    assert world.variable("wet").numbers == (0.0, 0.001)
    path = tmp_path / "world.yaml"
    path.write_text(YAML, encoding="utf-8")
    assert SCM.from_yaml(path) == world


def test_yaml_labels_stay_text():
    """Times, dates and padded numbers are labels as typed, though YAML 1.1 makes them numbers."""
    assert load_yaml("[12:30, 2026-01-01, 010, 0x1f, 1_000, =]") == [
        "12:30", "2026-01-01", "010", "0x1f", "1_000", "=",
    ]  # fmt: skip
    assert load_yaml("[1, -2.5, 1e3, true, ~, .5]") == [1, -2.5, 1000.0, True, None, 0.5]


def test_json_text_is_yaml(umbrella):
    """The JSON text of a model can be read as YAML."""
    assert SCM.from_yaml(json.dumps(umbrella.to_dict(), indent=1)) == umbrella


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (YAML.replace("wet: {values", "rain: {values"), "line 5: key 'rain' is a duplicate"),
        ('{"schema": 1,\n "schema": 1}', "line 2: key 'schema' is a duplicate of line 1"),
        (BOMB, "aliases blow up"),
        ("a: &a\n  - *a\n", "alias"),
        ("a: [\n", "this is no YAML"),
        ("a: !!python/object/apply:os.system ['true']\n", "this is no YAML"),
        ("\n\n", "the document is empty"),
        ("a: \x00\n", "this is no YAML"),
        ("[" * 5000 + "\n", "nested too deep"),
        ("? [1, 2]\n: 3\n? {a: 1}\n: 3\n", "this is no YAML"),
        ("a: 1\n---\nb: 2\n", "this is no YAML"),
        ("a: !!int zz\n", "cannot be read"),
        ("#" * (4 * 2**20 + 1), "over 4 MB"),
        pytest.param(f"[{'a,' * 300_001}]", "over 300000 values", marks=pytest.mark.slow),
    ],
)
def test_malformed_yaml_is_refused_in_one_line(text, message):
    """Malformed or hostile YAML raises one clear WorldError, at once."""
    with pytest.raises(WorldError) as caught:
        load_yaml(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_many_values_are_read_at_once():
    """Labels are compared with those before them in time that grows with their number."""
    labels = tuple(str(i) for i in range(100_000))
    assert Variable("x", labels, numbers=tuple(float(i) for i in range(100_000))).values == labels


def test_a_form_at_fault_is_not_named(umbrella_dict):
    """A message speaks of the file, not of the classes that read it."""
    umbrella_dict["variables"]["rain"] = None
    with pytest.raises(WorldError, match=r"'rain': input should be a valid dictionary, got 'None'"):
        SCM.from_dict(umbrella_dict)


def test_missing_files_are_told_apart(tmp_path):
    """A path that isn't there is NotFoundError, not a YAML error."""
    with pytest.raises(NotFoundError, match="no file"):
        SCM.from_yaml(tmp_path / "none.yaml")
    with pytest.raises(NotFoundError, match="no file"):
        SCM.from_yaml(tmp_path / ("long" * 2000 + ".yaml"))


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.yaml", b"a: \xff\n", "is no UTF-8"),
        ("a.yaml.gz", b"not gzip", "cannot be read"),
        ("a.yaml.gz", gzip.compress(b"x" * 100, mtime=0)[:20], "cannot be read"),
        ("a.yaml.gz", gzip.compress(b" " * (16 * 2**20 + 1), mtime=0), "over 16 MB"),
    ],
)
def test_unreadable_files_are_refused(tmp_path, name, data, message):
    """Bytes that are no text, no gzip, or too many are refused."""
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(WorldError, match=message):
        SCM.from_yaml(path)


def test_tables_of_ten_million_cells_are_not_built(umbrella_dict):
    """The cap is checked before anything is allocated."""
    umbrella_dict["variables"]["rain"]["values"] = [str(i) for i in range(2000)]
    umbrella_dict["variables"]["umbrella"]["values"] = [str(i) for i in range(5001)]
    with pytest.raises(WorldError, match="would have 20004000 cells"):
        SCM.from_dict({**umbrella_dict, "mechanisms": {"wet": umbrella_dict["mechanisms"]["wet"]}})


def test_digest_is_golden(umbrella):
    """The digest of world M1 never changes: it is part of published results."""
    assert umbrella.digest == ("9af5963d47524df9105442befa9d99b2b750be93a49a4c1d4194c93ee9c813df")


def test_tables_are_written_as_plain_numbers(umbrella):
    """The JSON form holds only Python's own numbers and texts."""
    text = json.dumps(umbrella.to_dict(), allow_nan=False)
    assert "int64" not in text
    assert isinstance(umbrella.to_dict()["mechanisms"]["rain"]["table"][0][0][0], int)
    assert not isinstance(umbrella.to_dict()["mechanisms"]["rain"]["noise"][0], np.floating)
