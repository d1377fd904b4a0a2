"""A number out of a log → what sent it, what read it as what, and what to change.

    -2147418111  ─▶  80 01 00 01  ─▶  the first bytes of a strict binary CALL, which a framed
    1195725856   ─▶  47 45 54 20  ─▶  "GET ": an HTTP client          reader took for a length

A reader that is not addressed as it expects takes the first bytes it gets for something else: a
length, a version, a status.  It complains about a mysterious number, and the number is just those
bytes.  So a number is turned into bytes again and compared with a table of what messages, records
and greetings begin with: the first bytes, each given as one value, a range ("00-04") or anything
("..").  No number is listed for its own sake, except a few limits that programs print beside it.

How sure a row can be is in the row: four fixed bytes cannot be chance, two can.  Where no row
matches, the verdict says what the number cannot be, and nothing else.

``Role`` is what the reader took the bytes for, if the log says so (``hints.complaints``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final, NamedTuple

from ..model import DEFAULT_LIMITS, Shown
from ..protocols.families.thrift.theader import MAX_FRAME
from ..protocols.family import MAX_NAME

__all__ = [
    "Certainty",
    "Family",
    "NumberVerdict",
    "Reading",
    "Role",
    "explain_bytes",
    "explain_number",
    "in_mib",
    "read_by",
]


class Certainty(IntEnum):
    """How sure a Reading is; higher is surer."""

    POSSIBLE = 0  # one explanation among others
    LIKELY = 1  # bytes that begin like this are seldom anything else
    CERTAIN = 2  # too many bytes agree for it to be chance


class Role(IntEnum):
    """What the reader took the bytes for."""

    UNKNOWN = 0
    FRAME = 1  # the length of a frame
    LENGTH = 2  # the length of a string: of a method's name, in an old header
    VERSION = 3  # the first four bytes of a strict header
    PROTOCOL_ID = 4  # compact's first byte
    STATUS = 5  # the first byte of a SASL negotiation
    LIMIT = 6  # nothing: the log says that it is the reader's limit
    FOREIGN = 7  # something of its own: the reader is not a Thrift program
    HTTP2 = 8  # the length of an HTTP/2 frame, 3 bytes
    MAGIC = 9  # the magic at the start of a message of Motan (2 bytes) or rpcx (1 byte)
    BODY = 10  # the length in the header of a message of Dubbo, Motan or rpcx


class Family(IntEnum):
    """What the sender speaks; together with the reader's Role, it says what to change."""

    BINARY = 0  # unframed
    COMPACT = 1  # unframed
    JSON = 2  # unframed
    FRAMED = 3
    HEADER = 4  # THeader, TTHeader
    ZLIB = 5
    HTTP = 6
    GRPC = 7
    TLS = 8
    SASL = 9
    REFUSAL = 10  # a SASL status that the reader understood
    PROXY = 11
    FOREIGN = 12  # nothing that speaks Thrift


@dataclass(frozen=True, slots=True)
class Reading:
    """One explanation of a number.

    ``what`` says what the bytes are, ``sender`` who sent them, ``reader`` who took them for what,
    and ``remedy`` what to change; "" if there is nothing to say.  ``source`` says where it is
    written down that such bytes begin like this.  ``family`` is what the sender speaks; None if
    the number is not the first bytes of anything.  ``text`` is what the bytes say in words, if
    there are enough of them: a status line, a greeting, the text of an error; otherwise "".
    """

    what: str
    sender: str
    reader: str
    remedy: str
    certainty: Certainty
    source: str
    family: Family | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class NumberVerdict(Shown):
    """What a number means.

    ``data`` is the number as 1, 3, 4 or 8 bytes, big-endian, and b"" if it needs more than 8.  From
    ``explain_bytes`` it is up to 8 bytes, and the number is the first 4 of them.  ``readings`` are
    the explanations, the best one first; there are none if nothing known here begins with those
    bytes.  ``remarks`` are sentences about the number itself.
    """

    number: int
    data: bytes
    role: Role
    readings: tuple[Reading, ...]
    remarks: tuple[str, ...] = ()

    @property
    def text(self) -> str | None:
        """The bytes as ASCII text; None if one is neither printable nor white space."""
        if self.data and all(byte in _CHARACTERS for byte in self.data):
            return self.data.decode("ascii")
        return None


_CHARACTERS: Final = frozenset([*range(0x20, 0x7F), *b"\t\n\r"])


# ── What there is to recognise ───────────────────────────────────────────────────────


class _Side(IntEnum):
    """Who sends such bytes."""

    EITHER = 0
    CLIENT = 1
    SERVER = 2


class _Sender(NamedTuple):
    """Who sends such bytes: in words, on which side, and speaking what.

    ``remedy`` is what to change, if that does not follow from the kind.
    """

    words: str
    side: _Side
    kind: Family
    remedy: str = ""


class _Rule(NamedTuple):
    """A row: bytes that match ``pattern`` are ``what``, and ``sender`` sends them."""

    pattern: tuple[tuple[int, int], ...]  # the lowest and highest value of each byte
    what: str
    sender: _Sender
    certainty: Certainty
    source: str


def _rule(pattern: str, what: str, sender: _Sender, certainty: Certainty, source: str) -> _Rule:
    """A row from a pattern such as ``16 03 00-04 ..``, or from text in quotes."""
    if pattern.startswith('"'):
        pattern = pattern[1:-1].encode("ascii").hex(" ")
    ranges = []
    for byte in pattern.split():
        low, _, high = ("00", "", "ff") if byte == ".." else byte.partition("-")
        ranges.append((int(low, 16), int(high or low, 16)))
    return _Rule(tuple(ranges), what, sender, certainty, source)


_POSSIBLE: Final = Certainty.POSSIBLE
_LIKELY: Final = Certainty.LIKELY
_CERTAIN: Final = Certainty.CERTAIN

_EITHER: Final = _Side.EITHER
_CLIENT: Final = _Side.CLIENT
_SERVER: Final = _Side.SERVER


def _with(words: str, kind: Family, side: _Side = _EITHER) -> _Sender:
    """A Thrift program with a certain transport or protocol."""
    who = {_EITHER: "a client or a server", _CLIENT: "a client", _SERVER: "a server"}[side]
    return _Sender(f"{who} with {words}", side, kind)


def _other(
    words: str, side: _Side = _EITHER, kind: Family = Family.FOREIGN, remedy: str = ""
) -> _Sender:
    """Something else that connects, or that was connected to."""
    return _Sender(words, side, kind, remedy)


