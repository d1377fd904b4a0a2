"""What people paste: bytes as tools lay them out, lines of logs, numbers; and hostile text."""

from __future__ import annotations

from pingpong.hints.pasted import MAX_TEXT


def shown(data: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)


def rows(data: bytes, size: int = 16) -> list[tuple[int, bytes]]:
    return [(at, data[at : at + size]) for at in range(0, len(data), size)]


def grouped(data: bytes, size: int) -> str:
    return " ".join(data[at : at + size].hex() for at in range(0, len(data), size))


def tcpdump(data: bytes, text: bool = True) -> str:
    """print-ascii.c: a tab, the offset, words of two bytes in 40 columns, the characters."""
    lines = ["12:00:00.000000 IP 127.0.0.1.50001 > 127.0.0.1.9090: Flags [P.], length 17"]
    for at, row in rows(data):
        words = "".join(f" {row[i : i + 2].hex()}" for i in range(0, len(row), 2))
        lines.append(f"\t0x{at:04x}: {words:<40}  {shown(row) if text else ''}".rstrip(" "))
    return "\n".join(lines)


def xxd(data: bytes, size: int = 16, group: int = 2) -> str:
    room = len(grouped(bytes(size), group))
    return "\n".join(
        f"{at:08x}: {grouped(row, group):<{room}}  {shown(row)}" for at, row in rows(data, size)
    )


HOSTILE = {
    "quotes": "b'" * 200_000,
    "escaped quotes": "b'" + "\\'" * 200_000,
    "backslashes": "\\" * 400_000,
    "escapes": "\\x80" * 100_000,
    "brackets": "[" * 300_000 + "]" * 300_000,
    "braces": "{0x" * 150_000,
    "comments": "{0x/*" * 100_000,
    "digits": "8" * MAX_TEXT,
    "pairs": "80 " * 300_000 + "x",
    "a dump in one line": "00000000  " + "80  " * 250_000,
    "long rows": ("00000000  " + "80  " * 360 + "\n") * 650,
    "offsets": "0000\n" * 150_000,
    "stars": "00000000: 00\n" + "*\n" * 300_000,
    "spaces": " " * MAX_TEXT,
    "longer than the limit": "80" * MAX_TEXT,
}

# A line, words of its meaning and of its first cause, and its number as bytes.
LINES = {
    "Frame size (1213486160) larger than max length (16384000)!": (
        "length of a frame",
        "does not use frames",
        "48545450",
    ),
    "TTransportException: Read a negative frame size (-2147418111)": (
        "length of a frame",
        "does not use frames",
        "80010001",
    ),
    "Read a negative frame size (-2147418111)!": (
        "length of a frame",
        "does not use frames",
        "80010001",
    ),
    "Frame size (369295618) larger than the maximum (16384000)": (
        "length of a frame",
        "does not use frames",
        "16030102",
    ),
    "Invalid frame size of 1195725856": ("length of a frame", "does not use frames", "47455420"),
    "Read an invalid frame size of -2147418111. Are you using TFramedTransport": (
        "length of a frame",
        "does not use frames",
        "80010001",
    ),
    "Read a frame size of 1347375956, which is bigger than the maximum allowable buffer size": (
        "length of a frame",
        "does not use frames",
        "504f5354",
    ),
    "TNonblockingServer: frame size too large (1195725856 > 268435456) from client x": (
        "length of a frame",
        "does not use frames",
        "47455420",
    ),
    "Incorrect frame size (2147549185)": ("length of a frame", "does not use frames", "80010001"),
    "fatal: frame length 369295616 exceeds limit": (
        "length of a frame",
        "does not use frames",
        "16030100",
    ),
    "frame length at offset 0: is 1347375956, want at most 16384000": (
        "length of a frame",
        "does not use frames",
        "504f5354",
    ),
    "Frame size has negative value": ("length of a frame", "does not use frames", ""),
    "Adjusted frame length exceeds 1048576: 369295620 - discarded": (
        "Netty",
        "does not use frames",
        "16030100",
    ),
    "CorruptedFrameException: negative pre-adjustment length field: -2147418111": (
        "length of a frame",
        "does not use frames",
        "80010001",
    ),
    "No protocol version header": ("a positive number", "framed transport", ""),
    "Missing version in readMessageBegin, old client?": (
        "a positive number",
        "framed transport",
        "",
    ),
    "No version identifier... old protocol client in strict mode? sz=30": (
        "a positive number",
        "framed transport",
        "0000001e",
    ),
    "Bad version in read_message_begin: -2113863679": (
        "another version",
        "compact protocol",
        "82010001",
    ),
    "Bad version in readMessageBegin": ("another version", "compact protocol", ""),
    "Bad version identifier, sz=-2111766269": ("another version", "compact protocol", "82210103"),
    "Expected protocol id ffffff82 but got ffffff80": (
        "does not begin with 82",
        "another protocol",
        "80",
    ),
    "Expected protocol id 82 but got 00": ("does not begin with 82", "another protocol", "00"),
    "Bad protocol id in the message: 128": ("does not begin with 82", "another protocol", "80"),
    "Expected version 1 but got 0": ("a version that", "out of step", ""),
    "TTransportException: Invalid status -128": ("SASL", "not use SASL", "80"),
    "Bad status: 3 (Error validating the login)": ("SASL", "not use SASL", "03"),
    "Bad SASL negotiation status: 4 (x)": ("SASL", "not use SASL", "04"),
    "Unsupported mechanism type PLAIN": ("negotiation failed", "different mechanisms", ""),
    "Length exceeded max allowed: 1195725856": (
        "length of a string",
        "the method's name",
        "47455420",
    ),
    "Negative length: -2147418111": ("length of a string", "the method's name", "80010001"),
    "Unrecognized type -128": ("whose type is none", "out of step", ""),
    "thriftpy2.transport.TTransportException: TSocket read 0 bytes": (
        "closed the connection",
        "could not read",
        "",
    ),
    "Cannot read. Remote side has closed. Tried to read 4 bytes, but only got 0 bytes.": (
        "closed the connection",
        "could not read",
        "",
    ),
    "[Errno 104] Connection reset by peer": ("closed the connection", "could not read", ""),
    "THRIFT_EAGAIN (timed out)": ("in time", "longer than", ""),
    "Could not connect to ('127.0.0.1', 9090)": ("no connection", "No server", ""),
    "login failed: out of sequence response: expected 3 but got 2": (
        "another seqid",
        "timed out",
        "",
    ),
    "Service name not found in message name: ping. Did you forget to use a TMultiplexProtocol": (
        "multiplexed",
        "not multiplexed",
        "",
    ),
    "Invalid method name: 'Calc:add'": ("the method's name", "another one", ""),
    "Internal error processing login": ("handler failed", "an exception", ""),
    "MaxMessageSize reached": ("as many bytes", "that large", ""),
}

