"""One conversation in every dialect, written by other libraries; and README's tables of them.

    SAID ─▶ a protocol's writer ─▶ messages ─▶ a transport's writer ─▶ pieces ─▶ packets
                                                                                    │
    check: the same was heard, with a name and a place for every byte  ◀── read_packets

A Row is one way to have the conversation: a protocol, a carrier, and the library that wrote
the messages.  ROWS has all that a library writes; LEFT_OUT says why the others are not there.
What no library on this machine writes (TTHeader, a SASL server, chunks in an answer) is
written here by hand, around messages that are not.

    python tests/kit/dialects.py        prints the tables of README.md's "What it reads"

A "yes" in them stands where ``check`` held just now.  PEERS is what ../shared/peers.md found
out about other programs, from their sources and by running them.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import gzip
import http.client
import io
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple
from unittest import mock

import thriftpy2
import thriftpy2.protocol as theirs
from everything import by_name
from making import CLIENT, SERVER, Talk, ethernet, framed, ipv4, packet, udp
from surrounding import SECRET, chunked, step, ttheader_frame
from thrift.protocol.TBinaryProtocol import TBinaryProtocol as TApacheBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.protocol.TJSONProtocol import TJSONProtocol
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.server.THttpServer import THttpServer
from thrift.transport.THeaderTransport import THeaderTransformID, THeaderTransport
from thrift.transport.THttpClient import THttpClient
from thrift.transport.TTransport import TFramedTransport, TMemoryBuffer
from thrift.transport.TZlibTransport import TZlibTransport
from thriftpy2.contrib import tracking
from thriftpy2.http import THttpClient as TheirHttpClient
from thriftpy2.http import THttpServer as TheirHttpServer
from thriftpy2.protocol.binary import TBinaryProtocol
from thriftpy2.thrift import TApplicationException, TType
from thriftpy2.transport import TMemoryBuffer as TheirMemoryBuffer
from thriftpy2.transport.buffered import TBufferedTransport as TheirBufferedTransport
from thriftpy2.transport.framed import TFramedTransport as TheirFramedTransport
from thriftpy2.transport.sasl import TSaslClientTransport
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, Ping, Request
from wsproto.extensions import PerMessageDeflate

from pingpong import check_cover, explain, read_packets
from pingpong.capture import Capture
from pingpong.model import Message, MessageType, Packet
from pingpong.protocols.encodings import binary, compact
from pingpong.protocols.encodings import thrift_json as json
from pingpong.protocols.encodings import thriftpy2_json as thriftpy2json

# ── What is said ─────────────────────────────────────────────────────────────────────

IDL = """
struct Point { 1: i32 x, 2: i32 y }
struct Everything {
  1: bool yes, 2: bool no, 3: byte tiny, 4: i16 small, 5: i32 n, 6: i64 big, 7: double d,
  8: string text, 9: binary raw, 10: list<bool> flags, 11: set<string> tags,
  12: map<string, i64> counts, 13: list<Point> points, 14: map<i32, Point> places,
  15: list<i32> none, 40: Point last
}
exception Oops { 1: string why, 2: i32 code }
service Calc {
  i32 add(1: i32 a, 2: i32 b),
  Everything look(1: Everything x) throws (1: Oops e),
  void ping(),
  oneway void fire(1: string s)
}
"""

EVERYTHING = {
    1: True,
    2: False,
    3: -7,
    4: -300,
    5: 2**31 - 1,
    6: -(2**53) - 1,
    7: -2.5,
    8: '登录 "a" \\ \n',
    9: b"\xff\x00\x01\xfe",
    10: [True, False, True],
    11: ["a", "b"],
    12: [("one", 1), ("minus", -1)],
    13: [{1: 1, 2: -1}, {1: 64, 2: -65}],
    14: [(-5, {1: 0, 2: 300})],
    15: [],
    40: {1: 5, 2: 6},
}


FROM_CLIENT = ("CALL", "ONEWAY")


class Said(NamedTuple):
    """One message: ``spec`` is the struct of the IDL that its values are of."""

    type: str
    method: str
    seqid: int
    spec: str
    values: dict[int, Any]

    @property
    def by_client(self) -> bool:
        return self.type in FROM_CLIENT


SAID = (
    Said("CALL", "add", 1, "add_args", {1: 2, 2: 40}),
    Said("REPLY", "add", 1, "add_result", {0: 42}),
    Said("CALL", "look", 2, "look_args", {1: EVERYTHING}),
    Said("REPLY", "look", 2, "look_result", {0: EVERYTHING}),
    Said("CALL", "look", 300, "look_args", {1: {5: 1}}),
    Said("REPLY", "look", 300, "look_result", {1: {1: "nope", 2: 7}}),
    Said("CALL", "ping", 2**31 - 1, "ping_args", {}),
    Said("REPLY", "ping", 2**31 - 1, "ping_result", {}),
    Said("CALL", "nope", 5, "add_args", {1: 2, 2: 40}),
    Said("EXCEPTION", "nope", 5, "", {1: "Unknown method nope", 2: 1}),
    Said("ONEWAY", "fire", 6, "fire_args", {1: "boom"}),
)

OUTCOMES = [
    "SUCCESS",
    "SUCCESS",
    "DECLARED_EXCEPTION",
    "SUCCESS",
    "APPLICATION_EXCEPTION",
    "ONEWAY",
]

SERVICE = "Calc"


@functools.cache
def idl() -> Any:
    return thriftpy2.load_fp(io.StringIO(IDL), module_name="dialects_thrift")


def struct_of(spec: str) -> Any:
    """thriftpy2's class of a struct of SAID."""
    return getattr(idl().Calc, spec) if spec else TApplicationException