_UNFRAMED: Final = "an unframed (buffered) transport"
_BINARY_CLIENT: Final = _with(_UNFRAMED, Family.BINARY, _CLIENT)
_BINARY_SERVER: Final = _with(_UNFRAMED, Family.BINARY, _SERVER)
_BINARY_SIDE: Final = _with(_UNFRAMED, Family.BINARY)
_COMPACT: Final = f"the compact protocol in {_UNFRAMED}"
_COMPACT_CLIENT: Final = _with(_COMPACT, Family.COMPACT, _CLIENT)
_COMPACT_SERVER: Final = _with(_COMPACT, Family.COMPACT, _SERVER)
_COMPACT_SIDE: Final = _with(_COMPACT, Family.COMPACT)
_JSON_SIDE: Final = _with("the JSON protocol in an unframed transport", Family.JSON)
_FRAMED_SIDE: Final = _with("a framed transport", Family.FRAMED)
_HEADER_SIDE: Final = _with("a THeader transport", Family.HEADER)
_TTHEADER_SIDE: Final = _with("CloudWeGo's TTHeader (Kitex)", Family.HEADER)
_ZLIB_SIDE: Final = _with("a zlib transport (TZlibTransport)", Family.ZLIB)
_SASL_CLIENT: Final = _with("a SASL transport", Family.SASL, _CLIENT)
_SASL_SERVER: Final = _with("a SASL transport", Family.SASL, _SERVER)
_SASL_SIDE: Final = _with("a SASL transport", Family.SASL)
_REFUSING: Final = _with("a SASL transport", Family.REFUSAL)
_TLS_CLIENT: Final = _other("a client that speaks TLS", _CLIENT, Family.TLS)
_TLS_SERVER: Final = _other("a server that speaks TLS", _SERVER, Family.TLS)
_TLS_EITHER: Final = _other("a client or a server that speaks TLS", _EITHER, Family.TLS)
_TLS_SIDE: Final = _other("a client or a server that speaks TLS", _EITHER, Family.TLS)
_HTTP_CLIENT: Final = _other(
    "an HTTP client: a browser, a health check, a scraper, or Thrift over HTTP",
    _CLIENT,
    Family.HTTP,
)
_HTTP_SERVER: Final = _other(
    "an HTTP server: a web server, or a proxy before the server", _SERVER, Family.HTTP
)
_BALANCER: Final = _other(
    "a load balancer with the PROXY protocol switched on", _CLIENT, Family.PROXY
)
_CQL_CLIENT: Final = _other(
    "a Cassandra client that speaks CQL's native protocol (a DataStax driver, cqlsh)",
    _CLIENT,
    remedy="Give the client the port of the native protocol (native_transport_port, 9042), not "
    "that of Thrift (rpc_port, 9160); Cassandra 4 has no Thrift any more.",
)
_CQL_SERVER: Final = _other(
    "a Cassandra server that speaks CQL's native protocol",
    _SERVER,
    remedy="Give the Thrift client the port of Thrift (rpc_port, 9160; start_rpc: true), not that "
    "of the native protocol (9042). Cassandra 4 has no Thrift any more: use a CQL driver.",
)
_MUX: Final = "Use ThriftMux on both sides, or plain Thrift on both: in Finagle Thrift.client and "
_MUX_CLIENT: Final = _other(
    "a Finagle client with ThriftMux", _CLIENT, remedy=f"{_MUX}Thrift.server."
)
_MUX_SERVER: Final = _other(
    "a Finagle server with ThriftMux", _SERVER, remedy=f"{_MUX}Thrift.server."
)
_REDIS_SERVER: Final = _other("a Redis server", _SERVER)
_KAFKA: Final = _other("a Kafka client", _CLIENT)
# Protocols of other families: if one side reads them as something else, the two sides are of two
# families.
_DUBBO_REMEDY: Final = (
    "Dubbo's own protocol is understood by Dubbo alone. Check host and port, and the protocol that "
    "the Dubbo service is exported with (dubbo, tri, rest …)."
)
_MOTAN_REMEDY: Final = "Motan's own protocol is understood by Motan alone. Check host and port."
_RPCX_REMEDY: Final = "rpcx's own protocol is understood by rpcx alone. Check host and port."
_DUBBO: Final = _other("a Dubbo client or server", remedy=_DUBBO_REMEDY)
_DUBBO_CLIENT: Final = _other("a Dubbo client", _CLIENT, remedy=_DUBBO_REMEDY)
_DUBBO_SERVER: Final = _other("a Dubbo server", _SERVER, remedy=_DUBBO_REMEDY)
_MOTAN: Final = _other("a Motan client or server", remedy=_MOTAN_REMEDY)
_MOTAN_CLIENT: Final = _other("a Motan client", _CLIENT, remedy=_MOTAN_REMEDY)
_MOTAN_SERVER: Final = _other("a Motan server", _SERVER, remedy=_MOTAN_REMEDY)
_RPCX_CLIENT: Final = _other("an rpcx client", _CLIENT, remedy=_RPCX_REMEDY)
_RPCX_SERVER: Final = _other("an rpcx server", _SERVER, remedy=_RPCX_REMEDY)
_RPCX: Final = _other("an rpcx client or server", remedy=_RPCX_REMEDY)
_HTTP2_CLIENT: Final = _other("an HTTP/2 client, most likely of gRPC", _CLIENT, Family.GRPC)
_HTTP2_SERVER: Final = _other("an HTTP/2 server, most likely of gRPC", _SERVER, Family.GRPC)
_BEHIND: Final = _Sender(
    "a program with the strict binary protocol; the reader is not at the start of its message",
    _EITHER,
    Family.BINARY,
    "Give up a connection after an error on it. Look at the reader's message before this one: "
    "bytes of it were left unread, as after an enum or a field that it does not know "
    "(PROTOCOL_ERROR), or a reply that was not read to its end.",
)
_BEHIND_COMPACT: Final = _BEHIND._replace(
    words="a program with the compact protocol; the reader is not at the start of its message",
    kind=Family.COMPACT,
)
_POSTGRES: Final = _other("a PostgreSQL client", _CLIENT)
_MAIL: Final = _other("an SMTP or FTP server", _SERVER)

_MESSAGE: Final = "doc/specs/thrift-binary-protocol.md, Message"
_COMPACT_MESSAGE: Final = "doc/specs/thrift-compact-protocol.md, Message"
_FRAMES: Final = "doc/specs/thrift-rpc.md, Framed vs. unframed transport"
_APACHE_JSON: Final = "lib/py/src/protocol/TJSONProtocol.py"
_SASL: Final = "doc/specs/thrift-sasl-spec.txt"
_THEADER: Final = "doc/specs/HeaderFormat.md"
_TTHEADER: Final = "CloudWeGo's TTHeader specification"
_REQUEST: Final = "RFC 9112, 3"
_STATUS_LINE: Final = "RFC 9112, 4"
_RECORD: Final = "RFC 8446, 5.1"
_HELLO: Final = "RFC 8446, 4"
_ZLIB: Final = "RFC 1950, 2.2"
_RESP: Final = "Redis serialization protocol specification"
_SSH: Final = "RFC 4253, 4.2"
_CQL: Final = "Cassandra's native_protocol_v1.spec to v5.spec, 2"
_MUX_FRAME: Final = "Finagle's mux protocol, finagle-mux Message.scala"
_EXCHANGE: Final = "Apache Dubbo's ExchangeCodec"
_MOTAN_V2: Final = "Motan's MotanV2Header"
_MOTAN_V1: Final = "Motan's DefaultRpcCodec"
_RPCX_HEADER: Final = "rpcx's protocol/message.go"
_H2_FRAME: Final = "RFC 9113, 4.1"
_PREFACE: Final = "RFC 9113, 3.4"
_CALL_FAILED: Final = "the server could not make the call"
_INNER_HEAD: Final = (
    "the magic of the inner head of Motan's protocol, version 1, 16 bytes behind f1 f1"
)

# TLS alerts, by their numbers in RFC 8446, 6; those of a client are about a certificate.
_ALERTS: Final = (
    ("00", "close_notify, a connection that ends"),
    ("0a", "unexpected_message: what came is none that can come now"),
    ("14", "bad_record_mac"),
    ("16", "record_overflow: what came is no TLS"),
    ("28", "handshake_failure: no cipher that both sides have"),
    ("2a", "bad_certificate"),
    ("2d", "certificate_expired"),
    ("2e", "certificate_unknown"),
    ("30", "unknown_ca: the certificate's authority is not known"),
    ("32", "decode_error: what came is no TLS"),
    ("46", "protocol_version: no version of TLS that both sides speak"),
    ("70", "unrecognized_name"),
    ("74", "certificate_required"),
)
_CLIENTS_ALERTS: Final = frozenset({"00", "2a", "2d", "2e", "30"})

# Byte 2 of Motan 2: 10 a heartbeat, 08 packed, 04 wants no answer, 02 by a proxy, 01 a reply.
_MOTAN_FLAGS: Final = tuple(
    (
        flags,
        ("a heartbeat" if flags & 0x10 else "a call") if not flags & 1 else "a reply",
        _MOTAN_SERVER if flags & 1 else _MOTAN_CLIENT,
    )
    for flags in range(0x20)
)

