"""World files: every shipped world keeps its promises; malformed files are refused in one line."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
from importlib import resources

import numpy as np
import pytest

from causalbench.errors import NotFoundError, WorldError
from causalbench.query import parse
from causalbench.task import catalogue
from causalbench.task.check import check_world
from causalbench.task.world import Expect, World, list_worlds, load_world
from causalbench.truth import value

EXPECTED = {
    "barometer-storm",
    "berkeley-admissions",
    "braking",
    "dose-response",
    "drug-lawsuit",
    "firing-squad",
    "greedy-casino",
    "homework",
    "kidney-stones",
    "lipid",
    "mediation",
    "monty-hall",
    "napkin",
    "salary",
    "smoking-tar",
    "sprinkler",
    "umbrella-rain",
    "umbrella-rain-antitone",
    "umbrella-rain-bet",
    "umbrella-rain-open",
    "umbrella-rain-turned",
    "vitamin-a",
}
SMALL = """
schema: 1
id: small
version: 1
title: A small world
source: made up for a test
variables:
  x: {values: [no, yes]}
  y: {values: [no, yes]}
mechanisms:
  x: {parents: [], noise: [0.5, 0.5], table: [0, 1]}
  y: {parents: [x], cpt: [[0.75, 0.25], [0.25, 0.75]], coupling: monotone}
phrases:
  x: {noun: x, values: {no: x is no, yes: x is yes}, do: {no: you unset x, yes: you set x}}
  y: {noun: y, values: {no: y is no, yes: y is yes}, do: {no: you unset y, yes: you set y}}
questions:
  - {id: seen, query: "P(y=yes | x=yes)"}
decisions:
  - {id: act, mode: act, actions: [pass, x=yes], utility: [[1, y=yes]]}
expect:
  - {query: "P(y=yes)", value: 0.5, origin: by symmetry}
"""

Y_PHRASE = next(f"{line}\n" for line in SMALL.splitlines() if "noun: y" in line)


def from_text(tmp_path, text, name="small.yaml"):
    """Load a world from text written to a file."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return load_world(path)


def test_all_named_worlds_are_shipped():
    """The worlds that the design names are all there."""
    assert set(list_worlds()) >= EXPECTED


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_world_keeps_its_promises(name):
    """`check_world` finds nothing wrong with a shipped world."""
    assert check_world(load_world(name)) == []


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_world_asks_on_every_rung(name):
    """A shipped world has questions on all three rungs, a source, and expected values."""
    world = load_world(name)
    assert {parse(q.query, world.vocabulary).rung for q in world.questions} == {1, 2, 3}
    assert world.source
    assert world.story
    assert world.expect


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_world_survives_to_dict(name):
    """``World.from_dict(world.to_dict()) == world``."""
    world = load_world(name)
    assert World.from_dict(world.to_dict()) == world


def test_files_agree_under_any_yaml_reader():
    """Labels such as yes and no are quoted, so that YAML 1.1 readers see the same file."""
    yaml = pytest.importorskip("yaml")
    for name in sorted(EXPECTED):
        text = (resources.files("causalbench.tasks") / "worlds" / f"{name}.yaml").read_text("utf-8")
        assert World.from_dict(yaml.safe_load(text), name) == load_world(name)


def test_titles_come_from_the_files_heads():
    """The light catalogue gives the titles that the full files give."""
    titles = catalogue.world_titles()
    assert titles == {name: load_world(name).title for name in titles}