def _inner(spec: Any) -> tuple[int, Any]:
    """The type of an element, and what thriftpy2 holds about it."""
    return spec if isinstance(spec, tuple) else (spec, None)


# ── The writers of protocols ─────────────────────────────────────────────────────────

APACHE = "Apache's thrift"
THRIFTPY2 = "thriftpy2"


def _fields(made: Any, values: dict[int, Any]) -> Iterator[tuple[int, str, int, Any, Any]]:
    """Of each field: its id and name, its type, what thriftpy2 holds about it, its value."""
    for field_id, value in values.items():
        ttype, name, *rest = made.thrift_spec[field_id]
        yield field_id, name, ttype, rest[0] if len(rest) > 1 else None, value


def _thriftpy2_value(ttype: int, spec: Any, value: Any) -> Any:
    """A value of SAID as thriftpy2 holds it."""
    if ttype == TType.STRUCT:
        return _thriftpy2_struct(spec, value)
    if ttype in (TType.LIST, TType.SET):
        return [_thriftpy2_value(*_inner(spec), one) for one in value]
    if ttype == TType.MAP:
        key, item = _inner(spec[0]), _inner(spec[1])
        return {_thriftpy2_value(*key, k): _thriftpy2_value(*item, v) for k, v in value}
    return value


def _thriftpy2_struct(made: Any, values: dict[int, Any]) -> Any:
    """A struct of SAID as thriftpy2 holds it."""
    return made(**{name: _thriftpy2_value(*typed) for _, name, *typed in _fields(made, values)})


def _by_thriftpy2(protocol: str, said: Said, service: str) -> bytes:
    buffer = TheirMemoryBuffer()
    protocols: dict[str, Any] = {
        "binary": theirs.TBinaryProtocol,
        "binary-old": functools.partial(theirs.TBinaryProtocol, strict_write=False),
        "compact": theirs.TCompactProtocol,
        "json": theirs.TApacheJSONProtocol,
        "thriftpy2-json": theirs.TJSONProtocol,
    }
    made = protocols[protocol](buffer)
    if service:
        made = theirs.TMultiplexedProtocol(made, service)
    made.write_message_begin(said.method, MessageType[said.type].value, said.seqid)
    made.write_struct(_thriftpy2_struct(struct_of(said.spec), said.values))
    made.write_message_end()
    return bytes(buffer.getvalue())


_APACHE_NAMES = {
    TType.BOOL: "Bool",
    TType.BYTE: "Byte",
    TType.I16: "I16",
    TType.I32: "I32",
    TType.I64: "I64",
    TType.DOUBLE: "Double",
    TType.STRING: "String",
    TType.BINARY: "Binary",
}


def _wire_type(ttype: int) -> int:
    """thriftpy2 has a number of its own for binary."""
    return TType.STRING if ttype == TType.BINARY else ttype


def _apache_value(out: Any, ttype: int, spec: Any, value: Any) -> None:
    """The calls that Apache's generated code makes for a value."""
    if ttype == TType.STRUCT:
        _apache_struct(out, spec, value)
    elif ttype in (TType.LIST, TType.SET):
        element = _inner(spec)
        name = "List" if ttype == TType.LIST else "Set"
        getattr(out, f"write{name}Begin")(_wire_type(element[0]), len(value))
        for one in value:
            _apache_value(out, *element, one)
        getattr(out, f"write{name}End")()
    elif ttype == TType.MAP:
        key, item = _inner(spec[0]), _inner(spec[1])
        out.writeMapBegin(_wire_type(key[0]), _wire_type(item[0]), len(value))
        for one, other in value:
            _apache_value(out, *key, one)
            _apache_value(out, *item, other)
        out.writeMapEnd()
    else:
        getattr(out, f"write{_APACHE_NAMES[ttype]}")(value)


def _apache_struct(out: Any, made: Any, values: dict[int, Any]) -> None:
    out.writeStructBegin(made.__name__)
    for field_id, name, ttype, spec, value in _fields(made, values):
        out.writeFieldBegin(name, _wire_type(ttype), field_id)
        _apache_value(out, ttype, spec, value)
        out.writeFieldEnd()
    out.writeFieldStop()
    out.writeStructEnd()


def _by_apache(protocol: str, said: Said, service: str) -> bytes:
    buffer = TMemoryBuffer()
    old = functools.partial(TApacheBinaryProtocol, strictWrite=False)
    made: Any = {
        "binary": TApacheBinaryProtocol,
        "binary-old": old,
        "compact": TCompactProtocol,
        "json": TJSONProtocol,
    }[protocol](buffer)
    if service:
        made = TMultiplexedProtocol(made, service)
    made.writeMessageBegin(said.method, MessageType[said.type].value, said.seqid)
    _apache_struct(made, struct_of(said.spec), said.values)
    made.writeMessageEnd()
    return bytes(buffer.getvalue())


