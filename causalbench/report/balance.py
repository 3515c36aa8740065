"""Print how a suite's pairs are spread, as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.task.balance import Balance

__all__ = ["balance_lines"]


def balance_lines(found: Balance) -> Iterator[str]:
    """Yield the lines of all tables that have something to say.

    Args:
        found: of a suite.
    """
    if found.forms:
        yield "pairs by type of question: how far apart the twins are, where the true values lie"
        yield (
            f"{'rung':<6}{'type of question':<28}{'pairs':>6}{'items':>7}  "
            f"{'floor: least, median, most':<28}{'truths in fifths, %':<21}"
            f"{'side 1 larger':>14}{'side 0 first':>14}"
        )
        for row in found.forms:
            floors = ", ".join(f"{number:.3f}" for number in row.floors)
            fifths = " ".join(f"{100 * share:3.0f}" for share in row.fifths)
            yield (
                f"{row.rung:<6}{row.form:<28}{row.pairs:>6}{row.items:>7}  {floors:<28}"
                f"{fifths:<21}{_of(row.larger, row.unequal):>14}{_of(row.first, row.pairs):>14}"
            )
        yield ""
    if found.making:
        yield "pairs by construction: attempts for each that was taken"
        yield (
            f"{'rung':<6}{'type of question':<28}{'construction':<38}{'pairs':>6}"
            f"{'mean':>8}{'most':>7}"
        )
        for made in found.making:
            mean = "-" if made.attempts is None else f"{made.attempts:.1f}"
            most = "-" if made.most is None else str(made.most)
            yield (
                f"{made.rung:<6}{made.form:<28}{made.construction:<38}{made.pairs:>6}"
                f"{mean:>8}{most:>7}"
            )
        yield ""
    if found.counts:
        yield "pairs on each rung"
        yield f"{'':<10}{'':<28}{'1':>6}{'2':>6}{'3':>6}"
        for kind, values in found.counts.items():
            for value, counts in values.items():
                yield f"{kind:<10}{value:<28}" + "".join(f"{count:>6}" for count in counts)
        yield ""
    if found.open:
        yield "honesty items, and those that what is given does not settle"
        for name, (count, left) in found.open.items():
            yield f"{name:<38}{count:>6}{left:>6}"
        yield ""


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole}"
