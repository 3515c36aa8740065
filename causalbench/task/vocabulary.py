"""Choose words for the variables of a world: from stories, or made up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.errors import TooWideError
from causalbench.task.construct.names import NAMES
from causalbench.task.story import RESERVED, stories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.task.story import Concept, Story

__all__ = ["Word", "made_up", "story_words"]

_STARTS = "b bl br d dr f fl fr g gl gr h j k kl kr l m n p pl pr r s sk sl t tr v w z"
_STOPS = "lf lk lm lp mb mp nk rf rp sp zd"  # few English words end on these
_ONSETS, _VOWELS, _CODAS = (tuple(each.split()) for each in (_STARTS, "a e i o u", _STOPS))
_NOUN = (_ONSETS, _VOWELS, _ONSETS, _VOWELS, _CODAS)
_ADJECTIVE = (_ONSETS, _VOWELS, _CODAS, ("ex", "oid", "une", "iv"))
_SCALE = 4  # adjectives of a concept


@dataclass(frozen=True, slots=True)
class Word:
    """How one variable is called.

    Args:
        noun: without an article, e.g. ``"soil moisture"``.
        labels: of its values, lowest first; none where it is real.
        unit: of a real variable.
    """

    noun: str
    labels: tuple[str, ...]
    unit: str

    @property
    def name(self) -> str:
        """The variable's name: the noun as one word, so that a query needs no quotes."""
        return self.noun.replace(" ", "_")


def story_words(
    rng: np.random.Generator, cards: Sequence[int]
) -> tuple[tuple[Word, ...], tuple[Story, ...]]:
    """Choose concepts of one story, or of as many as it takes, in the order of their causes.

    Several stories are merged by how early in its own story a concept comes.

    Args:
        rng: draws stories, concepts, and which of its adjectives a concept takes.
        cards: how many values each variable has, 0 for a real one; more than four are numbered.

    Returns:
        A word for each, earlier causes first, and the stories.

    Raises:
        TooWideError: there are fewer concepts than variables.
    """
    every = stories()
    taken: list[Story] = []
    nouns: set[str] = set()
    for place in draws.permutation(rng, len(every)):
        if len(nouns) < len(cards):
            taken.append(every[int(place)])
            nouns |= {concept.noun for concept in taken[-1].concepts}
    if len(nouns) < len(cards):
        msg = f"{len(cards)} variables need words, the stories have {len(nouns)}; take fewer."
        raise TooWideError(msg)
    ranked = sorted(
        ((place + 0.5) / len(story.concepts), number, place)
        for number, story in enumerate(taken)
        for place in range(len(story.concepts))
    )
    merged: dict[str, Concept] = {}
    for _, number, place in ranked:  # two stories may share a noun; its first place counts
        concept = taken[number].concepts[place]
        merged.setdefault(concept.noun, concept)
    pool = list(merged.values())
    chosen = sorted(int(place) for place in draws.permutation(rng, len(pool))[: len(cards)])
    orders = np.argsort(draws.uniforms(rng, (len(cards), _SCALE)), axis=1, kind="stable")
    words = []
    for place, card, order in zip(chosen, cards, orders.tolist(), strict=True):
        concept = pool[place]
        words.append(Word(concept.noun, _labels(concept.scale, card, order), concept.unit))
    return tuple(words), tuple(taken)


def made_up(rng: np.random.Generator, cards: Sequence[int]) -> tuple[Word, ...]:
    """Make up a noun and value words for each variable, none twice and none of any story.

    Args:
        rng: draws them.
        cards: how many values each variable has, 0 for a real one.
    """
    used = set(_known_words())
    nouns = _fresh(rng, used, _NOUN, 2 * len(cards))
    labels = _fresh(rng, used, _ADJECTIVE, sum(cards))
    words = []
    for place, card in enumerate(cards):
        own, labels = labels[:card], labels[card:]
        words.append(Word(nouns[place], tuple(own), f"{nouns[len(cards) + place]}s"))
    return tuple(words)


@lru_cache(maxsize=1)
def _known_words() -> frozenset[str]:
    """Return the words of all stories, the names of plain worlds, and what is reserved."""
    found = {*RESERVED, *NAMES}
    for story in stories():
        found |= {*story.place.split(), *story.case.split()}
        for concept in story.concepts:
            found |= {*concept.noun.split(), *concept.scale, *concept.unit.split()}
    return frozenset(found)


def _labels(scale: Sequence[str], card: int, order: Sequence[int]) -> tuple[str, ...]:
    """Choose so many adjectives of a scale, in order."""
    if card > len(scale):  # hidden causes alone have so many values
        return tuple(f"grade{place}" for place in range(1, card + 1))
    return tuple(scale[place] for place in sorted(order[:card]))


def _fresh(
    rng: np.random.Generator, used: set[str], parts: Sequence[Sequence[str]], count: int
) -> list[str]:
    """Make up words of some parts that are not used, and use them."""
    many = prod(len(options) for options in parts)
    words: list[str] = []
    while len(words) < count:
        for code in draws.integers(rng, many, count - len(words)).tolist():
            word, left = "", code
            for options in parts:
                left, place = divmod(left, len(options))
                word += options[place]
            if word not in used:
                used.add(word)
                words.append(word)
    return words