def test_catalogue_is_light():
    """Listing worlds imports nothing heavy and takes well under the 0.2 s that `list` may."""
    code = (
        "import sys, time; t = time.perf_counter()\n"
        "from causalbench.task.catalogue import list_worlds, world_titles\n"
        "list_worlds(); world_titles()\n"
        "heavy = {'numpy', 'pandas', 'torch', 'pgmpy', 'pydantic', 'scipy', 'networkx', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_world_loads_from_a_path(tmp_path):
    """A YAML path loads, and unquoted yes and no are labels."""
    world = from_text(tmp_path, SMALL)
    assert check_world(world) == []
    assert world.scm.variable("x").values == ("no", "yes")


def test_loading_a_world_returns_it():
    """A World in place of a name is returned as it is."""
    world = load_world("sprinkler")
    assert load_world(world) is world


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("schema: 1", "schema: 2", "schema"),
        ("id: small", "id: other", "the file is named 'small'"),
        ("id: small", "id: ../small", "id"),
        ("version: 1", "version: one", "version"),
        ("version: 1", "version: 0", "version"),
        ("title: A small world\n", "", "title: field required"),
        ("title: A small world", "titel: A small world", "Did you mean 'title'"),
        ("source: made up for a test", 'source: ""', "source"),
        ("  x: {noun: x,", "  z: {noun: x,", "phrases.z"),
        ("{noun: x,", "{name: x,", "phrases.x"),
        ('query: "P(y=yes | x=yes)"', "qery: P", "questions[0].qery"),
        ("mode: act", "mode: dance", "decisions[0].mode"),
        ("actions: [pass, x=yes]", "actions: [pass]", "decisions[0].actions"),
        ("utility: [[1, y=yes]]", "utility: [[y=yes, 1]]", "decisions[0].utility[0]"),
        ("utility: [[1, y=yes]]", "utility: [[.nan, y=yes]]", "decisions[0].utility[0]"),
        ("utility: [[1, y=yes]]", "utility: []", "decisions[0].utility"),
        ("value: 0.5", "value: .nan", "expect[0].value"),
        ("value: 0.5", "valeu: 0.5", "expect[0].valeu"),
        (", origin: by symmetry", "", "expect[0].origin"),
        ("title: A small world", "title: A small world\ntitle: Twice", "title"),
        ("variables:", "variables: [", "line"),
        ("title: A small world", "title: !!python/object/apply:os.system [ls]", "line 5"),
        ("noise: [0.5, 0.5]", "noise: [0.5, 0.6]", "x"),
        ("parents: [x]", "parents: [z]", "z"),
        ("{parents: [], noise: [0.5, 0.5], table: [0, 1]}", "{equation: y}", "cycle"),
    ],
)
def test_malformed_file_is_refused(tmp_path, old, new, told):
    """A malformed file gives one line that names the file and the place."""
    assert old in SMALL
    with pytest.raises(WorldError) as caught:
        from_text(tmp_path, SMALL.replace(old, new, 1))
    message = str(caught.value)
    assert told in message
    assert "small.yaml" in message
    assert "\n" not in message


def test_file_that_is_no_text_is_refused(tmp_path):
    """Bytes that are no UTF-8 give a WorldError."""
    path = tmp_path / "small.yaml"
    path.write_bytes(b"\xff\xfe\x00schema")
    with pytest.raises(WorldError, match="UTF-8"):
        load_world(path)


def test_alias_bomb_is_refused(tmp_path):
    """A short file whose aliases blow up is refused before anything is built."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    start = time.perf_counter()
    with pytest.raises(WorldError):
        from_text(tmp_path, "\n".join(lines))
    assert time.perf_counter() - start < 5  # the bomb itself would need 10^12 items


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("umbrela-rain", "Did you mean 'umbrella-rain'"),
        ("bnlearn/sach", "Did you mean 'bnlearn/sachs'"),
        ("../worlds/sprinkler", "no world is called"),
        ("no-such-file.yaml", "no world file at"),
        ("", "no world is called"),
    ],
)
def test_unknown_name(name, told):
    """An unknown name or path is not found, with the nearest name where there is one."""
    with pytest.raises(NotFoundError, match=told):
        load_world(name)


def test_bnlearn_network_loads_by_name():
    """A network that pgmpy ships loads as a world without words."""
    world = load_world("bnlearn/asia")
    assert world.id == "bnlearn/asia"
    assert check_world(world) == []
    # P(tub) = .01 x .05 + .99 x .01, from the two tables of the file.
    assert value(world, "P(tub=yes)") == pytest.approx(0.0104, abs=1e-12)


def test_bnlearn_rows_that_miss_one_are_said():
    """Rows whose digits miss 1 are mended, and the world's source says how many."""
    assert "29 rows renormalised" in load_world("bnlearn/sachs").source


def test_bif_paths_load(tmp_path):
    """A BIF file loads from a path, plain or gzipped."""
    text = load_world("sprinkler").scm.to_bif()
    plain, packed = tmp_path / "grass.bif", tmp_path / "grass.bif.gz"
    plain.write_text(text, encoding="utf-8")
    packed.write_bytes(gzip.compress(text.encode()))
    one, two = load_world(plain), load_world(str(packed))
    assert one.id == two.id == "grass"
    assert one.scm == two.scm


