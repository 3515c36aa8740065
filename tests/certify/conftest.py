"""The oracles of tests/truth and the reader of estimands serve the tests of this folder."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "truth"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
