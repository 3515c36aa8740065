"""Load agents from modules and files, and fingerprint the code that an agent runs."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import pickle
import secrets
import sys
from pathlib import Path
from typing import Any

from causalbench.errors import AgentError, NotFoundError, suggest

__all__ = ["digest_of", "load_target"]


def load_target(place: str) -> Any:
    """Import ``"module:attribute"`` or ``"path/to/file.py:attribute"``.

    Raises:
        NotFoundError: no such module, file or attribute.
        AgentError: the file or module fails while it is imported.
    """
    where, _, attribute = place.rpartition(":")
    if not where or not attribute:
        msg = f"'{place}' names no class; write file.py:Class or package.module:Class."
        raise NotFoundError(msg)
    module = _from_file(Path(where)) if where.endswith(".py") else _from_name(where)
    target: Any = module
    for part in attribute.split("."):
        if not hasattr(target, part):
            near = suggest(part, [n for n in vars(target) if not n.startswith("_")])
            msg = f"'{where}' has no '{part}'; name a class or function of it.{near}"
            raise NotFoundError(msg)
        target = getattr(target, part)
    return target


def digest_of(agent: Any, release: str) -> str:
    """Return SHA-256 over the source files of an agent's classes, its state and a version.

    Two agents with the same digest and options answer alike, so that answers can be reused. A file
    of a package counts with all the package's files, since it may import any of them. Where source
    or state cannot be read, the digest is random and nothing is ever reused.

    Args:
        agent: a fresh agent.
        release: the version of causalbench.
    """
    seen = hashlib.sha256(release.encode())
    objects = [*type(agent).__mro__, *getattr(agent, "sources", ())]
    files = {file for item in objects for file in _files(item)}
    for file in sorted(files):
        seen.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    seen.update(_state(agent))
    return seen.hexdigest()


def _files(item: Any) -> list[Path]:
    """Return the source files of a class or function; none for Python's own."""
    module = sys.modules.get(getattr(item, "__module__", "") or "")
    path = getattr(module, "__file__", None)
    if path is None or module is None or module.__name__ in ("builtins", "typing"):
        return []
    file = Path(path)
    if file.suffix != ".py":
        return []
    packaged = (file.parent / "__init__.py").is_file()
    return sorted(file.parent.rglob("*.py")) if packaged else [file]


def _state(agent: Any) -> bytes:
    """Return the bytes of an agent's state, and of code that no file holds."""
    fingerprint = getattr(agent, "fingerprint", None)
    try:
        if callable(fingerprint):
            return bytes(fingerprint())
        parts = [pickle.dumps(vars(agent) if hasattr(agent, "__dict__") else agent, protocol=4)]
        if not any(_files(kind) for kind in type(agent).__mro__):
            parts.append(inspect.getsource(type(agent)).encode())
    except Exception:  # noqa: BLE001  (whatever cannot be read makes the digest unique)
        return secrets.token_bytes(32)
    return b"".join(parts)


def _from_name(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _broken(name, error) from error
        msg = f"no module is called '{name}'; write file.py:Class or package.module:Class."
        raise NotFoundError(msg) from None
    except (Exception, SystemExit) as error:
        raise _broken(name, error) from error


def _from_file(path: Path) -> Any:
    """Import a file under a name of its own, once for each content of the file."""
    if not path.is_file():
        msg = f"no file at '{path}'; give the path of a .py file, then :Class."
        raise NotFoundError(msg)
    full = path.resolve()
    key = hashlib.sha256(str(full).encode() + full.read_bytes()).hexdigest()[:12]
    name = f"_causalbench_file_{key}_{full.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, full)
    if spec is None or spec.loader is None:
        msg = f"'{path}' cannot be imported; give a .py file."
        raise NotFoundError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if str(full.parent) not in sys.path:  # so that the file can import its neighbours
        sys.path.append(str(full.parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _broken(str(path), error) from error
    return module


def _broken(place: str, error: BaseException) -> AgentError:
    line = " ".join(str(error).split())
    msg = f"'{place}' fails while it is imported: {type(error).__name__}: {line}; mend it."
    return AgentError(msg)
