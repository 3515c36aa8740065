"""What stands in a line of each file that is written: the source of the JSON Schemas.

``questions.jsonl`` (`QuestionLine`) and ``keys.jsonl`` (`KeyLine`) are a suite that was made,
``answers.jsonl`` (`AnswerLine`) is part of a run's log. `schema_of` gives the JSON Schema of each.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from causalbench.score.losses import Status  # noqa: TC001  (pydantic reads annotations)
from causalbench.task.types import Kind, Mode, Role, Track  # noqa: TC001
from causalbench.truth.knowledge import Regime, Shown  # noqa: TC001

__all__ = ["LINES", "AnswerLine", "Form", "KeyLine", "QuestionLine", "schema_of"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
Rung = Annotated[int, Field(ge=1, le=3)]
Side = Annotated[int, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Cell = Literal["mechanisms", "diagram", "lab"]
Ends = Annotated[list[float], Field(min_length=2, max_length=2)]  # least and largest
Pair = Annotated[list[str], Field(min_length=2, max_length=2)]  # two names, or name and value


class Form(BaseModel):
    """Exactly these fields, each of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class VariableForm(Form):
    """A variable that the agent sees."""

    name: str
    values: list[str] | None = Field(description="Labels in the order of codes; null: real.")
    hidden: bool
    numbers: list[float] | None = Field(description="What each value counts as in E[...].")
    unit: str | None


class KnowledgeForm(Form):
    """What the agent may do, is shown and may assume."""

    regime: Regime
    shown: Shown
    assumptions: list[str]
    manipulable: list[str] | None = None


class BudgetForm(Form):
    """What the lab allows beyond the dossier, in units."""

    rows: Count
    interventions: Count
    replays: Count


class DiagramForm(Form):
    """Edges over the visible variables; ``bidirected`` ones stand for hidden common causes."""

    nodes: list[str]
    directed: list[Pair]
    bidirected: list[Pair]


class MechanismsForm(Form):
    """The whole world, as `SCM.from_dict` reads it, and the order of its variables."""

    order: list[str]
    model: dict[str, Any]


class LawForm(Form):
    """P(visible variables | do(...)), exact."""

    do: list[Pair] = Field(description="What is set; empty: nothing is.")
    table: list[Any] = Field(description="An axis a variable, in the dossier's order.")


class RowsForm(Form):
    """Watched units; a discrete column holds codes, a real one values."""

    columns: Count
    codes: list[list[float]]


class LogForm(Form):
    """What a policy that saw hidden causes did; -1 stands for unseen."""

    obs: list[list[int]]
    action: list[int]
    reward: list[float]
    terminal: list[bool]
    source: list[str]


class DecisionForm(Form):
    """A choice that may be asked."""

    id: str
    mode: Mode
    actions: list[str]
    utility: list[Annotated[list[float | str], Field(min_length=2, max_length=2)]] = Field(
        description="Pairs of a weight and the event that it is paid for; empty for a bet."
    )
    observes: list[str]
    given: list[Pair] | None
    factual: str


class DossierForm(Form):
    """All that the agent is told about one world."""

    id: str
    cell: Cell
    variables: list[VariableForm]
    knowledge: KnowledgeForm
    budget: BudgetForm
    diagram: DiagramForm | None
    mechanisms: MechanismsForm | None
    laws: list[LawForm]
    couplings: list[Pair]
    rows: RowsForm
    logs: dict[str, LogForm]
    decisions: list[DecisionForm]
    story: str


class QuestionForm(Form):
    """What is asked."""

    id: str
    query: str = Field(description="In the query language; a decision's is an argmax.")
    kind: Kind
    actions: list[str] = Field(description="The labels to choose from; empty for an estimate.")
    decision_id: str | None
    observation: dict[str, str] | None = Field(
        description='What is seen before choosing: variable -> label or "unseen".'
    )
    text: str = Field(description="The question in words, with the answer's format.")


class QuestionLine(Form):
    """A line of ``questions.jsonl``: a dossier and its questions, nothing secret."""

    dossier: DossierForm
    questions: list[QuestionForm] = Field(min_length=1)


class ReadingsForm(Form):
    """What perfect solvers of no rung, of rung 1, of rung 2 and of all three answer."""

    marginal: float | str
    see: float | str
    do: float | str
    imagine: float | str


class CertificateForm(Form):
    """Whether the dossier settles the question, and the proof."""

    identified: bool
    proof: str
    estimand: str = Field(description='"" where the question is not settled.')
    bounds: Ends | None
    sharp: bool
    option_bounds: list[Ends] = Field(
        [], description="Of a decision that is not settled: of what each action is worth."
    )


class KeyForm(Form):
    """The truth of one question."""

    question_id: str
    rung: Rung
    truth: float | str = Field(description="A number; of a decision, the best action's label.")
    readings: ReadingsForm
    certificate: CertificateForm
    values: list[Share] = Field(description="Each action's expected utility, scaled to [0, 1].")
    weight: Share = Field(description="How often the observation is met; 1 for an estimate.")
    floor: Annotated[float, Field(ge=0.0)]


class TraitsForm(Form):
    """What kind of task it is, where the suite says so."""

    form: str = ""
    access: str = ""
    size: str = ""
    motif: str = ""
    family: str = ""
    surface: str = ""


class PlacementForm(Form):
    """Where a case stands in its suite."""

    pair_id: str
    side: Side
    role: Role
    rung: Rung
    track: Track
    cell: Cell
    base: str
    construction: str
    traits: TraitsForm = TraitsForm()
    ceiling: Annotated[float, Field(gt=0.0, le=1.0)] | None = None


class KeyLine(Form):
    """A line of ``keys.jsonl``: the keys of one dossier's questions, in their order. Secret."""

    dossier: str
    placement: PlacementForm
    keys: list[KeyForm] = Field(min_length=1)


class EstimateForm(Form):
    """A number, perhaps with an interval that is not scored."""

    type: Literal["estimate"]
    value: float
    low: float | None
    high: float | None


class IntervalForm(Form):
    """All that the answer may be."""

    type: Literal["interval"]
    low: float
    high: float


class ChoiceForm(Form):
    """One of the question's actions."""

    type: Literal["choice"]
    action: str


class AbstainForm(Form):
    """No answer, and why."""

    type: Literal["abstain"]
    reason: str
    unidentified: bool


class CostForm(Form):
    """An item's share of what its dossier cost."""

    rows: float = 0.0
    interventions: float = 0.0
    replays: float = 0.0
    env_steps: float = 0.0
    seconds: float = 0.0


class AnswerLine(Form):
    """A line of a run's ``answers.jsonl``: what an agent said to one question."""

    key: str = Field(description="Digest of all that the answer depends on.")
    repeat: Count
    dossier: str
    question: str
    answer: EstimateForm | IntervalForm | ChoiceForm | AbstainForm | None
    status: Status
    cost: CostForm
    error: str


def schema_of(model: type[BaseModel], name: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of what a line of a file holds.

    Args:
        model: of the line.
        name: of the file, which becomes the schema's id.
    """
    return {"$schema": _DIALECT, "$id": f"{name}.schema.json", **model.model_json_schema()}


LINES: dict[str, type[Form]] = {
    "questions": QuestionLine,
    "keys": KeyLine,
    "answers": AnswerLine,
}
"""Name of a file -> what its lines are."""
