"""Put dossiers and questions into words, and read replies in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.query import Choice, Expectation, Query, parse, parse_action, parse_event
from causalbench.query.render import number
from causalbench.task.dossier_text import dossier_text
from causalbench.task.reply import parse_reply
from causalbench.task.types import UNSEEN, Decision
from causalbench.task.words import Speaker, joined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.query import Vocabulary
    from causalbench.task.world import Phrase

__all__ = ["decision_text", "dossier_text", "parse_reply", "question_text"]

_DIGITS = 12  # of a range's ends: sums of weights carry rounding
_UNSETTLED = (
    "If what you know does not settle the answer, give the range of possible values as "
    "'low to high', or answer 'cannot be determined'."
)


def question_text(
    query: str | Query,
    *,
    phrases: Mapping[str, Phrase] | None = None,
    vocabulary: Vocabulary | None = None,
    decision: Decision | None = None,
    observation: Mapping[str, str] | None = None,
) -> str:
    """Put a question into words, with the format of its answer.

    Args:
        query: what to estimate; for a decision it may be the ``argmax``, which is not said again.
        phrases: how to speak of each variable; without, they are called by name.
        vocabulary: the world's names; needed where the query uses a named quantity without values.
        decision: the decision asked for, None for an estimate.
        observation: what is seen before deciding (variable -> label or "unseen").

    Returns:
        One paragraph for an estimate; a paragraph and a list of the options for a decision.

    Raises:
        QueryError: the query cannot be read, or it is a choice and no decision is given.
    """
    speaker = Speaker(phrases)
    if decision is not None:
        seen = dict(decision.given or ()) if observation is None else dict(observation)
        return decision_text(decision, seen, phrases=phrases)
    asked = parse(query, vocabulary) if isinstance(query, str) else query
    if isinstance(asked, Choice):
        return _choice_text(asked, speaker)
    single = len(asked.terms) == 1 and asked.terms[0][0] == 1 and not asked.constant
    lead = "What is" if single else "What is this number:"
    return (
        f"{lead} {speaker.query(asked)}? In the query language: {asked}. {_format(asked)} "
        f"{_UNSETTLED}"
    )


def decision_text(
    decision: Decision,
    observation: Mapping[str, str],
    *,
    phrases: Mapping[str, Phrase] | None = None,
) -> str:
    """Put a decision after an observation into words, options and answer format included."""
    speaker = Speaker(phrases)
    seen = {name: value for name, value in observation.items() if value != UNSEEN}
    facts = speaker.facts(seen)
    lines = []
    if decision.mode == "bet":
        lead = f"In a fresh case you see that {facts}." if seen else "You see nothing of the case."
        lines.append(f"{lead} Bet on one of the following; a bet pays 1 if it is true, else 0.")
        lines += [f"- {label}: {_event(label, speaker)}" for label in decision.actions]
        ask = "Which bet has the highest probability of being true?"
    else:
        if decision.mode == "act":
            lead = f"In a fresh case you see that {facts}." if seen else "A fresh case begins."
            lines.append(f"{lead} You then take one of these actions.")
        else:
            first = decision.factual
            before = "" if first == "pass" else f" when {_action(first, speaker)}"
            lead = f"In one case it turned out that {facts}{before}." if seen else "A case is over."
            lines.append(
                f"{lead} The very same case is run once more, with all chance exactly as it was, "
                f"and this time you take one of these actions."
            )
        lines += [f"- {label}: {_action(label, speaker)}" for label in decision.actions]
        lines.append(f"Your utility is the sum of {utility_text(decision, speaker)}.")
        ask = "Which action has the highest expected utility?"
    lines.append(f"{ask} Answer with its label, exactly as written before the colon.")
    return "\n".join(lines)


def utility_text(decision: Decision, speaker: Speaker) -> str:
    """Say a utility: its weights and when each counts."""
    return joined(
        [
            f"{number(weight)} if {speaker.condition(parse_event(event))}"
            for weight, event in decision.utility
        ]
    )


def _event(label: str, speaker: Speaker) -> str:
    return joined(
        [speaker.fact(atom.term.variable, atom.op, atom.value) for atom in parse_event(label)]
    )


def _action(label: str, speaker: Speaker) -> str:
    return "you change nothing" if label == "pass" else speaker.settings(parse_action(label))


def _choice_text(choice: Choice, speaker: Speaker) -> str:
    lines = ["Which of these options makes its value the largest?"]
    lines += [f"- {label}: {speaker.query(objective)}" for label, objective in choice.options()]
    lines.append("Answer with its label, exactly as written before the colon.")
    return "\n".join(lines)


def _format(query: Query) -> str:
    if any(isinstance(quantity, Expectation) for _, quantity in query.terms):
        return "Answer with one number."
    weights = [weight for weight, _ in query.terms]
    low = query.constant + sum(min(weight, 0) for weight in weights)
    high = query.constant + sum(max(weight, 0) for weight in weights)
    low, high = round(low, _DIGITS), round(high, _DIGITS)
    return f"Answer with one number between {number(low)} and {number(high)}."
