"""A log in the layout that Minari reads: a group an episode in one HDF5 file.

Follows ``minari/dataset/minari_storage.py`` and ``_storages/hdf5_storage.py`` of Minari 0.5.4:
``data/metadata.json`` names the format, spaces, counts and id; ``data/main_data.hdf5`` has a group
``episode_<i>`` with the attributes ``id`` and ``total_steps``, and the arrays ``observations`` (one
more than there are steps), ``actions``, ``rewards``, ``terminations``, ``truncations`` and
``infos/matches``.

Reference:
    Younis et al., "Minari" (2024), https://minari.farama.org.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.run.log_formats.face import extra

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from causalbench.env.log import Log
    from causalbench.run.log_formats.face import Face

__all__ = ["MINARI", "MinariWriter", "minari_id"]

MINARI = "0.5.4"
"""The version whose layout is followed."""


def minari_id(*names: str) -> str:
    """Return a dataset id that Minari accepts: ``causalbench/<names>-v0``."""
    parts = [re.sub(r"[^-_0-9A-Za-z]+", "-", name).strip("-") or "log" for name in names]
    return f"causalbench/{'/'.join(parts)}-v0"


class MinariWriter:
    """Write ``data/main_data.hdf5`` and ``data/metadata.json``.

    Observations and actions are codes. ``infos/matches`` has a row an observation, as Minari's
    infos do: row t + 1 says which actions step t is an instance of, row 0 nothing. Without rewards
    ``rewards`` are NaN, since the layout has no other place for it.

    Args:
        root: the folder.
        face: what the codes mean.
        rewards: whether they are written.
        about: what else metadata.json says.

    Raises:
        MissingExtraError: h5py is not installed.
    """

    def __init__(self, root: Path, face: Face, *, rewards: bool, about: Mapping[str, Any]) -> None:
        try:
            import h5py
        except ImportError:
            raise extra("h5py") from None

        self._face, self._rewards, self._about = face, rewards, dict(about)
        self._folder = root / "data"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._path = self._folder / "main_data.hdf5"
        # Format 1.10 stores many small groups in little room, and is read by every h5py of today.
        self._file = h5py.File(self._path, "w", libver="v110")
        self._low = _Low(self._file)
        self._episodes = self._steps = 0

    def add(self, log: Log) -> None:
        """Write some more episodes."""
        reward = log.reward if self._rewards else np.full_like(log.reward, np.nan)
        nothing = np.zeros((len(log.matches), 1, log.matches.shape[2]), dtype=np.bool_)
        matches = np.concatenate([nothing, log.matches], axis=1)
        for row, length in enumerate(log.length.tolist()):
            group = self._low.group(self._low.root, f"episode_{self._episodes}")
            self._low.number(group, "id", self._episodes)
            self._low.number(group, "total_steps", length)
            self._low.array(group, "observations", log.seen[row, : length + 1])
            self._low.array(group, "actions", log.action[row, :length])
            self._low.array(group, "rewards", reward[row, :length])
            ended = bool(log.terminal[row])
            self._low.shared(group, "terminations", _last(length, said=ended))
            self._low.shared(group, "truncations", _last(length, said=not ended))
            infos = self._low.group(group, "infos")
            self._low.array(infos, "matches", matches[row, : length + 1])
            self._episodes += 1
            self._steps += length

    def close(self) -> None:
        """Finish the files."""
        self._file.close()
        size = self._path.stat().st_size / 1e6
        spaces = {
            "observation_space": {
                "type": "MultiDiscrete",
                "dtype": "uint8",
                "nvec": list(self._face.nvec),
                "start": [0] * len(self._face.nvec),
            },
            "action_space": {
                "type": "Discrete",
                "dtype": "int64",
                "start": 0,
                "n": len(self._face.actions),
            },
        }
        metadata = {
            "total_episodes": self._episodes,
            "total_steps": self._steps,
            "data_format": "hdf5",
            "jpeg_encoding": False,
            **{name: json.dumps(space) for name, space in spaces.items()},
            "minari_version": MINARI,
            "dataset_size": round(size, 1),
            **self._about,
        }
        text = json.dumps(metadata, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        (self._folder / "metadata.json").write_text(text, encoding="utf-8", newline="\n")


def _last(length: int, *, said: bool) -> NDArray[np.bool_]:
    """Return bool[length]: false, but for the last where it is said."""
    flags = np.zeros(length, dtype=np.bool_)
    flags[-1] = said
    return flags


class _Low:
    """HDF5's own calls, a third of the time of h5py's for the many small things of a log."""

    def __init__(self, file: Any) -> None:
        from h5py import h5a, h5d, h5g, h5p, h5s, h5t

        self._a, self._d, self._g, self._s = h5a, h5d, h5g, h5s
        self.root = file.id
        self._flat, self._plain = h5p.create(h5p.DATASET_CREATE), h5p.create(h5p.GROUP_CREATE)
        for made in (self._flat, self._plain):  # so that the same seed gives the same bytes
            made.set_obj_track_times(False)
        self._types = {
            np.dtype(np.uint8): h5t.STD_U8LE,
            np.dtype(np.int64): h5t.STD_I64LE,
            np.dtype(np.float64): h5t.IEEE_F64LE,
            np.dtype(np.bool_): h5t.py_create(np.dtype(np.bool_)),
        }
        self._scalar = h5s.create(h5s.SCALAR)
        self._shapes: dict[tuple[int, ...], Any] = {}
        self._known: dict[bytes, tuple[Any, bytes]] = {}

    def group(self, parent: Any, name: str) -> Any:
        """Make a group."""
        return self._g.create(parent, name.encode(), gcpl=self._plain)

    def number(self, group: Any, name: str, value: int) -> None:
        """Give a group a whole number as an attribute."""
        kind = self._types[np.dtype(np.int64)]
        self._a.create(group, name.encode(), kind, self._scalar).write(np.array(value))

    def array(self, group: Any, name: str, values: NDArray[Any]) -> None:
        """Put an array into a group."""
        if values.shape not in self._shapes:
            self._shapes[values.shape] = self._s.create_simple(values.shape)
        kind = self._types[values.dtype]
        made = self._d.create(group, name.encode(), kind, self._shapes[values.shape], self._flat)
        made.write(self._s.ALL, self._s.ALL, np.ascontiguousarray(values))

    def shared(self, group: Any, name: str, values: NDArray[Any]) -> None:
        """Put an array into a group that many share: it is stored once, and linked."""
        key = values.tobytes()
        if key in self._known:
            group.links.create_hard(name.encode(), *self._known[key])
        else:
            self.array(group, name, values)
            self._known[key] = group, name.encode()