@pytest.mark.parametrize("content", [b"", b"network {", b"\x1f\x8b\x08garbage", b"\xff\xfe"])
def test_malformed_bif_is_refused(tmp_path, content):
    """A BIF file that is none gives one line that names it."""
    for name in ("bad.bif", "bad.bif.gz"):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(WorldError, match=r"bad\.bif") as caught:
            load_world(path)
        assert "\n" not in str(caught.value)


class _Point:
    """An entry point as `importlib.metadata` gives it, with just the fields that are read."""

    def __init__(self, name, target):
        self.name, self.value = name, target


@pytest.fixture
def plugins(monkeypatch):
    """Install entry points for one test."""

    def install(**points):
        found = [_Point(f"world.{name}", target) for name, target in points.items()]
        monkeypatch.setattr(catalogue, "entry_points", lambda group: found)  # noqa: ARG005

    return install


def make_world():
    """Return a world, as a plug-in's function does."""
    return load_world("sprinkler")


def test_plugin_world_loads(plugins, monkeypatch):
    """An entry point ``world.lawn`` to a function that returns a World is found by name."""
    module = type(sys)("lawn_plugin")
    module.make = make_world
    monkeypatch.setitem(sys.modules, "lawn_plugin", module)
    plugins(lawn="lawn_plugin:make")
    assert "lawn" in list_worlds()
    assert load_world("lawn") == load_world("sprinkler")


@pytest.mark.parametrize("target", ["no_such_module_at_all:x", "json:no_such", "math:pi"])
def test_broken_plugin_warns_and_is_skipped(plugins, target):
    """A plug-in that cannot be loaded warns, and its name counts as not found."""
    plugins(broken=target)
    with (
        pytest.warns(UserWarning, match="plug-in world 'broken'"),
        pytest.raises(NotFoundError, match="broken"),
    ):
        load_world("broken")


def test_check_finds_a_wrong_expectation(tmp_path):
    """`check_world` names an expected value that is not met, with its origin."""
    world = from_text(tmp_path, SMALL.replace("value: 0.5", "value: 0.4"))
    (problem,) = check_world(world)
    assert "expect[0]" in problem
    assert "by symmetry" in problem


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("P(y=yes | x=yes)", "P(z=yes)", "z"),
        ("P(y=yes | x=yes)", "P(y=yes | x=yes, x=no)", "question 'seen'"),
        ("P(y=yes | x=yes)", "P(y=yes", "question 'seen'"),
        ("yes: x is yes}", "}", "phrases.x.values: 'yes'"),
        ("yes: you set x}", "maybe: you set x}", "phrases.x.do: 'maybe' is no value"),
        (Y_PHRASE, "", "phrases: 'y' has none"),
        ("actions: [pass, x=yes]", "actions: [pass, x=maybe]", "maybe"),
        ("actions: [pass, x=yes]", "actions: [pass, pass]", "each once"),
        ("utility: [[1, y=yes]]", "utility: [[1, y=yes]], observes: [y]", "effect of the actions"),
        ("utility: [[1, y=yes]]", "utility: [[1, y=yes]], observes: [x]", "that is intent"),
        ("utility: [[1, y=yes]]", "utility: [[0, y=yes]]", "all weights are zero"),
        ("x: {values: [no, yes]}", "x: {values: [no, yes], hidden: true}", "hidden"),
    ],
)
def test_check_finds_problems(tmp_path, old, new, told):
    """`check_world` names what is wrong with questions, phrases and decisions."""
    assert old in SMALL
    problems = check_world(from_text(tmp_path, SMALL.replace(old, new, 1)))
    assert any(told in problem for problem in problems), problems


def test_check_finds_a_redo_that_needs_no_thought(tmp_path):
    """A redo with one other action, no cost and a seen outcome is refused as trivial."""
    text = SMALL.replace(
        "mode: act, actions: [pass, x=yes], utility: [[1, y=yes]]",
        "mode: redo, actions: [pass, x=yes], utility: [[1, y=yes]], observes: [x, y]",
    )
    (problem,) = check_world(from_text(tmp_path, text))
    assert "win-stay-lose-shift" in problem


