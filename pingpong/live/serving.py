"""A thriftpy2 server that is ready when you are in and gone when you are out.

    serving() ─ bind, listen ─▶ Server ─ thread: accept ─▶ thread per connection: thriftpy2

thriftpy2 does the speaking: its protocols, transports, processor and connection loop.  What is
added here is the life of the sockets and threads:

- The socket is listening before ``serving`` returns, so no client comes too early, and a port
  that is taken or a foreign host is the caller's error.  A second server cannot have the same
  port (thriftpy2 would allow it, and the kernel would then split the connections).
- ``close`` wakes the thread in accept, ends every connection and waits for all threads.
- A connection may be idle for as long as it likes (thriftpy2 drops it after 3 seconds).
- Nothing is printed or logged: what a handler raises is kept in ``errors``.
- With ``tls``, a TlsSocket is between thriftpy2 and the socket.
- With ``tracker``, both ends speak as thriftpy2.contrib.tracking does: each call carries an id.

Loopback only: other machines cannot reach what is started here.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import ssl
import sys
import threading
import traceback
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from thriftpy2.contrib.tracking import TTrackedClient, TTrackedProcessor
from thriftpy2.protocol import TBinaryProtocolFactory
from thriftpy2.server import TThreadedServer
from thriftpy2.thrift import TClient, TProcessor
from thriftpy2.transport import TBufferedTransportFactory, TTransportException

from pingpong.errors import HostNotLocal, LiveError, NotAllowed, PortTaken
from pingpong.live.listening import Acceptor, Listening
from pingpong.live.private import PrivateNetwork
from pingpong.live.tap import WatchedSocket, Watcher
from pingpong.live.tls import TlsSocket
from pingpong.model import Endpoint

__all__ = [
    "Client",
    "Failure",
    "Server",
    "SocketServer",
    "connect",
    "dial",
    "listen_on",
    "resolve",
    "serving",
]

# How long, in seconds, closing waits for what may never happen: that a handler returns, and that
# the other end of a connection closes it too.
PATIENCE: Final = 5.0
CLIENT_PATIENCE: Final = 1.0
BACKLOG: Final = 128

# thriftpy2 claims to be typed; some of it is not.
BINARY: Final = TBinaryProtocolFactory()
BUFFERED: Final = TBufferedTransportFactory()


@dataclass(frozen=True)
class Failure:
    """What went wrong on a connection: the error, and in which method it was raised.

    ``method`` is None if none had been read yet.
    """

    method: str | None
    error: BaseException = field(repr=False)

    @property
    def traceback(self) -> str:
        """The traceback, as Python would have printed it."""
        return "".join(traceback.format_exception(self.error))

    def __str__(self) -> str:
        what = "".join(traceback.format_exception_only(self.error)).strip()
        return f"{self.method or 'reading a message'}: {what}"


def wait_for_handlers(threads: Iterable[threading.Thread], errors: list[Failure]) -> None:
    """Wait PATIENCE seconds for each handler's thread; ``errors`` says which did not return."""
    for thread in threads:
        if thread is not threading.current_thread():
            thread.join(PATIENCE)
            if thread.is_alive():
                text = f"a handler did not return within {PATIENCE:g} seconds of close()"
                errors.append(Failure(None, LiveError(text)))


class Closable(Protocol):
    """A client, as far as its server needs to know it."""

    @property
    def is_open(self) -> bool:
        """True until it is closed."""

    def close(self) -> None:
        """Close it."""


