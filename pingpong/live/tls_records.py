"""What TLS shows: its records and, with one end's key log, also what is in them.

    record   ┌ type ┬ version ┬ length ┬ … ┐     RFC 8446, 5.1
               1 byte  2 bytes   2 bytes

The head is never encrypted.  In TLS 1.3 it says little: whatever is encrypted is labelled
application data.  Reading what is in a record is left to scapy, which needs ``cryptography``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pingpong.errors import LiveError
from pingpong.live.streams import StreamPiece, pieces_of
from pingpong.model import Flow, Gap, Packet

__all__ = ["TlsRecord", "read_records"]

HEAD: Final = 5
TYPES: Final = {
    20: "change cipher spec",
    21: "alert",
    22: "handshake",
    23: "application data",
}
APPLICATION_DATA: Final = 23


@dataclass(frozen=True)
class TlsRecord:
    """One record of a TLS connection.

    ``data`` is all its bytes, as they were sent.  ``type`` is what its head says.  ``names`` are
    the messages in it, as far as they could be read, and ``content`` is what the program sent:
    None if this record holds something else, or if it could not be read.
    """

    from_client: bool
    data: bytes = field(repr=False)
    names: tuple[str, ...]
    content: bytes | None = field(repr=False)

    @property
    def type(self) -> str:
        """What its head says: "handshake", "application data" and so on."""
        return TYPES[self.data[0]]

    @property
    def size(self) -> int:
        """Its size in bytes, head included."""
        return len(self.data)

    def __str__(self) -> str:
        ends = "client → server" if self.from_client else "server → client"
        inside = ", ".join(self.names) or "not readable"
        if self.content is not None:
            inside += f", {len(self.content)} bytes"
        return f"{ends}  {self.size:5} bytes  {self.type:18}  {inside}"


def read_records(
    packets: Iterable[Packet], key_log: str | os.PathLike[str] | None = None
) -> list[TlsRecord]:
    """The TLS records of all connections, in the order in which they were captured.

    ``key_log`` is a file of secrets as ``ssl.SSLContext.keylog_filename`` writes it.  What it
    does not open stays closed, and so does everything after a forged record.  After a loss, there
    are no more records from the end whose bytes were lost.

    Raises LiveError if scapy or ``cryptography`` is missing, or if the file cannot be read.
    """
    keys = _keys(key_log)
    readers: dict[Flow, _RecordReader] = {}
    records: list[TlsRecord] = []
    for said in pieces_of(packets):
        if said.flow not in readers:
            readers[said.flow] = _RecordReader(keys)
        records += readers[said.flow].feed(said)
    return records


def _keys(key_log: str | os.PathLike[str] | None) -> Any:
    try:
        from scapy.layers.tls.session import load_nss_keys
    except ImportError as error:
        raise LiveError(
            f"TLS cannot be read here: {error}", 'Install it: pip install "pingpong[lab]"'
        ) from None
    if key_log is None:
        return {}
    if not os.access(key_log, os.R_OK):
        raise LiveError(f"key log {os.fspath(key_log)} cannot be read", "Is this its path?")
    return load_nss_keys(os.fspath(key_log))


class _RecordReader:
    """Reads one connection, record by record."""

    def __init__(self, keys: Any) -> None:
        from scapy.layers.tls.session import tlsSession

        self._keys = keys
        self._session: Any = tlsSession()  # type: ignore[no-untyped-call]
        self._from_client = True  # who spoke last
        self._waiting = {True: b"", False: b""}
        self._lost: set[bool] = set()  # the ends whose records cannot be told apart any more

    def feed(self, said: StreamPiece) -> Iterator[TlsRecord]:
        """Add a piece of the stream; yield the records that are now complete."""
        # After a loss nobody knows where a record begins, nor its number, which goes into the key.
        if isinstance(said.piece, Gap):
            self._lost.add(said.from_client)
        if said.from_client in self._lost:
            return
        data = self._waiting[said.from_client] + said.data
        start = 0
        while len(data) - start >= HEAD:
            stop = start + HEAD + int.from_bytes(data[start + 3 : start + 5], "big")
            if data[start] not in TYPES:
                self._lost.add(said.from_client)  # this is not TLS
                return
            if stop > len(data):
                break
            yield self._read(said.from_client, data[start:stop])
            start = stop
        self._waiting[said.from_client] = data[start:]

    def _read(self, from_client: bool, data: bytes) -> TlsRecord:
        """One record, as scapy takes it apart."""
        from scapy.layers.tls.crypto.cipher_stream import Cipher_NULL
        from scapy.layers.tls.record import TLS, TLSApplicationData
        from scapy.packet import Raw

        closed = TlsRecord(from_client, data, (TYPES[20],) if data[0] == 20 else (), None)
        if self._session is None:
            return closed
        if from_client is not self._from_client:
            # scapy's session is one end's view: it is turned round when the other end speaks.
            self._session, self._from_client = self._session.mirror(), from_client
        self._session.nss_keys = self._keys
        try:
            read = TLS(  # type: ignore[no-untyped-call]
                data, tls_session=self._session, strict_integrity=True
            )
        except Exception:  # no key, a forged record, or whatever else hostile bytes do to scapy
            self._session = None
            return closed
        self._session = read.tls_session
        messages = getattr(read, "inner", read).msg
        if not messages or any(isinstance(one, Raw) for one in messages):
            return closed
        told = [one for one in messages if isinstance(one, TLSApplicationData)]
        if told and isinstance(self._session.rcs.cipher, Cipher_NULL):
            return closed  # nobody had a key: these are not the program's bytes
        content = b"".join(one.data for one in told) if told else None
        return TlsRecord(from_client, data, tuple(_name(one) for one in messages), content)


def _name(message: Any) -> str:
    """Scapy's name for a TLS message without its prefix: "TLS Handshake - Client Hello"."""
    name: str = message.name.rpartition(" - ")[2].removeprefix("TLS ").lower()
    return TYPES[20] if name == "changecipherspec" else name
