"""Read a dossier back from its text, sentence by sentence, knowing nothing of how it was written.

Names and labels are single words here, as all told surfaces have them.
"""

from __future__ import annotations

import re

import numpy as np

from causalbench.graph import Diagram
from causalbench.scm import (
    SCM,
    AdditiveMechanism,
    LinearMechanism,
    Mechanism,
    Noise,
    TableMechanism,
    Variable,
)
from causalbench.task.types import Decision, Dossier, Law
from causalbench.truth.knowledge import Budget, Knowledge

REGIMES = {
    "You may only watch.": "see",
    "You may watch and intervene: set variables in fresh cases and see what follows.": "do",
    "You may intervene after seeing what would have been chosen without you: where a variable is "
    "set, the lab tells its natural value too.": "intent",
    "You may intervene, also in cases already seen, run again with the same chance.": "replay",
}
NUMBER = r"-?[0-9.]+(?:e[-+]?[0-9]+)?"


def read_dossier(text: str) -> Dossier:
    """Return the dossier that a text tells, its id left blank."""
    parts = sections(text)
    variables = tuple(read_variable(line) for line in parts["VARIABLES"].splitlines()[1:])
    names = [variable.name for variable in variables]
    mechanisms = parts.get("MECHANISMS")
    diagram = parts.get("CAUSAL DIAGRAM")
    shown = "mechanisms" if mechanisms else "diagram" if diagram else "none"
    knowledge, budget = read_access(parts["WHAT YOU MAY DO"], shown)
    decisions = tuple(
        read_decision(line) for line in parts.get("DECISIONS THAT MAY BE ASKED", "").splitlines()
    )
    return Dossier(
        id="",
        cell={"none": "lab"}.get(shown, shown),
        variables=variables,
        knowledge=knowledge,
        budget=budget,
        diagram=None if diagram is None else read_diagram(diagram, names),
        mechanisms=None if mechanisms is None else read_mechanisms(mechanisms, variables),
        laws=read_laws(parts.get("EXACT DISTRIBUTIONS", ""), variables),
        couplings=read_couplings(parts.get("COUPLINGS", "")),
        rows=read_rows(parts.get("DATA", ""), variables),
        logs=read_logs(parts.get("LOGS", ""), variables, decisions),
        decisions=decisions,
        story=parts["STORY"],
    )


def sections(text: str) -> dict[str, str]:
    """Cut a text at its headings."""
    found, title = {"STORY": ""}, "STORY"
    for line in text.splitlines():
        if re.fullmatch(r"[A-Z ]+", line):
            title = line
            found[title] = ""
        elif not line.startswith("Numbers are given to 12 significant digits."):
            found[title] += f"{line}\n"
    return {title: body.strip("\n") for title, body in found.items()}


def listed(text: str) -> list[str]:
    """Cut "a, b and c", or with "or", into its parts."""
    return [part for part in re.split(r", | and | or ", text) if part not in {"", "nothing"}]


def read_variable(line: str) -> Variable:
    """Read ``- x: low (= 0) or high (= 1), in kg``."""
    name, _, rest = line.removeprefix("- ").partition(": ")
    rest, _, unit = rest.partition(", in ")
    if rest == "a real number":
        return Variable(name, None, unit=unit or None)
    labels = listed(rest)
    numbers = [re.search(r"\(= (.*)\)", label) for label in labels]
    return Variable(
        name,
        tuple(label.split(" (=")[0] for label in labels),
        numbers=tuple(float(number[1]) for number in numbers) if all(numbers) else None,
        unit=unit or None,
    )


def read_access(text: str, shown: str) -> tuple[Knowledge, Budget]:
    """Read what may be done and assumed."""
    told = {"only": None, "assume": (), "budget": {}}
    for line in text.splitlines()[1:]:
        if line.startswith("The only variables that you may set: "):
            told["only"] = tuple(listed(line.partition(": ")[2][:-1]))
        elif line == "But there is no variable that you may set.":
            told["only"] = ()
        elif line.startswith("You may assume: "):
            kinds = r"(?:, | and )(?=coupling:|monotone: |antitone: )"
            told["assume"] = tuple(re.split(kinds, line.partition(": ")[2][:-1]))
        else:
            for count, verb in re.findall(r"(\d+) cases? to (watch|intervene|run)", line):
                told["budget"][verb] = int(count)
    verbs = {"rows": "watch", "interventions": "intervene", "replays": "run"}
    budget = Budget(**{kind: told["budget"].get(verb, 0) for kind, verb in verbs.items()})
    return Knowledge(REGIMES[text.splitlines()[0]], shown, told["assume"], told["only"]), budget