class SocketServer(Listening):
    """A server with a thread for each connection, in which ``_speak`` reads and writes.

    ``errors`` is what went wrong, in order: in a handler, or on a connection.
    """

    def __init__(
        self,
        title: str,
        listener: socket.socket,
        network: PrivateNetwork | None,
        errors: list[Failure],
    ) -> None:
        super().__init__(listener, network)
        self.errors = errors
        self._lock = threading.Lock()
        self._closed = False
        self._connections: dict[threading.Thread, WatchedSocket] = {}
        self._clients: list[Closable] = []
        self._name = f"pingpong {title} {self.address}"
        self._acceptor = Acceptor(self._name, listener, self._welcome, self._refused)

    @property
    def is_open(self) -> bool:
        """True until ``close()``."""
        return not self._closed

    def connect(self, timeout_ms: int | None = None) -> socket.socket:
        """A plain TCP connection to this server, for bytes that no client of it would send.

        Use it in a ``with``, or close it.  ``timeout_ms`` is as for ``client``.
        """
        return _connected(self.address, timeout_ms, self.network)

    def close(self) -> None:
        """Stop listening, end the connections, wait for the threads, close the clients.

        Calling it again does nothing.  A handler that does not return within PATIENCE
        seconds is left behind, and ``errors`` says so.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._acceptor.close()
        with self._lock:
            connections, clients = dict(self._connections), self._clients
        for connection in connections.values():
            connection.hang_up()
        wait_for_handlers(connections, self.errors)
        for client in clients:
            client.close()

    @abstractmethod
    def _speak(self, connection: WatchedSocket) -> None:
        """One connection, from its first message to its last.  It is closed afterwards."""

    def _keep(self, client: Closable) -> None:
        """Close this client too when the server is closed."""
        with self._lock:
            self._clients = [one for one in self._clients if one.is_open] + [client]

    def _refused(self, error: OSError) -> None:
        self.errors.append(Failure(None, error))

    def _welcome(self, accepted: socket.socket) -> None:
        try:
            accepted.setblocking(True)
            connection = WatchedSocket(accepted, self.watchers, from_client=False)
        except OSError:  # gone between the knock and now
            accepted.close()
            return
        thread = threading.Thread(
            target=self._attend, args=(connection,), name=self._name, daemon=True
        )
        with self._lock:
            self._connections[thread] = connection
        thread.start()

    def _attend(self, connection: WatchedSocket) -> None:
        """The body of a connection's thread."""
        try:
            self._speak(connection)
        except BaseException as error:
            self.errors.append(Failure(None, error))
        finally:
            connection.close()
            with self._lock:
                self._connections.pop(threading.current_thread(), None)


class Server(SocketServer):
    """A running thriftpy2 server, made by ``serving``.

    ``address`` is where it listens.  ``errors`` holds, in order, what its handler raised without
    the IDL declaring it.  Such a call gets no answer: thriftpy2 closes the connection.
    """

    def __init__(
        self,
        service: Any,
        handler: object,
        listener: socket.socket,
        protocol: Any,
        transport: Any,
        network: PrivateNetwork | None,
        tls: ssl.SSLContext | None,
        tracker: Any,
    ) -> None:
        self.service = service
        self.protocol = protocol
        self.transport = transport
        self.tls = tls
        self.tracker = tracker
        self._handler = handler
        super().__init__("server", listener, network, [])

    def client(
        self,
        timeout_ms: int | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        tracker: Any = None,
    ) -> Client:
        """A client that is connected to this server; closing the server closes it.

        ``timeout_ms`` is how long it waits for an answer, in milliseconds; None: for ever.  ``tls``
        is the client's side of TLS (None: plain); it expects a certificate for "localhost".
        ``tracker`` is as for ``serving``.  Raises LiveError if the two ends do not agree.
        """
        made = connect(
            self.service,
            self.address,
            protocol=self.protocol,
            transport=self.transport,
            timeout_ms=timeout_ms,
            network=self.network,
            tls=tls,
            server_name="localhost",
            tracker=tracker,
        )
        self._keep(made)
        return made

    def __repr__(self) -> str:
        return f"<Server of {self.service.__name__} at {self.address}, {self.state}>"

    def _speak(self, connection: WatchedSocket) -> None:
        speaker = TThreadedServer(
            self._processor(), None, iprot_factory=self.protocol, itrans_factory=self.transport
        )
        speaker.handle(connection if self.tls is None else TlsSocket(connection, self.tls))

    def _processor(self) -> TProcessor:
        """The processor of one connection: a tracked one remembers what its client can do."""
        if self.tracker is None:
            return _KeepingProcessor(self.service, self._handler, self.errors)
        return _TrackedProcessor(self.tracker, self.service, self._handler, self.errors)


class Client(TClient):
    """thriftpy2's client, connected.  Use it in a ``with``, or ``close()`` it.

    Closing waits until the server has closed its end too.
    """

    def __init__(self, service: Any, protocol: Any, connection: WatchedSocket | TlsSocket) -> None:
        super().__init__(service, protocol)
        self._connection = connection

    @property
    def is_open(self) -> bool:
        """True until it is closed; the server may have closed its end before."""
        return self._connection.sock is not None

    def close(self) -> None:
        """Close it once the server has too, or has sent nothing for CLIENT_PATIENCE seconds."""
        self._connection.finish(CLIENT_PATIENCE)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client of {self._service.__name__} at {self._connection.line.server}>"


