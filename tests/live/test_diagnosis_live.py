"""Each kind of trouble, made live: by thriftpy2 and by Apache's ``thrift``, in a private network.

What the clients say of it is asserted too: it is what a user sees, and what docs/errors.md
begins with.  A test says nothing of times: who gives up has a timeout of his own.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from making import foo
from stage import (
    HOST,
    LIMIT,
    PATIENCE,
    ApacheClient,
    ApacheProcessor,
    Speaker,
    Stage,
    apache_server,
    socket_of,
    thriftpy2_client,
    thriftpy2_server,
)
from thrift.protocol.TBinaryProtocol import TBinaryProtocolFactory as TApacheBinaryFactory
from thrift.protocol.TCompactProtocol import TCompactProtocolFactory as TApacheCompactFactory
from thrift.protocol.THeaderProtocol import THeaderProtocolFactory
from thrift.Thrift import TApplicationException as TApacheApplicationException
from thrift.TMultiplexedProcessor import TMultiplexedProcessor as TApacheMultiplexedProcessor
from thrift.transport.TTransport import TFramedTransportFactory as TApacheFramedFactory
from thriftpy2.protocol import TBinaryProtocolFactory, TCompactProtocolFactory
from thriftpy2.protocol.multiplex import TMultiplexedProtocolFactory
from thriftpy2.server import TThreadedServer
from thriftpy2.thrift import TMultiplexedProcessor, TProcessor
from thriftpy2.transport import (
    TBufferedTransportFactory,
    TFramedTransportFactory,
)
from thriftpy2.transport.sasl import TSaslClientTransport

from pingpong.capture import read_packets
from pingpong.live.private import PrivateNetwork, unavailable
from pingpong.model import Severity
from pingpong.verdicts.verdict import Diagnosis, Kind, Verdict

REASON = unavailable()
pytestmark = pytest.mark.skipif(REASON is not None, reason=REASON or "")


class Dispatcher:
    """The handler of thriftpy2's servers; "raise" as a password does, undeclared."""

    def ping(self) -> str:
        return "pong"

    def login(self, username: str, password: str) -> str:
        if password == "raise":
            raise KeyError(username)
        return "welcome"


METHODS: dict[str, Callable[[], str]] = {"ping": lambda: "pong"}

FRAMED = TFramedTransportFactory()
COMPACT = TCompactProtocolFactory()
OLD = TBinaryProtocolFactory(strict_read=False, strict_write=False)
A_FRAMED = TApacheFramedFactory()
A_COMPACT = TApacheCompactFactory()
A_STRICT = TApacheBinaryFactory(strictRead=True)


@pytest.fixture(scope="module")
def network() -> Iterator[PrivateNetwork]:
    with PrivateNetwork() as made:
        yield made


@pytest.fixture
def stage(network: PrivateNetwork) -> Iterator[Stage]:
    # The libraries' servers log what they close on.
    logging.disable(logging.CRITICAL)
    try:
        with Stage(network) as made:
            yield made
    finally:
        logging.disable(logging.NOTSET)


Call = Callable[[socket.socket], Any]


def attempt(stage: Stage, port: int, call: Call, patience: float = LIMIT) -> str:
    """Connect and call; what came back, or what the client says went wrong."""
    sock = stage.connect(port, patience)
    try:
        return str(call(sock))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        stage.close(sock)


def ping(protocol: Any = None, transport: Any = None) -> Call:
    """thriftpy2's client."""
    more = {} if protocol is None else {"protocol": protocol}
    if transport is not None:
        more["transport"] = transport
    return lambda sock: thriftpy2_client(sock, **more).ping()


def apache_ping(protocol: Any = None, transport: Any = None, method: str = "ping") -> Call:
    return lambda sock: ApacheClient(sock, protocol, transport).call(method)


def only(diagnosis: Diagnosis, kind: Kind) -> Verdict:
    """The one verdict of that kind; the others are that all else is well."""
    found = [one for one in diagnosis.verdicts if one.kind is kind]
    others = {one.kind for one in diagnosis.verdicts} - {kind, Kind.ALL_WELL}
    assert len(found) == 1, diagnosis.verdicts
    assert not others, diagnosis.verdicts
    assert found[0].sentence[-1] == "."
    return found[0]