def read_diagram(text: str, names: list[str]) -> Diagram:
    """Read a sentence for each edge."""
    return Diagram(
        names,
        re.findall(r"^- (\S+) is a direct cause of (\S+)\.$", text, re.MULTILINE),
        re.findall(r"^- A hidden cause acts on both (\S+) and (\S+)\.$", text, re.MULTILINE),
    )


def read_mechanisms(text: str, variables: tuple[Variable, ...]) -> SCM:
    """Read every mechanism, hidden variables included."""
    known = {variable.name: variable for variable in variables}
    blocks = re.split(r"\n(?=- )", text)[1:]
    for block in blocks:  # a hidden variable's labels stand where its children are told
        for settings in re.findall(r"Settings, in order: (.*)\.\n", block):
            for name, label in re.findall(r"([^\s,;]+)=([^\s,;]+)", settings):
                if name not in known or known[name].hidden:
                    labels = known[name].labels if name in known else ()
                    known[name] = Variable(
                        name, tuple(dict.fromkeys((*labels, label))), hidden=True
                    )
    order, mechanisms = [], {}
    for block in blocks:
        head, *lines = block.splitlines()
        name = head.split()[1]
        hidden = "(hidden: never observed)" in head
        order.append(name)
        if " = " in head.partition("Settings")[0]:
            known.setdefault(name, Variable(name, None, hidden=hidden))
            mechanisms[name] = read_equation(head.partition(" = ")[2])
        else:
            if name not in known:  # hidden, and without children
                labels = dict.fromkeys(label for line in lines for label in row(line)[1])
                known[name] = Variable(name, tuple(labels), hidden=True)
            mechanisms[name] = read_table(known, name, head, lines)
    return SCM({name: known[name] for name in order}, mechanisms)


def row(line: str) -> tuple[float, list[str]]:
    """Read ``0.25: low, high``."""
    number, _, labels = line.strip().partition(": ")
    return float(number), labels.split(", ")


def read_table(known: dict[str, Variable], name: str, head: str, lines: list[str]) -> object:
    """Read the rows of a discrete mechanism."""
    found = re.search(r"has the parents? (.*?)\. Settings", head)
    parents = tuple(listed(found[1])) if found else ()
    cards = [known[parent].cardinality for parent in parents]
    if lines and lines[0].startswith("    Known are its probabilities alone"):
        chances = [
            [float(each) for each in line.rpartition(": ")[2].split(", ")] for line in lines[1:]
        ]
        return TableMechanism(parents, np.array(chances).reshape(*cards, -1))
    rows = [row(line) for line in lines]
    codes = [[known[name].code(label) for label in labels] for _, labels in rows]
    return Mechanism(parents, [chance for chance, _ in rows], np.array(codes).reshape(-1, *cards))


def read_equation(text: str) -> LinearMechanism | AdditiveMechanism:
    """Read ``2 * x + 1 + noise of standard deviation 3``, or an expression and its noise."""
    linear = re.fullmatch(rf"(.*) \+ noise of standard deviation ({NUMBER})", text)
    if linear:
        *terms, intercept = linear[1].split(" + ")
        pairs = [term.split(" * ") for term in terms]
        weights = [float(weight) for weight, _ in pairs]
        parents = tuple(parent for _, parent in pairs)
        return LinearMechanism(parents, weights, float(intercept), float(linear[2]))
    noise, expression = Noise(), text.removesuffix(", without noise")
    noisy = re.fullmatch(r"(.*) \+ ([a-z ]+) noise \((.*)\)", text)
    if noisy:
        expression = noisy[1]
        numbers = tuple(float(part.rpartition(" ")[2]) for part in listed(noisy[3]))
        noise = Noise(noisy[2].replace(" ", "_"), numbers)
    names = tuple(dict.fromkeys(re.findall(r"\b[a-z]\w*\b(?!\()", expression)))
    return AdditiveMechanism(names, expression, noise)


def cells(lines: list[str], variables: tuple[Variable, ...]) -> list[tuple[tuple[int, ...], str]]:
    """Read ``low, high: 0.25`` as codes and a number."""
    found = []
    for line in lines:
        labels, _, number = line.strip().rpartition(": ")
        if labels == "any other":
            assert number == "0"
            continue
        pairs = zip(variables, labels.split(", "), strict=True)
        found.append((tuple(v.code(label) for v, label in pairs), number))
    return found


