"""A second opinion on certificates: read an estimand's text, and count row by row.

Nothing here uses the engine, the estimands' own evaluation or the response-type programs. The text
is read by its own small grammar, and every law in it is a sum of products of the mechanisms.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from math import prod

from oracle import brute_quantity

from causalbench.query import parse

TOKEN = re.compile(
    r"\s*(?:(?P<sum>sum_\{)|(?P<law>P\()|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)(?![\w.])"
    r'|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<word>[^\W\d][\w.]*|-?\d[\w.]*)|(?P<sign>[-+*/(){},|=\']))'
)


class Laws:
    """The laws of a world over its visible variables, by the truncated product, row by row."""

    def __init__(self, scm):
        self.scm = scm
        self.tables = {name: self._table(name) for name in scm.names}
        self.rows = cache(self._rows)
        self.mass = cache(self._mass)

    def _table(self, name):
        """P(value | parents' codes) as a dict, from noise and table alone."""
        mechanism = self.scm.mechanism(name)
        found = {}
        for at in product(*(range(len(self.scm.variable(p).labels)) for p in mechanism.parents)):
            for s, weight in enumerate(mechanism.noise.tolist()):
                key = (*at, int(mechanism.table[(s, *at)]))
                found[key] = found.get(key, 0.0) + weight
        return found

    def _rows(self, do):
        forced = dict(do)
        done = [(1.0, {})]
        for name in self.scm.order:
            labels, parents = self.scm.variable(name).labels, self.scm.parents(name)
            longer = []
            for weight, row in done:
                at = tuple(self.scm.variable(p).labels.index(row[p]) for p in parents)
                for code, label in enumerate(labels):
                    chance = (
                        float(label == forced[name])
                        if name in forced
                        else self.tables[name].get((*at, code), 0.0)
                    )
                    if chance > 0.0:
                        longer.append((weight * chance, {**row, name: label}))
            done = longer
        visible = {}
        for weight, row in done:
            key = tuple(row[name] for name in self.scm.visible)
            visible[key] = visible.get(key, 0.0) + weight
        return [
            (weight, dict(zip(self.scm.visible, key, strict=True)))
            for key, weight in visible.items()
        ]

    def _mass(self, facts, do):
        return sum(w for w, row in self.rows(do) if all(row[n] == v for n, v in facts))

    def law(self, outcome, given, do):
        """P(outcome | given, do(...))."""
        below = self.mass(given, do) if given else 1.0
        return self.mass(outcome + given, do) / below


class Reader:
    """Read ``sum_{z} P(y=1 | x=1, z) P(z)`` and add it up."""

    def __init__(self, text, laws):
        self.laws = laws
        self.tokens = []
        at = 0
        while text[at:].strip():
            match = TOKEN.match(text, at)
            assert match, f"cannot read {text[at:]!r}"
            self.tokens.append((match.lastgroup, match.group(match.lastgroup)))
            at = match.end()
        self.at = 0

    def value(self):
        """The number."""
        tree = self.linear()
        assert self.at == len(self.tokens), self.tokens[self.at :]
        return tree({})

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else (None, None)

    def take(self, *signs):
        kind, text = self.peek()
        if text in signs and kind != "quoted":
            self.at += 1
            return text
        return None

    def linear(self):
        terms = []
        sign = -1.0 if self.take("-") else 1.0
        while True:
            terms.append((sign, self.ratio()))
            found = self.take("+", "-")
            if not found:
                break
            sign = -1.0 if found == "-" else 1.0
        return lambda env: sum(weight * part(env) for weight, part in terms)

    def ratio(self):
        above = self.product()
        if not self.take("/"):
            return above
        below = self.product()
        return lambda env: above(env) / below(env)

    def product(self):
        factors = []
        while True:
            kind, text = self.peek()
            if kind == "number":
                self.at += 1
                self.take("*")
                factors.append(lambda env, number=float(text): number)  # noqa: ARG005
            elif kind == "law":
                factors.append(self.probability())
            elif kind == "sum":
                factors.append(self.sum())
                break  # a sum reaches to the end of its product
            elif text == "(" and kind == "sign":
                self.at += 1
                factors.append(self.linear())
                assert self.take(")")
            else:
                break
        assert factors, self.peek()
        return lambda env: prod(factor(env) for factor in factors)

    def sum(self):
        self.at += 1
        indices = []
        while True:
            name = self.index()
            labels = self.laws.scm.variable(name[0]).labels
            if self.peek()[1] == "in" and self.peek()[0] == "word":
                self.at += 1
                assert self.take("{")
                labels = [self.word()]
                while self.take(","):
                    labels.append(self.word())
                assert self.take("}")
            indices.append((name, labels))
            if not self.take(","):
                break
        assert self.take("}")
        body = self.product()

        def add(env):
            names = [name for name, _ in indices]
            every = product(*(labels for _, labels in indices))
            return sum(body({**env, **dict(zip(names, values, strict=True))}) for values in every)

        return add

    def probability(self):
        self.at += 1
        outcome = self.settings()
        given, do = [], []
        if self.take("|"):
            if self.peek()[1] == "do":
                self.at += 1
                assert self.take("(")
                do = self.settings()
                assert self.take(")")
                if self.take(","):
                    given = self.settings()
            else:
                given = self.settings()
        assert self.take(")")

        def put(settings, env):
            return tuple((n, env[v] if isinstance(v, tuple) else v) for n, v in settings)

        return lambda env: self.laws.law(
            put(outcome, env), put(given, env), tuple(sorted(put(do, env)))
        )

    def settings(self):
        found = []
        while True:
            name = self.index()
            found.append((name[0], self.word() if self.take("=") else name))
            if not self.take(","):
                return found

    def index(self):
        name, marks = self.word(), 0
        while self.take("'"):
            marks += 1
        return name, marks

    def word(self):
        kind, text = self.peek()
        assert kind in {"word", "quoted", "number"}, text
        self.at += 1
        return re.sub(r"\\(.)", r"\1", text[1:-1]) if kind == "quoted" else text


def text_value(text, scm):
    """Return the number that an estimand's printed text stands for in a world."""
    return Reader(text, Laws(scm)).value()


def brute_value(scm, query):
    """Return a query's value by walking over units."""
    asked = parse(query, scm.vocabulary) if isinstance(query, str) else query
    return asked.constant + sum(w * brute_quantity(scm, q) for w, q in asked.terms)


def every_law(scm, manipulable=()):
    """Return P(visible | do(...)) for every intervention on some variables, as one dict."""
    laws = Laws(scm)
    found = {}
    options = [[None, *scm.variable(name).labels] for name in manipulable]
    for labels in product(*options):
        do = tuple((n, v) for n, v in zip(manipulable, labels, strict=True) if v is not None)
        for weight, row in laws.rows(do):
            found[do, tuple(row[name] for name in scm.visible)] = weight
    return found


__all__ = ["Laws", "brute_value", "every_law", "text_value"]
