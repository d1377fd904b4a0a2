"""What each end of a recorded connection sent: bytes in order, whatever they are.

The pipeline reads Thrift from the same pieces (see wire/streams.py).  This is for a conversation
that is not Thrift, or is not to be read as Thrift: HTTP, TLS.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pingpong.model import Chunk, Flow, Packet
from pingpong.wire.link import TCP, Peeler
from pingpong.wire.streams import Connections, Piece

__all__ = ["StreamPiece", "pieces_of"]


class StreamPiece(NamedTuple):
    """A piece of a stream: a Chunk, or a Gap where the capture lost bytes."""

    flow: Flow
    from_client: bool
    piece: Piece

    @property
    def data(self) -> bytes:
        """Its bytes; a Gap has none."""
        return self.piece.data if isinstance(self.piece, Chunk) else b""


def pieces_of(packets: Iterable[Packet]) -> Iterator[StreamPiece]:
    """The pieces of all TCP connections, in the order in which they were captured.

    The pieces of one direction come in the order in which they were sent.
    """
    peeler, connections = Peeler(), Connections()
    for packet in packets:
        segment = peeler.segment(packet)
        if segment is None or segment.protocol != TCP:
            continue
        connection, replaced = connections.of(segment)
        if replaced is not None:
            yield from _said(replaced.flow, *replaced.close())
        yield from _said(connection.flow, *connection.add(segment)[:2])
    for connection in connections.all():
        yield from _said(connection.flow, *connection.close())


def _said(flow: Flow, from_client: list[Piece], from_server: list[Piece]) -> Iterator[StreamPiece]:
    for piece in from_client:
        yield StreamPiece(flow, True, piece)
    for piece in from_server:
        yield StreamPiece(flow, False, piece)
