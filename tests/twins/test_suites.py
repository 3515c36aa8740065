"""Suites: same seed same bytes, pairs alone, order, limits, filters, worlds in place of a suite."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
import warnings
from collections import Counter
from itertools import pairwise

import pytest

from causalbench.errors import NotFoundError, TwinError, UnknownNameError, WorldError
from causalbench.task.check_suite import check_cases
from causalbench.task.encode import canonical_json
from causalbench.task.leaks import pairs_of
from causalbench.task.recipe import recipe_from_dict
from causalbench.task.suite import (
    Suite,
    case_to_dict,
    list_suites,
    load_suite,
    make,
    questions,
)
from causalbench.task.world import load_world

# Questions without their wording, keys, dossiers and placements of 72 pairs (every construction),
# 36 honesty items and 12 named worlds of ladder-mini at seed 0. It changes when, and only when,
# items change: then raise the suite's version.
GOLDEN = "e29168270ec6929a8e64d9839662b96c309df58519fd2dbea1ce66c0749c1991"


def digest(cases):
    """Return the SHA-256 of the canonical JSON of cases, the wording of questions left out."""
    records = []
    for case in cases:
        record = case_to_dict(case)
        record["dossier"]["story"] = ""
        for question in record["questions"]:
            question["text"] = ""
        records.append(record)
    return hashlib.sha256(canonical_json(records).encode()).hexdigest()


def test_items_of_seed_zero_are_the_golden_ones():
    """The same seed gives the same bytes, on this machine and on the one that wrote the digest."""
    assert digest(make("ladder-mini", seed=0, limit=72)) == GOLDEN


def test_another_process_gives_the_same_bytes():
    """A fresh interpreter with another hash seed builds equal cases."""
    code = (
        "import hashlib; from causalbench.task.suite import make, case_to_dict;"
        "from causalbench.task.encode import canonical_json as j;"
        "c = [case_to_dict(x) for x in make('umbrella-rain', seed=5)];"
        "print(hashlib.sha256(j(c).encode()).hexdigest())"
    )
    here = canonical_json([case_to_dict(case) for case in make("umbrella-rain", seed=5)])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(here.encode()).hexdigest()


def test_another_seed_gives_other_items():
    """Seeds draw items."""
    where = {"role": ["skill", "honesty"]}
    first, second = (make("ladder-mini", seed, limit=6, where=where) for seed in (1, 2))
    asked = [{case.items[0].question.query for case in cases} for cases in (first, second)]
    assert not asked[0] & asked[1]


@pytest.mark.parametrize(
    ("rung", "track", "cell", "index"),
    [(1, "estimates", "lab", 3), (2, "decisions", "diagram", 7), (3, "estimates", "mechanisms", 0)],
)
def test_a_pair_built_alone_is_the_pair_of_the_suite(mini, rung, track, cell, index):
    """Any pair can be built by itself, in any process, and is the same bytes."""
    alone = load_suite("ladder-mini").pair(rung, track, cell, index, seed=0)
    name = f"ladder-mini/{rung}/{track}/{cell}/{index}"
    found = {case.placement.side: case for case in mini if case.placement.pair_id == name}
    for case in alone:
        assert case_to_dict(case) == case_to_dict(found[case.placement.side])


def test_a_pair_that_is_not_there_is_refused():
    """There are 8 lab pairs, numbered from 0."""
    with pytest.raises(NotFoundError, match="there is no number 8"):
        load_suite("ladder-mini").pair(1, "estimates", "lab", 8)


def test_members_of_a_pair_are_not_adjacent(mini):
    """And each comes first about as often as second: within 4 standard deviations of half."""
    for before, after in pairwise(mini):
        assert before.placement.pair_id != after.placement.pair_id
    place = {id(case): number for number, case in enumerate(mini)}
    pairs = pairs_of(mini)
    first = sum(place[id(a)] < place[id(b)] for a, b in pairs)
    assert abs(first - len(pairs) / 2) <= 4 * (len(pairs) ** 0.5) / 2


def test_variable_order_says_nothing_of_the_causal_order(pairs):
    """Causes stand before effects in about half of the edges: within 4 standard deviations."""
    ahead = total = 0
    for first, _ in pairs:
        names = first.dossier.names
        for cause, effect in first.scm.diagram.directed:
            ahead += names.index(cause) < names.index(effect)
            total += 1
    assert abs(ahead - total / 2) <= 4 * (total**0.5) / 2


def test_names_are_shared_by_twins_and_hidden_ones_are_never_visible(pairs):
    """Both twins have the same visible variables in the same order."""
    for first, second in pairs:
        assert first.dossier.variables == second.dossier.variables
        assert not set(first.dossier.names) & {*first.scm.hidden, *second.scm.hidden}


def test_shown_noise_has_one_size_and_twelve_digits(pairs):
    """In shown mechanisms a visible variable's noise is as large in one twin as in the other."""
    for first, second in pairs:
        shown = first.dossier.mechanisms
        if shown is not None:
            for name in shown.visible:
                noise = shown.mechanism(name).noise
                assert len(noise) == len(second.dossier.mechanisms.mechanism(name).noise)
                assert all(round(p, 12) == p for p in noise.tolist())


