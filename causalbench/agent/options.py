"""Read agents' options from text, and hold them against a constructor."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from causalbench.errors import AgentError, suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Option", "checked_options", "options_for", "parse_options"]

Option = str | int | float | bool
_WORDS: Mapping[str, bool] = {"true": True, "false": False}


def parse_options(texts: Iterable[str]) -> dict[str, dict[str, Option]]:
    """Read options such as ``"steps=500"`` and ``"q-online.steps=500"``.

    Values read as whole numbers, numbers, ``true`` / ``false``, else text.

    Args:
        texts: one option each.

    Returns:
        Agent -> its options; the key "" holds those for every agent.

    Raises:
        AgentError: a text without ``=`` or without a name.
    """
    found: dict[str, dict[str, Option]] = {}
    for text in texts:
        left, sign, value = text.partition("=")
        agent, _, key = left.strip().rpartition(".")
        if not sign or not key.isidentifier():
            msg = f"option '{text}' is not name=value; write steps=500 or q-online.steps=500."
            raise AgentError(msg)
        found.setdefault(agent, {})[key] = _value(value.strip())
    return found


def options_for(parsed: Mapping[str, Mapping[str, Option]], name: str) -> dict[str, Option]:
    """Return the options of one agent: those for all, then its own."""
    return {**parsed.get("", {}), **parsed.get(name, {})}


def checked_options(kind: type, options: Mapping[str, Option], name: str) -> dict[str, Any]:
    """Return options as a constructor wants them.

    Args:
        kind: the agent's class.
        options: argument -> value.
        name: the agent's, for messages.

    Raises:
        AgentError: an argument that the constructor lacks, or a value of the wrong type.
    """
    parameters = dict(inspect.signature(kind).parameters)
    named = {
        key: parameter
        for key, parameter in parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    missing = [k for k, p in named.items() if p.default is p.empty and k not in options]
    if missing:
        msg = f"agent '{name}' needs the option '{missing[0]}'; give {missing[0]}=..."
        raise AgentError(msg)
    checked = {}
    for key, value in options.items():
        if key in named:
            checked[key] = _typed(value, named[key].default, f"option '{key}' of agent '{name}'")
        elif takes_all:
            checked[key] = value
        else:
            have = f"it has {', '.join(named)}" if named else "it has none"
            msg = f"agent '{name}' has no option '{key}'; {have}.{suggest(key, named)}"
            raise AgentError(msg)
    return checked


def _typed(value: Option, default: Any, place: str) -> Option:
    """Return a value of its default's type, where that says anything."""
    if isinstance(default, bool):
        wanted, fits = "true or false", isinstance(value, bool)
    elif isinstance(default, int):
        wanted, fits = "a whole number", isinstance(value, int) and not isinstance(value, bool)
    elif isinstance(default, float):
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        wanted, value = "a number", float(value) if fits else value
    elif isinstance(default, str):
        return str(value)
    else:
        return value
    if not fits:
        msg = f"{place} is {value!r}; give {wanted}."
        raise AgentError(msg)
    return value


def _value(text: str) -> Option:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return _WORDS.get(text.lower(), text)