class _TrackedClient(Client, TTrackedClient):
    """thriftpy2's tracked client, connected."""

    def __init__(
        self, tracker: Any, service: Any, protocol: Any, connection: WatchedSocket | TlsSocket
    ) -> None:
        self._connection = connection
        # It says hello at once.
        TTrackedClient.__init__(self, tracker, service, protocol)


def serving(
    service: Any,
    handler: object,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    protocol: Any = None,
    transport: Any = None,
    network: PrivateNetwork | None = None,
    tls: ssl.SSLContext | None = None,
    tracker: Any = None,
) -> Server:
    """Start a thriftpy2 server; it is listening when this returns.

    ``service`` is what thriftpy2 made of the IDL's service, ``handler`` the object with its
    methods.  ``protocol`` and ``transport`` are thriftpy2 factories (None: binary, buffered).
    With port 0 the system chooses one.  In a private network every port is free.  ``tls`` is
    the server's side of TLS, with its certificate (None: plain).  ``tracker`` is one of
    thriftpy2.contrib.tracking (None: calls carry no ids).

    Raises PortTaken; HostNotLocal for anything but a loopback address of this machine;
    NotAllowed for a port that needs rights.
    """
    listener = listen_on(host, port, network)
    try:
        return Server(
            service,
            handler,
            listener,
            protocol or BINARY,
            transport or BUFFERED,
            network,
            tls,
            tracker,
        )
    except BaseException:
        listener.close()
        raise


def connect(
    service: Any,
    address: tuple[str, int],
    *,
    protocol: Any = None,
    transport: Any = None,
    timeout_ms: int | None = None,
    network: PrivateNetwork | None = None,
    watchers: list[Watcher] | None = None,
    tls: ssl.SSLContext | None = None,
    server_name: str | None = None,
    tracker: Any = None,
) -> Client:
    """A client of the server at ``address``, ours or any other.

    ``watchers`` are told what passes.  ``timeout_ms`` is how long to wait for a connection or an
    answer (None: for ever).  ``tls`` is the client's side of TLS (None: plain), and
    ``server_name`` the name that the certificate must have (None: the host's).  ``tracker`` is as
    for ``serving``.  Raises LiveError if nobody answers there, or not with TLS.
    """
    watched = dial(Endpoint(*address), network, [] if watchers is None else watchers, timeout_ms)
    connection = watched if tls is None else _shake_hands(watched, tls, server_name or address[0])
    stream = (transport or BUFFERED).get_transport(connection)
    spoken = (protocol or BINARY).get_protocol(stream)
    if tracker is None:
        return Client(service, spoken, connection)
    try:
        return _TrackedClient(tracker, service, spoken, connection)
    except BaseException:
        connection.close()
        raise


def dial(
    where: Endpoint,
    network: PrivateNetwork | None,
    watchers: list[Watcher],
    timeout_ms: int | None = None,
) -> WatchedSocket:
    """A connected socket that tells ``watchers`` what passes.

    ``timeout_ms`` bounds connecting and each read and write; None: no limit.  Raises LiveError if
    nobody answers there.
    """
    sock = _connected(where, timeout_ms, network)
    try:
        # As thriftpy2's own client does.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return WatchedSocket(sock, watchers, from_client=True)
    except OSError as error:
        sock.close()
        raise _no_connection(where, error) from None
    except BaseException:
        sock.close()
        raise


def _connected(
    where: Endpoint, timeout_ms: int | None, network: PrivateNetwork | None
) -> socket.socket:
    family, target = resolve(*where)
    try:
        if network is not None:
            sock = network.client_socket(target[0], family)
        else:
            sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise LiveError(f"cannot connect to {where}: {error.strerror}") from None
    try:
        sock.settimeout(None if timeout_ms is None else timeout_ms / 1000)
        sock.connect(target)
    except OSError as error:
        sock.close()
        raise _no_connection(where, error) from None
    except BaseException:
        sock.close()
        raise
    return sock


def _no_connection(where: Endpoint, error: OSError) -> LiveError:
    return LiveError(
        f"cannot connect to {where}: {error.strerror or error}",
        "Is the server running, and is it this host and port?",
    )


