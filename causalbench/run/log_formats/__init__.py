"""The formats that a log can be written in."""

from __future__ import annotations

from causalbench.run.log_formats.face import Face, Writer
from causalbench.run.log_formats.minari import MINARI, MinariWriter, minari_id
from causalbench.run.log_formats.parquet import ParquetWriter

__all__ = ["MINARI", "Face", "MinariWriter", "ParquetWriter", "Writer", "minari_id"]