# ── Two that speak Thrift, and not the same ──────────────────────────────────────────

# A server, a client that it understands, one that it does not, and what that is.
MISMATCHES: dict[str, tuple[Callable[[], Speaker], Call, Call, Kind, str]] = {
    "framed on unframed, thriftpy2": (
        lambda: thriftpy2_server(Dispatcher()),
        ping(),
        ping(transport=FRAMED),
        Kind.FRAMED_ON_UNFRAMED,
        "TTransportException",
    ),
    "framed on unframed, Apache": (
        lambda: apache_server(METHODS),
        apache_ping(),
        apache_ping(transport=A_FRAMED),
        Kind.FRAMED_ON_UNFRAMED,
        "TSocket read 0 bytes",
    ),
    "unframed on framed, thriftpy2": (
        lambda: thriftpy2_server(Dispatcher(), transport=FRAMED),
        ping(transport=FRAMED),
        ping(),
        Kind.UNFRAMED_ON_FRAMED,
        "TSocket read 0 bytes",
    ),
    "unframed on framed, Apache": (
        lambda: apache_server(METHODS, transport=A_FRAMED),
        apache_ping(transport=A_FRAMED),
        apache_ping(),
        Kind.UNFRAMED_ON_FRAMED,
        "TTransportException",
    ),
    "unframed on framed, one of each": (
        lambda: apache_server(METHODS, transport=A_FRAMED),
        ping(transport=FRAMED),
        ping(),
        Kind.UNFRAMED_ON_FRAMED,
        "Connection reset by peer",
    ),
    "compact on binary, thriftpy2": (
        lambda: thriftpy2_server(Dispatcher()),
        ping(),
        ping(COMPACT),
        Kind.COMPACT_ON_BINARY,
        "TSocket read 0 bytes",
    ),
    "compact on binary, Apache": (
        lambda: apache_server(METHODS, transport=A_FRAMED),
        apache_ping(transport=A_FRAMED),
        apache_ping(A_COMPACT, A_FRAMED),
        Kind.COMPACT_ON_BINARY,
        "TSocket read 0 bytes",
    ),
    "binary on compact, thriftpy2": (
        lambda: thriftpy2_server(Dispatcher(), COMPACT),
        ping(COMPACT),
        ping(),
        Kind.BINARY_ON_COMPACT,
        "TSocket read 0 bytes",
    ),
    "binary on compact, Apache": (
        lambda: apache_server(METHODS, A_COMPACT),
        apache_ping(A_COMPACT),
        apache_ping(),
        Kind.BINARY_ON_COMPACT,
        "TSocket read 0 bytes",
    ),
    "old on strict, thriftpy2": (
        lambda: thriftpy2_server(Dispatcher()),
        ping(),
        ping(OLD),
        Kind.OLD_ON_STRICT,
        "TSocket read 0 bytes",
    ),
    "old on strict, Apache": (
        lambda: apache_server(METHODS, A_STRICT),
        apache_ping(),
        apache_ping(TApacheBinaryFactory(strictWrite=False)),
        Kind.OLD_ON_STRICT,
        "TSocket read 0 bytes",
    ),
    "THeader on plain": (
        lambda: thriftpy2_server(Dispatcher()),
        ping(),
        apache_ping(THeaderProtocolFactory()),
        Kind.THEADER_ON_PLAIN,
        "TSocket read 0 bytes",
    ),
    "THeader on framed": (
        lambda: apache_server(METHODS, transport=A_FRAMED),
        apache_ping(transport=A_FRAMED),
        apache_ping(THeaderProtocolFactory()),
        Kind.THEADER_ON_PLAIN,
        "TSocket read 0 bytes",
    ),
    "framed compact on unframed binary": (
        lambda: thriftpy2_server(Dispatcher()),
        ping(),
        ping(COMPACT, FRAMED),
        Kind.DIALECTS_DIFFER,
        "TSocket read 0 bytes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISMATCHES)
@pytest.mark.parametrize("well_first", [True, False], ids=["well first", "well last"])
def test_a_mismatch(stage: Stage, name: str, well_first: bool) -> None:
    """What others are answered tells, whether it comes before or after."""
    server, well, ill, kind, said = MISMATCHES[name]
    port = stage.serve(server())
    if well_first:
        assert attempt(stage, port, well) == "pong"
    assert said in attempt(stage, port, ill)
    if not well_first:
        assert attempt(stage, port, well) == "pong"
    diagnosis = stage.capture.diagnosis
    verdict = only(diagnosis, kind)
    assert verdict.severity is Severity.ERROR
    assert diagnosis.is_trouble
    assert verdict.advice.startswith(("Use ", "Switch "))
    assert any("this server answered 1 call in" in one for one in verdict.evidence)
    assert any("first bytes are" in one for one in verdict.evidence)


@pytest.mark.parametrize("name", [name for name in MISMATCHES if "framed" in name])
def test_a_mismatch_alone_says_what_cannot_be_known(stage: Stage, name: str) -> None:
    """No other client: a handler that failed would look the same, unless the server reset."""
    server, _, ill, _, _ = MISMATCHES[name]
    port = stage.serve(server())
    attempt(stage, port, ill)
    capture = stage.capture
    (verdict,) = capture.diagnosis.verdicts
    if capture.flows[0].from_server.fin >= 0:
        assert verdict.kind is Kind.CLOSED_ON_CALL
        assert "the two look alike here" in verdict.sentence
    else:
        assert verdict.kind is Kind.UNFRAMED_ON_FRAMED
        assert "-2147418111" in verdict.sentence
        assert any("before it had read all bytes" in one for one in verdict.evidence)


def test_a_mismatch_that_hangs(stage: Stage) -> None:
    """A server that reads old headers takes a frame's length for a name's, and waits."""
    port = stage.serve(thriftpy2_server(Dispatcher(), OLD))
    assert attempt(stage, port, ping(OLD)) == "pong"
    assert "timed out" in attempt(stage, port, ping(OLD, FRAMED), PATIENCE)
    verdict = only(stage.capture.diagnosis, Kind.FRAMED_ON_UNFRAMED)
    assert "said nothing until the client closed" in verdict.sentence


def test_a_strict_client_and_an_old_server(stage: Stage) -> None:
    port = stage.serve(thriftpy2_server(Dispatcher(), OLD))
    assert "No protocol version header" in attempt(stage, port, ping())
    verdict = only(stage.capture.diagnosis, Kind.STRICT_ON_OLD)
    assert "strict_write" in verdict.advice


def test_a_server_that_answers_in_another_transport(stage: Stage) -> None:
    server = TThreadedServer(
        TProcessor(foo().PingPong, Dispatcher()),
        None,
        itrans_factory=TBufferedTransportFactory(),
        otrans_factory=FRAMED,
    )
    port = stage.serve(lambda sock: server.handle(socket_of(sock)))
    assert "No protocol version header" in attempt(stage, port, ping())
    verdict = only(stage.capture.diagnosis, Kind.DIALECTS_DIFFER)
    assert "speaks unframed binary, and the server answers in framed binary" in verdict.sentence
    assert "otrans_factory" in verdict.advice


@pytest.mark.parametrize("who", ["thriftpy2", "Apache"])
def test_a_multiplexed_client_on_a_plain_server(stage: Stage, who: str) -> None:
    server = thriftpy2_server(Dispatcher()) if who == "thriftpy2" else apache_server(METHODS)
    port = stage.serve(server)
    multiplexed = TMultiplexedProtocolFactory(TBinaryProtocolFactory(), "Calculator")
    assert "Unknown" in attempt(stage, port, ping(multiplexed))
    verdict = only(stage.capture.diagnosis, Kind.MULTIPLEXED_ON_PLAIN)
    assert "Calculator:ping" in verdict.sentence


@pytest.mark.parametrize("who", ["thriftpy2", "Apache"])
def test_a_plain_client_on_a_multiplexed_server(stage: Stage, who: str) -> None:
    if who == "thriftpy2":
        theirs = TMultiplexedProcessor()
        theirs.register_processor("Calculator", TProcessor(foo().PingPong, Dispatcher()))
        server = thriftpy2_server(None, processor=theirs)
    else:
        apaches = TApacheMultiplexedProcessor()
        apaches.registerProcessor("Calculator", ApacheProcessor(METHODS))
        server = apache_server({}, processor=apaches)
    port = stage.serve(server)
    assert "TSocket read 0 bytes" in attempt(stage, port, apache_ping())
    assert attempt(stage, port, apache_ping(method="Calculator:ping")) == "pong"
    verdict = only(stage.capture.diagnosis, Kind.PLAIN_ON_MULTIPLEXED)
    assert "as Calculator:ping does" in verdict.sentence
    assert "TMultiplexedProtocol" in verdict.advice


def test_a_service_that_is_not_registered(stage: Stage) -> None:
    processor = TMultiplexedProcessor()
    processor.register_processor("Calculator", TProcessor(foo().PingPong, Dispatcher()))
    port = stage.serve(thriftpy2_server(None, processor=processor))
    assert "Unknown method" in attempt(stage, port, apache_ping(method="Calc:ping"))
    verdict = only(stage.capture.diagnosis, Kind.UNKNOWN_METHOD)
    assert "in its service Calc, or no such service" in verdict.sentence


# ── One of them speaks something else ────────────────────────────────────────────────


def get(sock: socket.socket) -> str:
    connection = http.client.HTTPConnection(HOST)
    connection.sock = sock
    connection.request("GET", "/health")
    return str(connection.getresponse().status)


def hello(sock: socket.socket) -> str:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(sock.dup()) as wrapped:
        return str(wrapped.version())


def sends(data: bytes) -> Call:
    def send(sock: socket.socket) -> bytes:
        sock.sendall(data)
        return sock.recv(1000)

    return send


STRANGERS = {
    "HTTP": (get, Kind.HTTP, "HTTP GET"),
    "TLS": (hello, Kind.TLS, "a TLS handshake"),
    "HTTP/2": (
        sends(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)),
        Kind.OTHER_PROTOCOL,
        "client speaks HTTP/2",
    ),
    "SSH": (sends(b"SSH-2.0-OpenSSH_9.2\r\n"), Kind.OTHER_PROTOCOL, "the greeting of SSH"),
    "Redis": (sends(b"*1\r\n$4\r\nPING\r\n"), Kind.OTHER_PROTOCOL, "a Redis command"),
    "a PROXY line": (
        sends(b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 9090\r\n"),
        Kind.OTHER_PROTOCOL,
        "names the client's address",
    ),
}


@pytest.mark.parametrize("who", ["thriftpy2", "Apache"])
@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_on_a_thrift_port(stage: Stage, name: str, who: str) -> None:
    call, kind, words = STRANGERS[name]
    server = thriftpy2_server(Dispatcher()) if who == "thriftpy2" else apache_server(METHODS)
    port = stage.serve(server)
    attempt(stage, port, call)
    assert attempt(stage, port, ping()) == "pong"
    verdict = only(stage.capture.diagnosis, kind)
    assert words in verdict.sentence
    assert verdict.advice


def test_a_stranger_is_one_only_if_the_port_is_thrifts(stage: Stage) -> None:
    """Nothing in the capture says so: then the user may."""
    port = stage.serve(thriftpy2_server(Dispatcher()))
    attempt(stage, port, get)
    packets = stage.packets
    (verdict,) = read_packets(packets).diagnosis.verdicts
    assert verdict.kind is Kind.NOT_THRIFT
    assert not read_packets(packets).diagnosis.any_thrift
    (verdict,) = read_packets(packets, ports=[port]).diagnosis.verdicts
    assert verdict.kind is Kind.HTTP


def says(data: bytes, *, first: bool) -> Speaker:
    """A server that says one thing, at once or when it has heard something, and closes."""

    def say(sock: socket.socket) -> None:
        for speak in (first, not first):
            if speak:
                sock.sendall(data)
            else:
                sock.recv(1000)

    return say


def tls_server(folder: Path) -> Speaker:
    """A server with a certificate of its own making."""
    certificate = folder / "certificate.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=x",
         "-keyout", str(certificate), "-out", str(folder / "public.pem")],
        capture_output=True,
        check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl makes no certificate here")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "public.pem", certificate)

    def speak(sock: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(sock.dup(), server_side=True):
            pass

    return speak


GREETINGS = {
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n", "the greeting of SSH"),
    "MySQL": (bytes.fromhex("4a000000 0a 382e302e333500"), "a MySQL"),
    "SMTP": (b"220 mail.example.org ESMTP\r\n", "the greeting of a mail or file server"),
}


@pytest.mark.parametrize("transport", [None, FRAMED], ids=["unframed", "framed"])
@pytest.mark.parametrize("name", GREETINGS)
def test_a_thrift_client_elsewhere(stage: Stage, name: str, transport: Any) -> None:
    greeting, words = GREETINGS[name]
    port = stage.serve(says(greeting, first=True))
    attempt(stage, port, ping(transport=transport))
    verdict = only(stage.capture.diagnosis, Kind.OTHER_PROTOCOL)
    assert words in verdict.sentence
    assert "Check host and port" in verdict.advice


@pytest.mark.parametrize("transport", [None, FRAMED], ids=["unframed", "framed"])
def test_a_thrift_client_on_an_http_server(stage: Stage, transport: Any) -> None:
    """The answer is that of nginx to what is no HTTP."""
    answer = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nConnection: close\r\n\r\n<html>"
    port = stage.serve(says(answer, first=False))
    attempt(stage, port, ping(transport=transport))
    verdict = only(stage.capture.diagnosis, Kind.HTTP)
    assert "has reached an HTTP server" in verdict.sentence


def test_a_thrift_client_on_a_tls_server(stage: Stage, tmp_path: Path) -> None:
    """Nothing that the server sends this client is TLS: what it sends others tells."""
    port = stage.serve(tls_server(tmp_path))
    attempt(stage, port, ping())
    assert attempt(stage, port, hello).startswith("TLSv1")
    verdict = next(one for one in stage.capture.diagnosis.verdicts if one.kind is Kind.TLS)
    assert "it sends a TLS handshake" in verdict.sentence
    assert "Use TLS on both sides" in verdict.advice


class Plain:
    """What thriftpy2 asks of a sasl.Client, for PLAIN."""

    def start(self, mechanism: str) -> tuple[bool, str, bytes]:
        return True, "PLAIN", b"\0root\0pwd"


def sasl_open(sock: socket.socket) -> None:
    transport = TSaslClientTransport(Plain, "PLAIN", socket_of(sock))
    transport.open()


def test_a_sasl_client_on_a_server_without(stage: Stage) -> None:
    port = stage.serve(thriftpy2_server(Dispatcher()))
    assert attempt(stage, port, ping()) == "pong"
    assert "TSocket read 0 bytes" in attempt(stage, port, sasl_open)
    verdict = only(stage.capture.diagnosis, Kind.SASL)
    assert "it does without SASL" in verdict.sentence
    assert "NOSASL" in verdict.advice


def test_a_sasl_server_refuses(stage: Stage) -> None:
    """No library in Python serves SASL: the answer is as the specification writes it."""

    def refuse(sock: socket.socket) -> None:
        sock.recv(1000)
        sock.sendall(b"\x03" + len(b"wrong password").to_bytes(4, "big") + b"wrong password")

    port = stage.serve(refuse)
    assert "Bad status: 3" in attempt(stage, port, sasl_open)
    verdict = only(stage.capture.diagnosis, Kind.SASL)
    assert "with BAD: wrong password" in verdict.sentence


# ── They understand each other ───────────────────────────────────────────────────────


def login(password: str, transport: Any = None) -> Call:
    more = {} if transport is None else {"transport": transport}
    return lambda sock: thriftpy2_client(sock, **more).login("root", password)


def test_a_handler_that_crashed_on_a_connection_that_worked(stage: Stage) -> None:
    port = stage.serve(thriftpy2_server(Dispatcher()))

    def both(sock: socket.socket) -> Any:
        client = thriftpy2_client(sock)
        client.ping()
        return client.login("root", "raise")

    assert "TSocket read 0 bytes" in attempt(stage, port, both)
    verdict = only(stage.capture.diagnosis, Kind.HANDLER_CRASHED)
    assert "the call login, without an answer" in verdict.sentence
    assert any("1 call on this connection had been answered" in one for one in verdict.evidence)


@pytest.mark.parametrize("well_first", [True, False], ids=["well first", "well last"])
def test_a_handler_that_crashed_at_once(stage: Stage, well_first: bool) -> None:
    """The server answers another client that speaks as this one does."""
    port = stage.serve(thriftpy2_server(Dispatcher()))
    if well_first:
        attempt(stage, port, ping())
    assert "TSocket read 0 bytes" in attempt(stage, port, login("raise"))
    if not well_first:
        attempt(stage, port, ping())
    only(stage.capture.diagnosis, Kind.HANDLER_CRASHED)


def test_a_handler_that_crashed_and_nothing_else(stage: Stage) -> None:
    port = stage.serve(thriftpy2_server(Dispatcher()))
    attempt(stage, port, login("raise"))
    verdict = only(stage.capture.diagnosis, Kind.CLOSED_ON_CALL)
    assert "its handler failed" in verdict.sentence


def fails(error: Exception) -> Callable[[], str]:
    def fail() -> str:
        raise error

    return fail


def test_an_internal_error(stage: Stage) -> None:
    """Apache's servers tell of a handler that failed."""
    port = stage.serve(apache_server({**METHODS, "login": fails(KeyError("root"))}))
    assert "Internal error" in attempt(stage, port, login("pwd"))
    verdict = only(stage.capture.diagnosis, Kind.HANDLER_CRASHED)
    assert "INTERNAL_ERROR" in verdict.sentence


def test_an_unknown_method(stage: Stage) -> None:
    port = stage.serve(apache_server(METHODS))
    assert "Unknown function login" in attempt(stage, port, login("pwd"))
    verdict = only(stage.capture.diagnosis, Kind.UNKNOWN_METHOD)
    assert "knows no method login" in verdict.sentence


def test_another_exception_of_the_server(stage: Stage) -> None:
    error = TApacheApplicationException(TApacheApplicationException.MISSING_RESULT, "no result")
    port = stage.serve(apache_server({"ping": fails(error)}))
    assert "no result" in attempt(stage, port, ping())
    verdict = only(stage.capture.diagnosis, Kind.APPLICATION_EXCEPTION)
    assert "MISSING_RESULT" in verdict.sentence


def test_a_frame_above_the_limit(stage: Stage) -> None:
    """Of Apache's framed transport, 16 384 000 bytes."""
    port = stage.serve(apache_server(METHODS, transport=A_FRAMED))
    assert "Error" in attempt(stage, port, login("x" * 16_400_000, FRAMED))
    verdict = only(stage.capture.diagnosis, Kind.FRAME_TOO_LARGE)
    assert "announces a frame of 16400" in verdict.sentence
    assert "16384000" in verdict.sentence


def test_a_frame_above_a_servers_own_limit(stage: Stage) -> None:
    """What others were answered shows where the limit is."""
    framed = TApacheFramedFactory(5000)
    server = apache_server({**METHODS, "login": lambda: "welcome"}, transport=framed)
    port = stage.serve(server)
    assert attempt(stage, port, login("x" * 1000, FRAMED)) == "welcome"
    assert "Error" in attempt(stage, port, login("x" * 100_000, FRAMED))
    verdict = only(stage.capture.diagnosis, Kind.FRAME_TOO_LARGE)
    assert "The largest call that it answered has 10" in verdict.sentence


class Impatient(Dispatcher):
    """Once it has been called, its server waits for the next call only so long."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def ping(self) -> str:
        self.sock.settimeout(PATIENCE)
        return "pong"


def test_an_idle_connection_was_dropped(stage: Stage) -> None:
    """The server's own timeout closes it; the client learns of it when it calls again."""
    gone = threading.Event()

    def speak(sock: socket.socket) -> None:
        thriftpy2_server(Impatient(sock))(sock)
        sock.close()
        gone.set()

    port = stage.serve(speak)

    def again(sock: socket.socket) -> Any:
        client = thriftpy2_client(sock)
        client.ping()
        assert gone.wait(LIMIT)
        return client.ping()

    said = attempt(stage, port, again)
    assert "TSocket read 0 bytes" in said or "reset" in said
    verdict = only(stage.capture.diagnosis, Kind.IDLE_DROPPED)
    assert "the call was never made" in verdict.sentence


class Slow(Dispatcher):
    """A handler that answers when it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def login(self, username: str, password: str) -> str:
        assert self.go.wait(LIMIT)
        return "at last"


def test_a_client_that_gave_up(stage: Stage) -> None:
    handler = Slow()
    port = stage.serve(thriftpy2_server(handler))
    assert attempt(stage, port, ping()) == "pong"
    assert "timed out" in attempt(stage, port, login("pwd"), PATIENCE)
    handler.go.set()
    verdict = only(stage.capture.diagnosis, Kind.CLIENT_GAVE_UP)
    assert "after it had sent login, without an answer" in verdict.sentence
    assert "later, to nobody" in verdict.sentence
    assert "Or the server waits too" not in verdict.sentence


def test_a_client_that_gave_up_where_nothing_was_ever_answered(stage: Stage) -> None:
    handler = Slow()
    port = stage.serve(thriftpy2_server(handler))
    attempt(stage, port, login("pwd"), PATIENCE)
    packets = stage.sniffers[0].packets  # before the handler is let go
    handler.go.set()
    verdict = only(read_packets(packets).diagnosis, Kind.CLIENT_GAVE_UP)
    assert "nothing shows that it could read the call" in verdict.sentence


@pytest.mark.parametrize("who", ["thriftpy2", "Apache"])
def test_a_late_reply_is_read_by_the_next_call(stage: Stage, who: str) -> None:
    go = threading.Event()

    def slow() -> str:
        assert go.wait(LIMIT)
        return "at last"

    closed = threading.Event()

    def pong() -> str:
        assert closed.wait(LIMIT)  # else the wire shows two calls under way, and two answers
        return "pong"

    port = stage.serve(apache_server({"ping": pong, "login": slow}))
    sock = stage.connect(port, PATIENCE)
    if who == "thriftpy2":
        client = thriftpy2_client(sock)
        with pytest.raises(TimeoutError):
            client.login("root", "pwd")
        sock.settimeout(LIMIT)
        client._send("ping")
        go.set()
        assert client._recv("ping") == "at last"  # which is what login returned
        stage.close(sock)
    else:
        other = ApacheClient(sock)
        with pytest.raises(Exception, match="timeout"):
            other.call("login")
        sock.settimeout(LIMIT)
        other.send("ping")
        go.set()
        with pytest.raises(TApacheApplicationException, match="out of sequence"):
            other.answer()
        stage.close(sock)
    closed.set()
    verdict = only(stage.capture.diagnosis, Kind.LATE_REPLY)
    assert "gave up on login" in verdict.sentence
    assert "went on with ping" in verdict.sentence
    assert ("the same seqid" in verdict.sentence) == (who == "thriftpy2")
    assert "close the connection" in verdict.advice


def test_the_capture_ends_while_a_call_waits(stage: Stage) -> None:
    handler = Slow()
    port = stage.serve(thriftpy2_server(handler))
    sock = stage.connect(port)
    client = thriftpy2_client(sock)
    client.ping()
    client._send("login", username="root", password="pwd")
    packets = stage.sniffers[0].packets
    handler.go.set()
    verdict = only(read_packets(packets).diagnosis, Kind.WAITING)
    assert verdict.severity is Severity.NOTE
    assert "login" in verdict.sentence


# ── They never spoke ─────────────────────────────────────────────────────────────────


def test_nobody_listens(stage: Stage) -> None:
    listener = stage.listen()
    port = listener.getsockname()[1]
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        stage.connect(port)
    capture = stage.capture
    verdict = only(capture.diagnosis, Kind.REFUSED)
    assert verdict.severity is Severity.WARNING  # nothing tells that it was to be Thrift
    assert read_packets(stage.packets, ports=[port]).diagnosis.is_trouble


def test_a_server_that_went(stage: Stage) -> None:
    """Its port answered calls before: that it should again is no guess."""
    port = stage.serve(thriftpy2_server(Dispatcher()))
    assert attempt(stage, port, ping()) == "pong"
    stage.stop_listening()
    with pytest.raises(ConnectionRefusedError):
        stage.connect(port)
    verdict = only(stage.capture.diagnosis, Kind.REFUSED)
    assert verdict.severity is Severity.ERROR


def test_nobody_answers(stage: Stage) -> None:
    """A server that does not accept: its backlog is full, and the kernel drops the SYN."""
    listener = stage.listen(0)
    port = listener.getsockname()[1]
    stage.sockets.append(listener)
    stage.connect(port)
    with pytest.raises(TimeoutError):
        stage.connect(port, PATIENCE)
    kinds = {one.kind for one in stage.capture.diagnosis.verdicts}
    assert Kind.NO_ANSWER in kinds


# ── The capture ──────────────────────────────────────────────────────────────────────


def test_packets_that_were_lost(stage: Stage) -> None:
    port = stage.serve(thriftpy2_server(Dispatcher()))

    def thrice(sock: socket.socket) -> Any:
        client = thriftpy2_client(sock)
        return [client.ping() for _ in range(3)]

    attempt(stage, port, thrice)
    packets = stage.packets
    replies = [
        step.packet.number
        for step in read_packets(packets).steps
        if step.packet is not None and step.messages and not step.from_client
    ]
    some = [one for one in packets if one.number != replies[1]]
    diagnosis = read_packets(some).diagnosis
    verdict = only(diagnosis, Kind.LOST_PACKETS)
    assert "lost 28 bytes" in verdict.sentence
    assert not diagnosis.is_trouble


def test_a_capture_that_began_too_late(stage: Stage) -> None:
    port = stage.serve(thriftpy2_server(Dispatcher()))
    sock = stage.connect(port)
    client = thriftpy2_client(sock)
    client.ping()
    stage.record(port)
    client.ping()
    stage.close(sock)
    stage.end()
    diagnosis = read_packets(stage.sniffers[1].packets).diagnosis
    only(diagnosis, Kind.BEGAN_LATE)
    assert diagnosis.calls == 1


def test_bytes_that_are_nothing(stage: Stage) -> None:
    port = stage.serve(thriftpy2_server(Dispatcher()))
    assert attempt(stage, port, ping()) == "pong"
    attempt(stage, port, sends(b"\x99\x98\x97\x96\x95\x94\x93\x92\x91\x90"))
    verdict = only(stage.capture.diagnosis, Kind.NOT_RECOGNISED)
    assert any("99 98 97 96" in one for one in verdict.evidence)


# ── Nothing is wrong ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("transport", [None, FRAMED], ids=["unframed", "framed"])
def test_all_is_well(stage: Stage, transport: Any) -> None:
    more = {} if transport is None else {"transport": transport}
    port = stage.serve(thriftpy2_server(Dispatcher(), **more))
    for _ in range(3):
        assert attempt(stage, port, ping(transport=transport)) == "pong"
    stage.close(stage.connect(port))  # a health check
    diagnosis = stage.capture.diagnosis
    assert [one.kind for one in diagnosis.verdicts] == [Kind.ALL_WELL, Kind.ALL_WELL]
    assert not diagnosis.is_trouble
    dialect = "framed" if transport is not None else "unframed"
    assert f"3 calls in {dialect} binary, 3 answered" in diagnosis.verdicts[0].sentence
    assert diagnosis.groups[0].connections == 3
