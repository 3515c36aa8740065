"""Hold a world: an SCM with a story, questions, decisions and expected values; and load one."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench.errors import NotFoundError, WorldError, suggest
from causalbench.task import catalogue
from causalbench.task.catalogue import list_worlds
from causalbench.task.expect import Expect, ExpectBounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

    from causalbench.graph import Diagram
    from causalbench.query import Vocabulary
    from causalbench.scm import SCM
    from causalbench.scm.couplings import Coupling
    from causalbench.task.types import Decision

__all__ = [
    "Expect",
    "ExpectBounds",
    "Phrase",
    "World",
    "WorldQuestion",
    "list_worlds",
    "load_world",
]

_SEQUENTIAL = (
    "{} is a sequential world, which load_sequence loads and cb.arena plays; give another."
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """How to speak of one variable.

    Args:
        noun: the variable itself, e.g. ``"rain"``.
        values: value label -> a clause that says so, e.g. ``"it rains"``; a real one has none.
        do: value label -> a clause for setting it, e.g. ``"you make it rain"``; may be empty.
    """

    noun: str
    values: Mapping[str, str] = field(default_factory=dict, hash=False)
    do: Mapping[str, str] = field(default_factory=dict, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {"noun": self.noun, "values": dict(self.values), "do": dict(self.do)}


@dataclass(frozen=True, slots=True)
class WorldQuestion:
    """A question that comes with a world: its id, its query, and its words ("" for generated)."""

    id: str
    query: str
    text: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return {"id": self.id, "query": self.query, "text": self.text}


@dataclass(frozen=True)
class World:
    """An SCM with everything that makes tasks of it.

    Args:
        id: its name; for built-in worlds the path under ``tasks/worlds``.
        version: rises whenever an answer may change.
        title: one line.
        source: where the world comes from.
        scm: the causal model.
        story: a paragraph for readers of prose.
        phrases: variable -> how to speak of it.
        questions: the world's own questions.
        decisions: the world's decisions.
        expect: known answers.
        expect_bounds: known bounds.
    """

    id: str
    version: int
    title: str
    source: str
    scm: SCM
    story: str = ""
    phrases: Mapping[str, Phrase] = field(default_factory=dict, hash=False)
    questions: tuple[WorldQuestion, ...] = ()
    decisions: tuple[Decision, ...] = ()
    expect: tuple[Expect, ...] = ()
    expect_bounds: tuple[ExpectBounds, ...] = ()

    @property
    def diagram(self) -> Diagram:
        """The diagram over the visible variables."""
        return self.scm.diagram

    @property
    def vocabulary(self) -> Vocabulary:
        """The names and values that a query may use."""
        return self.scm.vocabulary

    def decision(self, decision_id: str) -> Decision:
        """Return the decision of that id.

        Raises:
            NotFoundError: the world has none of that id.
        """
        known = {decision.id: decision for decision in self.decisions}
        if decision_id not in known:
            near = suggest(decision_id, known) or f" It has {', '.join(known) or 'none'}."
            msg = f"world '{self.id}' has no decision '{decision_id}'.{near}"
            raise NotFoundError(msg)
        return known[decision_id]

    def do(self, mapping: Mapping[str, Any] | None = None, /, **labels: Any) -> SCM:
        """Return the SCM after an intervention, e.g. ``world.do(umbrella="no")``."""
        return self.scm.do(mapping, **labels)

    def coupled(self, coupling: Coupling | Mapping[str, Coupling]) -> World:
        """Return the world with couplings for the tables that have none (see `SCM.coupled`).

        Raises:
            WorldError: as `SCM.coupled`.
        """
        return replace(self, scm=self.scm.coupled(coupling))

    def sample(self, n: int, *, rng: np.random.Generator, hidden: bool = False) -> pd.DataFrame:
        """Draw n units as a data frame of labels (see `SCM.sample`)."""
        return self.scm.sample(n, rng=rng, hidden=hidden)

    def draw(
        self, n: int, *, rng: np.random.Generator, do: Mapping[str, Any] | None = None
    ) -> dict[str, np.ndarray]:
        """Draw n units as arrays of codes (see `SCM.draw`)."""
        return self.scm.draw(n, rng=rng, do=do)

    def solve(
        self, unit: Mapping[str, Any], do: Mapping[str, Any] | None = None
    ) -> dict[str, np.ndarray]:
        """Compute every variable of given units (see `SCM.solve`)."""
        return self.scm.solve(unit, do)

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw the diagram, hidden variables dashed; return the figure, and save it if told where.

        Raises:
            MissingExtraError: matplotlib is not installed.
        """
        from causalbench.task.plot import plot_world

        return plot_world(self, path)

    def to_dict(self) -> dict[str, Any]:
        """Return the world as a JSON-ready dict of the world file's schema."""
        scm = self.scm.to_dict()
        data = {
            "schema": 1,
            "id": self.id,
            "version": self.version,
            "title": self.title,
            "source": self.source,
            "story": self.story,
            "variables": scm["variables"],
            "mechanisms": scm["mechanisms"],
            "couplings_known": self.scm.couplings_known,
            "phrases": {name: phrase.to_dict() for name, phrase in self.phrases.items()},
            "questions": [question.to_dict() for question in self.questions],
            "decisions": [decision.to_dict() for decision in self.decisions],
            "expect": [expect.to_dict() for expect in self.expect],
        }
        if self.expect_bounds:  # digests of worlds without any stay as they are
            data["expect_bounds"] = [bounds.to_dict() for bounds in self.expect_bounds]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], place: str = "world") -> World:
        """Build a world from the dict of a world file; ``from_dict(w.to_dict()) == w``.

        Args:
            data: the file's content.
            place: how to call it in messages.

        Raises:
            WorldError: it breaks the schema or is no SCM; names the place.
        """
        from causalbench.task.worldfile import world_from_dict

        return world_from_dict(data, place)


