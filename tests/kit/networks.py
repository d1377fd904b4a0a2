"""What this machine lets the live tests do, and what it does not."""

from __future__ import annotations

import pytest

from pingpong.errors import LiveError
from pingpong.live.private import unavailable
from pingpong.live.recording import WAYS
from pingpong.live.sniffing import sniff_interface


def refusals() -> dict[str, str]:
    """The ways that do not work on this machine, with their reasons."""
    found = {}
    if reason := unavailable():
        found["private"] = reason
    try:
        sniff_interface(None, None, 9).stop()
    except LiveError as error:
        found["sniff"] = str(error)
    return found


REFUSED = refusals()

EACH_WAY = [
    pytest.param(way, marks=pytest.mark.skipif(way in REFUSED, reason=REFUSED.get(way, "")))
    for way in WAYS
]

private = pytest.mark.skipif("private" in REFUSED, reason=REFUSED.get("private", ""))

NO_SNIFFING = REFUSED.get("sniff")
rights = pytest.mark.skipif(NO_SNIFFING is not None, reason=str(NO_SNIFFING))
