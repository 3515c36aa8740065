"""Tables estimated from counts."""

from __future__ import annotations

import numpy as np
import pytest

from causalbench.agent.cpt import conditional_table


def test_counts_and_prior_make_the_table():
    """3 and 5 seen, a half of each assumed: 3.5 / 9 and 5.5 / 9; nothing seen: a half each."""
    table = conditional_table(np.array([[3.0, 5.0], [0.0, 0.0]]))
    assert table == pytest.approx(np.array([[3.5 / 9, 5.5 / 9], [0.5, 0.5]]))


def test_without_a_prior_the_table_is_the_frequencies():
    """Weights need not be whole numbers: an exact law goes in as it is."""
    table = conditional_table(np.array([[0.12, 0.06, 0.02]]), pseudo_count=0.0)
    assert table == pytest.approx(np.array([[0.6, 0.3, 0.1]]))