# In order: the first row that matches counts.  A row that needs more bytes than there are does not
# match.
_RULES: Final = (
    # 8 bytes: a length, and what it is the length of.
    _rule(
        "00 .. .. .. 80 01 .. 01-04",
        "the length of a frame, then a strict binary message",
        _FRAMED_SIDE,
        _CERTAIN,
        _FRAMES,
    ),
    _rule(
        "00 .. .. .. 82 21",
        "the length of a frame, then a compact CALL",
        _with("a framed transport", Family.FRAMED, _CLIENT),
        _LIKELY,
        _FRAMES,
    ),
    _rule("00-3f .. .. .. 0f ff", "the start of a THeader frame", _HEADER_SIDE, _LIKELY, _THEADER),
    _rule(
        "00-3f .. .. .. 10 00", "the start of a TTHeader frame", _TTHEADER_SIDE, _LIKELY, _TTHEADER
    ),
    *(
        _rule(f"00 00 .. .. {kind} 00 00 {tag}", what, sender, _LIKELY, _MUX_FRAME)
        for kind, tag, what, sender in (
            ("7f", "01", "a ThriftMux Rerr with which a client asks for a handshake", _MUX_CLIENT),
            ("44", "01", "a ThriftMux Tinit, a client's handshake", _MUX_CLIENT),
            ("41", "..", "a ThriftMux Tping", _MUX_CLIENT),
            ("02", "02-ff", "a ThriftMux Tdispatch, a call", _MUX_CLIENT),
            ("bc", "01", "a ThriftMux Rinit, a server's handshake", _MUX_SERVER),
            ("bf", "..", "a ThriftMux Rping", _MUX_SERVER),
            ("fe", "02-ff", "a ThriftMux Rdispatch, an answer", _MUX_SERVER),
            ("80", "..", "a ThriftMux Rerr, an error", _MUX_SERVER),
        )
    ),
    *(
        _rule(f"{version:02x} 00-1f .. .. {code} 00 00-0f .. ..", what, sender, _LIKELY, _CQL)
        for version in (3, 4, 5)
        for code, what, sender in (
            ("01", f"a CQL v{version} STARTUP", _CQL_CLIENT),
            ("05", f"a CQL v{version} OPTIONS", _CQL_CLIENT),
            ("07", f"a CQL v{version} QUERY", _CQL_CLIENT),
            ("09-0f", f"a CQL v{version} request", _CQL_CLIENT),
        )
    ),
    *(
        _rule(f"{version + 128:02x} 00-1f .. .. {code} 00 00-0f .. ..", what, sender, sure, _CQL)
        for version in (3, 4, 5)
        for code, what, sender, sure in (
            ("00", f"a CQL v{version} ERROR", _CQL_SERVER, _LIKELY),
            ("02-10", f"a CQL v{version} answer", _CQL_SERVER, _LIKELY),
        )
    ),
    _rule(
        "00 00 .. .. 00 12 00 00-04",
        "a Kafka request for the versions of the API",
        _KAFKA,
        _LIKELY,
        "Apache Kafka's protocol guide, ApiVersions",
    ),
    # rpcx counts its calls from 0, in 8 bytes.
    *(
        _rule(f"08 00 {flags} {values} 00 00 00 00", what, sender, _LIKELY, _RPCX_HEADER)
        for flags, what, sender in (
            ("00-1c", "the start of an rpcx call", _RPCX_CLIENT),
            ("20-3c", "the start of an rpcx call that wants no answer", _RPCX_CLIENT),
            ("40-5c", "the start of an rpcx heartbeat", _RPCX_CLIENT),
            ("80-bd", "the start of an rpcx reply", _RPCX_SERVER),
            ("c0-dd", "the start of rpcx's answer to a heartbeat", _RPCX_SERVER),
        )
        for values in ("00", "10", "20", "30", "40")
    ),
    _rule(
        "16 03 00-04 00-41 .. 02 00 ..",
        "a TLS handshake, a server's hello",
        _TLS_SERVER,
        _CERTAIN,
        _HELLO,
    ),
    _rule(
        "16 03 00-04 00-41 .. 01 00 ..",
        "a TLS handshake, a client's hello",
        _TLS_CLIENT,
        _CERTAIN,
        _HELLO,
    ),
    *(
        _rule(
            f"15 03 00-04 00 02 01-02 {code}",
            f"a TLS alert: {words}",
            _TLS_EITHER if code in _CLIENTS_ALERTS else _TLS_SERVER,
            _CERTAIN,
            "RFC 8446, 6",
        )
        for code, words in _ALERTS
    ),
    _rule(
        "00 00 00 08 04 d2 16 2f",
        "a PostgreSQL client's question for TLS",
        _POSTGRES,
        _CERTAIN,
        "PostgreSQL, Message Formats: SSLRequest",
    ),
    _rule(
        "00 00 .. .. 00 03 00 00",
        "the start of a PostgreSQL session",
        _POSTGRES,
        _LIKELY,
        "PostgreSQL, Message Formats: StartupMessage",
    ),
    _rule(
        "00 00 00-78 04 00 00 00 00",
        "HTTP/2 SETTINGS",
        _HTTP2_SERVER,
        _LIKELY,
        "RFC 9113, 6.5",
    ),
    _rule(
        ".. 00 00 00 0a 35-39 2e",
        "the greeting of a MySQL server",
        _other("a MySQL or MariaDB server", _SERVER),
        _CERTAIN,
        "MySQL, Protocol::HandshakeV10",
    ),
    _rule(
        ".. 00-01 00 00 ff .. 04-05",
        "an error of a MySQL server",
        _other("a MySQL or MariaDB server", _SERVER),
        _LIKELY,
        "MySQL, ERR_Packet",
    ),
    _rule(
        "45 00 00 .. .. 53",
        "an error of a PostgreSQL server",
        _other("a PostgreSQL server", _SERVER),
        _LIKELY,
        "PostgreSQL, Message Formats: ErrorResponse",
    ),
    # Thrift without frames.
    _rule(
        "80 01 00 01",
        "the first 4 bytes of a strict binary CALL",
        _BINARY_CLIENT,
        _CERTAIN,
        _MESSAGE,
    ),
    _rule(
        "80 01 00 02",
        "the first 4 bytes of a strict binary REPLY",
        _BINARY_SERVER,
        _CERTAIN,
        _MESSAGE,
    ),
    _rule(
        "80 01 00 03",
        f"the first 4 bytes of a strict binary EXCEPTION: {_CALL_FAILED}",
        _BINARY_SERVER,
        _CERTAIN,
        _MESSAGE,
    ),
    _rule(
        "80 01 00 04",
        "the first 4 bytes of a strict binary ONEWAY",
        _BINARY_CLIENT,
        _CERTAIN,
        _MESSAGE,
    ),
    _rule(
        "80 01 00 00",
        "the version of a strict binary message alone: some programs print it without the message "
        "type",
        _BINARY_SIDE,
        _LIKELY,
        _MESSAGE,
    ),
    _rule(
        "80 01 .. ..",
        "like the first bytes of a strict binary message, but without one of its message types",
        _BINARY_SIDE,
        _POSSIBLE,
        _MESSAGE,
    ),
    _rule(
        "82 21 .. ..",
        "the first 4 bytes of a compact CALL",
        _COMPACT_CLIENT,
        _LIKELY,
        _COMPACT_MESSAGE,
    ),
    _rule(
        "82 41 .. ..",
        "the first 4 bytes of a compact REPLY",
        _COMPACT_SERVER,
        _LIKELY,
        _COMPACT_MESSAGE,
    ),
    _rule(
        "82 61 .. ..",
        f"the first 4 bytes of a compact EXCEPTION: {_CALL_FAILED}",
        _COMPACT_SERVER,
        _LIKELY,
        _COMPACT_MESSAGE,
    ),
    _rule(
        "82 81 .. ..",
        "the first 4 bytes of a compact ONEWAY",
        _COMPACT_CLIENT,
        _LIKELY,
        _COMPACT_MESSAGE,
    ),
    _rule(
        "82 01 .. ..",
        "like the first bytes of a compact message (82, version 1), but with message type 0, "
        "which none has",
        _COMPACT_SIDE,
        _POSSIBLE,
        _COMPACT_MESSAGE,
    ),
    _rule(
        "82 00-01 .. 00",
        "a CQL v2 ERROR",
        _CQL_SERVER,
        _LIKELY,
        _CQL,
    ),
    _rule("82 00 .. 02-10", "a CQL v2 answer", _CQL_SERVER, _LIKELY, _CQL),
    _rule("81 00-01 .. 00", "a CQL v1 ERROR", _CQL_SERVER, _LIKELY, _CQL),
    _rule("81 00-01 .. 02-0c", "a CQL v1 answer", _CQL_SERVER, _LIKELY, _CQL),
    *(
        _rule(
            f"{version + 128:02x} 00 {stream}",
            f"a CQL v{version} answer",
            _CQL_SERVER,
            _LIKELY,
            _CQL,
        )
        for version in (3, 4, 5)
        for stream in ("00 ..", "ff ff")
    ),
    # The same, if the reader is out of step: not at the start of a message.
    *(
        _rule(
            f"{before}{start}{behind}",
            f"{what} of a strict binary message, {place}: the reader is out of step",
            _BEHIND,
            _LIKELY,
            _MESSAGE,
        )
        for before, start, behind, what, place in (
            ("00-7f ", "80 01 00", "", "the start", "1 byte further on than the reader thinks"),
            (".. .. ", "80 01", "", "the start", "2 bytes further on than the reader thinks"),
            ("", "01 00 01-04 00", "", "the first bytes without the 80", "1 byte back"),
        )
    ),
    _rule(
        "00-7f 82 21 ..",
        "the start of a compact CALL, 1 byte further on than the reader thinks: the reader is out "
        "of step",
        _BEHIND_COMPACT,
        _LIKELY,
        _COMPACT_MESSAGE,
    ),
    _rule(
        '"[1,""',
        "the first 4 bytes of a message of Apache's JSON protocol",
        _JSON_SIDE,
        _CERTAIN,
        _APACHE_JSON,
    ),
    _rule(
        '"{"me"',
        "what thriftpy2's JSON protocol writes behind its own length",
        _with("thriftpy2's JSON protocol", Family.JSON),
        _CERTAIN,
        "thriftpy2/protocol/json.py",
    ),
    _rule(
        "7b 22 .. ..",
        "the start of a JSON object",
        _other("something that speaks JSON"),
        _LIKELY,
        "RFC 8259, 4",
    ),
    # Thrift's other transports.
    _rule(
        "0f ff .. ..",
        "the magic and the flags of a THeader, which stand behind its length",
        _HEADER_SIDE,
        _LIKELY,
        _THEADER,
    ),
    _rule(
        "10 00 00 ..",
        "perhaps the magic and the flags of a TTHeader, which stand behind its length",
        _TTHEADER_SIDE,
        _POSSIBLE,
        _TTHEADER,
    ),
    *(
        _rule(f"{version} {code}", what, _CQL_CLIENT, _LIKELY, _CQL)
        for version, number in (("01 00 00", 1), ("02 00 00", 2))
        for code, what in (
            ("01", f"a CQL v{number} STARTUP"),
            ("05", f"a CQL v{number} OPTIONS"),
        )
    ),
    _rule(
        "01 00 00 ..",
        "a SASL START, and the first 3 bytes of its length",
        _SASL_CLIENT,
        _LIKELY,
        _SASL,
    ),
    _rule(
        "02 00 00 ..",
        "a SASL OK, a step of a negotiation, and the first 3 bytes of its length",
        _SASL_SIDE,
        _LIKELY,
        _SASL,
    ),
    _rule(
        "03 00 00 07-ff",
        "a TPKT header, with which Remote Desktop begins",
        _other("a port scanner, or a Remote Desktop client", _CLIENT),
        _POSSIBLE,
        "RFC 1006, 6",
    ),
    _rule(
        "03 00 00 ..",
        "a SASL BAD, which refuses the credentials, and the first 3 bytes of its length",
        _SASL_SERVER,
        _LIKELY,
        _SASL,
    ),
    _rule(
        "04 00 00 ..",
        "a SASL ERROR, which gives the negotiation up, and the first 3 bytes of its length",
        _SASL_SERVER,
        _LIKELY,
        _SASL,
    ),
    _rule(
        "05 00 00 ..",
        "a SASL COMPLETE, a negotiation that went well, and the first 3 bytes of its length",
        _SASL_SERVER,
        _LIKELY,
        _SASL,
    ),
    *(
        _rule(f"78 {level} .. ..", "the start of a zlib stream", _ZLIB_SIDE, _LIKELY, _ZLIB)
        for level in ("01", "5e", "9c", "da")
    ),
    # TLS.
    _rule(
        "16 03 00-04 00-41",
        "a TLS handshake, most likely a client's hello",
        _TLS_CLIENT,
        _CERTAIN,
        _RECORD,
    ),
    _rule(
        "15 03 00-04 00-41",
        "a TLS alert: who sent it expects TLS, and could not read what it got",
        _TLS_SERVER,
        _CERTAIN,
        _RECORD,
    ),
    _rule("17 03 00-04 00-41", "TLS in the middle of a connection", _TLS_SIDE, _CERTAIN, _RECORD),
    _rule("14 03 00-04 00", "TLS in the middle of a connection", _TLS_SIDE, _CERTAIN, _RECORD),
    _rule(
        "80 .. 01 00",
        "an SSL 2 hello, as port scanners send it",
        _TLS_CLIENT,
        _LIKELY,
        "RFC 5246, E.2",
    ),
    _rule(
        "80 .. 01 03",
        "an SSL 2 hello that offers TLS, as old clients send it",
        _TLS_CLIENT,
        _LIKELY,
        "RFC 5246, E.2",
    ),
    # HTTP.
    *(
        _rule(
            f'"{method[:4]:4}"',
            f"the start of an HTTP {method} request",
            _HTTP_CLIENT,
            _CERTAIN,
            _REQUEST,
        )
        for method in (
            *("GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"),
        )
    ),
    _rule('"HTTP"', "the start of an HTTP response", _HTTP_SERVER, _CERTAIN, _STATUS_LINE),
    _rule(
        '"PRI "',
        "the preface of HTTP/2",
        _HTTP2_CLIENT,
        _CERTAIN,
        _PREFACE,
    ),
    _rule(
        "1f 8b 08 ..",
        "the start of gzip data",
        _other("something that packs with gzip, as HTTP bodies are packed", _EITHER, Family.HTTP),
        _LIKELY,
        "RFC 1952, 2.3",
    ),
    # Other programs that connect, or are connected to by mistake.
    _rule(
        '"PROX"',
        "the start of a PROXY line, which names the client's address",
        _BALANCER,
        _CERTAIN,
        "HAProxy's proxy-protocol.txt, 2.1",
    ),
    _rule(
        "0d 0a 0d 0a",
        "the signature of the PROXY protocol, version 2, or two empty lines",
        _BALANCER,
        _LIKELY,
        "HAProxy's proxy-protocol.txt, 2.2",
    ),
    _rule('"SSH-"', "the greeting of SSH", _other("an SSH server or client"), _CERTAIN, _SSH),
    _rule(
        '"-ERR"',
        "an error reply",
        _other("a Redis server, most likely; POP3 writes it too", _SERVER),
        _LIKELY,
        _RESP,
    ),
    *(
        _rule(f'"{word}"', "a reply of Redis", _REDIS_SERVER, _LIKELY, _RESP)
        for word in ("-NOA", "-DEN", "-WRO", "+PON", "+OK\r")
    ),
    _rule("2a 31-39 0d 0a", "a Redis command", _other("a Redis client", _CLIENT), _CERTAIN, _RESP),
    _rule(
        '"AMQP"',
        "the protocol header of AMQP",
        _other("an AMQP client or server, such as RabbitMQ"),
        _CERTAIN,
        "AMQP 0-9-1, 4.2.2",
    ),
    _rule('"220 "', "the greeting of a mail or file server", _MAIL, _LIKELY, "RFC 5321, 4.2"),
    _rule('"220-"', "the greeting of a mail or file server", _MAIL, _LIKELY, "RFC 5321, 4.2"),
    # Byte 2: 80 a request, 40 it wants an answer, 20 an event; below that how values are written.
    # Byte 3: 0, or the status of a reply.
    *(
        _rule(f"da bb {rest}", f"the magic of Dubbo's protocol, {what}", sender, sure, _EXCHANGE)
        for rest, what, sender, sure in (
            ("c1-df 00", "a call", _DUBBO_CLIENT, _CERTAIN),
            ("81-9f 00", "a call that wants no answer", _DUBBO_CLIENT, _CERTAIN),
            ("e1-ff 00", "a heartbeat that wants an answer", _DUBBO, _CERTAIN),
            ("a1-bf 00", "an event", _DUBBO, _CERTAIN),
            ("01-1f 14", "a reply (OK)", _DUBBO_SERVER, _CERTAIN),
            ("01-1f 19-64", "a reply (an error)", _DUBBO_SERVER, _CERTAIN),
            ("21-3f 14-64", "the answer to a heartbeat", _DUBBO, _CERTAIN),
            (".. ..", "with a header that none of its versions writes", _DUBBO, _LIKELY),
        )
    ),
    *(
        _rule(
            f"f1 f1 {rest}", f"the magic of Motan's protocol, version {what}", sender, _CERTAIN, by
        )
        for rest, what, sender, by in (
            ("00 00", "1, a call", _MOTAN_CLIENT, _MOTAN_V1),
            ("00 01", "1, a reply", _MOTAN_SERVER, _MOTAN_V1),
            *(
                (f"{flags:02x} 08-0f", f"2, {one}", sender, _MOTAN_V2)
                for flags, one, sender in _MOTAN_FLAGS
            ),
        )
    ),
    _rule("f1 f1 .. ..", "the magic of Motan's protocol", _MOTAN, _LIKELY, _MOTAN_V2),
    _rule("f0 f0 .. ..", _INNER_HEAD, _MOTAN, _LIKELY, _MOTAN_V1),
    _rule(
        "20-7e 20-7e 20-7e 20-7e",
        "four characters of text",
        _other("something that speaks in text, unless it is chance"),
        _POSSIBLE,
        "RFC 20",
    ),
)

