"""Programs for tests of logs.

`confounded`: a hidden `taste` that lasts decides what is eaten and how well one sleeps; eating
itself costs sleep. `counted`: nothing is left to chance, so every number is known.
"""

from __future__ import annotations

from causalbench.scm.play import Play
from causalbench.scm.program import Program
from causalbench.task.sequential.slices import Slices

ACTIONS = ("pass", "eat=no", "eat=yes")


def confounded(horizon: int = 3, **changes: object) -> Program:
    """Return three steps in which what is seen to help, harms."""
    made = Slices(horizon)
    made.add("taste", "zzplain zzsweet", hidden=True)
    made.add("mood", "low high").add("eat", "no yes").add("sleep", "bad good")
    made.chance("taste", "", lambda: 0.5, when="first")
    made.chance("taste", "taste_before", lambda before: 0.75 if before else 0.25, when="later")
    made.chance("mood", "taste", lambda taste: 0.75 if taste else 0.25)
    made.chance("eat", "taste", lambda taste: 0.875 if taste else 0.125)
    made.chance("sleep", "taste eat", lambda taste, eat: 0.125 + 0.75 * taste - 0.125 * eat)
    play = {
        "id": "night",
        "actions": ACTIONS,
        "observes": ("mood", "eat", "sleep"),
        "reward": ((1.0, "sleep=good"),),
        **changes,
    }
    return Program(made.process(), Play(**play))  # type: ignore[arg-type]


def counted(ends: str = "") -> Program:
    """Return four steps: `tick` counts 0 1 2 3, `push` is tick's parity, `sum` adds pushes up."""
    made = Slices(4)
    made.add("tick", "0 1 2 3").add("push", "off on").add("sum", "0 1 2 3 4").add("dark", "a b")
    made.rule("tick", "", lambda _: 0, when="first")
    made.rule("tick", "tick_before", lambda _, before: min(3, before + 1), when="later")
    made.rule("push", "tick", lambda _, tick: tick % 2)
    made.rule("sum", "push", lambda _, push: push, when="first")
    made.rule("sum", "push sum_before", lambda _, push, before: min(4, push + before), when="later")
    made.rule("dark", "", lambda _: 1)
    play = Play(
        "count",
        ("pass", "push=on"),
        ("tick", "push", "sum"),
        ((1.0, "push=on"), (-0.5, "tick=3")),
        ends=ends,
        returns=(-0.5, 2.0),
    )
    return Program(made.process(), play)