# By protocol: who writes it.  thriftpy2's JSON is nobody else's.
WRITERS: dict[str, dict[str, Callable[[str, Said, str], bytes]]] = {
    "binary": {APACHE: _by_apache, THRIFTPY2: _by_thriftpy2},
    "binary-old": {APACHE: _by_apache, THRIFTPY2: _by_thriftpy2},
    "compact": {APACHE: _by_apache, THRIFTPY2: _by_thriftpy2},
    "json": {APACHE: _by_apache, THRIFTPY2: _by_thriftpy2},
    "thriftpy2-json": {THRIFTPY2: _by_thriftpy2},
}

# ── What was written, as a reader has to give it ─────────────────────────────────────


def _as_read(protocol: str, ttype: int, spec: Any, value: Any) -> Any:
    """What reading that value has to give: JSON has binary in base64, thriftpy2's JSON has
    names for ids, and objects with a key and a value for a map."""
    named = protocol == "thriftpy2-json"
    if ttype == TType.STRUCT:
        return _struct_as_read(protocol, spec, value)
    if ttype in (TType.LIST, TType.SET):
        return [_as_read(protocol, *_inner(spec), one) for one in value]
    if ttype == TType.MAP:
        key, item = _inner(spec[0]), _inner(spec[1])
        pairs = [(_as_read(protocol, *key, k), _as_read(protocol, *item, v)) for k, v in value]
        return [{"key": k, "value": v} for k, v in pairs] if named else pairs
    if isinstance(value, bytes) and protocol in ("json", "thriftpy2-json"):
        return base64.b64encode(value).decode("ascii")
    return value


def _struct_as_read(protocol: str, made: Any, values: dict[int, Any]) -> dict[Any, Any]:
    named = protocol == "thriftpy2-json"
    return {
        name if named else field_id: _as_read(protocol, *typed)
        for field_id, name, *typed in _fields(made, values)
    }


# ── The writers of transports ────────────────────────────────────────────────────────


class Piece(NamedTuple):
    """Bytes that one end sends at once; ``is_message``: else they are the transport's own."""

    by_client: bool
    data: bytes
    is_message: bool = True


# The messages of a conversation, in order: by the client?, and the bytes.
Messages = list[tuple[bool, bytes]]
Carry = Callable[[Messages], list[Piece]]


def _each(wrap: Callable[[bytes], bytes]) -> Carry:
    """Each message by itself."""
    return lambda messages: [Piece(by_client, wrap(data)) for by_client, data in messages]


def _through(make: Callable[[Any], Any]) -> Carry:
    """Each message through a transport of Apache's, one for each end of the connection."""

    def carry(messages: Messages) -> list[Piece]:
        wires = {by_client: TMemoryBuffer() for by_client in (True, False)}
        ends = {by_client: make(wire) for by_client, wire in wires.items()}
        pieces = []
        for by_client, data in messages:
            before = len(wires[by_client].getvalue())
            ends[by_client].write(data)
            ends[by_client].flush()
            pieces.append(Piece(by_client, wires[by_client].getvalue()[before:]))
        return pieces

    return carry


def _in_frames(carry: Carry) -> Carry:
    """What a carrier sends at once in a frame."""
    return lambda messages: [one._replace(data=framed(one.data)) for one in carry(messages)]


def _framed_by_thriftpy2(data: bytes) -> bytes:
    wire = TheirMemoryBuffer()
    end = TheirFramedTransport(wire)
    end.write(data)
    end.flush()
    return bytes(wire.getvalue())


class _Header(THeaderTransport):  # type: ignore[misc]  # thrift has no types
    """Writes key/values into each head, and counts its frames."""

    def flush(self) -> None:
        self.sequence_id += 1
        self.set_header(b"trace-id", b"abc123")
        self.set_header("ключ".encode(), b"")
        super().flush()


def _theader(packed: bool) -> Carry:
    def carry(messages: Messages) -> list[Piece]:
        protocol_id = 2 if messages[0][1][:1] == b"\x82" else 0

        def make(wire: Any) -> Any:
            end = _Header(wire, allowed_client_types=[0], default_protocol=protocol_id)
            if packed:
                end.add_transform(THeaderTransformID.ZLIB)
            return end

        return _through(make)(messages)

    return carry


def _ttheader(inner: Callable[[bytes], bytes]) -> Carry:
    def wrap(data: bytes) -> bytes:
        protocol_id = "02" if data[:1] == b"\x82" else "00"
        values = "01 0001 0003 726970 0009 3132372e302e302e31 10 0001 0009 0003 616464"
        return ttheader_frame(f"{protocol_id} 00 {values}", inner(data))

    return _each(wrap)


# ── HTTP ─────────────────────────────────────────────────────────────────────────────


class _Socket:
    """A connection to nobody: keeps what is sent, and has ``answer`` ready."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def makefile(self, *_: Any, **__: Any) -> io.BytesIO:
        return io.BytesIO(self.answer)

    def close(self) -> None:
        pass


def _posted(client: Any, data: bytes, answer: bytes) -> bytes:
    """What a library's HTTP client sends."""
    socket = _Socket(answer)
    connect = mock.patch.object(
        http.client.HTTPConnection, "connect", lambda self: setattr(self, "sock", socket)
    )
    with connect:
        client.open()
        client.write(data)
        client.flush()
    return socket.sent