def test_limit_cuts_all_parts_alike():
    """18 pairs of ladder-mini are one of each rung, track and cell."""
    cases = make("ladder-mini", seed=0, limit=18)
    counts = Counter(
        (c.placement.rung, c.placement.track, c.placement.cell)
        for c in cases
        if c.placement.role == "skill"
    )
    assert set(counts.values()) == {2}
    assert len(counts) == 18


def test_a_limited_suite_is_part_of_the_whole(mini):
    """Limits and filters choose among the items; they do not change them."""
    whole = {case.dossier.id for case in mini}
    assert {case.dossier.id for case in make("ladder-mini", seed=0, limit=5)} <= whole


def test_filter_by_fields():
    """A filter on rung, cell and track leaves nothing else; texts and lists will do."""
    cases = make("ladder-mini", where={"rung": "2", "cell": ["lab"], "track": "estimates"}, limit=3)
    places = {(c.placement.rung, c.placement.cell, c.placement.track) for c in cases}
    assert places == {(2, "lab", "estimates")}


def test_filter_by_function():
    """A function of the placement will do too."""
    cases = make("umbrella-rain", where=lambda place: place.role == "honesty")
    assert len(cases) == 2


def test_filter_on_an_unknown_field_is_refused():
    """With the nearest field in the message."""
    with pytest.raises(UnknownNameError, match="Did you mean 'cell'"):
        make("ladder-mini", where={"cel": "lab"})


def test_suites_are_listed():
    """The built-in ones are there."""
    assert {"ladder-mini", "umbrella-rain"} <= set(list_suites())


def test_an_unknown_suite_is_refused():
    """With the nearest name in the message."""
    with pytest.raises(NotFoundError, match="Did you mean 'ladder-mini'"):
        load_suite("ladder-mimi")


def test_questions_hold_no_key():
    """What an agent may see has no truth in it, and covers every case."""
    seen = questions("umbrella-rain", seed=0)
    assert len(seen) == len(make("umbrella-rain", seed=0))
    assert all(not hasattr(question, "truth") for _, asked in seen for question in asked)


def test_suites_survive_pickling_and_are_their_own_reference():
    """A suite can be sent to a worker; loading a suite gives it back."""
    suite = load_suite("ladder-mini")
    assert load_suite(suite) is suite
    assert pickle.loads(pickle.dumps(suite)).name == "ladder-mini"  # noqa: S301


def test_digests_differ_between_suites_and_stay():
    """The digest names the items: two suites differ, and building it again changes nothing."""
    umbrella = load_suite("umbrella-rain")
    assert umbrella.digest == Suite(umbrella.recipe).digest
    assert len(umbrella.digest) == 64
    assert umbrella.digest != load_suite("firing-squad").digest


def test_umbrella_floors_are_the_designs():
    """Floors before scaling: act-cheap 0.2865, redo-dear 0.2064 (to the digits given)."""
    found = {}
    for first, _ in pairs_of(make("umbrella-rain", where={"track": "decisions"})):
        decision = first.dossier.decisions[0]
        low, high = decision.bounds
        found[decision.id] = (high - low) * sum(item.key.floor for item in first.items)
    assert found["act-cheap"] == pytest.approx(0.2865, abs=5e-5)
    assert found["redo-dear"] == pytest.approx(0.2064, abs=5e-5)