def load_world(name: str | Path | World, *, renormalise: bool = False) -> World:
    """Load a world.

    A Bayesian network has tables alone: rungs 1 and 2 are answered, and rung 3 where no coupling
    matters; `World.coupled` names couplings for the rest. Its rows must sum to 1 up to 1e-6, which
    the seven digits of published tables need; those that miss it by over 1e-9 are divided by their
    sums, and `World.source` counts them.

    Args:
        name: a built-in name (`list_worlds`), the name of a plug-in, a path to a world file
            (``.yaml``, ``.yml``) or to a Bayesian network (``.bif``, ``.bif.gz``), or a network
            that pgmpy ships, such as ``"bnlearn/sachs"``. A World is returned as it is.
        renormalise: for a network: divide rows further off (up to 0.02) by their sums too.

    Raises:
        NotFoundError: nothing of that name.
        WorldError: a file that is malformed; names file and place. Or a sequential world.
    """
    if isinstance(name, World):
        return name
    text = str(name)
    if isinstance(name, Path) or text.endswith((".yaml", ".yml", ".bif", ".bif.gz")):
        return _from_path(Path(name), renormalise=renormalise)
    if catalogue.world_file(text) is not None:
        return _built_in(text)
    network = catalogue.bnlearn_file(text)
    if network is not None:
        source = "pgmpy's copy of the bnlearn repository"
        return _from_bif(network, text, source, renormalise=renormalise)
    world = _from_plugin(text)
    if world is not None:
        return world
    if text in catalogue.data_files("sequences"):
        raise WorldError(_SEQUENTIAL.format(f"'{text}'"))
    near = suggest(text, [*list_worlds(), *catalogue.list_bnlearn()])
    msg = f"no world is called '{text}'.{near} `causalbench list worlds` shows all; a path works."
    raise NotFoundError(msg)


@lru_cache(maxsize=64)
def _built_in(name: str) -> World:
    """Load a built-in world once; worlds are frozen, so sharing one is safe."""
    file = catalogue.world_file(name)
    if file is None:  # pragma: no cover  (load_world has looked)
        msg = f"no world is called '{name}'."
        raise NotFoundError(msg)
    return _from_yaml(file.read_text(encoding="utf-8"), f"{name}.yaml", name)


def _from_path(path: Path, *, renormalise: bool) -> World:
    from causalbench.scm.yaml_text import is_file, text_of

    if not is_file(path):
        msg = f"no world file at '{path}'; give a path that exists, or a name of `list worlds`."
        raise NotFoundError(msg)
    if path.name.endswith((".yaml", ".yml")):
        return _from_yaml(text_of(path), path.name, path.stem)
    name = path.name.removesuffix(".gz").removesuffix(".bif")
    return _from_bif(path, name, path.name, renormalise=renormalise)


def _from_yaml(text: str, place: str, stem: str) -> World:
    from causalbench.scm.yaml_text import load_yaml

    data = load_yaml(text, place)
    if not isinstance(data, dict):
        msg = f"{place} holds {type(data).__name__} at its top level; it must be a mapping of keys."
        raise WorldError(msg)
    if data.get("kind") == "sequence":
        raise WorldError(_SEQUENTIAL.format(place))
    world = World.from_dict(data, place)
    if world.id.rsplit("/", 1)[-1] != stem:
        msg = f"{place}: id is '{world.id}' but the file is named '{stem}'; rename one of them."
        raise WorldError(msg)
    return world


def _from_bif(path: Path, name: str, source: str, *, renormalise: bool) -> World:
    """Read a network; rows that miss 1 by the rounding of its digits are divided by their sum."""
    from causalbench.scm.bif import PRINTED, read_bif

    try:
        network = read_bif(path, renormalise=renormalise, rounding=PRINTED)
    except WorldError as error:
        msg = str(error) if path.name in str(error) else f"{path.name}: {error}"
        raise WorldError(msg) from None
    mended = len(network.renormalised)
    note = ""
    if mended:
        rows = "1 row" if mended == 1 else f"{mended} rows"
        note = f"; {rows} renormalised, which missed 1 by {network.furthest:.1g} at most"
    title = f"Bayesian network {name}"
    return World(id=name, version=2, title=title, source=source + note, scm=network.scm)


def _from_plugin(name: str) -> World | None:
    """Load the plug-in world of that name; a broken one warns and counts as absent."""
    point = catalogue.plugin(name)
    if point is None:
        return None
    try:
        module, _, attribute = point.value.partition(":")
        target: Any = import_module(module)
        for part in attribute.split("."):
            target = getattr(target, part)
        if callable(target):
            target = target()
        return load_world(target) if isinstance(target, (World, str, Path)) else _refuse(target)
    except Exception as error:  # noqa: BLE001  (a stranger's code may raise anything)
        warnings.warn(
            f"plug-in world '{name}' ({point.value}) is skipped: {type(error).__name__}: {error}",
            stacklevel=3,
        )
        return None


def _refuse(target: object) -> World:
    msg = f"it is a {type(target).__name__}; give a World, a path, or a function that returns one."
    raise WorldError(msg)
