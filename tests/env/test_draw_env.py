"""Drawings of environments show what the agent sees, and what its action cut."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from drawn_programs import CARDS, OBSERVES, drawn_program

from causalbench.env import SequenceEnv
from causalbench.env.draw import _Painter, frame, plot_sequence, render
from causalbench.env.draw_arrange import HALF, arrange
from causalbench.env.draw_bands import bands
from causalbench.env.draw_text import text
from causalbench.errors import UnknownNameError
from causalbench.scm.play import REGIMES
from causalbench.task.layout import curve

if TYPE_CHECKING:
    from pathlib import Path

    from causalbench.env.picture import Picture
    from causalbench.scm.program import Program

PROGRAM = drawn_program(4, 4)


def played(regime: str, actions: list[int], program: Program = PROGRAM) -> SequenceEnv:
    """Return an environment after some actions."""
    env = SequenceEnv(program, regime, render_mode="ansi")  # type: ignore[arg-type]
    env.reset(seed=0)
    for action in actions:
        env.step(action)
    return env


def codes(picture: Picture) -> dict[str, Any]:
    """Return the values of the present observation by name."""
    return dict(picture.values)


@pytest.mark.parametrize("regime", REGIMES)
def test_frames_are_pictures_of_one_size(regime: str) -> None:
    """Red, green and blue, and the same shape all through an episode."""
    env = SequenceEnv(PROGRAM, regime, render_mode="rgb_array")  # type: ignore[arg-type]
    env.reset(seed=0)
    frames = [env.render()]
    over = False
    while not over:
        over = env.step(0)[2]
        frames.append(env.render())
    assert {(each.dtype, each.shape) for each in frames} == {(np.dtype(np.uint8), frames[0].shape)}
    assert frames[0].shape[2] == 3


def test_frames_depend_on_the_picture_alone() -> None:
    """What was drawn before leaves no trace."""
    one, two = played("intent", [1]).picture, played("intent", [1, 2]).picture
    before = frame(one)
    assert not np.array_equal(before, frame(two))
    assert np.array_equal(before, frame(one))


def test_frames_leave_no_figure_with_pyplot() -> None:
    """Nobody has to close them."""
    from matplotlib import pyplot as plt

    frame(played("do", [1]).picture)
    assert plt.get_fignums() == []


def test_arrows_are_laid_out_and_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames that cut the same arrows share a background."""
    drawn = []
    whole = _Painter._background
    monkeypatch.setattr(
        _Painter, "_background", lambda self, shown: drawn.append(1) or whole(self, shown)
    )
    env = played("do", [], drawn_program(11, 9))
    for _ in range(8):
        env.step(1)
        frame(env.picture)
    # The step after the first has other arrows; the later ones have the same.
    assert len(drawn) == 2


def test_before_the_first_step_nothing_was_played() -> None:
    """The upper band has no step, and the lower one the early values."""
    upper, lower = bands(played("do", []).picture)
    assert (upper.live, lower.live, lower.before) == (False, True, ())
    early = {n for n in OBSERVES if PROGRAM.early[PROGRAM.slot[n]]}
    assert {name for name, node in lower.nodes.items() if node.value is not None} == early


def test_late_values_stand_in_the_step_that_was_played() -> None:
    """Early ones of that step are those of the observation before it."""
    env = played("do", [1])
    before = codes(env.picture)
    env.step(3)
    upper, lower = bands(env.picture)
    now = codes(env.picture)
    for name in OBSERVES:
        early = PROGRAM.early[PROGRAM.slot[name]]
        assert upper.nodes[name].value == (before if early else now)[name]
        assert lower.nodes[name].value == (now[name] if early else None)


def test_an_action_cuts_what_it_sets() -> None:
    """`act=0, aid=2` sets two variables, and pass none."""
    upper, _ = bands(played("do", [2]).picture)
    cut = {name: node.text for name, node in upper.nodes.items() if node.cut}
    assert cut == {"act": "set 0", "aid": "set 2"}
    passed, _ = bands(played("do", [0]).picture)
    assert not any(node.cut for node in passed.nodes.values())


def test_intent_shows_the_natural_choice_before_and_after() -> None:
    """Before the action what nature would do; after it what it would have done."""
    env = played("intent", [])
    wanted = codes(env.picture)["act"]
    lower = bands(env.picture)[1]
    assert lower.nodes["act"].text == f"nature: {wanted}"
    set_to = str(1 - int(wanted))
    env.step({"1": 1, "0": 2}[set_to])
    upper = bands(env.picture)[0]
    assert upper.nodes["act"].text == f"set {set_to}, not {wanted}"


def test_watching_shows_what_nature_did_as_plain_values() -> None:
    """Nothing is set, and nothing is anybody's choice."""
    env = played("see", [])
    wanted = codes(env.picture)["act"]
    env.step(0)
    upper, lower = bands(env.picture)
    assert upper.nodes["act"].text == wanted
    assert not any(
        node.cut or node.choice for each in (upper, lower) for node in each.nodes.values()
    )


