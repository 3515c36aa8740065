"""An arena: every learner trained and valued along the way, and gone on with after a stop."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import pytest

import causalbench as cb
from causalbench.errors import AccessError, CausalBenchError, NotFoundError
from causalbench.rng import generator
from causalbench.run.arena.field import ArenaField, Meter
from causalbench.truth.policy import Uniform, policy_value

BUDGETS = [64, 256]


def _rows(found: cb.Arena) -> list[dict]:
    """Return the rows of the one study, without what a clock decides."""
    return [{k: v for k, v in row.items() if k != "seconds"} for row in found.findings[0].rows]


@pytest.fixture
def small(world, stub, tmp_path):
    """Return a function that measures the stub in the tiny world, with some keys changed."""

    def measure(**more):
        keys = {"seed": 3, "repeats": 2, "log_dir": tmp_path / "logs", "budgets": BUDGETS, **more}
        return cb.arena(world, [stub()], **keys)

    return measure


def test_every_checkpoint_of_every_regime_has_a_row(small) -> None:
    """A row a regime and budget; rows of different regimes are kept apart."""
    rows = small(regimes=["see", "do", "intent"]).findings[0].rows
    assert [(row["regime"], row["steps"]) for row in rows] == [
        (regime, steps) for regime in ("see", "do", "intent") for steps in BUDGETS
    ]


def test_values_are_those_of_the_policy(small) -> None:
    """The stub leans to one action: what it is worth is what the solver says of such a policy."""
    import tiny

    row = small(repeats=1).findings[0].rows[-1]
    program = tiny.world().program()
    options = [
        policy_value(program, tiny.Fixed(chances), "do").value
        for chances in ([0.75, 0.25], [0.25, 0.75])
    ]
    assert min(abs(row["sampled"]["value"] - value) for value in options) < 1e-12
    assert row["greedy"]["exact"]


def test_nothing_depends_on_the_number_of_processes(small, tmp_path) -> None:
    """Two processes find what one finds."""
    one = small(log_dir=tmp_path / "one")
    assert _rows(small(log_dir=tmp_path / "two", jobs=2)) == _rows(one)


def test_the_same_command_goes_on(small, tmp_path) -> None:
    """A log that was cut off in the middle of a line is filled up to what it would have been."""
    whole = _rows(small())
    path = min((tmp_path / "logs").rglob("repeat-001.jsonl"))
    lines = path.read_bytes()
    path.write_bytes(lines[: len(lines) // 2])
    assert _rows(small()) == whole


def test_what_is_logged_is_not_trained_again(small, tmp_path) -> None:
    """A finished log is read, not written."""
    small()
    before = {path: path.read_bytes() for path in (tmp_path / "logs").rglob("*.jsonl")}
    small()
    assert {path: path.read_bytes() for path in (tmp_path / "logs").rglob("*.jsonl")} == before


def test_more_repeats_keep_the_earlier_ones(small) -> None:
    """A repeat's values do not depend on how many there are."""
    two = small(repeats=2).findings[0].rows[0]["greedy"]["values"]
    assert small(repeats=3).findings[0].rows[0]["greedy"]["values"][:2] == two


def test_seeds_decide(small) -> None:
    """Another seed is another training: what it has read differs."""
    one, two = (small(seed=seed, repeats=4, regimes=["do"], budgets=[8]) for seed in (0, 1))
    values = [found.findings[0].rows[0]["sampled"]["values"] for found in (one, two)]
    assert values[0] != values[1]


def test_a_life_is_valued_in_every_phase(small) -> None:
    """Two stretches, each checkpoint valued in both phases."""
    rows = small(life=["dry", "oily"], budgets=[64], regimes=["do"]).findings[0].rows
    assert [(row["stage"], row["lived"], row["phase"], row["total"]) for row in rows] == [
        (0, "dry", "dry", 64),
        (0, "dry", "oily", 64),
        (1, "oily", "dry", 128),
        (1, "oily", "oily", 128),
    ]


def test_a_learner_that_raises_fails_alone(world, stub, tmp_path) -> None:
    """The other learner is measured; the failure is counted and said."""
    found = cb.arena(
        world, [stub("Broken"), stub()], budgets=[64], regimes=["do"], log_dir=tmp_path / "logs"
    )
    assert found.failed == 1
    assert [row["agent"] for row in found.findings[0].rows] == ["Stub"]
    assert "RuntimeError: no more than 64" in found.notes[0]


def test_steps_are_counted(small) -> None:
    """What a training has used is what the environment and the log have handed out."""
    rows = {row["regime"]: row for row in small(repeats=1).findings[0].rows if row["steps"] == 64}
    assert rows["see"]["spent"]["rows"] >= 64
    assert rows["do"]["spent"]["steps"] >= 64


def test_who_takes_more_than_it_was_asked_to_is_named(world, stub) -> None:
    """A table would not show it, so a note does; a last round of copies is nothing to note."""
    found = cb.arena(world, [stub("Greedy"), stub()], budgets=[256, 512], regimes=["see", "do"])
    (note,) = found.notes
    assert note.startswith("Greedy took ")
    assert " where it was asked for " in note


