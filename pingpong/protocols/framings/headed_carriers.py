"""What carries messages in frames with heads of their own: what rpcx, Dubbo and Motan share.

Notes and masks are for one message at a time.  Each family says which of its texts are secret:
those are hidden in a redacted capture, and ``kept`` then says that they were.
"""

from __future__ import annotations

import re
from typing import Final

from mypy_extensions import mypyc_attr

from ...model import LETTER, Carrier, Message, Run, Span

__all__ = ["SHUT", "HeadedCarrier", "hide_unless_name", "milliseconds"]

# Kept with a message whose texts were masked.
SHUT: Final = "redacted"

_NAME: Final = re.compile(rb"[A-Za-z_$][A-Za-z0-9_.:$/-]*\Z")


def hide_unless_name(data: bytes, place: Span, runs: list[Run]) -> None:
    """Mask what should be a name and is not: a wrong length may have made it swallow anything."""
    text = place.of(data)
    if text and not _NAME.match(text):
        runs.append((place.start, LETTER * len(text)))


# No caller waits longer than so many digits say.
_MOST_DIGITS: Final = 10


def milliseconds(text: str | None) -> int:
    """A time in milliseconds, written in digits, as nanoseconds; -1 if it is none.

    Nor is 0 one: Dubbo's clients then wait as long as where nothing is set, and Motan's do that or
    refuse it.

    >>> milliseconds("250"), milliseconds("soon"), milliseconds("0"), milliseconds(None)
    (250000000, -1, -1, -1)
    """
    if not text or len(text) > _MOST_DIGITS or not (text.isascii() and text.isdigit()):
        return -1
    return int(text) * 1_000_000 or -1


@mypyc_attr(native_class=False)
class HeadedCarrier(Carrier):
    """A carrier of frames with a head."""

    __slots__ = ()

    has_ids = True
    is_two_way = True

    def masked(self, message: Message) -> object:
        return SHUT
