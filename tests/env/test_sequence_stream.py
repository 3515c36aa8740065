"""The counted noise: known words, the same in every form, and never the same unit by accident."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_programs import drawn_program

from causalbench.env.stream import GAMMA, key_of, layout, mix, noise_codes, thresholds, word, words

# The first words of SplitMix64 from seed 0, as Vigna's splitmix64.c prints them.
SPLITMIX = (0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F)


def test_words_of_key_zero_are_splitmix64s():
    """Where the key is 0, xoring it and adding it are the same."""
    assert tuple(word(0, counter) for counter in (1, 2, 3)) == SPLITMIX


def test_numpy_gives_the_words_of_python():
    """For keys and counters of all sizes."""
    keys = np.array([0, 1, 2**63, 2**64 - 1, key_of(7)], dtype=np.uint64)
    counters = np.array([0, 1, 2**32, 2**64 - 1], dtype=np.uint64)
    wanted = [[word(int(key), int(at)) for at in counters] for key in keys]
    assert words(keys[:, None], counters).tolist() == wanted


def test_the_compiled_loops_give_the_words_of_python():
    """Put in the places of a step."""
    from numba import njit

    from causalbench.env import kernel

    @njit
    def draw(out, low, high, base, key):
        kernel._draw(out, low, high, base, key)

    out = np.zeros(5, dtype=np.uint64)
    draw(out, np.uint64(1), np.uint64(5), np.uint64(2**64 - 3), np.uint64(key_of(1)))
    wanted = [word(key_of(1), (2**64 - 3 + place) % 2**64) for place in range(1, 5)]
    assert out.tolist() == [0, *wanted]


def test_mixing_loses_nothing():
    """The finaliser can be undone, so no two numbers share an image."""
    numbers = [int(n) for n in np.random.default_rng(0).integers(2**64, size=999, dtype=np.uint64)]
    assert len({mix(number) for number in numbers}) == 999
    assert GAMMA % 2 == 1  # an odd step goes through all counters, too


def test_a_code_of_no_probability_is_never_drawn():
    """Neither the first, the last, nor one between."""
    cuts = thresholds(np.array([0.0, 0.25, 0.0, 0.75, 0.0]))
    assert cuts.tolist() == [0, 2**30, 2**30, 2**32]


def test_thresholds_are_the_law_to_the_nearest():
    """Each code's share of 2**32 words differs from its probability by at most one word."""
    noise = np.random.default_rng(1).dirichlet(np.ones(9))
    edges = np.array([0, *thresholds(noise).tolist(), 2**32], dtype=np.float64)
    assert np.abs(np.diff(edges) - noise * 2.0**32).max() <= 1


def test_episodes_follow_each_other_in_the_stream():
    """Two at once are one and then the next, and another key is another stream."""
    program = drawn_program(2, 3)
    both = noise_codes(program, key_of(1), 4, 2)
    one, two = noise_codes(program, key_of(1), 4), noise_codes(program, key_of(1), 5)
    assert np.array_equal(both, np.concatenate([one, two]))
    assert not np.array_equal(one, two)
    assert not np.array_equal(one, noise_codes(program, key_of(2), 4))


@pytest.mark.parametrize("seed", range(4))
def test_every_noisy_variable_has_a_word_of_its_own(seed):
    """And what no action can change comes first, in words that it shares with nothing else."""
    program = drawn_program(seed, 2)
    places, width = layout(program)
    taken = places[places >= 0].tolist()
    assert len(set(taken)) == len(taken)
    assert max(taken) < 2 * width
    early = {place // 2 for place in places[program.early] if place >= 0}
    assert not early & {place // 2 for place in places[~program.early] if place >= 0}
