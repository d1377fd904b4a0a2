"""TLS between thriftpy2 and a watched socket.

    thriftpy2 ──▶ TlsSocket ──▶ WatchedSocket ──▶ kernel
        plain bytes │  records       │
                    ▼                ▼
              ssl.SSLObject       Watchers: they see what a stranger sees

Python's ``ssl`` does the work, in memory: it is handed the bytes that arrive and says which to
send.  So the bytes at the socket are read in one place, and a tap records the same bytes as a
packet socket.  Also here: a certificate for lessons and tests, made on the spot.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from thriftpy2.transport import TTransportBase, TTransportException

from pingpong.errors import LiveError
from pingpong.live.tap import Ends, WatchedSocket

__all__ = ["TlsSocket", "make_certificate"]

# RFC 8446, 5.2: a record has at most 2^14 + 256 bytes and a head of 5.
RECORD: Final = 5 + (1 << 14) + 256


class TlsSocket(TTransportBase):
    """What thriftpy2 reads and writes: the plain bytes of one TLS connection.

    ``server_name`` is the server that a client wants; None means that this end is the server.
    Making one does the handshake.  Raises ssl.SSLError if the ends do not agree (a certificate
    that is not trusted, no common version), TTransportException if the other end goes away.
    """

    def __init__(
        self, below: WatchedSocket, context: ssl.SSLContext, server_name: str | None = None
    ) -> None:
        self._below = below
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(
            self._coming,
            self._going,
            server_side=server_name is None,
            server_hostname=server_name,
        )
        self._do(self.tls.do_handshake)

    @property
    def line(self) -> Ends:
        """The two ends of the connection: those of the socket below."""
        return self._below.line

    @property
    def sock(self) -> Any:
        """The socket below; None once it is closed."""
        return self._below.sock

    def is_open(self) -> bool:
        """True until it is closed here; thriftpy2 asks."""
        return self.sock is not None

    def open(self) -> None:
        """Do nothing: thriftpy2 calls it, but a TlsSocket is open from birth."""

    def read(self, size: int) -> bytes:
        """Some bytes, at most ``size``.  Raises TTransportException when no more come."""
        data: bytes = self._carry(self.tls.read, size)
        return data

    def write(self, data: bytes) -> None:
        """Encrypt ``data`` and send it at once.  Raises TTransportException."""
        self._carry(self.tls.write, data)

    def flush(self) -> None:
        """Do nothing: no bytes wait here."""

    def close(self) -> None:
        """Send close_notify and close, without waiting for the other end."""
        self._say_end()
        self._below.close()

    def finish(self, patience: float) -> None:
        """Like WatchedSocket.finish, but send TLS's own word for the end first."""
        self._say_end()
        self._below.finish(patience)

    def _say_end(self) -> None:
        # RFC 8446, 6.1: close_notify, so that nobody can cut the conversation short unseen.
        # unwrap() then wants the other end's, which nobody waits for.
        with suppress(OSError, TTransportException):
            with suppress(ssl.SSLError):
                self.tls.unwrap()
            self._send()

    def _carry(self, step: Callable[..., Any], argument: object) -> Any:
        """``_do``, with the errors that thriftpy2 expects."""
        if not self.is_open():
            raise TTransportException(TTransportException.NOT_OPEN, "this connection is closed")
        try:
            return self._do(step, argument)
        except ssl.SSLZeroReturnError:
            text = "the other end said that it sends no more"
            raise TTransportException(TTransportException.END_OF_FILE, text) from None
        except ssl.SSLError as error:
            raise TTransportException(TTransportException.UNKNOWN, str(error)) from error

    def _do(self, step: Callable[..., Any], *arguments: object) -> Any:
        """Take a step, feeding it what arrives and sending what it produces, until it is done."""
        while True:
            try:
                done = step(*arguments)
            except ssl.SSLWantReadError:
                self._send()
                self._coming.write(self._below.read(RECORD))
            except ssl.SSLError:
                self._send()  # the alert that says why
                raise
            else:
                self._send()
                return done

    def _send(self) -> None:
        if data := self._going.read():
            self._below.write(data)


def make_certificate(name: str = "localhost") -> tuple[str, str]:
    """A certificate for ``name`` and for 127.0.0.1, and its private key, both as PEM text.

    It is self-signed and valid for a day.  Nothing is written to a file.
    Raises LiveError if the package ``cryptography`` is not installed.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError as error:
        raise LiveError(
            f"no certificate can be made here: {error}", 'Install it: pip install "pingpong[lab]"'
        ) from None
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)  # this issuer has made no other
        .not_valid_before(now - datetime.timedelta(minutes=5))  # clocks differ
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name), here]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