class _Kept:
    """In place of a listening HTTP server: keeps the handler of requests."""

    def __init__(self, address: Any, handler: Any) -> None:
        self.handler = handler


class _AsIs:
    """In place of factories: what comes in is what comes out."""

    def __getattr__(self, name: str) -> Any:
        return lambda transport: transport


class _Answers:
    """In place of a processor: writes an answer that is there already."""

    def __init__(self, data: bytes, is_oneway: bool) -> None:
        self._data = data
        self._is_oneway = is_oneway
        self._begin: Any = None

    def on_message_begin(self, function: Any) -> None:
        self._begin = function

    def process(self, _: Any, out: Any) -> None:
        if self._is_oneway and self._begin is not None:
            self._begin("", MessageType.ONEWAY.value, 0)
        out.write(self._data)


def _answered(handler: Any, request: bytes) -> bytes:
    """What a library's HTTP server answers."""
    socket = _Socket(request)
    date = "Mon, 23 Nov 2026 09:14:29 GMT"
    with (
        mock.patch.object(handler, "log_message"),
        mock.patch.object(handler, "date_time_string", return_value=date),
    ):
        handler(socket, (CLIENT, 50001), None)
    return socket.sent


def _in_turns(messages: Messages) -> Iterator[tuple[bytes, bytes | None]]:
    """Each call with its reply; None for a oneway."""
    replies = iter([data for by_client, data in messages if not by_client])
    for by_client, data in messages:
        if by_client:
            yield data, next(replies, None)


def _http(messages: Messages) -> list[Piece]:
    """Apache's client and server: the answer has a length, but for a oneway's."""
    pieces = []
    for call, reply in _in_turns(messages):
        processor: Any = _Answers(reply or b"", reply is None)
        server = THttpServer(processor, ("", 0), _AsIs(), server_class=_Kept)
        request = b"POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n"
        answer = _answered(server.httpd.handler, request)
        with mock.patch("urllib.request.getproxies", dict):
            client = THttpClient("http://calc.example:9090/calc")
        pieces.append(Piece(True, _posted(client, call, answer)))
        pieces.append(Piece(False, answer, reply is not None))
    return pieces


def _http_to_the_end(messages: Messages) -> list[Piece]:
    """thriftpy2's client and server: the answer ends with the connection."""
    pieces = []
    for call, reply in _in_turns(messages):
        processor: Any = _Answers(reply or b"", False)
        factory: Any = _AsIs()
        kept: Any = _Kept
        server: Any = TheirHttpServer(processor, ("", 0), factory, factory, kept)
        request = b"POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n"
        answer = _answered(server.httpd.handler, request)
        client = TheirHttpClient("http://calc.example:9090/calc")
        pieces.append(Piece(True, _posted(client, call, answer)))
        pieces.append(Piece(False, answer, reply is not None))
    return pieces


def _http_chunked(messages: Messages) -> list[Piece]:
    """The standard library's client sends chunks, and so does the answer, by hand."""
    pieces = []
    for call, reply in _in_turns(messages):
        socket = _Socket(b"")
        client = http.client.HTTPConnection("calc.example", 9090)
        client.sock = socket
        heads = {"Content-Type": "application/x-thrift", "Transfer-Encoding": "chunked"}
        client.request("POST", "/calc", _parts(call), heads, encode_chunked=True)
        pieces.append(Piece(True, socket.sent))
        answer = chunked(*_parts(reply or b""))
        pieces.append(Piece(False, answer, reply is not None))
    return pieces


def _http_packed(messages: Messages) -> list[Piece]:
    """Bodies that are packed: the calls' with deflate, the answers' with gzip, in chunks."""
    pieces = []
    for call, reply in _in_turns(messages):
        body = zlib.compress(call)
        head = "POST /calc HTTP/1.1\r\nContent-Type: application/x-thrift\r\n"
        head += f"Content-Encoding: deflate\r\nContent-Length: {len(body)}\r\n\r\n"
        pieces.append(Piece(True, head.encode() + body))
        packed = gzip.compress(reply, mtime=0) if reply else b""
        answer = chunked(*_parts(packed))
        if packed:
            answer = answer.replace(b"\r\n", b"\r\nContent-Encoding: gzip\r\n", 1)
        pieces.append(Piece(False, answer, reply is not None))
    return pieces


def _parts(data: bytes) -> Iterator[bytes]:
    """Parts of 1, 2, 3 … bytes."""
    at = 0
    for size in itertools.count(1):
        if at >= len(data):
            return
        yield data[at : at + size]
        at += size


# ── WebSocket ────────────────────────────────────────────────────────────────────────


