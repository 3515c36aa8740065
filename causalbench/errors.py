"""Name every way causalbench can refuse, in one tree.

    CausalBenchError
    |-- QueryError (ValueError)            a query that cannot be read or asked
    |   |-- QuerySyntaxError               text that is not a query; carries the column
    |   `-- UnknownNameError               a variable or value the world does not have
    |-- ZeroProbabilityError (ZeroDivisionError)   a condition that never happens
    |-- PositivityError                    an estimand that divides by a probability of zero
    |-- CouplingError                      a rung-3 question to a world whose couplings are unknown
    |-- CertificateError                   no certificate was found, or one fails its own check
    |-- SimulationError                    an answer that would rest on too few draws
    |-- WorldError (ValueError)            a world that breaks a law of SCMs or of the file format
    |-- NotFoundError (LookupError)        no world, suite, agent or file of that name
    |-- TooWideError (MemoryError)         an exact answer would need too large a table
    |-- TwinError                          a pair of worlds that fails its proof, or cannot be built
    |-- AccessError                        the regime forbids it
    |   `-- BudgetExhausted                the budget is spent
    |-- AgentError                         an agent that breaks the protocol
    |-- AnswerError (ValueError)           a reply or record that is not a legal answer
    |-- ScoreError (ValueError)            a score of nothing
    |-- LogError                           a run's log that cannot be used
    |-- SubmissionError                    a submission that must be refused
    `-- MissingExtraError (ImportError)    an optional dependency that is not installed

Every message says, on one line, what happened, why, and what to do. The command line
prints it as it is and exits with 2; any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

__all__ = [
    "AccessError",
    "AgentError",
    "AnswerError",
    "BudgetExhausted",
    "CausalBenchError",
    "CertificateError",
    "CouplingError",
    "LogError",
    "MissingExtraError",
    "NotFoundError",
    "PositivityError",
    "QueryError",
    "QuerySyntaxError",
    "ScoreError",
    "SimulationError",
    "SubmissionError",
    "TooWideError",
    "TwinError",
    "UnknownNameError",
    "WorldError",
    "ZeroProbabilityError",
    "suggest",
]


class CausalBenchError(Exception):
    """Root of every error that is the user's to mend."""


class QueryError(CausalBenchError, ValueError):
    """A query that cannot be read or asked."""


class QuerySyntaxError(QueryError):
    """Text that is not a query.

    Attributes:
        text: the query as given.
        column: 1-based column of the first character that does not fit.
    """

    def __init__(self, message: str, *, text: str, column: int) -> None:
        super().__init__(message)
        self.text = text
        self.column = column


class UnknownNameError(QueryError):
    """A variable or a value that the world does not have."""


class ZeroProbabilityError(CausalBenchError, ZeroDivisionError):
    """A condition of probability zero: the conditional quantity does not exist."""


class PositivityError(CausalBenchError):
    """An estimand that divides by a probability of zero: it says nothing about this world."""


class CouplingError(CausalBenchError):
    """A question of rung 3 to a world that knows its tables but not its couplings."""


class CertificateError(CausalBenchError):
    """No certificate was found, or one failed its own check; the message says which."""


class SimulationError(CausalBenchError):
    """An answer by simulation that would rest on too few draws to state its error."""


class WorldError(CausalBenchError, ValueError):
    """A world that breaks a law of SCMs, or a world file that is malformed."""


class NotFoundError(CausalBenchError, LookupError):
    """No world, suite, agent or file of that name."""


class TooWideError(CausalBenchError, MemoryError):
    """An exact answer would need a larger table than is allowed."""


class TwinError(CausalBenchError):
    """A pair of worlds that fails its proof, or that cannot be built."""


class AccessError(CausalBenchError):
    """An act that the regime of the dossier forbids."""


class BudgetExhausted(AccessError):  # noqa: N818  (the name is pinned by the protocol)
    """The budget is spent; the last paid step has been delivered."""


class AgentError(CausalBenchError):
    """An agent that breaks the protocol."""


class AnswerError(CausalBenchError, ValueError):
    """A reply, or a stored record, that is not a legal answer."""


class ScoreError(CausalBenchError, ValueError):
    """A score of nothing, or of records that do not belong together."""


class LogError(CausalBenchError):
    """A run's log that cannot be used as it is."""


class SubmissionError(CausalBenchError):
    """A submission that must be refused."""


class MissingExtraError(CausalBenchError, ImportError):
    """An optional dependency that is not installed."""


def suggest(name: str, known: object) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest known name, or an empty string.

    Args:
        name: what was given; by mistake it may be no text.
        known: an iterable of the names that exist.

    Returns:
        A sentence with a leading blank, or "".
    """
    from difflib import get_close_matches

    near = get_close_matches(str(name), [str(item) for item in known], n=1)  # type: ignore[attr-defined]
    return f" Did you mean '{near[0]}'?" if near else ""