# The same, for readers that looked at one byte only: several rows may match.
_FIRST_BYTES: Final = (
    _rule("00", "the first byte of a frame's length", _FRAMED_SIDE, _LIKELY, _FRAMES),
    _rule("80", "the first byte of a strict binary message", _BINARY_SIDE, _LIKELY, _MESSAGE),
    _rule("82", "the first byte of a compact message", _COMPACT_SIDE, _LIKELY, _COMPACT_MESSAGE),
    _rule("01-05", "the status of a SASL negotiation", _SASL_SIDE, _POSSIBLE, _SASL),
    _rule("16", "the first byte of a TLS handshake", _TLS_CLIENT, _LIKELY, _RECORD),
    _rule(
        "15",
        "the first byte of a TLS alert: who sent it expects TLS",
        _TLS_SERVER,
        _LIKELY,
        _RECORD,
    ),
    _rule('"G"', "the first byte of an HTTP GET", _HTTP_CLIENT, _LIKELY, _REQUEST),
    _rule('"P"', "the first byte of an HTTP POST, PUT or PATCH", _HTTP_CLIENT, _LIKELY, _REQUEST),
    _rule('"P"', "the first byte of the preface of HTTP/2", _HTTP2_CLIENT, _POSSIBLE, _PREFACE),
    _rule('"H"', "the first byte of an HTTP response", _HTTP_SERVER, _LIKELY, _STATUS_LINE),
    _rule('"H"', "the first byte of an HTTP HEAD", _HTTP_CLIENT, _POSSIBLE, _REQUEST),
    _rule("da", "the first byte of a message of Dubbo", _DUBBO, _POSSIBLE, _EXCHANGE),
    _rule("f1", "the first byte of a message of Motan", _MOTAN, _POSSIBLE, _MOTAN_V2),
    _rule("08", "the magic of rpcx's protocol", _RPCX, _POSSIBLE, _RPCX_HEADER),
    _rule(
        '"["',
        "the first byte of a message of Apache's JSON protocol",
        _JSON_SIDE,
        _POSSIBLE,
        _APACHE_JSON,
    ),
    _rule(
        '"S"',
        "the first byte of an SSH greeting",
        _other("an SSH server or client"),
        _POSSIBLE,
        _SSH,
    ),
    _rule("78", "the first byte of a zlib stream", _ZLIB_SIDE, _POSSIBLE, _ZLIB),
)

