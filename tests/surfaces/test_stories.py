"""Stories: forty and more, each with clauses that say one thing, and malformed ones refused."""

from __future__ import annotations

import copy
import re

import pytest

from causalbench.errors import TooWideError, WorldError
from causalbench.rng import generator
from causalbench.task.story import RESERVED, stories, story_from_dict
from causalbench.task.vocabulary import made_up, story_words

FARM = {
    "schema": 1,
    "name": "farm",
    "place": "a hill farm",
    "case": "one week",
    "concepts": [
        {"noun": f"thing {chr(97 + number) * 2}", "scale": ["low", "fair", "good", "high"]}
        | {"unit": "litres"}
        for number in range(10)
    ],
}


def test_there_are_forty_stories_and_more():
    """The stories are at least forty, each with ten concepts or more."""
    assert len(stories()) >= 40
    assert min(len(story.concepts) for story in stories()) >= 10


def test_no_two_stories_share_a_noun():
    """Stories can be told together, and a noun then still means one thing."""
    nouns = [concept.noun for story in stories() for concept in story.concepts]
    assert len(set(nouns)) == len(nouns)


@pytest.mark.parametrize("story", stories(), ids=lambda story: story.name)
def test_a_clause_says_one_thing(story):
    """Every clause of a story starts small, ends without a stop, and is no other's."""
    clauses = [
        f"{lead} {concept.noun} {link}{word}"
        for concept in story.concepts
        for word in concept.scale
        for lead, link in (("the", "is "), ("you make the", ""))
    ]
    assert len(set(clauses)) == len(clauses)
    for clause in clauses:
        assert clause[0].islower()
        assert clause[-1].isalpha()
    # No clause goes on where another ends: "the price is high" and "the price is high enough".
    assert not any(
        one != other and other.startswith(f"{one} ") for one in clauses for other in clauses
    )


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (["schema"], 2, "schema"),
        (["name"], "Farm", "name"),
        (["place"], "", "place"),
        (["case"], 3, "case"),
        (["moral"], "be kind", "moral"),
        (["concepts"], FARM["concepts"][:9], "concepts"),
        (["concepts", 0, "noun"], "The rain", "noun"),
        (["concepts", 0, "noun"], "thing bb", "comes twice"),
        (["concepts", 0, "noun"], "pass", "reserved"),
        (["concepts", 0, "scale"], ["low", "high"], "scale"),
        (["concepts", 0, "scale"], ["low", "fair", "fair", "high"], "comes twice"),
        (["concepts", 0, "scale"], ["low", "fair", "unseen", "high"], "reserved"),
        (["concepts", 0, "scale"], ["low", "very fair", "good", "high"], "scale"),
        (["concepts", 0, "unit"], None, "unit"),
        (["concepts", 0, "colour"], "red", "colour"),
    ],
)
def test_malformed_stories_are_refused(path, value, told):
    """A field that is missing, unknown or malformed is named in one line."""
    data = copy.deepcopy(FARM)
    place = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    with pytest.raises(WorldError) as caught:
        story_from_dict(data, "farm.yaml")
    assert "farm.yaml" in str(caught.value)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "farm"])
def test_a_story_is_a_mapping(data):
    """Anything but a mapping is refused."""
    with pytest.raises(WorldError, match="mapping"):
        story_from_dict(data, "farm.yaml")


@pytest.mark.parametrize("count", [3, 10, 11, 25, 60])
def test_stories_serve_worlds_of_any_size(count):
    """As many different nouns come as are asked for, of as few stories as it takes."""
    words, taken = story_words(generator(count, "words"), [2] * count)
    assert len({word.name for word in words}) == count
    assert len(taken) == -(-count // 10)


def test_concepts_keep_the_order_of_their_story():
    """The words of one story come causes first, and adjectives lowest first."""
    for index in range(30):
        words, (story,) = story_words(generator(index, "order"), [2, 3, 4, 2])
        nouns = [concept.noun for concept in story.concepts]
        places = [nouns.index(word.noun) for word in words]
        assert places == sorted(places)
        for word, place in zip(words, places, strict=True):
            scale = story.concepts[place].scale
            ranks = [scale.index(label) for label in word.labels]
            assert ranks == sorted(ranks)


def test_more_variables_than_concepts():
    """Too many variables are refused."""
    count = sum(len(story.concepts) for story in stories()) + 1
    with pytest.raises(TooWideError, match="take fewer"):
        story_words(generator(0, "wide"), [2] * count)


def test_made_up_words_are_new():
    """No made-up word comes twice in a world, is of a story, or means something in a query."""
    known = {word for story in stories() for c in story.concepts for word in c.noun.split()}
    known |= {word for story in stories() for c in story.concepts for word in c.scale} | RESERVED
    words = made_up(generator(0, "made up"), [4] * 300)
    every = [text for word in words for text in (word.noun, *word.labels, word.unit)]
    assert len(set(every)) == len(every)
    assert not known & set(every)
    assert all(text.isalpha() and text.islower() for text in every)


@pytest.mark.parametrize("story", stories(), ids=lambda story: story.name)
def test_variable_and_value_are_read_off_a_clause(story):
    """From "the rain is heavy" and "you make the rain heavy" one gets rain and heavy, alone."""
    scales = {concept.noun: concept.scale for concept in story.concepts}
    for noun, scale in scales.items():
        for label in scale:
            said = re.fullmatch(r"the ([a-z ]+?) is ([a-z]+)", f"the {noun} is {label}")
            done = re.fullmatch(r"you make the ([a-z ]+) ([a-z]+)", f"you make the {noun} {label}")
            assert said.groups() == done.groups() == (noun, label)
            assert label in scales[said[1]]
