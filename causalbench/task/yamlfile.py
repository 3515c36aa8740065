"""Read YAML that a stranger wrote: plain data only, every key once, no aliases, no surprises.

Only ``true``/``false``, ``null`` and decimal numbers are read as anything but text, so ``yes`` and
``no`` are labels here, as in YAML 1.2, and not truth values, as in YAML 1.1.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from causalbench.errors import WorldError

__all__ = ["read_yaml"]

_LIMIT = 4_000_000  # characters; the largest world file here has a few thousand
_DEPTH = 40


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader with few implicit types that refuses a key given twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (PyYAML's own attribute)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """Build a dict, refusing keys that are no text and keys that come twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be plain text", key.start_mark
                )
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key '{key.value}' is given twice", key.start_mark
                )
            seen.add(key.value)
        values = super().construct_mapping(node, deep=deep)
        return {str(key): value for key, value in values.items()}


def _construct_map(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    return loader.construct_mapping(node, deep=True)


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("float", r"^(?:[-+]?\.inf|\.nan)$", "-+."),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)
_Loader.add_constructor(  # decimal only: PyYAML would read 010 as eight
    "tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node))
)


def read_yaml(text: str, place: str) -> dict[str, Any]:
    """Read one YAML document whose top level is a mapping.

    Args:
        text: the document.
        place: the file's name, for messages.

    Returns:
        Dicts, lists, text, numbers, booleans and None, and nothing else.

    Raises:
        WorldError: too long or too deep, not YAML, a key given twice, an alias, a tag that is not
            plain data, or a top level that is not a mapping; names file, line and column.
    """
    if len(text) > _LIMIT:
        msg = f"{place} has {len(text)} characters; a world file has at most {_LIMIT}."
        raise WorldError(msg)
    try:
        _scan(text, place)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506  (a safe loader, made stricter)
    except WorldError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = " ".join((error.problem or "not YAML").split())
        msg = f"{place}{where}: {problem}; correct the YAML there."
        raise WorldError(msg) from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        msg = f"{place} is not YAML: {' '.join(str(error).split())}; correct the file."
        raise WorldError(msg) from None
    if not isinstance(data, dict):
        msg = f"{place} holds {type(data).__name__} at its top level; it must be a mapping of keys."
        raise WorldError(msg)
    return data


def _scan(text: str, place: str) -> None:
    """Refuse aliases (they can make a short file huge) and absurd depth, before building data."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1
            msg = f"{place}, line {line}: an alias (*{event.anchor}); write the value out."
            raise WorldError(msg)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEPTH:
                line = event.start_mark.line + 1
                msg = f"{place}, line {line}: nested more than {_DEPTH} deep; flatten the file."
                raise WorldError(msg)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