def _websocket(packed: bool = False, in_pieces: bool = False) -> Carry:
    """By wsproto; in pieces: some fragments, with pings between them."""

    def carry(messages: Messages) -> list[Piece]:
        ours: list[Any] = [PerMessageDeflate()] if packed else []
        theirs: list[Any] = [PerMessageDeflate()] if packed else []
        ends = {
            True: WSConnection(ConnectionType.CLIENT),
            False: WSConnection(ConnectionType.SERVER),
        }
        with mock.patch("wsproto.handshake.generate_nonce", return_value=b"x" * 16):
            asked = ends[True].send(Request(host="calc", target="/calc", extensions=ours))
        ends[False].receive_data(asked)
        list(ends[False].events())
        answer = ends[False].send(AcceptConnection(extensions=theirs))
        ends[True].receive_data(answer)
        list(ends[True].events())
        pieces = [Piece(True, asked, False), Piece(False, answer, False)]
        for by_client, data in messages:
            end = ends[by_client]
            with mock.patch("os.urandom", lambda size: b"\x37\xfa\x21\x3d"[:size]):
                if not in_pieces:
                    pieces.append(Piece(by_client, end.send(BytesMessage(data=data))))
                    continue
                half = len(data) // 2
                sent = end.send(BytesMessage(data=data[:half], message_finished=False))
                sent += end.send(Ping(payload=b"hello"))
                sent += end.send(BytesMessage(data=data[half:]))
                pieces.append(Piece(by_client, sent))
                pieces.append(Piece(by_client, end.send(Ping()), False))
        return pieces

    return carry


# ── SASL ─────────────────────────────────────────────────────────────────────────────


class _Mechanism:
    """Stands in for a SASL library's client: it neither signs nor hides."""

    def start(self, mechanism: str) -> tuple[bool, bytes, bytes]:
        return True, mechanism.encode(), SECRET

    def step(self, challenge: bytes) -> tuple[bool, bytes]:
        return True, b"response=" + challenge

    def encode(self, data: bytes) -> tuple[bool, bytes]:
        return True, data


class _Wire:
    """Under a transport of thriftpy2's: keeps what is sent, and has answers ready."""

    def __init__(self, answers: bytes) -> None:
        self._answers = io.BytesIO(answers)
        self.sent: list[bytes] = []

    def is_open(self) -> bool:
        return True

    def read(self, size: int) -> bytes:
        return self._answers.read(size)

    def write(self, data: bytes) -> None:
        self.sent.append(bytes(data))

    def flush(self) -> None:
        pass


def _sasl(mechanism: str, *challenges: bytes) -> Carry:
    """thriftpy2's client; the server by hand."""

    def carry(messages: Messages) -> list[Piece]:
        answers = [*(step(2, one) for one in challenges), step(5)]
        wire = _Wire(b"".join(answers))
        client = TSaslClientTransport(_Mechanism, mechanism, wire)
        client.open()
        start, response, *responses = wire.sent
        pieces = [Piece(True, start, False), Piece(True, response, False)]
        for answer, more in itertools.zip_longest(answers, responses):
            pieces.append(Piece(False, answer, False))
            if more is not None:
                pieces.append(Piece(True, more, False))
        for by_client, data in messages:
            wire.sent.clear()
            if by_client:
                client.write(data)
                client.flush()
            pieces.append(Piece(by_client, b"".join(wire.sent) or framed(data)))
        return pieces

    return carry


# ── Rows ─────────────────────────────────────────────────────────────────────────────


class Carrier(NamedTuple):
    """A way to carry messages.  ``transport`` is what we call it, ``column`` README's name.
    ``apart``: each call with its reply on a connection of its own."""

    transport: str
    column: str
    carry: Carry
    apart: bool = False


DATAGRAM = "datagram"

CARRIERS: dict[str, Carrier] = {
    "unframed": Carrier("unframed", "unframed", _each(bytes)),
    "framed, by Apache": Carrier("framed", "framed", _through(TFramedTransport)),
    "framed, by thriftpy2": Carrier("framed", "framed", _each(_framed_by_thriftpy2)),
    "THeader": Carrier("theader", "THeader", _theader(False)),
    "THeader, zlib": Carrier("theader", "THeader", _theader(True)),
    "THeader, in frames": Carrier("framed-theader", "THeader", _in_frames(_theader(False))),
    "TTHeader": Carrier("ttheader", "TTHeader", _ttheader(bytes)),
    "TTHeader, framed": Carrier("ttheader", "TTHeader", _ttheader(framed)),
    "HTTP, a length": Carrier("http", "HTTP", _http),
    "HTTP, chunks": Carrier("http", "HTTP", _http_chunked),
    "HTTP, packed": Carrier("http", "HTTP", _http_packed),
    "HTTP, to the end": Carrier("http", "HTTP", _http_to_the_end, apart=True),
    "zlib, one stream": Carrier("zlib", "zlib", _through(TZlibTransport)),
    "zlib, a stream a message": Carrier("zlib", "zlib", _each(zlib.compress)),
    "zlib, framed inside": Carrier("zlib", "zlib", lambda m: _through(TZlibTransport)(_framed(m))),
    "zlib, in frames": Carrier("framed-zlib", "zlib", _in_frames(_through(TZlibTransport))),
    "zlib, a stream a frame": Carrier("framed-zlib", "zlib", _in_frames(_each(zlib.compress))),
    "WebSocket": Carrier("websocket", "WebSocket", _websocket()),
    "WebSocket, framed": Carrier("websocket", "WebSocket", lambda m: _websocket()(_framed(m))),
    "WebSocket, packed": Carrier("websocket", "WebSocket", _websocket(packed=True)),
    "WebSocket, in pieces": Carrier("websocket", "WebSocket", _websocket(in_pieces=True)),
    "SASL": Carrier("sasl", "SASL", _sasl("PLAIN")),
    "SASL, a challenge": Carrier("sasl", "SASL", _sasl("DIGEST-MD5", b"nonce", b"")),
    "UDP": Carrier(DATAGRAM, "UDP", _each(bytes)),
}


