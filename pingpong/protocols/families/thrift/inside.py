"""Messages in bytes that a transport has opened: inflated, or taken out of WebSocket frames.

They are laid out as on any stream: back to back, or each with a frame's length.  Each message shows
which of these it is, and its protocol.
"""

from __future__ import annotations

from typing import Final

from ....errors import DecodeError
from ....model import Finding, Limits, Protocol, Severity, Skipper
from ...framing import Unit
from .framed import HEAD, read_frame_length
from .theader import Part, ProtocolAt, like_message

__all__ = ["NAMED", "Inside", "describe"]

# Enough bytes to tell framed from unframed: a frame's length and the beginning of a header.
_TELLING: Final = HEAD + 8

# Room for the longest name too.
NAMED: Final = 2048


class Inside:
    """``data`` are the opened bytes that are not read yet; ``word`` says how they were opened."""

    __slots__ = ("_limits", "_protocol_at", "_skipper", "data", "protocol", "start", "word")

    def __init__(self, limits: Limits, protocol_at: ProtocolAt, word: str) -> None:
        self.data = bytearray()
        self.word = word
        self._limits = limits
        self._protocol_at = protocol_at
        self._reset()

    def _reset(self) -> None:
        """Expect the next message at the start of ``data``."""
        self.protocol: Protocol | None = None
        self.start = 0  # of its Thrift header: after a frame's length, if it has one
        self._skipper: Skipper | None = None

    def next(self) -> Unit | None:
        """Take the message at the start of ``data``; None if some of it is missing.

        The Unit's ``stop`` counts opened bytes.
        """
        try:
            if not self.decide():
                return None
            stop = self.stop()
        except DecodeError as error:
            # Most writers begin a message where a piece begins: resume there.
            finding = Finding(Severity.ERROR, f"{self.word} {error}", error.offset)
            return self.take(len(self.data), (finding,))
        return self.take(stop, ()) if stop > 0 else None

    def decide(self) -> bool:
        """Find the protocol and whether it is framed; False if more bytes are needed."""
        if self.protocol is not None:
            return True
        data = self.data
        head = bytes(data[:NAMED])
        for start in (0, HEAD):
            self.protocol = self._protocol_at(head, start, len(head))
            if self.protocol is not None:
                self.start = start
                return True
        telling = like_message(data, 0), like_message(data, HEAD)
        if len(data) < _TELLING or (telling != (False, False) and len(data) < NAMED):
            return False
        found = head[:_TELLING].hex(" ")
        raise DecodeError("bytes", 0, found=found, wanted="a Thrift message", size=_TELLING)

    def stop(self) -> int:
        """Return where the message ends in ``data``; 0 or less: not there yet."""
        have = len(self.data)
        if self.start:
            stop = HEAD + read_frame_length(self.data, 0, have, self._limits)
            return stop if stop <= have else -1
        if self._skipper is None:
            assert self.protocol is not None
            self._skipper = self.protocol.skipper(0, self._limits)
        return self._skipper.advance(self.data, have)

    def take(self, stop: int, findings: tuple[Finding, ...]) -> Unit:
        """Take ``stop`` opened bytes: a message, if a protocol was found."""
        data = bytes(self.data[:stop])
        del self.data[:stop]
        protocol, start = self.protocol, self.start
        self._reset()
        what = ""
        if protocol is None:
            what = f"{self.word} bytes that begin no Thrift message" if stop else ""
            start = stop
        return Unit(stop, data, start, protocol, what, findings)


def describe(data: bytes, stop: int, why: str) -> list[Part]:
    """Return the parts of what precedes the message, opened: size, label, meaning and why."""
    if not stop:
        return []
    length = int.from_bytes(data[:stop], "big", signed=True)
    return [(stop, "frame length", str(length), why)]