def test_what_an_arena_cannot_read_is_said(world, stub) -> None:
    """A class has no name that a log could keep; a key that is none is put right."""
    import tiny

    with pytest.raises(CausalBenchError, match="agents are named here"):
        cb.arena(world, [tiny.Stub])
    with pytest.raises(CausalBenchError, match="Did you mean 'regimes'"):
        cb.arena(world, stub(), regime="do")


def test_a_watcher_gets_no_environment() -> None:
    """Regime see gives logs alone, the others environments alone."""
    import tiny

    program = tiny.world().program()
    watcher = ArenaField(program, "see", family="", rng=generator(0, "test"))
    actor = ArenaField(program, "do", family="", rng=generator(0, "test"))
    with pytest.raises(AccessError, match="no environment"):
        watcher.env()
    with pytest.raises(AccessError, match="no log"):
        actor.log(10)


def test_a_longer_log_begins_with_the_shorter_and_is_paid_once() -> None:
    """What was read before is not counted again."""
    import tiny

    meter = Meter()
    field = ArenaField(
        tiny.world().program(), "see", family="", rng=generator(0, "test"), meter=meter
    )
    short, long = field.log(100), field.log(3000)
    assert (long.seen[: short.episodes] == short.seen).all()
    assert meter.spent["rows"] == long.steps


def test_the_world_of_an_arena_is_sealed() -> None:
    """A caller's seed changes nothing: the next units are fresh."""
    import tiny

    field = ArenaField(tiny.world().program(), "do", family="", rng=generator(0, "test"))
    env = field.env(64)
    first, _ = env.reset(seed=5)
    first = first.copy()
    again, _ = env.reset(seed=5)
    assert (first != again).any()


def test_references_stand_beside(small) -> None:
    """All six, ordered as they must be: acting with one's own intent shown is never worse."""
    found = {row["name"]: row for row in small(repeats=1).findings[0].reference_rows}
    assert set(found) == {"see", "do", "intent", "replay", "natural", "uniform"}
    assert found["see"]["value"] <= found["do"]["value"] <= found["intent"]["value"]
    import tiny

    uniform = policy_value(tiny.world().program(), Uniform(2), "do").value
    assert found["uniform"]["value"] == uniform


def test_a_sweep_is_a_learner_for_each_value(world, stub) -> None:
    """Options with several values make several contestants, told apart by name."""
    page = {"agents": [{"agent": stub(), "options": {"lean": [0.5, 0.75]}}], "budgets": [64]}
    found = cb.arena({"world": world, "regimes": ["do"], **page})
    assert [row["agent"] for row in found.findings[0].rows] == ["Stub lean=0.5", "Stub lean=0.75"]
    assert found.findings[0].study.plot == "sweep"


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ({"world": "umbrella-dais", "agents": ["q-learning"]}, "umbrella-dais"),
        ({"agents": ["q-learning"]}, "world"),
        ({"world": "umbrella-days"}, "nobody trains"),
        ({"world": "umbrella-days", "agents": ["q-learning"], "budgets": [0]}, "budgets"),
        ({"world": "umbrella-days", "agents": ["q-learning"], "bugdets": [1]}, "bugdets"),
        ({"world": "umbrella-days", "agents": ["q-learning", "q-learning"]}, "twice"),
        ({"studies": []}, "empty"),
        ({"studies": 3}, "no list"),
    ],
)
def test_a_page_that_does_not_fit_is_refused(page, told) -> None:
    """The message names the place."""
    with pytest.raises((CausalBenchError, NotFoundError), match=told):
        cb.arena(page)


def test_manifests_say_what_was_run(small, tmp_path) -> None:
    """Each folder of a log says learner, regime, seed and budgets."""
    small(repeats=1, regimes=["do"])
    manifest = json.loads(next((tmp_path / "logs").rglob("manifest.json")).read_text("utf-8"))
    assert (manifest["regime"], manifest["seed"], manifest["rung3"]) == ("do", 3, "rung-2")
    assert manifest["stages"] == [[None, BUDGETS]]


def test_fresh_moves_an_earlier_log_aside(small, tmp_path) -> None:
    """Nothing is lost by starting over."""
    small(repeats=1, regimes=["do"])
    small(repeats=1, regimes=["do"], fresh=True)
    assert len(list(Path(tmp_path / "logs").rglob("*.old-1"))) == 1


@pytest.mark.parametrize("fork", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_field_cannot_be_forked(fork) -> None:
    """A fork would hand out environments that meet the same units, and count them elsewhere."""
    import tiny

    field = ArenaField(tiny.world().program(), "do", family="", rng=generator(0, "test"))
    with pytest.raises(AccessError, match="cannot be copied or pickled"):
        fork(field)


def test_what_was_taken_is_not_given_back() -> None:
    """A count only rises."""
    meter = Meter()
    meter.charge("rows", 3)
    with pytest.raises(AccessError, match="never given back"):
        meter.charge("rows", -3)
    assert meter.spent["rows"] == 3