def _shake_hands(watched: WatchedSocket, tls: ssl.SSLContext, server_name: str) -> TlsSocket:
    """The client's side of TLS.  Raises LiveError that says what the two do not agree on."""
    try:
        return TlsSocket(watched, tls, server_name)
    except (OSError, TTransportException) as error:
        watched.close()
        told = (getattr(error, name, "") for name in ("verify_message", "message", "reason"))
        reason = next(filter(None, told), error)
        raise LiveError(
            f"no TLS with {watched.line.server}: {reason}",
            "Does the server speak TLS, and does this client trust its certificate?",
        ) from error
    except BaseException:
        watched.close()
        raise


class _KeepingProcessor(TProcessor):
    """thriftpy2's processor, which keeps the exceptions that thriftpy2's own lets out.

    It then ends the connection in a way that thriftpy2's loop accepts without logging.
    """

    def __init__(self, service: Any, handler: object, errors: list[Failure]) -> None:
        super().__init__(service, handler)
        self._errors = errors
        self._method: str | None = None

    def process_in(self, iprot: Any) -> Any:
        read = super().process_in(iprot)
        self._method = read[0]
        return read

    def process(self, iprot: Any, oprot: Any) -> None:
        self._method = None
        with _keeping(self._errors, lambda: self._method):
            super().process(iprot, oprot)


class _TrackedProcessor(TTrackedProcessor):
    """The same for the one of thriftpy2.contrib.tracking, which reads messages elsewhere."""

    def __init__(self, tracker: Any, service: Any, handler: object, errors: list[Failure]) -> None:
        # thriftpy2's are not typed.
        super().__init__(tracker, service, handler)  # type: ignore[no-untyped-call]
        self._errors = errors
        self._method: str | None = None

    def process(self, iprot: Any, oprot: Any) -> None:
        self._method = None
        with _keeping(self._errors, lambda: self._method):
            super().process(iprot, oprot)  # type: ignore[no-untyped-call]

    def _do_process(self, iprot: Any, oprot: Any, api: str, *rest: Any) -> None:
        self._method = api
        super()._do_process(iprot, oprot, api, *rest)  # type: ignore[no-untyped-call]


@contextmanager
def _keeping(errors: list[Failure], method: Callable[[], str | None]) -> Iterator[None]:
    try:
        yield
    except TTransportException:
        raise
    except BaseException as error:
        errors.append(Failure(method(), error))
        raise TTransportException(TTransportException.UNKNOWN, str(error)) from error


def _checked(port: int) -> int:
    if not 0 <= port <= 65535:
        raise ValueError(f"port is {port}, want 0 to 65535")
    return port


def resolve(host: str, port: int) -> tuple[int, Any]:
    """The address family and the socket address of ``host``.  Raises LiveError."""
    try:
        found = socket.getaddrinfo(host, _checked(port), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise LiveError(f'host "{host}" cannot be resolved: {reason}') from None
    # "localhost" has two addresses; like thriftpy2, take the IPv4 one.
    best = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return best[0], best[4]


def listen_on(host: str, port: int, network: PrivateNetwork | None) -> socket.socket:
    """A socket that listens on a loopback address.  Raises as ``serving`` does."""
    return _listen(*_loopback(host, port), network)


def _loopback(host: str, port: int) -> tuple[int, Any]:
    remedy = 'Use host="127.0.0.1"'
    try:
        family, address = resolve(host, port)
    except LiveError as error:
        raise HostNotLocal(str(error), remedy) from None
    if not ipaddress.ip_address(address[0].partition("%")[0]).is_loopback:
        raise HostNotLocal(
            f'host "{host}" is no loopback address, and servers here listen on no other', remedy
        )
    return family, address


def _listen(family: int, address: Any, network: PrivateNetwork | None) -> socket.socket:
    make = socket.socket if network is None else network.socket
    listener = make(family, socket.SOCK_STREAM)
    where = Endpoint(*address[:2])
    try:
        # A port whose last server has just gone can be had; a port in use cannot.  On Windows the
        # same option would let two servers share it.
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"port {where.port} of {where.host} is taken",
                "Close the server that listens there, or choose another port; port 0 is any that "
                "is free",
            ) from None
        if error.errno == errno.EADDRNOTAVAIL:
            raise HostNotLocal(
                f"{where.host} is not an address of this machine", 'Use host="127.0.0.1"'
            ) from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise NotAllowed(
                f"listening on port {where.port} needs rights", "Use a port from 1024 up"
            ) from None
        raise LiveError(f"cannot listen on {where}: {error.strerror}") from None
    return listener
