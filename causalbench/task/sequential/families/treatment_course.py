"""treatment-course: the sick are treated, the drug works late and builds up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from causalbench.scm.play import Play
from causalbench.task.sequential.families.parts import (
    GAP,
    between,
    draw_until,
    phrase,
    worth,
)
from causalbench.task.sequential.family import Knob, WorldFamily
from causalbench.task.sequential.slices import Slices
from causalbench.task.sequential.world import BASE, Phase, SequentialWorld
from causalbench.task.world import Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from causalbench.scm.process import Process

__all__ = ["FAMILY"]

NAME = "treatment-course"
TITLE = "A drug that is given to the sick, works late and builds up"
BURDEN = 0.1875
"""What taking the drug costs at once, beside symptoms that cost 1."""
INTENT_GAP = 0.01
"""What the doctor's own choice is worth at least, once shown."""
STORY = (
    "A patient comes every week. The doctor sees how he is and gives a drug when he is badly off,"
    " so that in the records patients fare worse with the drug. On record are a marker that tells"
    " little, the drug, how much of it has built up in the body, and the symptoms of the week. The"
    " drug hardly helps at once; it makes recovery likely the week after. It is a burden, and once"
    " much of it has built up it does harm."
)


def _build(rng: np.random.Generator, knobs: Mapping[str, Any]) -> SequentialWorld:
    play = Play(
        "treat",
        ("drug=no", "drug=yes"),
        ("marker", "load", "drug", "symptoms"),
        (
            (-1.0, "symptoms=yes"),
            (-knobs["toxicity"], "load=much"),
            (-BURDEN, "drug=yes"),
        ),
    )

    def holds(process: Process) -> bool:
        see, do, intent = worth(process, play, "see", "do", "intent")
        return do - see >= GAP and intent - do >= INTENT_GAP

    return SequentialWorld(
        id=NAME,
        version=1,
        title=TITLE,
        source="causalbench, after Murphy, 'Optimal dynamic treatment regimes' (2003)",
        story=STORY,
        play=play,
        phases=(Phase(BASE, draw_until(rng, lambda rng: _process(rng, knobs), holds, NAME)),),
        phrases=PHRASES,
        family=NAME,
        knobs=dict(knobs),
    )


def _process(rng: np.random.Generator, knobs: Mapping[str, Any]) -> Process:
    blur = knobs["blur"]
    bad = between(rng, 0.4, 0.6)
    given = (between(rng, 0.05, 0.1), between(rng, 0.9, 0.95))
    # P(severe) the week after (without the drug, with it), for the mild and for the severe.
    turn = between(rng, 0.3, 0.4)
    turns = ((turn, turn), (between(rng, 0.875, 0.95), between(rng, 0.03, 0.1)))
    # P(symptoms) (without the drug, with it), likewise.
    suffers = (
        (between(rng, 0.15, 0.2), between(rng, 0.1, 0.15)),
        (between(rng, 0.88, 0.94), between(rng, 0.84, 0.88)),
    )
    slices = Slices(knobs["weeks"])
    slices.add("severity", "mild severe", hidden=True).add("marker", "low high")
    slices.add("load", "none some much").add("drug", "no yes").add("symptoms", "no yes")
    slices.chance("severity", "", lambda: bad, when="first")
    slices.chance(
        "severity",
        "severity_before drug_before",
        lambda was, drug: turns[was][drug],
        when="later",
    )
    slices.chance("marker", "severity", lambda severity: (blur, 1 - blur)[severity])
    slices.rule("load", "", lambda _: 0, when="first")
    slices.rule(
        "load",
        "load_before drug_before",
        lambda _, was, drug: min(2, was + 1) if drug else max(0, was - 1),
        when="later",
    )
    slices.chance("drug", "severity", lambda severity: given[severity], coupling="independent")
    slices.chance("symptoms", "severity drug", lambda severity, drug: suffers[severity][drug])
    return slices.process()


PHRASES = {
    "severity": phrase("the illness", mild="the patient is fairly well", severe="it is bad"),
    "marker": phrase("the marker", low="the marker is low", high="the marker is high"),
    "load": phrase(
        "the drug's load",
        none="none of the drug is left in the body",
        some="some of the drug has built up",
        much="much of the drug has built up",
    ),
    "drug": Phrase(
        "the drug",
        {"no": "the drug is not taken", "yes": "the drug is taken"},
        {"no": "you withhold the drug", "yes": "you give the drug"},
    ),
    "symptoms": phrase("the symptoms", no="there are no symptoms", yes="there are symptoms"),
}

FAMILY = WorldFamily(
    name=NAME,
    env="TreatmentCourse",
    title=TITLE,
    about=(
        "The records speak against the drug, since the sick get it and its benefit comes a week"
        " late. Acting shows that it works. Whether a patient needs it has to be made out from all"
        " that was seen so far, since one marker tells too little. What the doctor would do, once"
        " shown, tells how the patient is."
    ),
    knobs={
        "weeks": Knob(3, 8, "more weeks"),
        "toxicity": Knob(0.0, 0.5, "what has built up does more harm", whole=False),
        "blur": Knob(0.1875, 0.5, "the marker errs more often", whole=False),
    },
    levels={
        "easy": {"weeks": 3, "toxicity": 0.125, "blur": 0.25},
        "medium": {"weeks": 4, "toxicity": 0.1875, "blur": 0.3125},
        "hard": {"weeks": 5, "toxicity": 0.25, "blur": 0.375},
    },
    build=_build,
    shifted={"toxicity": 0.3125, "blur": 0.4375},
)
