"""Tell a pair of worlds in a vocabulary: plain, sensible, against common sense, or nonsense.

``plain`` leaves the names as they were drawn. ``sensible`` takes the concepts of a story along a
causal order of the worlds, ``anti-commonsense`` against it, so that whoever answers from what is
known of such places is led astray. ``nonsense`` makes every word up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from causalbench import rng as draws
from causalbench.errors import NotFoundError, suggest
from causalbench.task.renaming import Renaming
from causalbench.task.strata import SURFACES
from causalbench.task.vocabulary import made_up, story_words
from causalbench.task.words import joined
from causalbench.task.world import Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from causalbench.scm import SCM
    from causalbench.task.construct.draft import Draft
    from causalbench.task.story import Story
    from causalbench.task.vocabulary import Word

__all__ = ["Told", "tell"]

_GO_BY = "Go by what is written here, and not by what you know of such places."
_MADE_UP = "All names below are made up, and mean nothing elsewhere."
_IN_ORDER = "The values of each variable stand in order, the lowest first."
_ANTITONE = (
    "Where a coupling is antitone in a variable, the random number is turned round at every other "
    "value of it, from the second on."
)


@dataclass(frozen=True)
class Told:
    """A pair in the words of a surface.

    Args:
        draft: the pair, every variable and value renamed.
        phrases: visible variable -> how questions speak of it; empty where it goes by its name.
        story: a paragraph that is the same for both worlds; "" where there is none.
    """

    draft: Draft
    phrases: Mapping[str, Phrase] = field(default_factory=dict)
    story: str = ""


def tell(draft: Draft, surface: str, rng: np.random.Generator) -> Told:
    """Put a pair into words, the same for both of its worlds.

    Words follow the causal order of one world, which a coin picks: as the coin is private, the
    words say nothing of which world is which.

    Args:
        draft: the two worlds and the question.
        surface: one of `causalbench.task.strata.SURFACES`.
        rng: draws the coin and the words.

    Raises:
        NotFoundError: there is no such surface.
        TooWideError: the worlds have more variables than the stories have concepts.
    """
    if surface not in SURFACES:
        near = suggest(surface, SURFACES)
        raise NotFoundError(f"no surface '{surface}'; take {', '.join(SURFACES)}.{near}")
    named = [_ANTITONE] if any(draft.couplings) else []
    if surface == "plain":
        return Told(draft, story=" ".join(named))
    order = _causal_order(draft.sides, rng)
    if surface == "anti-commonsense":
        order.reverse()
    cards = [_card(draft.sides, name) for name in order]
    taken: tuple[Story, ...] = ()
    if surface == "nonsense":
        words = made_up(rng, cards)
    else:
        words, taken = story_words(rng, cards)
    called = dict(zip(order, words, strict=True))
    above = "" if surface == "nonsense" else " above the usual"
    renaming = Renaming(
        names={name: word.name for name, word in called.items()},
        labels={name: word.labels for name, word in called.items()},
        units={name: word.unit + above for name, word in called.items()},
    )
    first = draft.sides[0]
    return Told(
        draft=renaming.draft(draft),
        phrases={called[name].name: _phrase(called[name]) for name in first.visible},
        story=" ".join([*_story(taken, real=first.is_real), *named]),
    )


def _causal_order(sides: tuple[SCM, SCM], rng: np.random.Generator) -> list[str]:
    """Draw an order of all variables in which causes of one side, by a coin, precede effects.

    Hidden causes of the other side alone come first.
    """
    coin = int(draws.integers(rng, 2))
    here, there = sides[coin], sides[1 - coin]
    strange = sorted(set(there.names) - set(here.names))
    order = [strange[int(place)] for place in draws.permutation(rng, len(strange))]
    waiting = {name: set(here.parents(name)) for name in sorted(here.names)}
    for turn in draws.uniforms(rng, len(waiting)).tolist():
        ready = [name for name, above in waiting.items() if not above & waiting.keys()]
        order.append(ready[int(turn * len(ready))])
        del waiting[order[-1]]
    return order


def _card(sides: tuple[SCM, SCM], name: str) -> int:
    """Return how many values a variable has, in the world where it has more; 0 where it is real."""
    known = [side.variable(name) for side in sides if name in side.variables]
    return max(len(variable.values or ()) for variable in known)


def _phrase(word: Word) -> Phrase:
    noun = f"the {word.noun}"
    return Phrase(
        noun,
        {label: f"{noun} is {label}" for label in word.labels},
        {label: f"you make {noun} {label}" for label in word.labels},
    )


def _story(taken: Sequence[Story], *, real: bool) -> list[str]:
    """Say what one case is, and nothing of what causes what."""
    if not taken:
        lines = [_MADE_UP]
    elif len(taken) == 1:
        lines = [f"Each case is {taken[0].case} in the life of {taken[0].place}.", _GO_BY]
    else:
        places = joined([story.place for story in taken])
        lines = [f"Each case is one day in the life of a district with {places}.", _GO_BY]
    return lines if real else [*lines, _IN_ORDER]