def test_replay_shows_the_watched_course_and_then_the_same_unit() -> None:
    """Titles say which; before the second course nothing is set."""
    env = played("replay", [])
    titles = [[band.title for band in bands(env.picture)]]
    for _ in range(3):
        env.step(1)
        titles.append([band.title for band in bands(env.picture)])
    assert titles == [
        ["step 1, watched", "step 2, to watch"],
        ["step 2, watched", "step 3, to watch"],
        ["step 3, watched", "step 4, to watch"],
        ["watched, last step", "step 1, same unit"],
    ]
    assert not any(node.cut for node in bands(env.picture)[0].nodes.values())


def test_one_step_has_one_band() -> None:
    """Before the step and after it; but two where it is played again."""
    short = drawn_program(4, 1)
    assert [b.title for b in bands(played("do", [], short).picture)] == ["step 1, to decide"]
    assert [b.title for b in bands(played("do", [1], short).picture)] == ["step 1, played"]
    again = [band.title for band in bands(played("replay", [], short).picture)]
    assert again == ["watched, last step", "step 1, same unit"]


def test_the_last_observation_fills_the_step_that_was_played() -> None:
    """All observed variables have their values of the last step, early ones too."""
    env = played("do", [1] * 4)
    upper, lower = bands(env.picture)
    assert (upper.title, lower.title) == ("step 4, played", "over")
    shown = {name: upper.nodes[name].value for name in OBSERVES}
    assert shown == codes(env.picture)


@pytest.mark.parametrize("regime", REGIMES)
def test_hidden_and_unobserved_variables_never_have_a_value(regime: str) -> None:
    """`hid` is hidden, and `aid` visible but not observed; an action that sets it is known."""
    env = played(regime, [])
    for _ in range(4):
        for band in bands(env.picture):
            assert band.nodes["hid"].text == ""
            assert band.nodes["aid"].text in {"?", "", "set 1"}
        env.step(0 if regime == "see" else 3)


def test_text_has_a_line_for_each_variable_with_its_causes() -> None:
    """By hand, from a picture made up."""
    env = played("do", [])
    picture = replace(
        env.picture,
        values={"cue": "2", "act": "1", "out": "3", "end": "0"},
        earlier={"cue": "0"},
        set={"act": "1"},
        step=1,
        paid=0.25,
    )
    lines = text(picture).splitlines()
    assert lines[:2] == [
        "regime do | step 1 of 4 | return so far 0.250",
        "the last action set act = 1",
    ]
    act = next(line for line in lines if line.startswith("  act"))
    assert act.split() == ["act", "set", "1", "-\N{BLACK SCISSORS}-", "hid"]
    assert PROGRAM.process.first.parents("act") == ("hid",)
    assert sum(line.startswith("  ") for line in lines) == 2 * len(CARDS)


def test_text_of_a_mode_that_does_not_exist_is_refused() -> None:
    """Two modes are known."""
    picture = played("do", []).picture
    with pytest.raises(UnknownNameError, match="render mode 'human'"):
        render(picture, "human")


@pytest.mark.parametrize("seed", range(6))
def test_boxes_do_not_overlap_and_arrows_keep_off_them(seed: int) -> None:
    """On drawn diagrams: each point of each curve is outside of every box but its ends'."""
    from matplotlib.path import Path as Curve

    program = drawn_program(seed)
    width = dict.fromkeys(program.names, 1.1)
    plan = arrange(program, width, both=True)
    centres = {(b, n): plan.place(b, n) for b in (0, 1) for n in program.names}
    for (_, (x, y)), (_, (u, v)) in itertools.combinations(centres.items(), 2):
        assert abs(x - u) >= 1.1 or abs(y - v) >= 2 * HALF
    later = program.process.later
    for name in program.names:
        for parent in later.parents(name):
            before = parent.removesuffix("_before")
            carried = before != parent
            route = plan.entering(1, before, name) if carried else plan.within(1, parent, name)
            ends = {(1, name)} if carried else {(1, parent), (1, name)}
            points = Curve(*curve(route, HALF, 0.03))
            track = np.concatenate([np.asarray(p) for p in points.to_polygons(closed_only=False)])
            for box, (x, y) in centres.items():
                inside = (abs(track[:, 0] - x) < 0.55) & (abs(track[:, 1] - y) < HALF)
                assert box in ends or not inside.any()


def test_a_process_is_plotted_to_a_file(tmp_path: Path) -> None:
    """Two steps, with no values."""
    figure = plot_sequence(PROGRAM, tmp_path / "world.png", title="A world")
    written = {each.get_text() for each in figure.axes[0].texts}
    assert {"A world", "4 steps", "a step", "the next step", *CARDS} <= written
    assert "?" not in written
    assert (tmp_path / "world.png").stat().st_size > 0


def test_a_bet_sets_nothing() -> None:
    """Nature acts, but the agent does not only watch."""
    bets = replace(PROGRAM.play, mode="bet", actions=("out=3", "out!=3"), reward=())
    env = played("see", [1], replace(PROGRAM, play=bets))
    assert text(env.picture).splitlines()[1] == "a bet was placed, which changes nothing"
    assert not any(node.cut or node.choice for node in bands(env.picture)[1].nodes.values())
