"""Packets of an interface as they come, for who looks at each and keeps none.

    interface ──▶ Source (sniffing.py) ──▶ Watch.batch() ──▶ whoever asked

``recording`` keeps packets and can be asked for all of them; a Watch has no end, so it hands
over what is there and forgets it.  It has no thread: who reads too slowly finds packets waiting
in the kernel's buffer, and what had no room there in ``dropped``.
"""

from __future__ import annotations

import select

from pingpong.live.sniffing import Source, interface_source
from pingpong.model import Packet

__all__ = ["Watch", "watch_interface"]


class Watch:
    """Reads from a source; ``dropped`` are packets that the kernel had no room for."""

    def __init__(self, source: Source) -> None:
        self.dropped = 0
        self._source = source
        self._count = 0

    def batch(self) -> list[Packet]:
        """The next packets: those that are there now, or the first that come."""
        packets = self.rest()
        while not packets:
            select.select([self._source.fileno()], [], [])
            packets = self.rest()
        return packets

    def rest(self) -> list[Packet]:
        """The packets that are there now: none, perhaps."""
        packets = []
        for time, length, data in self._source.read():
            self._count += 1
            packets.append(Packet(self._count, time, self._source.link, data, length))
        self.dropped += self._source.drops()
        return packets

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def watch_interface(interface: str | None) -> Watch:
    """Watch an interface of this machine; None: the loopback.

    Raises NotAllowed without the right to capture, LiveError for an interface that is not there.
    """
    return Watch(interface_source(interface))
