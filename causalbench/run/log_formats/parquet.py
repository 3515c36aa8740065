"""A log as one flat Parquet table: a row a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.run.log_formats.face import extra

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from causalbench.env.log import Log
    from causalbench.run.log_formats.face import Face

__all__ = ["ParquetWriter"]


class ParquetWriter:
    """Write ``data/log.parquet``.

    Columns: ``episode`` and ``step`` (both from 0); ``obs_<variable>``, what was seen before the
    action, and ``next_<variable>``, what was seen after it (labels, ``"unseen"`` among them);
    ``action`` (its index) and ``action_label``, null where nature did none of them; ``matches``,
    the indices of all actions that the step is an instance of; ``reward`` (left out without
    rewards); ``terminal``.

    Args:
        root: the folder.
        face: what the codes mean.
        rewards: whether the column is written.
        about: JSON text that is kept with the schema.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """

    def __init__(self, root: Path, face: Face, *, rewards: bool = True, about: str = "") -> None:
        try:
            from pyarrow import parquet
        except ImportError:
            raise extra("pyarrow") from None

        self._face, self._rewards, self._episodes = face, rewards, 0
        (root / "data").mkdir(parents=True, exist_ok=True)
        self._schema = self._columns().with_metadata({"causalbench": about})
        self._writer: Any = parquet.ParquetWriter(
            root / "data" / "log.parquet", self._schema, compression="zstd"
        )

    def add(self, log: Log) -> None:
        """Write some more episodes, as a row group."""
        import pyarrow as pa

        alive = log.alive
        episode, step = np.nonzero(alive)
        action, matches = log.action[alive], log.matches[alive]
        done = action < 0
        columns: dict[str, Any] = {
            "episode": pa.array(episode + self._episodes),
            "step": pa.array(step.astype(np.int32)),
        }
        for name, labels, place in self._face.places:
            columns[f"obs_{name}"] = _labelled(log.seen[episode, step, place], labels)
            columns[f"next_{name}"] = _labelled(log.seen[episode, step + 1, place], labels)
        codes = pa.array(action.astype(np.int16), mask=done)
        columns["action"] = codes
        columns["action_label"] = pa.DictionaryArray.from_arrays(codes, list(self._face.actions))
        ends = np.concatenate([[0], np.cumsum(matches.sum(axis=1))]).astype(np.int32)
        which = np.nonzero(matches)[1].astype(np.int16)
        columns["matches"] = pa.ListArray.from_arrays(pa.array(ends), pa.array(which))
        if self._rewards:
            columns["reward"] = pa.array(log.reward[alive])
        columns["terminal"] = pa.array(log.terminal[episode] & (step + 1 == log.length[episode]))
        rows = [columns[field.name] for field in self._schema]
        self._writer.write_table(pa.Table.from_arrays(rows, schema=self._schema))
        self._episodes += log.episodes

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()

    def _columns(self) -> Any:
        """Return the table's schema."""
        import pyarrow as pa

        words = pa.dictionary(pa.int16(), pa.string())
        seen = [
            (f"{when}_{name}", words) for name, *_ in self._face.places for when in ("obs", "next")
        ]
        return pa.schema(
            [
                ("episode", pa.int64()),
                ("step", pa.int32()),
                *sorted(seen, key=lambda column: column[0].startswith("next_")),
                ("action", pa.int16()),
                ("action_label", words),
                ("matches", pa.list_(pa.int16())),
                *([("reward", pa.float64())] if self._rewards else []),
                ("terminal", pa.bool_()),
            ]
        )


def _labelled(codes: NDArray[np.uint8], labels: tuple[str, ...]) -> Any:
    """Return codes as a column of labels."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int16)), list(labels))