# A SASL reader knew the status, and it is not good news.
_REFUSALS: Final = (
    _rule(
        "03",
        "the SASL status BAD: the other side refuses the mechanism or the credentials",
        _REFUSING,
        _CERTAIN,
        _SASL,
    ),
    _rule(
        "04",
        "the SASL status ERROR: the other side gives the negotiation up",
        _REFUSING,
        _CERTAIN,
        _SASL,
    ),
    _rule("01-05", "a SASL status that cannot come here", _REFUSING, _LIKELY, _SASL),
)

_RPCX_VALUES: Final = (
    ("10", "JSON"),
    ("20", "protobuf"),
    ("30", "msgpack"),
    ("40", "Thrift"),
    ("00", "bytes of its own"),
)


def _settings(count: int) -> str:
    return "1 setting" if count == 1 else f"{count} settings"


# What else a number of 4 bytes may be, when there are no more bytes to tell.
_ALSO: Final = (
    *(
        _rule(
            f"{version:02x} 00-01 00 00",
            f"the start of a CQL v{version} request",
            _CQL_CLIENT,
            _POSSIBLE,
            _CQL,
        )
        for version in (3, 4, 5)
    ),
    *(
        _rule(
            f"00 00 {6 * count:02x} 04",
            f"the length and the type of an HTTP/2 SETTINGS frame with {_settings(count)}, which "
            "a server sends first of all",
            _HTTP2_SERVER,
            _POSSIBLE,
            "RFC 9113, 6.5",
        )
        for count in range(1, 21)
    ),
    *(
        _rule(
            f"08 00 {flags} {values}",
            f"the start of an rpcx {what}, its values in {kind}",
            sender,
            _POSSIBLE if values == "00" else _LIKELY,
            _RPCX_HEADER,
        )
        for flags, what, sender in (
            ("00-1c", "call", _RPCX_CLIENT),
            ("20-3c", "call that wants no answer", _RPCX_CLIENT),
            ("40-5c", "heartbeat", _RPCX_CLIENT),
            ("80-bd", "reply", _RPCX_SERVER),
            ("c0-dd", "answer to a heartbeat", _RPCX_SERVER),
        )
        for values, kind in _RPCX_VALUES
    ),
    _rule(
        "00 00 00 80",
        "the start of a strict binary message, 3 bytes further on than the reader thinks: the "
        "reader is out of step",
        _BEHIND,
        _POSSIBLE,
        _MESSAGE,
    ),
    _rule(
        "00 01-04 00 00",
        "the first bytes without the 80 01 of a strict binary message, 2 bytes back: the reader "
        "is out of step",
        _BEHIND,
        _POSSIBLE,
        _MESSAGE,
    ),
)

# A SETTINGS frame without settings, as Node's servers send: 4, which may be the length of anything.
_EMPTY_SETTINGS: Final = 4
_SETTINGS_ALONE: Final = _rule(
    "00 00 00 04",
    "the length and the type of an HTTP/2 SETTINGS frame without settings, which a server sends "
    "first of all",
    _HTTP2_SERVER,
    _POSSIBLE,
    "RFC 9113, 6.5",
)

# How many values a byte may have in a pattern so that it still tells something.
_NARROW: Final = 0x20


def _first_few(rules: tuple[_Rule, ...], size: int) -> tuple[_Rule, ...]:
    """What two or three bytes say about what begins with them, for a reader of no more.

    Few bytes say less than four: where one of them may be anything, they are one explanation among
    others, and so where several beginnings share them.  Two bytes are never certain, and they say
    something only of what is certain with four.
    """
    made: dict[tuple[tuple[int, int], ...], _Rule] = {}
    for rule in rules:
        few = rule.pattern[:size]
        told = [high - low < _NARROW for low, high in few]
        if len(few) < size or not (told[0] and told[1]) or few[0][0] < 0x10:
            continue
        if size == 2 and rule.certainty is not _CERTAIN:
            continue
        most = (_LIKELY if size == 2 else _CERTAIN) if all(told) else _POSSIBLE
        known = made.get(few)
        if known is None:
            made[few] = rule._replace(pattern=few, certainty=min(rule.certainty, most))
        elif known.what != rule.what:
            made[few] = known._replace(certainty=_POSSIBLE)
    return tuple(made.values())


_BY_DUBBO: Final = (_DUBBO_SERVER, _CERTAIN, _EXCHANGE)

# The same, for readers of HTTP/2: a frame begins with a length of 3 bytes.
_FIRST_THREE: Final = (
    _rule(
        "16 03 00-04",
        "the start of a TLS handshake, most likely a client's hello",
        _TLS_EITHER,
        _CERTAIN,
        _RECORD,
    ),
    _rule(
        "15 03 00-04",
        "the start of a TLS alert: who sent it expects TLS, and got none",
        _TLS_SERVER,
        _CERTAIN,
        _RECORD,
    ),
    _rule('"HTT"', "the start of an HTTP response", _HTTP_SERVER, _CERTAIN, _STATUS_LINE),
    _rule("80 01 00", "the start of a strict binary message", _BINARY_SIDE, _LIKELY, _MESSAGE),
    _rule("da bb 01-1f", "the magic of Dubbo's protocol, a reply", *_BY_DUBBO),
    _rule("f1 f1 00", "the magic of Motan's protocol", _MOTAN, _LIKELY, _MOTAN_V2),
    *_first_few(_RULES, 3),
)

# What begins with two bytes, for readers that looked at no more, and for numbers that small.
_FIRST_PAIRS: Final = (
    _rule(
        "7f 00",
        "the start of a ThriftMux Rerr, behind its length",
        _MUX_CLIENT,
        _LIKELY,
        _MUX_FRAME,
    ),
    _rule("80 01", "the version of a strict binary message", _BINARY_SIDE, _LIKELY, _MESSAGE),
    _rule("82 21", "the start of a compact CALL", _COMPACT_CLIENT, _LIKELY, _COMPACT_MESSAGE),
    _rule("82 41", "the start of a compact REPLY", _COMPACT_SERVER, _LIKELY, _COMPACT_MESSAGE),
    _rule("82 61", "the start of a compact EXCEPTION", _COMPACT_SERVER, _LIKELY, _COMPACT_MESSAGE),
    _rule("82 81", "the start of a compact ONEWAY", _COMPACT_CLIENT, _LIKELY, _COMPACT_MESSAGE),
    _rule(
        "0f ff",
        "the magic of a THeader, which stands behind its length",
        _HEADER_SIDE,
        _LIKELY,
        _THEADER,
    ),
    _rule(
        "10 00",
        "perhaps the magic of a TTHeader, which stands behind its length",
        _TTHEADER_SIDE,
        _POSSIBLE,
        _TTHEADER,
    ),
    _rule("da bb", "the magic of Dubbo's protocol", _DUBBO, _LIKELY, _EXCHANGE),
    _rule("f1 f1", "the magic of Motan's protocol", _MOTAN, _LIKELY, _MOTAN_V2),
    _rule("f0 f0", _INNER_HEAD, _MOTAN, _LIKELY, _MOTAN_V1),
    _rule("08 00", "perhaps the start of an rpcx message", _RPCX, _POSSIBLE, _RPCX_HEADER),
    _rule("16 03", "the start of a TLS handshake", _TLS_EITHER, _LIKELY, _RECORD),
    _rule("15 03", "the start of a TLS alert", _TLS_SERVER, _LIKELY, _RECORD),
    _rule(
        "00 00-7f",
        "the first bytes of a frame's length, or of the length of a method's name in "
        "the old header",
        _FRAMED_SIDE,
        _POSSIBLE,
        _FRAMES,
    ),
    *(
        _rule(f'"{start}"', f"the start of an HTTP {name}", sender, _LIKELY, source)
        for start, name, sender, source in (
            ("GE", "GET request", _HTTP_CLIENT, _REQUEST),
            ("PO", "POST request", _HTTP_CLIENT, _REQUEST),
            ("HE", "HEAD request", _HTTP_CLIENT, _REQUEST),
            ("HT", "response", _HTTP_SERVER, _STATUS_LINE),
        )
    ),
    _rule("01 00", "a SASL START", _SASL_CLIENT, _POSSIBLE, _SASL),
    *_first_few(_RULES, 2),
)