def read_laws(text: str, variables: tuple[Variable, ...]) -> tuple[Law, ...]:
    """Read the tables, one for each intervention."""
    laws = []
    for block in re.split(r"\n(?=With|When)", text) if text else []:
        head, *lines = block.splitlines()
        table = np.zeros([variable.cardinality for variable in variables])
        for codes, number in cells(lines, variables):
            table[codes] = float(number)
        forced = head.partition(", the probability of each combination of ")[0]
        laws.append(Law(tuple(re.findall(r"(\S+) is set to ([^\s,]+)", forced)), table))
    return tuple(laws)


def read_couplings(text: str) -> tuple[tuple[str, str], ...]:
    """Read ``- y: monotone``."""
    return tuple(re.findall(r"^- (\S+): (.*)$", text, re.MULTILINE))


def read_rows(text: str, variables: tuple[Variable, ...]) -> np.ndarray:
    """Read the rows: counted and in no order where they are discrete, as they came where real."""
    lines = text.splitlines()[1:]
    if any(variable.is_real for variable in variables):
        return np.array([[float(each) for each in line.split(",")] for line in lines])
    assert "not listed" not in text
    found = [codes for codes, count in cells(lines, variables) for _ in range(int(count))]
    return np.array(found, dtype=np.int64).reshape(len(found), len(variables))


def read_logs(
    text: str, variables: tuple[Variable, ...], decisions: tuple[Decision, ...]
) -> dict[str, dict[str, np.ndarray]]:
    """Read what others saw, did and earned."""
    logs = {}
    for block in re.split(r"\n(?=Decision ')", text) if text else []:
        head, *lines = block.splitlines()
        name = re.match(r"Decision '(.*?)' was made", head)[1]
        actions = next(decision.actions for decision in decisions if decision.id == name)
        rows = []
        for line in lines:
            found = re.fullmatch(
                rf"    (.*); (.*): (once|\d+ times), reward ({NUMBER}), recorded by (\S+?)"
                r"(, and the episode went on)?",
                line,
            )
            seen = dict(re.findall(r"([^\s,]+)=([^\s,]+)", found[1]))
            codes = [v.code(seen[v.name]) if v.name in seen else -1 for v in variables]
            entry = (codes, actions.index(found[2]), float(found[4]), not found[6], found[5])
            rows += [entry] * (1 if found[3] == "once" else int(found[3].split()[0]))
        fields = ("obs", "action", "reward", "terminal", "source")
        columns = zip(*rows, strict=True)
        logs[name] = dict(zip(fields, map(np.array, columns), strict=True))
    return logs


def read_decision(line: str) -> Decision:
    """Read a decision: what is seen, what may be chosen, what it is worth."""
    name, _, rest = line.removeprefix("- ").partition(": ")
    head = r"(in a fresh case, )?having seen (.*?)(?: \((.*?)\))?"
    bet = re.fullmatch(rf"{head}, bet on (.*); a bet pays 1 if it is true, else 0\.", rest)
    if bet:
        bracketed = re.findall(r"\(([^)]*)\)", bet[4])
        actions = tuple(bracketed or listed(bet[4]))
        return Decision(name, "bet", actions, (), tuple(listed(bet[2])), facts(bet[3]))
    again = r"(?: in a case(?: under '(.*?)')?, run that very case again)?"
    found = re.fullmatch(rf"{head}{again}; choose one of (.*)\. Utility: (.*); scores map .*", rest)
    return Decision(
        name,
        "act" if found[1] else "redo",
        tuple(re.findall(r"'([^']*)' \(", found[5])),
        tuple(
            (float(weight), event(clause))
            for weight, clause in re.findall(
                rf"({NUMBER}) if (.*?)(?=(?:,| and) {NUMBER} if |$)", found[6]
            )
        ),
        tuple(listed(found[2])),
        facts(found[3]),
        found[4] or "pass",
    )


def facts(text: str | None) -> tuple[tuple[str, str], ...] | None:
    """Read ``x is 1 and y is 0``; None where nothing is stated."""
    if text is None:
        return None
    return tuple(re.findall(r"(\S+) is ([^\s,]+)", text))


def event(clause: str) -> str:
    """Read ``(y is sour and z is not thin)`` as an event of the query language."""
    atoms = re.findall(r"([^\s(]+) is (not )?([^\s,)]+)", clause)
    return ", ".join(f"{name}{' != ' if other else '='}{label}" for name, other, label in atoms)