def _framed(messages: Messages) -> Messages:
    return [(by_client, framed(data)) for by_client, data in messages]


COLUMNS = tuple(dict.fromkeys(carrier.column for carrier in CARRIERS.values()))

# What nobody writes, and so is no row: protocol, column, why.
LEFT_OUT: dict[tuple[str, str], str] = {
    ("binary-old", "THeader"): "THeader's libraries write the strict header alone",
    ("json", "THeader"): "THeader has a number for JSON, and no library of Apache's writes it",
    ("thriftpy2-json", "THeader"): "thriftpy2 has no THeader",
    ("binary-old", "TTHeader"): "Kitex writes the strict header alone",
    ("json", "TTHeader"): "TTHeader has no number for Apache's JSON",
    ("thriftpy2-json", "TTHeader"): "thriftpy2 has no TTHeader",
    ("thriftpy2-json", "zlib"): "thriftpy2 has no zlib transport",
}


class Row(NamedTuple):
    """One way to have the conversation.  ``service``: multiplexed, under this name."""

    protocol: str
    carrier: str
    writer: str
    service: str = ""

    @property
    def column(self) -> str:
        return CARRIERS[self.carrier].column

    @property
    def transport(self) -> str:
        return CARRIERS[self.carrier].transport

    def __str__(self) -> str:
        name = f"{self.protocol}, {self.carrier}, by {self.writer}"
        return f"{name}, multiplexed" if self.service else name


def _rows() -> Iterator[Row]:
    for protocol, writers in WRITERS.items():
        for name, carrier in CARRIERS.items():
            if (protocol, carrier.column) not in LEFT_OUT:
                for writer in writers:
                    yield Row(protocol, name, writer)


ROWS = tuple(_rows())
# One writer of each is enough to see that the name goes through.
MULTIPLEXED = tuple(
    row._replace(service=SERVICE) for row in ROWS if row.writer == next(iter(WRITERS[row.protocol]))
)


@functools.cache
def conversation(row: Row) -> list[list[Piece]]:
    """The pieces of each connection that the conversation takes."""
    return carried(row, SAID)


def carried(row: Row, conversation: Iterable[Said]) -> list[list[Piece]]:
    """The same for what is said in any other."""
    write = WRITERS[row.protocol][row.writer]
    carrier = CARRIERS[row.carrier]
    messages = [(said.by_client, write(row.protocol, said, row.service)) for said in conversation]
    pieces = carrier.carry(messages)
    if not carrier.apart:
        return [pieces]
    return [pieces[at : at + 2] for at in range(0, len(pieces), 2)]


# ── Packets ──────────────────────────────────────────────────────────────────────────

# How the pieces are cut: each is a segment, or all that one end says is one; or bytes a segment.
WHOLE = 0
TOGETHER = -1

PORT = 9090


def packets(connections: list[list[Piece]], cut: int = WHOLE, port: int = PORT) -> list[Packet]:
    """The connections one after the other, each from its SYN to its end."""
    data: list[bytes] = []
    for number, pieces in enumerate(connections):
        talk = Talk(port=50001 + number, server_port=port).open()
        for by_client, payload in _cut(pieces, cut):
            talk.send(by_client, payload)
        data += [one.data for one in talk.close().packets]
    return [packet(number, one) for number, one in enumerate(data, 1)]


def _cut(pieces: list[Piece], cut: int) -> Iterator[tuple[bool, bytes]]:
    if cut == TOGETHER:
        for by_client in (True, False):
            yield by_client, b"".join(one.data for one in pieces if one.by_client == by_client)
        return
    for piece in pieces:
        for at in range(0, len(piece.data), cut or len(piece.data)):
            yield piece.by_client, piece.data[at : at + cut] if cut else piece.data


def datagrams(pieces: list[Piece], port: int = PORT) -> list[Packet]:
    """Each piece in a datagram of its own."""
    made = []
    for number, piece in enumerate(pieces, 1):
        ports = (50001, port) if piece.by_client else (port, 50001)
        ends = (CLIENT, SERVER) if piece.by_client else (SERVER, CLIENT)
        inner = ipv4(udp(*ports, piece.data), 17, *ends)
        made.append(packet(number, ethernet(inner)))
    return made


# ── What has to hold ─────────────────────────────────────────────────────────────────


def told(message: Message) -> tuple[str, str, int, Any]:
    """What a message says; fields by name where it has names."""
    named = message.protocol is thriftpy2json.THRIFTPY2_JSON
    values = by_name(message.body) if named else message.body.plain
    return message.type.name, message.method, message.seqid, values


def wanted(row: Row) -> list[tuple[str, str, int, Any]]:
    """What the messages of a row have to say."""
    return [
        (
            said.type,
            f"{row.service}:{said.method}" if row.service and said.by_client else said.method,
            said.seqid,
            _struct_as_read(row.protocol, struct_of(said.spec), said.values),
        )
        for said in SAID
    ]


def written_again(message: Message) -> bytes:
    """The message as the writer of its protocol in pingpong has it."""
    header, body = message.header, message.body
    name, method = message.protocol.name, header.method.encode()
    if name == "json":
        return json.write_message(header, body)
    if name == "thriftpy2-json":
        return thriftpy2json.write_message(header, body)
    if name == "compact":
        return compact.write_header(method, header.type, header.seqid) + compact.write_struct(body)
    write = binary.write_header if name == "binary" else binary.write_old_header
    return write(method, header.type, header.seqid) + binary.write_struct(body)


