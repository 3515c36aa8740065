"""Infer a world's latent from its context, then see, do and imagine through one decoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.agent.given import told
from causalbench.errors import AgentError, QueryError, TooWideError
from causalbench.task.answer import Abstain, Answer, Choice, Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.agent.latent.context import Context
    from causalbench.agent.latent.coupling import Coupling
    from causalbench.agent.latent.imagine import Mind
    from causalbench.agent.protocol import Clock
    from causalbench.query import Query
    from causalbench.task.types import Dossier, Question

__all__ = ["LatentPosterior"]

_FILE = "latent-posterior.pt"
STARTS = ("prior", "encoder")
_VIEWS = 3  # orders and labellings in which each practice world is seen

# What each option must at least be.
_LEAST = {
    "steps": 0,
    "context": 2,
    "pairs": 0,
    "draws": 1,
    "units": 1,
    "widest": 0,
    "worlds": 1,
    "seconds": 0,
    "updates": 0,
    "latent": 1,
    "width": 1,
}


class LatentPosterior:
    """Posterior inference of one latent per world (after the Latent Thought Model).

    Args:
        start: where inference starts: ``prior``, or ``encoder`` for an amortised guess.
        steps: Adam steps on the context's ELBO. 0 with ``encoder`` is the amortised ablation,
            0 with ``prior`` answers from the prior, more with ``encoder`` is both.
        context: rows drawn from each distribution that the dossier gives.
        shuffled: destroy all dependence in the context (a control).
        pairs: units run twice where mechanisms are shown, to infer couplings from; 0 assumes
            Gumbel-max wherever the dossier names none.
        draws: draws of z an answer averages over.
        units: units a draw of z runs.
        widest: abstain from an estimate whose 90% interval is wider.
        worlds: contexts to train on, at most (three orders and labellings a practice world).
        seconds: seconds to train for, at most: a safety net, which no run should meet, because
            a training that the clock cuts off can't be repeated exactly.
        updates: slow steps to train for.
        latent: dimension of z.
        width: hidden units.
    """

    name = "latent-posterior"
    accepts = frozenset({"estimate", "bet", "act", "redo"})
    cells = frozenset({"diagram", "mechanisms"})

    def __init__(  # noqa: PLR0913  (each is an ablation or a size, and has its name in -A)
        self,
        *,
        start: str = "prior",
        steps: int = 128,
        context: int = 2000,
        shuffled: bool = False,
        pairs: int = 4000,
        draws: int = 24,
        units: int = 512,
        widest: float = 0.5,
        worlds: int = 1200,
        seconds: float = 600.0,
        updates: int = 1500,
        latent: int = 32,
        width: int = 128,
    ) -> None:
        if start not in STARTS:
            msg = f"start '{start}' does not exist; choose one of {', '.join(STARTS)}."
            raise AgentError(msg)
        self.config: dict[str, Any] = {
            "start": start,
            "steps": steps,
            "context": context,
            "shuffled": shuffled,
            "pairs": pairs,
            "draws": draws,
            "units": units,
            "widest": widest,
            "worlds": worlds,
            "seconds": seconds,
            "updates": updates,
            "latent": latent,
            "width": width,
        }
        for option, least in _LEAST.items():
            if not self.config[option] >= least:
                msg = f"option {option} is {self.config[option]}; give {least} or more."
                raise AgentError(msg)
        self.trace: list[float] = []
        self._weights: dict[str, Any] | None = None
        self._mind: Mind | None = None
        self._why = "no dossier was studied"

    def train(self, practice: Any, *, rng: np.random.Generator, clock: Clock) -> None:
        """Learn the decoder and the encoder on the dossiers of practice worlds (keys are not read).

        Args:
            practice: anything with ``cases()``.
            rng: source of randomness.
            clock: the seconds there are.

        Raises:
            AgentError: no practice world fits the decoder.
        """
        import torch

        from causalbench.agent.latent.inference import fit
        from causalbench.agent.latent.network import initialise

        torch.set_num_threads(1)
        limit = min(float(self.config["seconds"]), clock.left)
        begun = clock.elapsed
        contexts = self._gather(practice, rng=rng, clock=clock, until=begun + limit / 3)
        decoder, encoder = self._modules()
        initialise(decoder, rng)
        initialise(encoder, rng)
        steps = 0

        def keep_on() -> bool:
            nonlocal steps
            steps += 1
            return steps <= int(self.config["updates"]) and clock.elapsed - begun < limit

        self.trace = fit(decoder, encoder, contexts, rng=rng, keep_on=keep_on)
        self._weights = {"decoder": decoder.state_dict(), "encoder": encoder.state_dict()}

    def save(self, path: str | Path) -> None:
        """Write the checkpoint into a folder."""
        import torch

        if self._weights is None:
            msg = "latent-posterior has nothing to save yet; call train first."
            raise AgentError(msg)
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(self._weights, folder / _FILE)

    def load(self, path: str | Path) -> None:
        """Read the checkpoint from a folder."""
        import torch

        file = Path(path) / _FILE
        if not file.is_file():
            msg = f"no checkpoint '{_FILE}' in '{path}'; train and save first."
            raise AgentError(msg)
        self._weights = torch.load(file, weights_only=True)

    def study(self, dossier: Dossier, lab: Any, *, rng: np.random.Generator, clock: Clock) -> None:
        """Infer this world's z from its context; the lab is left alone."""
        del lab, clock
        self._mind = None
        if self._weights is None:
            self._why = "latent-posterior was not trained; call train or load a checkpoint"
            return
        if dossier.diagram is None and dossier.mechanisms is None:
            self._why = "neither diagram nor mechanisms are shown"
            return
        if any(variable.is_real for variable in dossier.variables):
            self._why = "the decoder is for discrete variables, and some are real"
            return
        from causalbench.agent.latent.context import context_of

        try:
            context = context_of(
                dossier,
                rows=int(self.config["context"]),
                rng=rng,
                shuffled=bool(self.config["shuffled"]),
            )
        except TooWideError as error:
            self._why = f"too wide for the decoder: {error}"
            return
        self._mind = self._decode(dossier, context, rng)

    def answer(self, question: Question, *, rng: np.random.Generator) -> Answer:
        """Answer by the mean over q(z), with the interval that q(z) gives."""
        from causalbench.query import Choice as Menu
        from causalbench.query import parse

        if self._mind is None:
            return Abstain(self._why)
        query = parse(question.query)
        try:
            if isinstance(query, Menu):
                means = [float(each.mean()) for each in self._values(query.objectives, rng)]
                return Choice(question.actions[int(np.argmax(means))])
            (values,) = self._values([query], rng)
        except (QueryError, ValueError) as error:
            return Abstain(f"no estimate: {error}")
        low, high = np.quantile(values, [0.05, 0.95])
        if high - low > self.config["widest"]:
            return Abstain(f"the posterior is too wide: {low:.2f} to {high:.2f}")
        return Estimate(float(values.mean()), low=float(low), high=float(high))

    def _values(self, queries: Sequence[Query], rng: np.random.Generator) -> list[np.ndarray]:
        """Return each query's value under the draws of z that can meet the evidence."""
        from causalbench.agent.latent.imagine import imagine_all

        assert self._mind is not None  # noqa: S101  (answer has looked)
        every = imagine_all(self._mind, queries, units=int(self.config["units"]), rng=rng)
        finite = [values[np.isfinite(values)] for values in every]
        if not all(len(values) for values in finite):
            msg = "the evidence never came about in any decoded world."
            raise QueryError(msg)
        return finite

    def _gather(
        self, practice: Any, *, rng: np.random.Generator, clock: Clock, until: float
    ) -> list[Context]:
        """Turn practice dossiers into contexts until there are enough or time is up."""
        from causalbench.agent.latent.context import context_of

        contexts: list[Context] = []
        for case in practice.cases():
            if len(contexts) >= int(self.config["worlds"]):
                break
            if contexts and clock.elapsed > until:
                break
            dossier = case.dossier
            if dossier.diagram is None and dossier.mechanisms is None:
                continue
            if any(variable.is_real for variable in dossier.variables):
                continue
            try:
                contexts += [
                    context_of(dossier, rows=int(self.config["context"]), rng=rng, augment=True)
                    for _ in range(_VIEWS)
                ]
            except TooWideError:
                continue
        if not contexts:
            msg = "no practice world shows a diagram that fits the decoder; nothing to train on."
            raise AgentError(msg)
        return contexts

    def _modules(self) -> tuple[Any, Any]:
        from causalbench.agent.latent.network import Decoder, Encoder

        sizes = {"latent": int(self.config["latent"]), "width": int(self.config["width"])}
        return Decoder(**sizes), Encoder(**sizes)

    def _decode(self, dossier: Dossier, context: Context, rng: np.random.Generator) -> Mind:
        """Infer q(z) and decode draws of z into tables."""
        import torch

        from causalbench.agent.latent.imagine import Mind
        from causalbench.agent.latent.inference import Posterior, collate, infer, mirrored, noise
        from causalbench.agent.latent.network import log_probs

        torch.set_num_threads(1)
        decoder, encoder = self._modules()
        assert self._weights is not None  # noqa: S101
        decoder.load_state_dict(self._weights["decoder"])
        encoder.load_state_dict(self._weights["encoder"])
        batch = collate([context])
        latent = int(self.config["latent"])
        with torch.no_grad():
            guess = None
            if self.config["start"] == "encoder":
                guess = Posterior(*encoder(batch.features, batch.train, batch.owner, 1))
            basis = decoder(batch.features)
            every = decoder(torch.as_tensor(context.layout.features))
        q = infer(
            basis,
            batch,
            steps=int(self.config["steps"]),
            draws=mirrored(rng, 8, 1, latent),
            start=guess,
            check=mirrored(rng, 8, 1, latent),
        )
        z = q.mean + noise(rng, int(self.config["draws"]), 1, latent) * (q.log_variance / 2).exp()
        legal = torch.as_tensor(context.layout.legal)
        with torch.no_grad():
            tables = log_probs(every, legal, z.expand(-1, len(every), -1)).exp().double().numpy()
        scm = dossier.mechanisms
        known = dossier.variables
        if scm is not None:
            known = tuple(scm.variable(name) for name in context.layout.names)
        tables = tables / tables.sum(-1, keepdims=True)
        return Mind(
            layout=context.layout,
            tables=tables,
            values={v.name: tuple(v.values or ()) for v in known},
            numbers={v.name: v.numbers for v in known},
            couplings=self._couplings(dossier, context, tables.mean(0), rng),
        )

    def _couplings(
        self, dossier: Dossier, context: Context, tables: np.ndarray, rng: np.random.Generator
    ) -> tuple[Coupling, ...]:
        """Return each slot's coupling: the one named, else one inferred, else Gumbel-max."""
        from causalbench.agent.latent.coupling import from_told
        from causalbench.agent.latent.pairs import candidates, infer_coupling, pairs_of

        layout, names, scm = context.layout, told(dossier), dossier.mechanisms
        seen = None
        if scm is not None and self.config["pairs"] and not self.config["shuffled"]:
            seen = pairs_of(scm, layout, units=int(self.config["pairs"]), rng=rng)
        ways: list[Coupling] = []
        for i, slot in enumerate(layout.slots):
            read = [layout.slots[k] for k in layout.inputs(slot)]
            spec = names.get(slot.name)
            if spec is None and seen is not None:
                own = tables[slot.offset : slot.offset + layout.settings(slot), : slot.card]
                ways.append(infer_coupling(candidates(layout, slot), own, seen[i], rng=rng))
            else:
                cards = [each.card for each in read]
                ways.append(from_told(spec, [each.name for each in read], cards))
        return tuple(ways)