# Magics of fewer than 4 bytes that sources and logs print as a number: that is a name, more than
# what somebody read.
_NAMES: Final = (b"\xda\xbb", b"\xf1\xf1", b"\xf0\xf0", b"\x08")

# Below, two bytes are no more than a small number.
_LEAST_PAIR: Final = 0x0800

# No HTTP/2 frame is longer unless its reader said that it may be, and most never do.
_H2_DEFAULT: Final = 16_384
_H2_MAX: Final = 2**24 - 1

# Limits that logs print beside the number that is meant, if it is known whose they are.
_MIB: Final = 1 << 20
_CONFIGURATION: Final = "doc/specs/thrift-tconfiguration.md"
_LIMITS: Final = {
    DEFAULT_LIMITS.frame: (
        "the longest frame that Apache Thrift takes by default",
        f"{_CONFIGURATION}, MaxFrameSize",
    ),
    DEFAULT_LIMITS.message: (
        "the longest message that Apache Thrift takes by default, 100 MiB",
        f"{_CONFIGURATION}, MaxMessageSize",
    ),
    MAX_FRAME: ("the longest frame that THeader can have", _THEADER),
    2**31 - 1: (
        "the largest 32-bit number, which stands for “no limit” or “not known”",
        "doc/specs/thrift-rpc.md: a length is a signed 32-bit number",
    ),
    15 * _MIB: (
        "Cassandra's limit for a frame, 15 MiB by default",
        "Cassandra's cassandra.yaml, thrift_framed_transport_size_in_mb",
    ),
    16 * _MIB: (
        "16 MiB, a limit that many readers have (Cassandra's for a message, Drift's, Netty's and "
        "Nifty's over HTTP)",
        "Cassandra's cassandra.yaml, thrift_max_message_length_in_mb; Drift's maxFrameSize",
    ),
    64 * _MIB: (
        "64 MiB, Nifty's limit for a frame by default",
        "Nifty's ThriftServerDefBuilderBase, MAX_FRAME_SIZE",
    ),
    256 * _MIB: (
        "256 MiB, the limit for a frame of the TNonblockingServer in C++ by default",
        "lib/cpp/src/thrift/server/TNonblockingServer.h, MAX_FRAME_SIZE",
    ),
}


def _is_round(number: int) -> bool:
    """Whether a number is one that people set as a limit: a whole number of MiB."""
    return number >= _MIB and number % _MIB == 0


# ── From a number to its readings ────────────────────────────────────────────────────


def explain_number(number: int, role: Role = Role.UNKNOWN) -> NumberVerdict:
    """What ``number`` says, whatever number it is.  ``role`` is what its reader took it for.

    >>> verdict = explain_number(-2147418111)
    >>> verdict.data.hex(" "), verdict.readings[0].what
    ('80 01 00 01', 'the first 4 bytes of a strict binary CALL')
    """
    if not -(2**63) <= number < 2**64:
        remark = "It needs more than 8 bytes: nothing in Thrift's headers is that long."
        return NumberVerdict(number, b"", role, (), (remark,))
    # A single byte, which Java prints as -128 or ffffff80.
    is_byte = -128 <= number < 256 or number >> 8 == 0xFFFFFF
    if is_byte and role in (Role.PROTOCOL_ID, Role.STATUS, Role.MAGIC):
        return _verdict(number, (number & 255).to_bytes(1, "big"), role)
    if role is Role.HTTP2 and 0 <= number <= _H2_MAX:
        return _frame_length(number)
    size = 4 if -(2**31) <= number < 2**32 else 8
    verdict = _verdict(number, (number % 2 ** (8 * size)).to_bytes(size, "big"), role)
    if role is Role.UNKNOWN and _MIB <= number <= _H2_MAX:
        return _or_three(verdict)
    if 2**32 <= number < 2**56:
        return _without_zeros(verdict)
    return verdict


def read_by(verdict: NumberVerdict, side: str) -> NumberVerdict:
    """The verdict, if the reader was a "client" or a "server": without what it sends itself.

    Where nothing else is known, that stays: the log may be of a program that is both.
    """
    other = {"client": "a server", "server": "a client"}.get(side, "-")
    left = tuple(one for one in verdict.readings if not one.reader.startswith(other))
    return replace(verdict, readings=left) if left else verdict


def _without_zeros(verdict: NumberVerdict) -> NumberVerdict:
    """What the 5 to 7 bytes of a number say that somebody printed in one: ``485454502f``."""
    number = verdict.number
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    found = [_reading(rule, verdict.role, data) for rule in _match(_RULES, data)]
    if not found or verdict.readings:
        return verdict
    found.sort(key=lambda reading: -reading.certainty)
    return replace(verdict, data=data, readings=tuple(found))


def _frame_length(number: int) -> NumberVerdict:
    """What a number says that a reader of HTTP/2 took for the length of a frame."""
    data = number.to_bytes(3, "big")
    found = [_reading(rule, Role.HTTP2) for rule in _match(_FIRST_THREE, data)]
    if not found or found[0].certainty is _POSSIBLE:
        above = "more than the 16384 that most readers take" if number > _H2_DEFAULT else "ordinary"
        found.append(
            Reading(
                f"the length of an HTTP/2 frame, {number} bytes: {above}",
                "a client or a server that speaks HTTP/2, if it is a length at all",
                "the other side, as what it is",
                "Look at the first bytes that the reader got: if they are HTTP/2, the sender "
                "writes frames that are larger than its reader allows (SETTINGS_MAX_FRAME_SIZE).",
                _POSSIBLE,
                _H2_FRAME,
            )
        )
    return NumberVerdict(number, data, Role.HTTP2, tuple(found))


def _or_three(verdict: NumberVerdict) -> NumberVerdict:
    """Add what its 3 bytes say; if its 4 say nothing that is certain, they come first.

    It may be an ordinary number all the same: nobody said what was read there.
    """
    number = verdict.number
    data = number.to_bytes(3, "big")
    most = _POSSIBLE if _is_round(number) else _LIKELY
    readings = [_reading(rule, Role.HTTP2) for rule in _match(_FIRST_THREE, data)]
    found = tuple(replace(one, certainty=min(one.certainty, most)) for one in readings)
    if not found:
        return verdict
    four = verdict.readings
    if four and four[0].certainty >= found[0].certainty:
        return replace(verdict, readings=four + found)
    return replace(verdict, data=data, readings=found + four)


def explain_bytes(data: bytes, role: Role = Role.UNKNOWN) -> NumberVerdict:
    """What begins like ``data``: the first 16 bytes tell, and later ones may hold a text.

    This is for bytes in which no message was found.  The verdict's number is the first 4 of
    them, or as many as there are.
    """
    number = int.from_bytes(data[:4], "big", signed=len(data) >= 4)
    return _verdict(number, data, role) if data else explain_number(0, role)


def _verdict(number: int, data: bytes, role: Role) -> NumberVerdict:
    found: list[Reading] = []
    remarks: list[str] = []
    if role is Role.LIMIT:
        return NumberVerdict(number, data[:8], role, (_limit(number),))
    if role is Role.HTTP2 and len(data) == 3:
        return _frame_length(int.from_bytes(data, "big"))
    if len(data) < 4:
        found = _few(data, role)
    else:
        found = [_reading(rule, role, data) for rule in _match(_RULES, data)]
        if -(2**31) <= number < 2**32:
            remarks = _remarks(number, role)
            if len(data) == 4:
                found = [_weighed(reading, number, role, data) for reading in found]
            if len(data) == 4 or not found:
                found += [_reading(rule, role, data) for rule in _match(_ALSO, data)]
            _add_others(found, number, data, role)
        else:
            remarks = [
                "It does not fit into 4 bytes, so it is no frame's length and no version; of its "
                "8 bytes the first are looked at."
            ]
            found += [] if found else [_reading(rule, role, data) for rule in _match(_ALSO, data)]
    if not found and not remarks:
        remarks = ["Nothing that is known here begins with these bytes."]
    found.sort(key=lambda reading: -reading.certainty)
    return NumberVerdict(number, data[:8], role, tuple(found), tuple(remarks))


