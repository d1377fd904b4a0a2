"""Messages back to back (TBufferedTransport, TSocket): only skipping one shows where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....model import Header, Limits, Protocol, Skipper
from ...framing import Transport, Unit
from .answers import UPGRADES
from .prefix import StructSkipper, asks_for_prefix, begins_message, missing_prefix

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["Unframed"]


class Unframed(Transport):
    """A transport with nothing between the messages.

    ``prefixed``: a struct of tracing headers may precede each message.
    """

    name = "unframed"

    def __init__(self, protocol: Protocol, limits: Limits, prefixed: bool = False) -> None:
        self._protocol = protocol
        self._limits = limits
        self.prefixed = prefixed
        self._had_prefix = False
        self._start = -1 if prefixed else 0  # where the message begins; -1: not known yet
        self._skipper: Skipper | None = None

    def next(self, buffer: bytearray, have: int) -> Unit | None:
        if self._start < 0 and not self._pass_prefix(buffer, have):
            return None
        if self._skipper is None:
            self._skipper = self._protocol.skipper(self._start, self._limits)
        stop = self._skipper.advance(buffer, have)
        if stop < 0:
            return None
        unit = Unit(stop, bytes(buffer[:stop]), self._start, self._protocol)
        if self.prefixed:
            unit.findings = missing_prefix(self._had_prefix, self._start, 0)
            self._had_prefix = self._had_prefix or self._start > 0
        self._skipper = None
        self._start = -1 if self.prefixed else 0
        return unit

    def whole(self, data: bytes, at: i64, stop: i64) -> tuple[Header | None, i64]:
        if self.prefixed:
            return None, 0
        header = self._protocol.whole_header(data, at, stop, 0)
        if header is None or header.method in UPGRADES:
            return None, 0
        end = self._protocol.struct_end(data, at + header.span.stop, stop, self._limits)
        if 0 < end <= at + self._limits.message:
            return header, end
        return None, 0

    def pass_whole(self) -> None:
        self._skipper = None

    def hear(self, header: Header, protocol: Protocol) -> None:
        if not self.prefixed and asks_for_prefix(header, protocol):
            self.prefixed = True
            self._start = -1

    def _pass_prefix(self, buffer: bytearray, have: int) -> bool:
        """Find where the message begins; False as long as that cannot be told."""
        if self._skipper is None:
            if have < 2:
                return False
            if begins_message(buffer, 0):
                self._start = 0
                return True
            self._skipper = StructSkipper(0, self._limits)
        stop = self._skipper.advance(buffer, have)
        if stop < 0:
            return False
        self._skipper = None
        self._start = stop
        return True

    def known_until(self, buffer: bytearray, have: int) -> int:
        return self._skipper.known_until() if self._skipper is not None else 0

    def rest(self, buffer: bytearray, have: int) -> Unit | None:
        return Unit(have, bytes(buffer[:have]), max(self._start, 0), self._protocol)
