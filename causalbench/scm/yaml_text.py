"""Read YAML safely: no duplicate keys, no alias bombs, and ``no`` is a word, not a truth value."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from causalbench.errors import NotFoundError, WorldError

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["MAX_TEXT", "MAX_YAML", "is_file", "load_yaml", "text_of"]

MAX_TEXT = 16 * 2**20  # bytes, once decompressed
MAX_YAML = 4 * 2**20  # characters: PyYAML reads about a million a second
MAX_WRITTEN = 300_000  # nodes, before aliases are written out: some ten seconds of reading
MAX_NODES = 2 * 10**7  # once aliases are written out


class _Loader(yaml.SafeLoader):
    """The safe loader with YAML 1.2's words and numbers: 12:30, 010 and 2026-01-01 stay text."""

    yaml_implicit_resolvers = {  # noqa: RUF012  (PyYAML reads a class attribute)
        first: [(tag, pattern) for tag, pattern in pairs if tag.endswith((":null", ":merge"))]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._nodes += 1
        if self._nodes > MAX_WRITTEN:
            line = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]
            raise WorldError(f"line {line}: over {MAX_WRITTEN} values so far; give a smaller file")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        seen: dict[Any, int] = {}
        if isinstance(node, yaml.MappingNode):
            for key, _ in node.value:
                if key.tag == "tag:yaml.org,2002:merge":
                    continue
                name = self.construct_object(key, deep=True)
                line = key.start_mark.line + 1
                if isinstance(name, Hashable) and name in seen:
                    raise WorldError(
                        f"line {line}: key '{name}' is a duplicate of line {seen[name]};"
                        " keep one of them"
                    )
                if isinstance(name, Hashable):
                    seen[name] = line
        return super().construct_mapping(node, deep=deep)


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        (
            r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
            r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
        ),
        "-+.0123456789",
    ),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^({_pattern})$"), list(_first)
    )


def load_yaml(text: str, place: str = "YAML") -> Any:
    """Return the plain values of a YAML document.

    ``yes``, ``no``, ``on`` and ``off`` stay words, so they can be labels without quotes.

    Args:
        text: the document, at most 4 MB.
        place: what it is, for the message.

    Raises:
        WorldError: no YAML, a duplicate key, a tag of Python's, or aliases that blow up.
    """
    if len(text) > MAX_YAML:
        raise WorldError(f"{place}: the text is over {MAX_YAML // 2**20} MB; give a smaller file")
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise WorldError(f"{place}: the document is empty")
        if _size(node, {}, set()) > MAX_NODES:
            raise WorldError(f"{place}: the aliases blow up to over {MAX_NODES} nodes; drop them")
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        why = " ".join(str(error.problem or error.context).split())
        raise WorldError(f"{place}{line}: this is no YAML: {why}") from None
    except yaml.YAMLError as error:
        raise WorldError(f"{place}: this is no YAML: {' '.join(str(error).split())}") from None
    except (ValueError, TypeError) as error:
        if isinstance(error, WorldError):
            message = str(error)
            raise WorldError(
                message if message.startswith(place) else f"{place}, {message}"
            ) from None
        raise WorldError(f"{place}: a value cannot be read: {error}") from None
    except (ArithmeticError, LookupError, AttributeError) as error:
        # PyYAML's own constructors trip over odd scalars such as an empty !!int.
        why = f"{type(error).__name__}: {error}"
        raise WorldError(f"{place}: a value cannot be read ({why}); write it plainly") from None
    except RecursionError:
        raise WorldError(f"{place}: the lists are nested too deep") from None


def is_file(path: Path) -> bool:
    """Say whether a path is a file's; one that no file can have, being too long, is not."""
    try:
        return path.is_file()
    except OSError:
        return False


def text_of(source: str | PathLike[str]) -> str:
    """Return the text of a file (.gz too), or the argument itself if it has a line break or ``{``.

    Raises:
        NotFoundError: there is no such file.
        WorldError: it is over 16 MB, is no UTF-8, or is no gzip file though named .gz.
    """
    if isinstance(source, str) and ("\n" in source or "{" in source):
        return source
    path = Path(source)
    if not is_file(path):
        raise NotFoundError(f"there is no file '{path}'; give a path, or the text itself")
    try:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rb") as file:
            data = file.read(MAX_TEXT + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise WorldError(f"{path.name}: the file cannot be read: {error}") from None
    if len(data) > MAX_TEXT:
        raise WorldError(
            f"{path.name}: the text is over {MAX_TEXT // 2**20} MB, decompressed;"
            " give a smaller one"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WorldError(f"{path.name}: byte {error.start} is no UTF-8; convert the file") from None


def _size(node: Any, known: dict[int, int], above: set[int]) -> int:
    """Return how many nodes a document has with its aliases written out."""
    if id(node) in known:
        return known[id(node)]
    if id(node) in above:
        raise WorldError("an alias stands inside what it names; drop it")
    above.add(id(node))
    total = 1
    if isinstance(node, yaml.SequenceNode):
        total += sum(_size(item, known, above) for item in node.value)
    elif isinstance(node, yaml.MappingNode):
        total += sum(_size(item, known, above) for pair in node.value for item in pair)
    above.discard(id(node))
    known[id(node)] = total
    return total