def check_message(message: Message) -> None:
    """A message that is whole: nothing odd, a note for each byte, none of them unread."""
    assert message.findings == (), message.findings
    notes = explain(message)
    check_cover(notes, len(message.data))
    kinds = {note.kind for note in notes}
    assert not kinds & {"unread", "lost"}, notes


def check_places(capture: Capture, connections: list[list[Piece]]) -> None:
    """Every byte of each direction belongs to a message, or is the transport's own."""
    for flow, pieces in zip(capture.flows, connections, strict=True):
        for by_client, total in ((True, flow.sent), (False, flow.received)):
            at = 0
            wanted_places = []
            for piece in pieces:
                if piece.by_client == by_client:
                    stop = at + len(piece.data)
                    if piece.is_message:
                        wanted_places.append((at, stop))
                    at = stop
            places = [
                (one.offset, one.offset + one.size)
                for one in capture.messages
                if (one.flow, one.from_client) == (flow.number, by_client)
            ]
            assert (places, total) == (wanted_places, at), (flow, by_client)


def check(row: Row, cut: int = WHOLE, port: int = PORT) -> Capture:
    """What is read is what was written.  Returns what was read, for more."""
    connections = conversation(row)
    if row.transport == DATAGRAM:
        capture = read_packets(datagrams(connections[0], port))
    else:
        capture = read_packets(packets(connections, cut, port))
    for by_client in (True, False):
        got = [told(one) for one in capture.messages if one.from_client == by_client]
        assert got == [one for one in wanted(row) if (one[0] in FROM_CLIENT) == by_client], row
    for message in capture.messages:
        assert (message.protocol.name, message.transport) == (row.protocol, row.transport), row
        assert str(message.server) == f"{SERVER}:{port}", row
        check_message(message)
    assert [exchange.outcome.name for exchange in capture.exchanges] == OUTCOMES, row
    assert capture.findings == (), capture.findings
    for flow in capture.flows:
        seen = flow.detection
        assert seen is not None, row
        assert seen.transport == row.transport, seen
        assert seen.protocol is not None, seen
        assert seen.protocol.name == row.protocol, seen
    check_places(capture, connections)
    return capture


def late(row: Row) -> list[Packet]:
    """The conversation as a capture has it that began after the first call and its reply."""
    (pieces,) = conversation(row)
    begin = [at for at, piece in enumerate(pieces) if piece.is_message][2]
    talk = Talk()
    for by_client, payload in _cut(pieces[begin:], WHOLE):
        talk.send(by_client, payload)
    return talk.close().packets


def check_late(row: Row) -> None:
    """All but the first call and its reply is read.  Behind SASL's negotiation there are
    frames, and nothing says what stood before them."""
    capture = read_packets(late(row))
    transport = "framed" if row.transport == "sasl" else row.transport
    for by_client in (True, False):
        got = [told(one) for one in capture.messages if one.from_client == by_client]
        assert got == [one for one in wanted(row)[2:] if (one[0] in FROM_CLIENT) == by_client], row
    for message in capture.messages:
        assert (message.protocol.name, message.transport) == (row.protocol, transport), row
        check_message(message)
    assert [exchange.outcome.name for exchange in capture.exchanges] == OUTCOMES[1:], row
    assert capture.findings == (), capture.findings


def is_picked_up(row: Row) -> bool:
    """Can it be read from the middle on?  Each byte of a zlib stream leans on those before
    it, and where WebSocket's frames begin cannot be told; the old header is too weak a sign,
    unless HTTP says where to look."""
    if row.column in ("zlib", "WebSocket"):
        return False
    return row.protocol != "binary-old" or row.column == "HTTP"


# ── Tracing headers ──────────────────────────────────────────────────────────────────


class _Tracker(tracking.TrackerBase):
    """The same headers on every run."""

    def handle(self, header: Any) -> None:
        pass

    def gen_header(self, header: Any) -> None:
        header.request_id, header.seq, header.meta = "a-b-c", "1.1", {"user": "root"}

    def gen_response_header(self, header: Any) -> None:
        header.meta = {"host": "b"}


class _Calc:
    """A server of the IDL, as SAID has it."""

    def add(self, a: int, b: int) -> int:
        return a + b

    def look(self, x: Any) -> Any:
        if x.last is None:
            raise idl().Oops("nope", 7)
        return x

    def ping(self) -> None:
        pass

    def fire(self, s: str) -> None:
        pass


class _Loop:
    """A client's transport whose server is a processor in this process; ``pieces`` is what
    each end sent."""

    def __init__(self, processor: Any, protocol_of: Callable[[Any], Any]) -> None:
        self.pieces: list[Piece] = []
        self._processor = processor
        self._protocol_of = protocol_of
        self._sent = b""
        self._answer = io.BytesIO()

    def write(self, data: bytes) -> None:
        self._sent += data

    def flush(self) -> None:
        sent, self._sent = self._sent, b""
        self.pieces.append(Piece(True, sent))
        wire = TheirMemoryBuffer()
        source = self._protocol_of(TheirMemoryBuffer(sent))
        self._processor.process(source, self._protocol_of(wire))
        answer = bytes(wire.getvalue())
        if answer:
            self.pieces.append(Piece(False, answer))
            self._answer = io.BytesIO(answer)

    def read(self, size: int) -> bytes:
        return self._answer.read(size)

    def is_open(self) -> bool:
        return True