def _few(data: bytes, role: Role) -> list[Reading]:
    """What up to three bytes begin."""
    rules: tuple[_Rule, ...] = _FIRST_BYTES
    if role is Role.STATUS and (refusal := _match(_REFUSALS, data)):
        return [_reading(rule, role, data) for rule in refusal]
    if len(data) == 3 and _match(_FIRST_THREE, data):
        rules = _FIRST_THREE
    elif len(data) > 1:
        rules = _FIRST_PAIRS
    found = [_reading(rule, role, data) for rule in _match_all(rules, data)]
    # Nobody said who read them.
    return [replace(one, reader="") for one in found] if role is Role.UNKNOWN else found


def _weighed(reading: Reading, number: int, role: Role, data: bytes) -> Reading:
    """The reading, as sure as it can be when there was only a number.

    A number says less than bytes do: a round one may be a limit, a small one anything.  But four
    letters that a reader refused are text.
    """
    small = role is Role.UNKNOWN and 0 <= number < _MIB
    limit = _is_round(number) and (
        role is Role.UNKNOWN or (role is not Role.STATUS and number != _SASL_START)
    )
    if small or limit:
        return replace(reading, certainty=_POSSIBLE)
    if role is not Role.UNKNOWN and reading.certainty is _POSSIBLE and data.isalpha():
        return replace(reading, certainty=_LIKELY)
    return reading


# The four bytes that a SASL START always begins with: its mechanism's name is short.
_SASL_START: Final = 0x0100_0000


def _limit(number: int) -> Reading:
    """The reading of a number that the log itself calls a limit."""
    if number in _LIMITS:
        words, source = _LIMITS[number]
        what = f"the reader's limit: {words}"
    else:
        what = f"the reader's limit, {in_mib(number)}"
        source = "the words of the log"
    return Reading(
        what,
        "nobody: it is no bytes of a message, but set in the reader",
        "",
        "Where messages are larger than that, raise it in the reader or send less at a time.",
        _LIKELY,
        source,
    )


def in_mib(number: int) -> str:
    """``15 MiB``, ``15.6 MiB``, ``64 KiB``, ``300 bytes``: a size as people write limits."""
    for unit, name in ((1 << 30, "GiB"), (_MIB, "MiB"), (1 << 10, "KiB")):
        if number >= unit:
            return f"{number // unit if number % unit == 0 else round(number / unit, 1)} {name}"
    return f"{number} bytes"


def _add_others(found: list[Reading], number: int, data: bytes, role: Role) -> None:
    """Add what a number of 4 bytes may be besides the first bytes of something."""
    if role in (Role.UNKNOWN, Role.LENGTH) and len(data) == 4:
        if number in _LIMITS:
            words, source = _LIMITS[number]
            sure = _POSSIBLE if found and _is_round(number) else _LIKELY
            found.insert(
                0, Reading(f"{words}, and no bytes of a message", "", "", "", sure, source)
            )
        elif role is Role.UNKNOWN and _is_round(number):
            what = f"{in_mib(number)}: perhaps a reader's limit, and no bytes of a message"
            found.insert(0, Reading(what, "", "", "", _POSSIBLE, "a whole number of MiB"))
    if all(reading.certainty is _POSSIBLE for reading in found):
        length = int.from_bytes(data[:4], "big", signed=True)
        if not 0 <= length <= DEFAULT_LIMITS.frame:
            found += _turned(data, role)
        found += _as_length(length, role)
    if number == _EMPTY_SETTINGS and len(data) == 4 and role in (Role.UNKNOWN, Role.FRAME):
        found.append(_reading(_SETTINGS_ALONE, role))
    if role is Role.UNKNOWN and len(data) == 4:
        found += _as_few(number)


def _as_few(number: int) -> list[Reading]:
    """What a number that fits into one byte, or into two, says if it was no more bytes."""
    if -128 <= number < 0 or number == 8:
        data = (number & 255).to_bytes(1, "big")
        shown, role = f"as one byte {data.hex()}, ", Role.STATUS
    elif -32_768 <= number < 0 or _LEAST_PAIR <= number < 65_536:
        data = (number & 65_535).to_bytes(2, "big")
        shown, role = f"as two bytes {data.hex(' ')}, ", Role.UNKNOWN
    else:
        return []
    rules = _match_all(_FIRST_BYTES if len(data) == 1 else _FIRST_PAIRS, data)
    if data in _NAMES:
        return [replace(_reading(rule, Role.UNKNOWN), reader="") for rule in rules[:1]]
    readings = [
        _reading(rule._replace(what=f"{shown}{rule.what}", certainty=_POSSIBLE), role)
        for rule in rules
    ]
    return readings if len(data) == 1 else [replace(one, reader="") for one in readings]


def _match(rules: tuple[_Rule, ...], data: bytes) -> list[_Rule]:
    """The first row that ``data`` matches, or an empty list."""
    for rule in rules:
        if len(rule.pattern) <= len(data) and all(
            low <= byte <= high for byte, (low, high) in zip(data, rule.pattern, strict=False)
        ):
            return [rule]
    return []


def _match_all(rules: tuple[_Rule, ...], data: bytes) -> list[_Rule]:
    """All rows that ``data`` matches, of those that begin with one byte; otherwise the first."""
    first = _match(rules, data)
    if len(data) > 1 or not first:
        return first
    return [rule for rule in rules if _match((rule,), data)]


def _remarks(number: int, role: Role) -> list[str]:
    """Sentences about the number that are true whatever the bytes are."""
    if number == -1:
        return ["Programs write -1 where they have no number: it may never have been on the wire."]
    return []


# ── A number that is a length ────────────────────────────────────────────────────────


def _as_length(length: int, role: Role) -> list[Reading]:
    """What to say about a number that begins nothing known: it may be a length after all."""
    if length < 0 or role is Role.BODY:
        return []
    if length == 0:
        return [_empty_frame(role)]
    if length <= DEFAULT_LIMITS.frame:
        return _ordinary_length(length, role)
    if length > MAX_FRAME or role not in (Role.UNKNOWN, Role.FRAME):
        return []
    return [
        Reading(
            f"as a length {length / 2**20:.1f} MiB, more than the {DEFAULT_LIMITS.frame} bytes "
            "that Apache Thrift takes by default",
            "a side that sends very large messages, if it is a length at all",
            "",
            "If messages are that large, raise the reader's limit. If they are not, these are the "
            "first bytes of something else, or the reader is out of step.",
            _POSSIBLE,
            "doc/specs/thrift-tconfiguration.md, MaxFrameSize",
        )
    ]


def _empty_frame(role: Role) -> Reading:
    return Reading(
        "four zero bytes: as a length, of a frame without a message",
        "a side with a framed transport that flushed without a message, or a probe that sends "
        "zero bytes",
        _who_read(_EITHER, Role.FRAME if role is Role.UNKNOWN else role),
        "Look at what came with it, and from which address: nothing can be said from the number.",
        _POSSIBLE,
        _FRAMES,
    )


def _ordinary_length(length: int, role: Role) -> list[Reading]:
    size = "1 byte" if length == 1 else f"{length} bytes"
    name = Reading(
        f"the length of a method's name, {size}, in the old binary header",
        "a side with the old header (strict_write off) in an unframed transport",
        _who_read(_EITHER, Role.FRAME),
        "Use a framed transport on both sides, or an unframed one on both.",
        _POSSIBLE,
        _MESSAGE,
    )
    old = [name] if length <= MAX_NAME else []
    if role is Role.FRAME:
        frame = Reading(
            f"the length of a frame, {size}: within the default limit of {DEFAULT_LIMITS.frame}",
            "a side with a framed transport",
            "the other side, as what it is",
            "If the reader refuses it, its limit is lower than that: raise it.",
            _POSSIBLE,
            _FRAMES,
        )
        return [frame, *old]
    frame = Reading(
        f"the length of a frame, {size}: an ordinary number",
        "a client or a server with a framed transport",
        _who_read(_EITHER, role)
        if role is not Role.UNKNOWN
        else "if anybody complains of it, the other side with an unframed transport, as the "
        "length of a method's name, where it expects a version",
        "Use a framed transport on both sides, or an unframed one on both.",
        _LIKELY if role is not Role.UNKNOWN else _POSSIBLE,
        _FRAMES,
    )
    return [frame] if role is not Role.UNKNOWN else [frame, *old]


def _turned(data: bytes, role: Role) -> list[Reading]:
    """Bytes that are unmistakable in the other order: the reader takes them as little-endian."""
    return [
        _reading(
            rule._replace(
                what=f"{rule.what}, if the reader takes numbers in little-endian order",
                certainty=_LIKELY,
            ),
            role,
        )
        for rule in _match(_RULES, data[3::-1])
        if rule.certainty is _CERTAIN
    ]


# ── What the bytes say in words ──────────────────────────────────────────────────────

