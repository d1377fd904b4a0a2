"""Packets of an interface as they arrive, for a reader who looks at each and keeps none.

    interface ──▶ PacketSource (sniffing.py) ──▶ Watch.batch() ──▶ whoever asked

``recording`` keeps packets and can be asked for all of them; a Watch has no end, so it hands
over what is there and forgets it.  It has no thread: if you read too slowly, packets wait in the
kernel's buffer, and those that find no room there are counted in ``dropped``.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from itertools import islice
from typing import Final

from pingpong.errors import LiveError
from pingpong.live.serving import resolve
from pingpong.live.sniffing import PacketSource, Wanted, interface_source, interface_to
from pingpong.model import Packet

__all__ = ["Watch", "watch_interface", "watch_port"]

# How many packets are handed over at a time, at most: more than the kernel keeps for a late
# reader.
MOST: Final = 100_000


class Watch:
    """Reads from a source; ``dropped`` counts packets that the kernel had no room for.

    ``wanted`` says which packets are handed over; None: all of them.
    """

    def __init__(
        self, source: PacketSource, wanted: Callable[[Packet], bool] | None = None
    ) -> None:
        self.dropped = 0
        self.link = source.link
        self._source = source
        self._wanted = wanted
        self._count = 0

    def fileno(self) -> int:
        """A descriptor that ``select`` finds readable when packets are there."""
        return self._source.fileno()

    def batch(self) -> list[Packet]:
        """The next packets: those that are there now, or else the first that arrive."""
        packets = self.rest()
        while not packets:
            select.select([self._source.fileno()], [], [])
            packets = self.rest()
        return packets

    def rest(self) -> list[Packet]:
        """The packets that are there now, perhaps none.

        Raises LiveError when no more can come because the interface is gone.
        """
        packets: list[Packet] = []
        try:
            for time, length, data in islice(self._source.read(), MOST):
                packet = Packet(self._count + 1, time, self.link, data, length)
                if self._wanted is None or self._wanted(packet):
                    packets.append(packet)
                    self._count += 1
            self.dropped += self._source.drops()
        except OSError as error:
            if not packets:  # otherwise the next call meets it again
                raise LiveError(f"the capture broke off: {error.strerror or error}") from None
        return packets

    def close(self) -> None:
        """Stop capturing."""
        self._source.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def watch_interface(interface: str | None) -> Watch:
    """Watch an interface of this machine; None: the loopback.

    Raises NotAllowed without the right to capture, LiveError for an interface that does not
    exist.
    """
    return Watch(interface_source(interface))


def watch_port(interface: str | None, host: str | None, port: int) -> Watch:
    """Watch what passes to and from a server.

    Without ``host``, any server at that port; without ``interface``, on the interface where the
    host is reached.  Raises as ``watch_interface`` does, and LiveError for a host that cannot be
    resolved.
    """
    address = None if host is None else str(resolve(host, port)[1][0])
    name = interface_to(address) if interface is None else interface
    return Watch(interface_source(name), Wanted(address, port))