def test_umbrella_effect_of_seeding_is_an_honesty_item():
    """P(rain | do(seed=yes)) = .46 is not settled by diagram and record; with the season it is."""
    cases = make("umbrella-rain", where={"role": "honesty"})
    keys = [case.items[0].key for case in cases]
    assert [key.truth for key in keys] == pytest.approx([0.46, 0.46], abs=1e-9)
    assert sorted(key.certificate.identified for key in keys) == [False, True]
    for case, key in zip(cases, keys, strict=True):
        if not key.certificate.identified:
            assert key.certificate.bounds == pytest.approx((0.176, 0.956), abs=1e-9)
            assert ("seed", "rain") in case.dossier.diagram.directed


def test_umbrella_keeps_names_and_tells_both_twins_one_story():
    """Here names keep their meaning, and the story names neither twin's dependence."""
    for first, second in pairs_of(make("umbrella-rain")):
        assert set(first.dossier.names) == {"seed", "rain", "umbrella", "wet"}
        assert first.dossier.story == second.dossier.story != ""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:suite 'bnlearn/sachs'.*gives twins")
def test_a_network_stands_in_place_of_a_suite():
    """Twins are made on sachs itself: names and values stay, every rung and track has pairs."""
    cases = make("bnlearn/sachs", seed=0)
    network = load_world("bnlearn/sachs").scm
    assert check_cases(cases) == []
    for case in cases:
        assert {v.name: v.values for v in case.dossier.variables} == {
            name: network.variable(name).values for name in network.visible
        }
    kinds = Counter((c.placement.rung, c.placement.track) for c in cases)
    assert set(kinds) == {(r, t) for r in (1, 2, 3) for t in ("estimates", "decisions")}
    constructions = {case.placement.construction for case in cases}
    assert {"dependence", "edge-to-confounder", "coupling"} <= constructions


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:suite 'bnlearn/alarm'.*gives twins")
def test_a_network_too_large_for_full_tables_is_proved_by_samples():
    """On alarm (37 variables) 1,000 or more probabilities are compared, and twins still differ."""
    cases = make("bnlearn/alarm", seed=0, limit=2, where={"cell": "lab", "track": "estimates"})
    assert check_cases(cases) == []
    for case in cases:
        assert case.placement.proof["cells"] >= (37 if case.placement.rung == 1 else 1000)


@pytest.mark.filterwarnings("ignore:suite 'sprinkler'.*gives twins")
def test_pairs_made_on_one_world_have_one_base():
    """Many pairs of one world are no sample of worlds: the bootstrap must not take them for one."""
    cases = make("sprinkler", seed=0, limit=3, where={"cell": "lab"})
    assert len(pairs_of(cases)) > 1
    assert {case.placement.base for case in cases} == {"sprinkler"}


def test_what_cannot_be_made_is_said():
    """Where no edge gives rung-2 twins a warning says so, and what can be asked is asked."""
    where = {"rung": 2, "track": "estimates", "cell": "mechanisms"}
    with pytest.warns(UserWarning, match="no edge of this world gives twins on rung 2"):
        cases = make("kidney-stones", seed=0, where=where)
    assert {case.placement.role for case in cases} == {"named"}


@pytest.mark.filterwarnings("ignore:suite 'coin'.*gives twins")
def test_a_world_with_nothing_to_make_is_refused(tmp_path):
    """One variable has neither causes nor questions: there is nothing to ask."""
    file = tmp_path / "coin.bif"
    file.write_text(
        "network coin { }\nvariable x { type discrete [ 2 ] { a, b }; }\n"
        "probability ( x ) { table 0.5, 0.5; }\n",
        encoding="utf-8",
    )
    with pytest.raises(TwinError, match="no twins can be made"):
        make(str(file))


def test_a_filter_that_leaves_nothing_is_not_the_worlds_fault():
    """Where the filter leaves nothing, nothing is said of twins: the caller names the filter."""
    assert make("kidney-stones", where={"cell": "labs"}) == []


def test_a_suite_is_shown_in_a_line():
    """Its name and version, not its recipe."""
    assert repr(load_suite("umbrella-rain")) == "<Suite umbrella-rain version 2>"


def test_a_linear_world_asks_its_own_questions():
    """Homework is linear: no twins, its estimates as named cases."""
    cases = make("homework")
    assert {case.placement.role for case in cases} == {"named"}
    assert {case.placement.rung for case in cases} == {1, 2, 3}


