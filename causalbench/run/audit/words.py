"""Count the words of a text: single ones and neighbours, in a hashed space of fixed size."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from itertools import pairwise

import numpy as np

__all__ = ["SPACE", "Bag", "bag", "for_action"]

SPACE = 1 << 13  # places that words are hashed to
_LONGEST = 20_000  # characters: what lies in the middle are more numbers of the same tables
_TOKEN = re.compile(r"\d*\.\d+|\d+|\w+|[^\w\s]")
_TURN = 7919  # a prime: the places of a word beside different actions are far apart

Bag = tuple[np.ndarray, np.ndarray]  # places int64[n], increasing, and log(1 + count) float64[n]


def bag(text: str) -> Bag:
    """Count words, marks and numbers, and pairs of neighbours; a number counts by one decimal.

    Args:
        text: of any length; of more than 20,000 characters the middle is left out.
    """
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]} {text[-_LONGEST // 2 :]}"
    tokens = [_token(found) for found in _TOKEN.findall(text.lower())]
    counts: Counter[int] = Counter()
    for gram, count in Counter([*tokens, *map(" ".join, pairwise(tokens))]).items():
        counts[zlib.crc32(gram.encode()) % SPACE] += count
    places = np.array(sorted(counts), dtype=np.int64)
    return places, np.log1p(np.array([counts[int(place)] for place in places], dtype=np.float64))


def for_action(found: Bag, place: int, label: str) -> Bag:
    """Return a bag that speaks of one action: every word beside its place, and its own words."""
    places, values = found
    own, weights = bag(f"{label} {place}")
    moved = (places + (place + 1) * _TURN) % SPACE
    return np.concatenate([moved, own]), np.concatenate([values, weights])


def _token(text: str) -> str:
    return f"{float(text):.1f}" if "." in text and len(text) > 1 else text