# In what thriftpy2.contrib.tracking can stand, and of that what is read.  THeader, TTHeader,
# zlib and UDP are not thriftpy2's.
TRACED: dict[str, Any] = {"unframed": TheirBufferedTransport, "framed": TheirFramedTransport}
NOT_TRACED = ("HTTP", "SASL")

TRACED_CALLS = (
    Said("CALL", "__thriftpy_tracing_method_name__v2", 0, "", {2: 2}),
    Said("REPLY", "__thriftpy_tracing_method_name__v2", 0, "", {1: 2}),
    *(said._replace(seqid=0) for said in SAID if said.method != "nope"),
)


def tracked(column: str, protocol: Any = TBinaryProtocol) -> list[Piece]:
    """The conversation between a client and a server of thriftpy2.contrib.tracking."""
    service, wrap = idl().Calc, TRACED[column]

    def protocol_of(wire: Any) -> Any:
        return protocol(wrap(wire))

    tracker: Any = _Tracker
    loop = _Loop(tracking.TTrackedProcessor(tracker(), service, _Calc()), protocol_of)
    client = tracking.TTrackedClient(tracker(), service, protocol_of(loop))
    for said in TRACED_CALLS[2:]:
        if said.by_client:
            arguments = _thriftpy2_struct(struct_of(said.spec), said.values)
            with contextlib.suppress(idl().Oops):
                getattr(client, said.method)(**vars(arguments))
    return loop.pieces


def check_tracked(column: str, cut: int = WHOLE) -> None:
    """Each message is read, and the struct before it is explained."""
    pieces = tracked(column)
    capture = read_packets(packets([pieces], cut))
    for by_client in (True, False):
        got = [told(one) for one in capture.messages if one.from_client == by_client]
        assert got == [
            (said.type, said.method, said.seqid, said.values)
            for said in TRACED_CALLS
            if said.by_client == by_client
        ]
    for message in capture.messages:
        assert (message.protocol.name, message.transport) == ("binary", column)
        check_message(message)
        labels = [note.label for note in explain(message)]
        has_header = any(label.startswith("tracing header") for label in labels)
        assert has_header == ("tracing" not in message.method), message.method
    assert capture.findings == (), capture.findings
    check_places(capture, [pieces])


# ── README's tables ──────────────────────────────────────────────────────────────────

NAMES = {
    "binary": "binary, strict",
    "binary-old": "binary, old",
    "compact": "compact",
    "json": "JSON, Apache's",
    "thriftpy2-json": "JSON, thriftpy2's",
}

# ../shared/peers.md: read from their sources, and run side by side where they run.
PEERS = ("Wireshark/tshark 4.0–4.4", "packetbeat", "thrift-tools")
PEERS_READ: dict[str, tuple[str, str, str]] = {
    "binary, strict, framed and unframed": ("yes", "yes", "yes"),
    "binary, old": ("wrong: message types; framed is shown as SMPP", "yes", "partly"),
    "compact": ("wrong: seqids; bool fields shift later ids", "no", "yes"),
    "JSON, Apache's": ("no", "no", "yes"),
    "JSON, thriftpy2's": ("no", "no", "no"),
    "THeader, zlib, SASL": ("no; resumes behind SASL", "no", "no"),
    "HTTP": ("binary only", "no", "no"),
    "UDP": ("yes", "no", "no"),
    "multiplexed": ("partly: the raw name", "wrong: replies dropped", "wrong: never pairs"),
    "Finagle's headers": ("no", "no", "yes"),
}


def _holds(check_it: Callable[[], object]) -> bool:
    try:
        check_it()
    except Exception:
        return False
    return True


def _cell(rows: list[Row]) -> str:
    """What README says of these."""
    if not rows:
        return "–"
    return "yes" if all(_holds(functools.partial(check, row)) for row in rows) else "no"


def _multiplexed_cell(column: str) -> str:
    return _cell([row for row in MULTIPLEXED if row.column == column])


def _traced_cell(column: str) -> str:
    if column in TRACED:
        return "yes" if _holds(functools.partial(check_tracked, column)) else "no"
    return "no" if column in NOT_TRACED else "–"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(
        "|" + "|".join("---" if cell == "---" else f" {cell} " for cell in line) + "|\n"
        for line in lines
    )


def table() -> str:
    """What is read: protocol by transport."""
    rows = [
        (
            name,
            *(
                _cell([row for row in ROWS if (row.protocol, row.column) == (protocol, column)])
                for column in COLUMNS
            ),
        )
        for protocol, name in NAMES.items()
    ]
    for name, cell in (
        ("any of them, multiplexed", _multiplexed_cell),
        ("binary, strict, with tracing headers", _traced_cell),
    ):
        rows.append((name, *map(cell, COLUMNS)))
    return _table(("protocol", *COLUMNS), rows)


def peers_table() -> str:
    """What others read."""
    return _table(("", *PEERS), [(name, *cells) for name, cells in PEERS_READ.items()])


if __name__ == "__main__":
    print(table())
    print(peers_table(), end="")