# A line of text, and text of any kind, from some place on.
_LINE: Final = re.compile(rb"[\x20-\x7e\t]{4,200}")
_MAX_WORDS: Final = 200


def text_in(data: bytes, kind: Family) -> str:
    """The words in bytes that speak ``kind``: a status line, a greeting, an error; "" if none.

    Only readable text is taken, and it may be cut off where ``data`` ends.
    """
    if kind is Family.HTTP:
        return _http_words(data)
    if kind in (Family.SASL, Family.REFUSAL):
        length = int.from_bytes(data[1:5], "big")
        return _words(data[5 : 5 + length])
    if kind in (Family.FOREIGN, Family.PROXY):
        return _foreign_words(data)
    return ""


def _http_words(data: bytes) -> str:
    line = _words(data)
    if b"upgrade: websocket" in data.lower():
        return f"{line} (Upgrade: websocket)"
    return line


def _foreign_words(data: bytes) -> str:
    first = data[0]
    if 0x81 <= first <= 0x85:  # CQL: version, flags, stream, opcode, length; an ERROR has a code
        at = 8 if first < 0x83 else 9
        if data[at - 5 : at - 4] != b"\0":
            return ""
        length = int.from_bytes(data[at + 4 : at + 6], "big")
        return _words(data[at + 6 : at + 6 + length])
    if data[:2] == b"\0\0" and data[4:5] in (b"\x80", b"\x7f"):  # ThriftMux: an Rerr's reason
        return _words(data[8 : 4 + int.from_bytes(data[:4], "big")])
    if data[4:5] == b"\x0a":  # MySQL: the version after the protocol's number
        return _words(data[5:].partition(b"\0")[0])
    if data[4:5] == b"\xff":
        return _words(data[7:])
    if first == 0x45 and b"\0M" in data:  # PostgreSQL: the field M is the message
        return _words(data.partition(b"\0M")[2].partition(b"\0")[0])
    return _words(data)


def _words(data: bytes) -> str:
    """The text that ``data`` begins with, to the end of its line; "" if it is not text."""
    found = _LINE.match(data[:_MAX_WORDS])
    return "" if found is None else found[0].decode("ascii").strip()


# ── Who read it as what, and what to change ──────────────────────────────────────────

_SIDES: Final = {
    _EITHER: ("sender", "reader", "the other side"),
    _CLIENT: ("client", "server", "a server"),
    _SERVER: ("server", "client", "a client"),
}


def _reading(rule: _Rule, role: Role, data: bytes = b"") -> Reading:
    taken = _usual_role(rule.sender.kind) if role is Role.UNKNOWN else role
    return Reading(
        rule.what,
        rule.sender.words,
        _who_read(rule.sender.side, taken),
        _remedy(rule.sender, taken),
        rule.certainty,
        rule.source,
        rule.sender.kind,
        text_in(data, rule.sender.kind) if len(data) > 4 else "",
    )


def _usual_role(kind: Family) -> Role:
    """What bytes of that kind are mostly taken for."""
    return Role.VERSION if kind in (Family.FRAMED, Family.HEADER) else Role.FRAME


def _who_read(side: _Side, role: Role) -> str:
    reader = _SIDES[side][2]
    if role is Role.LENGTH:
        return (
            f"{reader} with the binary protocol, as the length of a string: of a method's name, if "
            "it takes the header for an old one"
        )
    if role is Role.VERSION:
        return f"{reader} with the binary protocol, as the version at the start of a message"
    if role is Role.PROTOCOL_ID:
        return f"{reader} with the compact protocol, as the first byte of a message"
    if role is Role.FOREIGN:
        return f"{reader} that is no Thrift program, as a length or a mark of its own"
    if role is Role.HTTP2:
        return (
            f"{reader} that speaks HTTP/2, most likely of gRPC, as the length of a frame (3 bytes)"
        )
    if role is Role.MAGIC:
        return f"{reader} of Motan or rpcx, as the magic at the start of a message"
    if role is Role.BODY:
        return f"{reader} of Dubbo, Motan or rpcx, as the length in the header of a message"
    if role is Role.STATUS:
        return f"{reader} with a SASL transport, as the status of a negotiation"
    return f"{reader} with a framed transport, as the length of a frame"


# What to change, whatever the reader took it for.
_REMEDIES: Final = {
    Family.HEADER: "Use a header transport on both sides, or plain frames on both.",
    Family.ZLIB: "Use a zlib transport on both sides, or on neither.",
    Family.GRPC: "gRPC is not Thrift. Check host and port on the client's side.",
    Family.TLS: "Use TLS on both sides, or on neither.",
    Family.SASL: "Use SASL on both sides, or on neither. Hive and Impala call it authentication: "
    "NOSASL is without.",
    Family.REFUSAL: "The text behind the status says why. Check user, password or ticket, and that "
    "both sides name the same mechanism.",
    Family.PROXY: "Switch the PROXY protocol off for this port in the load balancer: no Thrift "
    "server reads it.",
}
_HTTP_REMEDIES: Final = {
    _CLIENT: "Keep browsers, health checks and scrapers off this port. If it is a Thrift client, "
    "use a socket transport in it instead of HTTP, or serve HTTP (THttpServer).",
    _SERVER: "Check host and port: is it the Thrift server that answers? If the service is Thrift "
    "over HTTP, use an HTTP transport in the client (THttpClient).",
    _EITHER: "Use HTTP on both sides, or on neither.",
}
# If the reader speaks HTTP/2.
_THRIFT_ON_HTTP2: Final = "Thrift is not gRPC. Check host and port."
_HTTP2_REMEDIES: Final = dict.fromkeys(
    (
        *(Family.BINARY, Family.COMPACT, Family.JSON, Family.FRAMED, Family.HEADER),
        *(Family.ZLIB, Family.SASL),
    ),
    _THRIFT_ON_HTTP2,
)
_HTTP1_REMEDIES: Final = {
    _CLIENT: "Keep browsers, health checks and scrapers off this port, or let them speak HTTP/2: "
    "a gRPC server takes no HTTP/1.1.",
    _SERVER: "Check host and port: what answers is HTTP/1.1. If a proxy or a load balancer is "
    "before the gRPC server, let it speak HTTP/2 (h2c without TLS; grpc_pass, not proxy_pass, in "
    "nginx); if the server wants TLS, use TLS in the client.",
    _EITHER: "Use HTTP/2 on both sides.",
}
# If the reader speaks Dubbo, Motan or rpcx.
_RELATIVES_REMEDIES: Final = {
    _CLIENT: "Keep browsers, health checks and scrapers off this port.",
    _SERVER: "Check host and port: what answers there speaks HTTP.",
    _EITHER: "Check host and port: the two sides speak different protocols.",
}
_FOREIGN_REMEDIES: Final = {
    _CLIENT: "Find out who connects to this port, and why.",
    _SERVER: "Check host and port: the client has reached another kind of server.",
    _EITHER: "Check host and port: one of the two sides is not a Thrift program.",
}


def _remedy(sender: _Sender, role: Role) -> str:
    """What to change so that both sides speak alike."""
    kind = sender.kind
    if role is Role.STATUS and kind in (Family.BINARY, Family.COMPACT, Family.FRAMED, Family.JSON):
        kind = Family.SASL
    if role is Role.FOREIGN:
        return "Check host and port: the client has reached another kind of server."
    if sender.remedy:
        return sender.remedy
    if role in (Role.MAGIC, Role.BODY) and kind is not Family.TLS:
        return _RELATIVES_REMEDIES[sender.side if kind is Family.HTTP else _EITHER]
    if role is Role.HTTP2 and kind in _HTTP2_REMEDIES:
        return _HTTP2_REMEDIES[kind]
    if role is Role.HTTP2 and kind is Family.HTTP:
        return _HTTP1_REMEDIES[sender.side]
    if kind in _REMEDIES:
        return _REMEDIES[kind]
    if kind is Family.HTTP:
        return _HTTP_REMEDIES[sender.side]
    if kind is Family.FOREIGN:
        return _FOREIGN_REMEDIES[sender.side]
    # Both speak Thrift, but in different transports or protocols.
    one, other, _ = _SIDES[sender.side]
    if kind is Family.FRAMED:
        return f"Use a framed transport in the {other}, or an unframed one in the {one}."
    if role is Role.FRAME:
        also = {Family.COMPACT: "compact", Family.JSON: "JSON"}.get(kind)
        more = f" The {other} has to speak {also}, too." if also else ""
        return f"Use a framed transport in the {one}, or an unframed one in the {other}.{more}"
    if role is Role.VERSION and kind is Family.BINARY:
        return "This version is the right one. Look at the message type and at what follows."
    if role is Role.LENGTH and kind is Family.BINARY:
        return (
            "The reader is out of step: it wants a length where a message begins. Look at what it "
            "read before, and give up a connection after an error."
        )
    return "Use the same protocol on both sides."
