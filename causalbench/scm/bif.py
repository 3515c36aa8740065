"""Read Bayesian networks in BIF, the format of the bnlearn repository, with errors that help.

A BIF file is untrusted: it is read by a small parser of its own, which names the line of whatever
it refuses. Reference: F. Cozman, "The Interchange Format for Bayesian Networks" (1996), version
0.15; a bare ``table`` counts with the child slowest and the last parent fastest.
"""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import NotFoundError, WorldError, suggest
from causalbench.scm.mechanism import MAX_CELLS, SUM_TOLERANCE
from causalbench.scm.model import SCM
from causalbench.scm.tables import mechanism_of
from causalbench.scm.variable import Variable
from causalbench.scm.yaml_text import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike
    from pathlib import Path

    from numpy.typing import NDArray

    from causalbench.scm.check import AnyMechanism
    from causalbench.scm.couplings import Coupling

__all__ = [
    "PRINTED",
    "ROUNDING",
    "Network",
    "from_bif",
    "read_bif",
    "shipped_network",
    "shipped_networks",
]

_TITLE_WORDS = 100
ROUNDING = 0.02
"""A row further from 1 than this is wrong, and no rounding: it is never divided."""
PRINTED = 1e-6
"""What printing alone leaves: published tables have seven digits or so, and the rows of those that
pgmpy ships miss 1 by 3e-7 at most, which is less than half a unit in the last place of each number.
"""
# One piece of space at a time: a pattern that repeats pieces remembers each, at 150 bytes.
_SPACE = r"(?P<space>\s+|//[^\n]*|/\*.*?\*/)"
_TOKEN = re.compile(
    _SPACE + r'|"(?P<quoted>[^"\n]*)"|(?P<mark>[{}()\[\];,|])|(?P<word>[^\s{}()\[\];,|"]+)',
    re.DOTALL,
)


@dataclass(frozen=True)
class Network:
    """A network as read.

    Args:
        scm: the model; it has no couplings unless one was named.
        renormalised: the rows that did not sum to 1 within 1e-9 and were divided by their sum, as
            ``"probability of 'x', row (a, b): 0.999"``.
        furthest: how far from 1 the sum of any of them was.
    """

    scm: SCM
    renormalised: tuple[str, ...] = ()
    furthest: float = 0.0


