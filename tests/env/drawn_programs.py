"""Programs drawn at random: same variables, actions and horizon, other diagrams and laws."""

from __future__ import annotations

import numpy as np

from causalbench.scm import SCM, Mechanism, Variable
from causalbench.scm.play import Play
from causalbench.scm.process import BEFORE, Process
from causalbench.scm.program import Program

CARDS = {"hid": 2, "cue": 3, "act": 2, "aid": 3, "out": 12, "end": 2}
ACTIONS = ("pass", "act=1", "act=0, aid=2", "aid=1")
OBSERVES = ("cue", "act", "out", "end")
NOISES = (1, 2, 5, 16)


def drawn_program(
    seed: int, horizon: int = 3, *, ends: str = "", observes: tuple[str, ...] = OBSERVES
) -> Program:
    """Return a program: `hid` is hidden, `act` and `aid` are set, all else is drawn."""
    rng = np.random.default_rng(seed)
    labels = {name: tuple(str(code) for code in range(card)) for name, card in CARDS.items()}
    variables = {name: Variable(name, labels[name], hidden=name == "hid") for name in CARDS}
    first: dict[str, Mechanism] = {}
    later: dict[str, Mechanism] = {}
    for place, name in enumerate(CARDS):
        earlier = list(CARDS)[:place]
        parents = [parent for parent in earlier if rng.random() < 0.6]
        first[name] = _mechanism(rng, name, parents)
        carried = [f"{parent}{BEFORE}" for parent in CARDS if rng.random() < 0.25]
        later[name] = _mechanism(rng, name, [*parents, *carried[:2]])
    read = {parent for mechanism in later.values() for parent in mechanism.parents}
    before = {n: Variable(n, labels[n.removesuffix(BEFORE)], hidden=True) for n in read - {*CARDS}}
    still = {name: Mechanism((), np.ones(1), np.zeros(1, dtype=np.int64)) for name in before}
    process = Process(
        SCM(variables, first), SCM({**variables, **before}, {**later, **still}), horizon
    )
    reward = ((1.0, "out=3"), (0.5, "end=1, aid=2"), (-0.25, "act=1"), (0.125, "out!=6"))
    return Program(process, Play("act", ACTIONS, observes, reward, ends=ends))


def _mechanism(rng: np.random.Generator, name: str, parents: list[str]) -> Mechanism:
    noise = rng.dirichlet(np.ones(int(rng.choice(NOISES))))
    shape = (len(noise), *(CARDS[parent.removesuffix(BEFORE)] for parent in parents))
    return Mechanism(tuple(parents), noise, rng.integers(CARDS[name], size=shape))
