"""A stage for trouble: real servers and clients of thriftpy2 and of Apache's ``thrift``, in a
private network, with all of its packets recorded.

    with Stage() as stage:
        port = stage.serve(apache(binary))        a server, a thread a connection
        stage.attempt(lambda: thriftpy2_client(stage, port, ...).ping())
        stage.capture                             what was on the wire, once all have gone

The libraries' own code speaks: here stands only what hands it a socket.  Nothing waits for
a time to pass: whoever gives up does so because his own socket timed out, whatever that
took.  Where no private network can be made, the tests that need one skip, and say why.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any, Final

from making import foo
from thrift.protocol.TBinaryProtocol import TBinaryProtocolFactory as TApacheBinary
from thrift.server.TServer import TThreadedServer as TApacheServer
from thrift.Thrift import TApplicationException, TMessageType, TType
from thrift.transport.TSocket import TSocket as TApacheSocket
from thrift.transport.TTransport import TBufferedTransportFactory as TApacheBuffered
from thriftpy2.protocol import TBinaryProtocolFactory
from thriftpy2.server import TThreadedServer
from thriftpy2.thrift import TClient, TProcessor
from thriftpy2.transport import TBufferedTransportFactory, TSocket

from pingpong.capture import Capture, read_packets
from pingpong.live.private import PrivateNetwork
from pingpong.live.sniffing import Sniffer, sniff_network
from pingpong.model import Packet

HOST: Final = "127.0.0.1"

APACHE_BINARY: Final = TApacheBinary()
APACHE_BUFFERED: Final = TApacheBuffered()

# How long a client waits, in seconds, for an answer that never comes.
PATIENCE: Final = 0.1
# How long everything may take that does come, on a machine that has much else to do.
LIMIT: Final = 120.0

Speaker = Callable[[socket.socket], None]


class Stage:
    """Listens, connects, records; at its end all threads have gone."""

    def __init__(self, network: PrivateNetwork) -> None:
        self.network = network
        self.sniffers: list[Sniffer] = []
        self.threads: list[threading.Thread] = []
        self.sockets: list[socket.socket] = []
        self.listeners: list[socket.socket] = []

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Close what is open, and wait until the servers have seen it."""
        self.stop_listening()
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.sockets.clear()
        for thread in self.threads:
            thread.join(LIMIT)
            assert not thread.is_alive(), thread
        self.threads.clear()
        for sniffer in self.sniffers:
            sniffer.stop()

    @property
    def packets(self) -> list[Packet]:
        self.end()
        return [packet for sniffer in self.sniffers for packet in sniffer.packets]

    @property
    def capture(self) -> Capture:
        return read_packets(self.packets)

    def listen(self, backlog: int = 20) -> socket.socket:
        listener = self.network.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind((HOST, 0))
        listener.listen(backlog)
        self.record(listener.getsockname()[1])
        return listener

    def record(self, port: int) -> None:
        self.sniffers.append(sniff_network(self.network, None, port))

    def serve(self, speak: Speaker) -> int:
        """Speak to whoever connects, a thread each; the port."""
        listener = self.listen()
        self.listeners.append(listener)

        def accept() -> None:
            while True:
                try:
                    accepted, _ = listener.accept()
                except OSError:
                    return
                self.start(speak, accepted)

        self._run(accept)
        return int(listener.getsockname()[1])

    def start(self, speak: Speaker, sock: socket.socket) -> None:
        def speaking() -> None:
            with sock:
                speak(sock)

        self._run(speaking)

    def _run(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        self.threads.append(thread)

    def connect(self, port: int, patience: float = LIMIT) -> socket.socket:
        sock = self.network.client_socket(HOST)
        self.sockets.append(sock)
        sock.settimeout(patience)
        sock.connect((HOST, port))
        return sock

    def stop_listening(self) -> None:
        """Let the port go: who connects now is refused."""
        for one in self.listeners:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.listeners.clear()

    def close(self, sock: socket.socket) -> None:
        self.sockets.remove(sock)
        sock.close()


# ── thriftpy2 ────────────────────────────────────────────────────────────────────────

BINARY: Final = TBinaryProtocolFactory()
BUFFERED: Final = TBufferedTransportFactory()


def socket_of(sock: socket.socket) -> Any:
    """A socket as thriftpy2 wraps it; how long it waits is the socket's own affair."""
    return TSocket(sock=sock, socket_timeout=None)


def thriftpy2_server(
    handler: object, protocol: Any = BINARY, transport: Any = BUFFERED, processor: Any = None
) -> Speaker:
    """thriftpy2's threaded server, without its listening."""
    if processor is None:
        processor = TProcessor(foo().PingPong, handler)
    server = TThreadedServer(processor, None, iprot_factory=protocol, itrans_factory=transport)

    def speak(sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            server.handle(socket_of(sock))

    return speak


def thriftpy2_client(sock: socket.socket, protocol: Any = BINARY, transport: Any = BUFFERED) -> Any:
    stream = transport.get_transport(socket_of(sock))
    return TClient(foo().PingPong, protocol.get_protocol(stream))


# ── Apache ───────────────────────────────────────────────────────────────────────────


class ApacheProcessor:
    """What Apache's compiler generates for a service, by hand: ``methods`` answer with text."""

    def __init__(self, methods: dict[str, Callable[[], str]]) -> None:
        self.methods = methods

    def process(self, iprot: Any, oprot: Any) -> bool:
        name, _, seqid = iprot.readMessageBegin()
        iprot.skip(TType.STRUCT)
        iprot.readMessageEnd()
        error: TApplicationException | None = None
        text = ""
        if name not in self.methods:
            what = f"Unknown function {name}"
            error = TApplicationException(TApplicationException.UNKNOWN_METHOD, what)
        else:
            try:
                text = self.methods[name]()
            except TApplicationException as raised:
                error = raised
            except Exception:
                error = TApplicationException(
                    TApplicationException.INTERNAL_ERROR, "Internal error"
                )
        kind = TMessageType.REPLY if error is None else TMessageType.EXCEPTION
        oprot.writeMessageBegin(name, kind, seqid)
        if error is None:
            oprot.writeStructBegin("result")
            oprot.writeFieldBegin("success", TType.STRING, 0)
            oprot.writeString(text)
            oprot.writeFieldEnd()
            oprot.writeFieldStop()
            oprot.writeStructEnd()
        else:
            error.write(oprot)
        oprot.writeMessageEnd()
        oprot.trans.flush()
        return True


def apache_server(
    methods: dict[str, Callable[[], str]],
    protocol: Any = None,
    transport: Any = None,
    processor: Any = None,
) -> Speaker:
    """The loop of Apache's threaded server, without its listening."""
    handler = processor or ApacheProcessor(methods)
    server = TApacheServer(handler, None, transport or APACHE_BUFFERED, protocol or APACHE_BINARY)

    def speak(sock: socket.socket) -> None:
        trans = TApacheSocket()
        trans.setHandle(sock)
        with contextlib.suppress(OSError):
            server.handle(trans)

    return speak


class ApacheClient:
    """What Apache's compiler generates for a client, by hand."""

    def __init__(self, sock: socket.socket, protocol: Any = None, transport: Any = None) -> None:
        socket_ = TApacheSocket()
        socket_.setHandle(sock)
        self.trans = (transport or APACHE_BUFFERED).getTransport(socket_)
        self.protocol = (protocol or APACHE_BINARY).getProtocol(self.trans)
        self.seqid = 0

    def call(self, method: str) -> str:
        self.send(method)
        return self.answer()

    def send(self, method: str) -> None:
        self.seqid += 1
        one = self.protocol
        one.writeMessageBegin(method, TMessageType.CALL, self.seqid)
        one.writeStructBegin("args")
        one.writeFieldStop()
        one.writeStructEnd()
        one.writeMessageEnd()
        one.trans.flush()

    def answer(self) -> str:
        one = self.protocol
        _, kind, seqid = one.readMessageBegin()
        if kind == TMessageType.EXCEPTION:
            error = TApplicationException()
            error.read(one)
            one.readMessageEnd()
            raise error
        text = ""
        one.readStructBegin()
        while True:
            _, ttype, field = one.readFieldBegin()
            if ttype == TType.STOP:
                break
            if field == 0 and ttype == TType.STRING:
                text = one.readString()
            else:
                one.skip(ttype)
            one.readFieldEnd()
        one.readStructEnd()
        one.readMessageEnd()
        if seqid != self.seqid:
            raise TApplicationException(TApplicationException.BAD_SEQUENCE_ID, "out of sequence")
        return text