@dataclass
class _Reader:
    text: str
    renormalise: bool
    rounding: float = SUM_TOLERANCE
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    cpts: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    mended: list[str] = field(default_factory=list)
    furthest: float = 0.0
    refused: list[tuple[str, float, int]] = field(default_factory=list)  # row, sum, place
    ahead: str = ""  # the next token; "" at the end
    at: int = 0  # its place
    quoted: bool = False

    def __post_init__(self) -> None:
        self._tokens = self._scan()
        self.advance()

    def _scan(self) -> Iterator[tuple[str, int, bool]]:
        place = 0
        while place < len(self.text):
            match = _TOKEN.match(self.text, place)
            if match is None:
                self.at = place
                raise self.fail("a quote that is not closed on its line; close it")
            place = match.end()
            if match["space"] is None:
                quoted = match["quoted"]
                yield (match[0] if quoted is None else quoted), match.start(), quoted is not None

    def fail(self, why: str) -> WorldError:
        line = self.text.count("\n", 0, self.at) + 1
        return WorldError(f"BIF line {line}: {why}")

    def advance(self) -> str:
        token = self.ahead
        self.ahead, self.at, self.quoted = next(self._tokens, ("", len(self.text), False))
        return token

    def expect(self, mark: str) -> None:
        if self.quoted or self.ahead != mark:
            raise self.fail(f"expected '{mark}', found {self.found()}")
        self.advance()

    def found(self) -> str:
        return f"'{self.ahead[:40]}'" if self.ahead or self.quoted else "the end of the file"

    def word(self, what: str) -> str:
        if not self.quoted and (not self.ahead or self.ahead in "{}()[];,|"):
            raise self.fail(f"expected {what}, found {self.found()}")
        return self.advance()

    def at_mark(self, mark: str) -> bool:
        return not self.quoted and self.ahead == mark

    def skip_property(self) -> None:
        while not self.at_mark(";"):
            if not self.ahead and not self.quoted:
                raise self.fail("a property without ';' at its end; add it")
            self.advance()
        self.advance()

    def network(self) -> None:
        if self.ahead != "network":
            raise self.fail(f"a BIF file starts with 'network', found {self.found()}")
        self.advance()
        for _ in range(_TITLE_WORDS):
            if self.at_mark("{"):
                break
            self.word("'{'")
        self.expect("{")
        while not self.at_mark("}"):
            if self.word("'property' or '}'") != "property":
                raise self.fail("only properties may stand in 'network { }'")
            self.skip_property()
        self.advance()
        while self.ahead or self.quoted:
            kind = self.word("'variable' or 'probability'")
            if kind == "variable":
                self.variable()
            elif kind == "probability":
                self.probability()
            else:
                hint = suggest(kind, ("variable", "probability"))
                raise self.fail(f"'{kind[:40]}' is neither 'variable' nor 'probability'.{hint}")
        if self.refused:
            raise self.not_one()

    def not_one(self) -> WorldError:
        """Say which rows do not sum to 1, how many, and how far off the worst is."""
        row, total, self.at = self.refused[0]
        others, worst = "", max(abs(total - 1) for _, total, _ in self.refused)
        if len(self.refused) > 1:
            others = f" (with it {len(self.refused)} rows; the furthest is {worst:.2g} off)"
        return self.fail(
            f"{row} sums to {total!r}, not 1{others}; correct it, or divide rows by their sums:"
            " renormalise=True (--renormalise)"
        )

    def variable(self) -> None:
        name = self.word("a variable's name")
        if name in self.values:
            raise self.fail(f"variable '{name}' is a duplicate; name it once")
        self.expect("{")
        labels: tuple[str, ...] | None = None
        while not self.at_mark("}"):
            key = self.word("'type', 'property' or '}'")
            if key == "property":
                self.skip_property()
            elif key == "type" and labels is None:
                labels = self.labels(name)
            else:
                raise self.fail(f"variable '{name}': '{key[:40]}' does not belong here")
        self.advance()
        if labels is None:
            raise self.fail(f"variable '{name}' has no type; add 'type discrete [n] {{ ... }};'")
        self.values[name] = labels

    def labels(self, name: str) -> tuple[str, ...]:
        kind = self.word("'discrete'")
        if kind != "discrete":
            raise self.fail(f"variable '{name}' has type '{kind[:40]}'; only 'discrete' is read")
        self.expect("[")
        size = self.word("the number of values")
        self.expect("]")
        self.expect("{")
        labels = [self.word("a value")]
        while not self.at_mark("}"):
            if self.at_mark(","):
                self.advance()
            labels.append(self.word("a value"))
        self.advance()
        self.expect(";")
        if size != str(len(labels)):
            raise self.fail(f"variable '{name}' lists {len(labels)} values but says [{size[:20]}]")
        if len(set(labels)) < len(labels):
            twice = next(label for label in labels if labels.count(label) > 1)
            raise self.fail(f"variable '{name}': value '{twice}' is a duplicate; rename one")
        return tuple(labels)

    def known(self, name: str) -> str:
        if name not in self.values:
            raise self.fail(f"there is no variable '{name[:60]}'.{suggest(name, self.values)}")
        return name

    def probability(self) -> None:
        self.expect("(")
        name = self.known(self.word("a variable's name"))
        if name in self.cpts:
            raise self.fail(f"'{name}' has two probability blocks; keep one")
        parents = self.parent_names(name)
        shape = [len(self.values[parent]) for parent in parents]
        card = len(self.values[name])
        if math.prod(shape) * card > MAX_CELLS:
            raise self.fail(f"the table of '{name}' would have over 1e7 cells; use fewer parents")
        self.parents[name] = tuple(parents)
        cpt = np.full((*shape, card), np.nan)
        self.expect("{")
        while not self.at_mark("}"):
            self.entry(name, parents, cpt)
        self.cpts[name] = self.checked(name, cpt)
        self.advance()

    def parent_names(self, name: str) -> list[str]:
        parents: list[str] = []
        if self.at_mark("|"):
            self.advance()
        while not self.at_mark(")"):
            if self.at_mark(",") and parents:
                self.advance()
            parent = self.known(self.word("a parent's name"))
            if parent in parents or parent == name:
                raise self.fail(f"'{parent}' is named twice in the block of '{name}'")
            parents.append(parent)
        self.advance()
        return parents

    def entry(self, name: str, parents: list[str], cpt: NDArray[np.float64]) -> None:
        """Read one row, table or default into the CPT, whose unread cells are NaN."""
        card = cpt.shape[-1]
        if self.at_mark("("):
            at = self.row_index(name, parents)
            if not np.isnan(cpt[at]).all():
                raise self.fail(f"'{name}': this row is given twice; keep one")
            cpt[at] = self.numbers(name, card)
            return
        key = self.word("a row, 'table', 'default' or '}'")
        if key == "property":
            self.skip_property()
        elif key == "table":
            if not np.isnan(cpt).all():
                raise self.fail(f"'{name}': a table stands beside rows; keep one of them")
            flat = np.array(self.numbers(name, cpt.size))
            cpt[...] = np.moveaxis(flat.reshape(card, *cpt.shape[:-1]), 0, -1)
        elif key == "default":
            # Rows that follow a default would look repeated: it must come last.
            row = self.numbers(name, card)
            if not self.at_mark("}"):
                raise self.fail(f"'{name}': the default must come last; move it down")
            cpt[np.isnan(cpt).all(axis=-1)] = row
        else:
            raise self.fail(f"'{name}': '{key[:40]}' does not belong in a probability block")

    def row_index(self, name: str, parents: list[str]) -> tuple[int, ...]:
        self.expect("(")
        index: list[int] = []
        while not self.at_mark(")"):
            if self.at_mark(",") and index:
                self.advance()
            label = self.word("a parent's value")
            if len(index) == len(parents):
                raise self.fail(f"'{name}': a row names over {len(parents)} parent values")
            labels = self.values[parents[len(index)]]
            if label not in labels:
                hint = suggest(label, labels)
                raise self.fail(f"'{parents[len(index)]}' has no value '{label[:60]}'.{hint}")
            index.append(labels.index(label))
        if len(index) < len(parents):
            raise self.fail(f"'{name}': a row names {len(index)} of {len(parents)} parent values")
        self.advance()
        return tuple(index)

    def numbers(self, name: str, count: int) -> list[float]:
        found: list[float] = []
        while not self.at_mark(";"):
            if self.at_mark(",") and found:
                self.advance()
            text = self.word("a probability")
            # Python's float also reads nan, inf and 1_0, which are no probabilities.
            if not re.fullmatch(r"[+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text):
                raise self.fail(f"'{name}': '{text[:40]}' is no probability")
            found.append(float(text))
            if found[-1] > 1 + self.rounding and not self.renormalise:
                raise self.fail(f"'{name}': {text[:40]} is over 1")
        if len(found) != count:
            raise self.fail(f"'{name}': {len(found)} probabilities where {count} are needed")
        self.advance()
        return found

    def checked(self, name: str, cpt: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the CPT once every row is there and sums to 1, or has been made to."""
        sums = cpt.sum(axis=-1)
        off = ~(np.abs(sums - 1) <= SUM_TOLERANCE)
        for at in map(tuple, np.argwhere(off)):
            labels = (
                self.values[parent][i] for parent, i in zip(self.parents[name], at, strict=True)
            )
            row = f"probability of '{name}', row ({', '.join(labels)})"
            total = float(sums[at])
            if math.isnan(total):
                raise self.fail(f"{row} is missing; give it, or a default")
            if abs(total - 1) > ROUNDING:
                raise self.fail(f"{row} sums to {total!r}, further from 1 than rounding explains")
            if abs(total - 1) > self.rounding and not self.renormalise:
                self.refused.append((row, total, self.at))
            self.furthest = max(self.furthest, abs(total - 1))
            self.mended.append(f"{row}: {total!r}")
        cpt[off] /= sums[off][:, None]
        return cpt


def read_bif(
    source: str | PathLike[str],
    *,
    coupling: Coupling | None = None,
    renormalise: bool = False,
    rounding: float = SUM_TOLERANCE,
) -> Network:
    """Read a network and say which rows had to be renormalised (see `SCM.from_bif`).

    Args:
        source: as in `SCM.from_bif`.
        coupling: as in `SCM.from_bif`.
        renormalise: divide rows that do not sum to 1 by their sums, up to `ROUNDING`.
        rounding: how far off a sum may be without that (`PRINTED` reads published tables).

    Raises:
        WorldError: the text is no network; the message names the line.
        NotFoundError: there is no such file.
    """
    reader = _Reader(text_of(source), renormalise, rounding)
    reader.network()
    for name in reader.values:
        if name not in reader.cpts:
            raise WorldError(f"BIF: variable '{name}' has no probability block; add one")
    variables = {name: Variable(name, labels) for name, labels in reader.values.items()}
    mechanisms: dict[str, AnyMechanism] = {}
    for name in variables:
        cpt, parents = reader.cpts[name], reader.parents[name]
        try:
            mechanisms[name] = mechanism_of(cpt, coupling, parents)
        except WorldError as error:
            raise WorldError(f"mechanism of '{name}': {error}") from None
    return Network(SCM(variables, mechanisms), tuple(reader.mended), reader.furthest)


def from_bif(
    source: str | PathLike[str], *, coupling: Coupling | None = None, renormalise: bool = False
) -> SCM:
    """Read a network (see `SCM.from_bif`)."""
    network = read_bif(source, coupling=coupling, renormalise=renormalise)
    if network.renormalised:
        warnings.warn(
            f"{len(network.renormalised)} rows did not sum to 1 and were renormalised, first"
            f" {network.renormalised[0]}",
            UserWarning,
            stacklevel=3,
        )
    return network.scm


def shipped_networks() -> tuple[str, ...]:
    """Return the names of the BIF networks that the installed pgmpy ships, e.g. "sachs"."""
    folder = _folder()
    return tuple(sorted(path.name[: -len(".bif.gz")] for path in folder.glob("*.bif.gz")))


def shipped_network(name: str) -> Path:
    """Return the path of a network that the installed pgmpy ships.

    Raises:
        NotFoundError: pgmpy ships no network of that name.
    """
    known = shipped_networks()
    if name not in known:
        hint = suggest(name, known)
        raise NotFoundError(f"pgmpy ships no network '{name}'; it has {', '.join(known)}.{hint}")
    return _folder() / f"{name}.bif.gz"


def _folder() -> Path:
    """Find pgmpy's folder without importing pgmpy, which takes seconds."""
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("pgmpy")
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise NotFoundError("pgmpy is not installed; install it to read the networks it ships")
    return Path(next(iter(places))) / "utils" / "example_models"
