"""Let the tests of this room import their builders, and the truth room's oracle."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "truth"):
    sys.path.insert(0, str(folder))