def test_a_suite_file_of_ones_own(tmp_path):
    """A path to a YAML recipe is a suite."""
    file = tmp_path / "mine.yaml"
    file.write_text(
        "schema: 1\nname: mine\nversion: 3\ntitle: Two pairs\npairs: {estimates: {lab: 1}}\n",
        encoding="utf-8",
    )
    suite = load_suite(file)
    assert (suite.name, suite.version) == ("mine", 3)
    assert Counter(case.placement.rung for case in suite.cases(0)) == {1: 2, 2: 2, 3: 2}


GOOD = {"schema": 1, "name": "s", "version": 1, "title": "t"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "schema is 2"),
        ({"name": None}, "name is None"),
        ({"paris": {}}, "Did you mean 'pairs'"),
        ({"pairs": {"estimates": {"laboratory": 2}}}, "is none of mechanisms, diagram, lab"),
        ({"pairs": {"estimates": {"lab": -1}}}, "whole number"),
        ({"pairs": [1]}, "must be a mapping"),
        ({"honesty": {"lab-saw": 2}}, "Did you mean 'lab-see'"),
        ({"twins": {}}, "must be a list"),
        ({"twins": [{"rung": 1, "worlds": ["a"]}]}, "a pair has two"),
        ({"twins": [{"rung": 4, "worlds": ["a", "b"]}]}, "take 1, 2 or 3"),
        ({"lab": {"rows": True}}, "whole number"),
        ({"worlds": "sprinkler"}, "must be a list"),
    ],
)
def test_malformed_suite_files_are_refused(change, message):
    """One clear line that names the place."""
    with pytest.raises(WorldError, match=message) as caught:
        recipe_from_dict({**GOOD, **change}, "s.yaml")
    assert str(caught.value).startswith("s.yaml")
    assert "\n" not in str(caught.value)


def test_practice_worlds_are_never_the_suites(mini):
    """Training cases come from streams of their own and are not among the suite's items."""
    practice = load_suite("ladder-mini").practice(seed=0)
    cases = practice.cases()
    drawn = [next(cases) for _ in range(36)]
    assert {c.placement.pair_id.split("/")[0] for c in drawn} == {"practice"}
    worlds = {case.scm.digest for case in mini}
    assert not worlds & {case.scm.digest for case in drawn}
    assert {c.placement.rung for c in drawn} == {1, 2, 3}


def test_practice_can_be_narrowed():
    """To a rung, a track or a cell."""
    cases = load_suite("ladder-mini").practice(1).cases(rung=2, cell="lab", track="decisions")
    place = next(cases).placement
    assert (place.rung, place.cell, place.track) == (2, "lab", "decisions")


def test_practice_in_a_cell_that_is_not_there_is_refused():
    """Rather than waiting for ever."""
    cases = load_suite("ladder-mini").practice(1).cases(cell="nowhere")
    with pytest.raises(NotFoundError, match="has no pairs with"):
        next(cases)


@pytest.mark.parametrize("kind", ["bet", "act", "redo"])
def test_practice_has_environments(kind):
    """One for each kind of decision, on worlds that are not in the suite."""
    env = load_suite("umbrella-rain").practice(0).env(kind)
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    _, reward, terminated, _, _ = env.step(0)
    assert terminated
    assert 0.0 <= reward <= 1.0


def test_a_sink_whose_causes_are_all_hidden_makes_no_bet(tmp_path):
    """Nothing visible tells of it, so there is nothing to see before betting; the rest is made."""
    path = tmp_path / "hidden-cause.yaml"
    path.write_text(
        "schema: 1\nid: hidden-cause\nversion: 1\ntitle: A hidden cause\nsource: by hand\n"
        "variables:\n"
        "  h: {values: [a, b], hidden: true}\n"
        "  y: {values: [a, b]}\n"
        "  x: {values: [a, b]}\n"
        "  w: {values: [a, b]}\n"
        "mechanisms:\n"
        "  h: {cpt: [0.5, 0.5]}\n"
        "  y: {parents: [h], cpt: [[0.9, 0.1], [0.2, 0.8]]}\n"
        "  x: {cpt: [0.5, 0.5]}\n"
        "  w: {parents: [x], cpt: [[0.9, 0.1], [0.2, 0.8]]}\n"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what cannot be made is said
        made = make(path, seed=0)
    bets = [case for case in made if case.dossier.decisions and case.placement.rung == 1]
    assert made
    assert all(case.dossier.decisions[0].observes != ("h",) for case in bets)
