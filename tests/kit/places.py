"""Where things are: the checkout, its tests, what lies beside it.  Nobody else counts folders."""

from __future__ import annotations

from pathlib import Path
from typing import Final

KIT: Final = Path(__file__).resolve().parent
TESTS: Final = KIT.parent
ROOT: Final = TESTS.parent

# Captures and cases that are not in the checkout; not every machine has them.
SHARED: Final = ROOT.parent / "shared"
