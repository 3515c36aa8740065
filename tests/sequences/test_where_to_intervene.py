"""where-to-intervene: the best arms set one variable, and which one depends on the weather."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations, product

import numpy as np
import pytest

from causalbench.graph import Diagram
from causalbench.scm.program import Program
from causalbench.task.sequential import load_family
from causalbench.task.sequential.families import where_to_intervene
from causalbench.task.sequential.families.where_to_intervene import CHANGING, STEADY, House
from causalbench.truth.laws import law
from causalbench.truth.policy import references

FAMILY = load_family("where-to-intervene")
HOUSE = House(
    hot=(0.9375, 0.5625),
    feels=0.875,
    left=0.25,
    on=0.5,
    thrives=(0.125, 0.9375),
    changing=0.5,
    stays=0.75,
    glows=(0.125, 0.875),
)
ARMS = list(product((None, 0, 1), repeat=2))


def intervention_border(diagram: Diagram, y: str) -> frozenset[str]:
    """Return the parents of the smallest set around y closed under effects and confounding.

    Lee and Bareinboim, "Structural causal bandits: where to intervene?" (NeurIPS 2018),
    definitions 3 and 4.
    """
    within = diagram.induced(diagram.ancestors(y))
    territory = frozenset({y})
    while True:
        joined = chain.from_iterable(c for c in within.c_components() if c & territory)
        larger = within.descendants(territory | set(joined))
        if larger == territory:
            break
        territory = larger
    return frozenset(p for name in territory for p in within.parents(name)) - territory


def pomis(diagram: Diagram, y: str) -> set[frozenset[str]]:
    """Return the possibly-optimal minimal intervention sets (theorem 6 of the same paper)."""
    others = [name for name in diagram.nodes if name != y]
    sets = chain.from_iterable(combinations(others, n) for n in range(len(others) + 1))
    return {intervention_border(diagram.without_incoming(cut), y) for cut in sets}


def test_pomis_of_the_papers_example() -> None:
    """In z -> x -> y with x <-> y it is worth setting x, or z; in x -> z -> y, z or nothing."""
    assert pomis(Diagram.parse("z -> x; x -> y; x <-> y"), "y") == {
        frozenset({"z"}),
        frozenset({"x"}),
    }
    assert pomis(Diagram.parse("x -> z; z -> y; x <-> y"), "y") == {frozenset(), frozenset({"z"})}


@pytest.mark.parametrize("decoys", [0, 1, 2])
def test_it_is_worth_setting_the_sensor_or_the_vent_alone(decoys: int) -> None:
    """Neither nothing, nor both, nor any lamp is a possibly-optimal minimal set of the diagram."""
    scm = FAMILY.world(0, decoys=decoys).process.first
    manipulable = [name for name in scm.visible if name not in {"weather", "crop"}]
    sets = pomis(scm.diagram.project([*manipulable, "crop"]), "crop")
    assert sets == {frozenset({"sensor"}), frozenset({"vent"})}


def test_no_numbers_make_another_arm_better() -> None:
    """In houses drawn at random, one of those two sets is always as good as any."""
    rng = np.random.default_rng(0)
    won = set()
    for _ in range(300):
        u = rng.uniform(size=8)
        house = House((u[0], u[1]), u[2], u[3], u[4], (u[5], u[6]), 0.5, 0.5, (0.5, 0.5))
        worth = {arm: house.brings(CHANGING, *arm) for arm in ARMS}
        single = {arm: v for arm, v in worth.items() if arm.count(None) == 1}
        best = max(single, key=lambda arm: single[arm])
        assert single[best] >= max(worth.values()) - 1e-12
        won.add("vent" if best[0] is None else "sensor")
    assert won == {"sensor", "vent"}


def test_the_house_is_what_the_model_says() -> None:
    """What each arm brings agrees with the exact law of the made world under the intervention."""
    scm = where_to_intervene._make(HOUSE, FAMILY.settings("easy")).process.first
    for (sensor, vent), weather in product(ARMS, (STEADY, CHANGING)):
        do = {}
        if sensor is not None:
            do["sensor"] = ("off", "on")[sensor]
        if vent is not None:
            do["vent"] = ("shut", "open")[vent]
        table = law(scm, ["weather", "crop"], do)
        told = table[weather, 1] / table[weather].sum()
        assert HOUSE.brings(weather, sensor, vent) == pytest.approx(told, abs=1e-12)


def test_the_best_policy_turns_with_the_weather() -> None:
    """In one day, do is worth the best arm of each weather, and see what a log promises most of."""
    program = where_to_intervene._make(HOUSE, FAMILY.settings("easy", days=1)).program()
    values = references(program)
    shares = (1 - HOUSE.changing, HOUSE.changing)
    best = sum(p * max(HOUSE.brings(w, *arm) for arm in ARMS) for w, p in enumerate(shares))
    assert values["do"].value.value == pytest.approx(best, abs=1e-12)
    promised = [max(ARMS, key=lambda arm: HOUSE.tells(w, *arm)) for w in (STEADY, CHANGING)]
    brought = sum(p * HOUSE.brings(w, *promised[w]) for w, p in enumerate(shares))
    assert values["see"].value.value == pytest.approx(brought, abs=1e-12)
    assert promised[CHANGING] == (1, 1)


@pytest.mark.parametrize("level", ["easy", "medium", "hard"])
def test_the_right_place_beats_the_log_and_setting_everything(level: str) -> None:
    """The best policy gains on the log's, and on the best that sets sensor and vent each day."""
    world = FAMILY.world(1, level)
    values = references(world.program(), ["see", "do"])
    best = values["do"].value.value
    assert best - values["see"].value.value >= 0.04
    # A lamp that no action sets would be seen before the action, and tell the heat.
    seen = ("weather", "sensor", "vent", "crop")
    everything = replace(world.play, actions=world.play.actions[-4:], observes=seen)
    both = references(Program(world.process, everything), ["do"])["do"].value.value
    assert best - both >= 0.04