@pytest.mark.parametrize("weight", ["9" * 400, "1e308", ".nan", "-.inf", "heavy", "true"])
def test_weights_beyond_reason_are_refused(tmp_path, weight):
    """A weight that is no number, or that no float holds once summed, is named."""
    text = (resources.files("causalbench.tasks") / "worlds" / "umbrella-rain.yaml").read_text()
    path = tmp_path / "umbrella-rain.yaml"
    before, sign, after = text.partition("utility: [[-1,")
    path.write_text(f"{before}utility: [[{weight},{after}")
    assert sign
    with pytest.raises(WorldError, match=r"decisions\[\d\]\.utility\[0\] is .*; write \[weight"):
        load_world(path)


def test_paths_and_files_too_long_are_refused(tmp_path):
    """A name that no file can have is not found; a file over 16 MB is not read."""
    with pytest.raises(NotFoundError, match="no world file"):
        load_world("long" * 2000 + ".yaml")
    path = tmp_path / "big.yaml"
    with path.open("wb") as file:
        file.truncate(5 * 2**30)
    with pytest.raises(WorldError, match="over 16 MB"):
        load_world(path)


def test_world_delegates_to_its_scm():
    """do, draw, sample and solve are the SCM's own."""
    world = load_world("umbrella-rain")
    rng = np.random.default_rng(0)
    assert world.do(umbrella="no") == world.scm.do(umbrella="no")
    assert list(world.sample(3, rng=rng).columns) == list(world.scm.visible)
    assert set(world.draw(3, rng=rng)) == set(world.scm.names)
    unit = dict.fromkeys(world.scm.names, 0)
    assert {k: int(v) for k, v in world.solve(unit).items()} == {
        k: int(v) for k, v in world.scm.solve(unit).items()
    }


def test_worlds_are_hashable_values():
    """Equal worlds hash alike, so worlds can key a cache."""
    world = load_world("sprinkler")
    again = World.from_dict(world.to_dict())
    assert {world: 1}[again] == 1


def test_expect_is_held_to_its_tolerance():
    """An expectation is met within its tolerance and not beyond."""
    world = load_world("sprinkler")
    near = Expect("P(grass=wet)", 0.4484, "rounded", 2.1e-5)
    far = Expect("P(grass=wet)", 0.4484, "rounded", 1.9e-5)
    fields = {**world.__dict__, "expect": (near, far)}
    (problem,) = check_world(World(**{k: fields[k] for k in World.__dataclass_fields__}))
    assert problem.startswith("expect[1]")


def test_check_survives_an_unreadable_redo(tmp_path):
    """A redo whose labels cannot be read is a problem in the list, not an error of the check."""
    text = SMALL.replace(
        "mode: act, actions: [pass, x=yes]", "mode: redo, actions: [pass, 'x=\"yes'], observes: [x]"
    )
    (problem,) = check_world(from_text(tmp_path, text))
    assert "decision 'act'" in problem
    assert "never closed" in problem


@pytest.mark.parametrize(("p", "q", "expected"), [(0.5, 0.5, 1 / 3), (0.7, 0.2, 0.06 / 0.76)])
def test_firing_squad_at_other_chances(p, q, expected):
    """OmegaCore.jl's rifleman: P(D_{A=0} = 0 | D = 1) = (1 - p) q / (p + (1 - p) q)."""
    record = load_world("firing-squad").to_dict()
    record["mechanisms"]["order"]["noise"] = [1 - p, p]
    record["mechanisms"]["nervous"]["noise"] = [1 - q, q]
    world = World.from_dict(record)
    found = value(world, "P(dead[first=holds]=no | dead=yes)")
    assert found == pytest.approx(expected, abs=1e-12)


def test_napkin_estimand():
    """The napkin's ratio gives the effect from what is seen, for either leaflet."""
    world = load_world("napkin")
    for walking, expected in (("no", 0.275), ("yes", 0.825)):
        for leaflet in ("no", "yes"):
            parts = [
                (
                    value(
                        world, f"P(fit=yes, walking={walking} | leaflet={leaflet}, district={d})"
                    ),
                    value(world, f"P(walking={walking} | leaflet={leaflet}, district={d})"),
                    value(world, f"P(district={d})"),
                )
                for d in ("north", "south")
            ]
            ratio = sum(a * w for a, _, w in parts) / sum(b * w for _, b, w in parts)
            assert ratio == pytest.approx(expected, abs=1e-12)
        assert abs(value(world, f"P(fit=yes | walking={walking})") - expected) > 0.01
