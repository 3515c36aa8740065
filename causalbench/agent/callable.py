"""Let a plain function of the observation, or a stable-baselines3 model, take part."""

from __future__ import annotations

import pickle
from types import CodeType
from typing import TYPE_CHECKING, Any

from causalbench.agent.protocol import Abstain, Answer, Choice
from causalbench.errors import AnswerError
from causalbench.task.observation import ObservationSpace

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from causalbench.agent.protocol import Clock
    from causalbench.task.lab import Lab
    from causalbench.task.types import Dossier, Question

__all__ = ["ModelAgent", "PolicyAgent"]

_ACTS = frozenset({"bet", "act", "redo"})


class PolicyAgent:
    """Ask a function for the action.

    Args:
        policy: from the encoded observation (`ObservationSpace`) to the index of an action, its
            label, or None to abstain.
    """

    accepts = _ACTS

    def __init__(self, policy: Callable[[np.ndarray], Any]) -> None:
        self.policy = policy
        name = str(getattr(policy, "__name__", type(policy).__name__))
        self.name = name if name.isidentifier() else "policy"  # a lambda has no name of its own
        self.sources = (policy,)
        self.space: ObservationSpace | None = None

    def study(self, dossier: Dossier, lab: Lab, *, rng: np.random.Generator, clock: Clock) -> None:
        """Note how this dossier encodes observations."""
        del lab, rng, clock
        self.space = ObservationSpace(dossier)

    def answer(self, question: Question, *, rng: np.random.Generator) -> Answer:
        """Return the policy's action.

        Raises:
            AnswerError: the policy returns neither an index nor a label.
        """
        del rng
        if self.space is None:
            return Abstain("nothing was studied")
        return as_choice(self.policy(self.space.encode_question(question)), question)

    def fingerprint(self) -> bytes:
        """Return what makes this policy differ from another (see `source.digest_of`)."""
        return _code_of(self.policy)


class ModelAgent(PolicyAgent):
    """Ask a stable-baselines3 model, without noise; it must know the dossier's observations.

    Args:
        model: anything with ``predict(obs, deterministic=True)`` and ``observation_space``.
    """

    def __init__(self, model: Any) -> None:
        super().__init__(lambda obs: model.predict(obs, deterministic=True)[0])
        self.model = model
        self.name = type(model).__name__
        self.sources = (type(model),)

    def answer(self, question: Question, *, rng: np.random.Generator) -> Answer:
        """Return the model's action; abstain where it was trained on another space."""
        nvec = getattr(self.model.observation_space, "nvec", None)
        if self.space is not None and (nvec is None or list(nvec) != list(self.space.nvec)):
            return Abstain("the model was trained on another observation space")
        return super().answer(question, rng=rng)

    def fingerprint(self) -> bytes:
        """Return the model's parameters as bytes."""
        parameters = self.model.get_parameters().items()
        parts = [
            f"{part}.{name}".encode() + value.cpu().numpy().tobytes()
            for part, values in parameters
            for name, value in values.items()
            if hasattr(value, "cpu")  # an optimiser's state holds other things, and answers nothing
        ]
        return b"".join(parts)


def as_choice(said: Any, question: Question) -> Answer:
    """Read what a policy returned as one of the question's actions.

    Raises:
        AnswerError: it is neither an index, a label, nor None.
    """
    actions = question.actions
    if said is None:
        return Abstain("the policy gave no action")
    if isinstance(said, str):
        if said in actions:
            return Choice(said)
    else:
        item = said.item() if getattr(said, "size", 0) == 1 else said
        if isinstance(item, int) and not isinstance(item, bool) and 0 <= item < len(actions):
            return Choice(actions[item])
    last = len(actions) - 1
    msg = f"the policy returned {said!r}; return an index from 0 to {last}, or a label."
    raise AnswerError(msg)


def _code_of(policy: Any) -> bytes:
    """Return a callable's own code and data as bytes; raises where they cannot be read."""
    code = getattr(policy, "__code__", None)
    if code is None:
        return pickle.dumps(policy)
    held = [cell.cell_contents for cell in policy.__closure__ or ()]
    return pickle.dumps((_instructions(code), policy.__defaults__, policy.__kwdefaults__, held))


def _instructions(code: CodeType) -> tuple[Any, ...]:
    """Return what a code object does, without the lines and files that it came from."""
    constants = tuple(_instructions(c) if isinstance(c, CodeType) else c for c in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, constants