# wire.md, "Numbers that people paste from a log": number, bytes, what they are, who sent
# them, who read them.
NUMBERS = {
    -2147418111: ("80 01 00 01", "strict binary CALL", "a client with an unframed", "a server"),
    2147549185: ("80 01 00 01", "strict binary CALL", "a client with an unframed", "a server"),
    -2147418110: ("80 01 00 02", "strict binary REPLY", "a server with an unframed", "a client"),
    -2147418109: ("80 01 00 03", "binary EXCEPTION", "a server with an unframed", "a client"),
    -2147418108: ("80 01 00 04", "strict binary ONEWAY", "a client with an unframed", "a server"),
    1195725856: ("47 45 54 20", "HTTP GET", "an HTTP client", "a server"),
    1347375956: ("50 4f 53 54", "HTTP POST", "an HTTP client", "a server"),
    1213486160: ("48 54 54 50", "HTTP response", "an HTTP server", "a client"),
    369295616: ("16 03 01 00", "TLS handshake", "a client that speaks TLS", "a server"),
    369296128: ("16 03 03 00", "TLS handshake", "a client that speaks TLS", "a server"),
    369295362: ("16 03 00 02", "TLS handshake", "a client that speaks TLS", "a server"),
    352518912: ("15 03 03 00", "TLS alert", "a server that speaks TLS", "a client"),
    83886082: ("05 00 00 02", "SASL COMPLETE", "a server with a SASL", "a client"),
    33554433: ("02 00 00 01", "CQL v2 STARTUP", "a Cassandra client", "a server"),
    16777217: ("01 00 00 01", "CQL v1 STARTUP", "a Cassandra client", "a server"),
    -2097152000: ("83 00 00 00", "CQL v3 answer", "a Cassandra server", "a client"),
    -2080374784: ("84 00 00 00", "CQL v4 answer", "a Cassandra server", "a client"),
    -2063532032: ("85 01 00 00", "", "", ""),
    -2113929214: ("82 00 00 02", "CQL v2 answer", "a Cassandra server", "a client"),
    -2130706432: ("81 00 00 00", "CQL v1 ERROR", "a Cassandra server", "a client"),
    -2111766528: ("82 21 00 00", "compact CALL", "a client with the compact", "a server"),
    -2111700993: ("82 21 ff ff", "compact CALL", "a client with the compact", "a server"),
    -2109669375: ("82 41 00 01", "compact REPLY", "a server with the compact", "a client"),
    1529949218: ("5b 31 2c 22", "Apache's JSON", "with the JSON protocol", "the other side"),
    1397966893: ("53 53 48 2d", "greeting of SSH", "an SSH server", "the other side"),
    268369920: ("0f ff 00 00", "THeader", "a THeader transport", "the other side"),
    2023358464: ("78 9a 00 00", "", "", ""),  # no zlib level, no text: nothing known
    2023489536: ("78 9c 00 00", "zlib stream", "a zlib transport", "the other side"),
    1347571544: ("50 52 4f 58", "PROXY line", "a load balancer", "a server"),
    1347569952: ("50 52 49 20", "preface of HTTP/2", "an HTTP/2 client", "a server"),
    -625229312: ("da bb c2 00", "Dubbo", "a Dubbo client", "a server"),
}
