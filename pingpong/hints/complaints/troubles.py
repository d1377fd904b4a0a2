"""What the trouble can be when a library complains: in words, with its causes and what to do.

    "Read a negative frame size (-2147418111)!"  ─▶  FRAME    the words of libraries: see rows
    "Socket is closed by peer."                  ─▶  CLOSED

Each kind of trouble is here once, however many libraries have words for it.  ``role`` is what the
reader took the number in its words for, which ``hints.magic_numbers`` needs to know.

A cause is a possibility, and the likeliest comes first: the words alone do not tell which it is.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..magic_numbers import Role

__all__ = ["Trouble"]


class Trouble(NamedTuple):
    """A kind of trouble.

    ``meaning`` is what the words say, ``causes`` are the likely ones, in order, and ``look_at``
    is where to look next or what to change.  ``added`` is what the reader added to the number
    that it shows.
    """

    meaning: str
    causes: tuple[str, ...]
    look_at: str
    role: Role = Role.UNKNOWN
    added: int = 0


_FIRST_BYTES: Final = (
    "the first 8 bytes that the reader got: record them (pingpong record, tcpdump -w), or print "
    "them where it reads."
)
_NUMBER: Final = f"the number. Without one, {_FIRST_BYTES}"

# ── Frames and lengths ───────────────────────────────────────────────────────────────

_FRAME_CAUSES: Final = (
    "The sender does not use frames: its first bytes were taken for a length. The number is those "
    "bytes.",
    "The sender is no Thrift program of this kind: HTTP, TLS or SASL on this port.",
    "The message really is that large. Then the number is a little above the limit, and nothing "
    "else.",
    "The reader is out of step, after an error on a connection that it kept.",
)
FRAME: Final = Trouble(
    "A reader with a framed transport took four bytes for the length of a frame, and refused them.",
    _FRAME_CAUSES,
    _NUMBER,
    Role.FRAME,
)
NETTY_FRAME: Final = Trouble(
    "A reader with frames (Netty) took four bytes for a length, and found it too large. The "
    "number it shows is 4 more than those bytes: it counts the length itself.",
    _FRAME_CAUSES,
    _NUMBER,
    Role.FRAME,
    4,
)
FRAME_LIMIT: Final = Trouble(
    "A reader refused a message as too large. The number is the reader's limit; the size that it "
    "found is not told.",
    (
        "The message really is larger than the limit.",
        "The sender does not use frames, or is no Thrift program: its first bytes were taken for a "
        "length.",
    ),
    "how large the messages are: pingpong messages CAPTURE lists sizes. If they are larger than "
    "the limit, raise it in the reader or send less at a time; if not, look at the first 8 bytes "
    "that it got.",
    Role.LIMIT,
)
WAITS_FOR: Final = Trouble(
    "A reader waited for that many bytes, and they did not come in time. The connection itself "
    "stood.",
    (
        "The other side takes longer than this one waits: so if the number is small.",
        "The first bytes of something else were taken for a length: so if the number is large.",
    ),
    "the number. After a timeout, give up the connection: the late answer would be taken for that "
    "of the next call.",
    Role.FRAME,
)
SHORT: Final = Trouble(
    "A reader asked for that many bytes, and the other side closed the connection before they "
    "came.",
    (
        "The other side could not read what it got, or its handler failed, and it closed: so if "
        "the number is 4 or another small one, at the start of an answer.",
        "The first bytes of something else were taken for a length: so if the number is large.",
        "The other side crashed, or was restarted, in the middle of a message.",
    ),
    "the log of the other side at that second, and the number.",
    Role.FRAME,
)
LENGTH: Final = Trouble(
    "A reader took four bytes (in compact: a varint) for the length of a string, a list or a "
    "map, and refused them.",
    (
        "It is the first string of a message, the method's name, and the sender does not speak "
        "what the reader expects. Then the number is the first bytes of something else.",
        "The reader is out of step: the structs of the two sides differ, or bytes were left over.",
        "The string or the list really is longer than the reader's limit. (Apache's Python "
        "prints the limit, Java the length.)",
    ),
    _NUMBER,
    Role.LENGTH,
)
VARINT: Final = Trouble(
    "A reader of the compact protocol came to a number without an end: a varint whose bytes all "
    "say that more follow.",
    (
        "The sender speaks another protocol, or the reader is out of step.",
        "Bytes are missing or damaged.",
    ),
    _FIRST_BYTES,
)
MESSAGE_SIZE: Final = Trouble(
    "The reader has read as many bytes for one message as it allows.",
    (
        "Messages really are that large: raise the limit (TConfiguration), or send less at a time.",
        "The reader is out of step, and took other bytes for a length.",
    ),
    "how large the message is: pingpong messages CAPTURE lists sizes.",
    Role.LENGTH,
)
TOO_LARGE_TO_SEND: Final = Trouble(
    "The message is too large for its writer: nothing of it was sent.",
    ("The value is larger than the writer's limit, or than its buffer.",),
    "how much is sent in one call, and the writer's limit.",
)

# ── The start of a message ───────────────────────────────────────────────────────────

VERSION: Final = Trouble(
    "A reader of the binary protocol got a message that begins with a negative number, as a "
    "strict header does, but with another version than 8001.",
    (
        "The sender speaks the compact protocol (its messages begin with 82).",
        "The reader is out of step: bytes of an earlier message were left over, or the frames "
        "of one side are read unframed.",
        "The sender is no Thrift program at all.",
    ),
    _NUMBER,
    Role.VERSION,
)
NO_VERSION: Final = Trouble(
    "A reader of the binary protocol got a message that begins with a positive number. A "
    "strict header begins with a negative one.",
    (
        "The sender uses a framed transport and the reader an unframed one: the number was the "
        "length of a frame.",
        "The sender is not a Thrift program of this kind: a TLS hello (16 03), HTTP (GET, "
        "POST) and SASL (01) are positive numbers too.",
        "The sender writes the old header, without a version (strict_write off). Switch it on "
        "there, or strict_read off in the reader.",
        "The reader is out of step: bytes of an earlier message were left over.",
    ),
    _FIRST_BYTES,
    Role.VERSION,
)
NAME: Final = Trouble(
    "Python read text that begins with 80 or 82, as no text does and strict binary and compact "
    "messages do: a message was taken for a name.",
    (
        "The sender uses a framed transport and the reader an unframed one that takes old "
        "headers: it took the frame's length for the length of a method's name, and the "
        "message in the frame for the name.",
        "The reader is out of step: bytes of an earlier message were left over.",
        "It is a binary field that the IDL calls a string.",
    ),
    _FIRST_BYTES,
)
NOT_UTF8: Final = Trouble(
    "A reader took bytes for text, and they are no UTF-8.",
    (
        "The sender wrote binary data, or text in another encoding, into a field that the IDL "
        "calls a string: make it binary.",
        "The reader is out of step, and took other bytes for a string.",
    ),
    "the field, byte by byte: pingpong show CAPTURE --message N, or paste the message here.",
)
PROTOCOL_ID: Final = Trouble(
    "A reader of the compact protocol got a message that does not begin with 82.",
    (
        "The sender speaks another protocol: strict binary begins with 80.",
        "The sender uses a framed transport and the reader an unframed one: a frame's length "
        "begins with 00.",
        "The reader is out of step: bytes of an earlier message were left over.",
    ),
    _NUMBER,
    Role.PROTOCOL_ID,
)
COMPACT_VERSION: Final = Trouble(
    "A reader of the compact protocol found 82 at the start, and behind it a version that it "
    "does not know.",
    (
        "The reader is out of step: the 82 was in the middle of something else.",
        "The sender uses a later version of the compact protocol (Facebook's has a version 2).",
    ),
    f"the second byte of the message, whose low 5 bits are the version, and {_FIRST_BYTES}",
)
TRANSPORT: Final = Trouble(
    "A reader that takes several transports and protocols found bytes that begin none of them.",
    (
        "The sender speaks something that this reader does not take, or is switched off in it.",
        "The sender is no Thrift program: HTTP, TLS, a health check, a port scanner.",
        "The reader is out of step, after an error on a connection that it kept.",
    ),
    _NUMBER,
    Role.FRAME,
)
HEADER: Final = Trouble(
    "A reader of the header transport (THeader, TTHeader) found a header that cannot be right.",
    (
        "The sender is no THeader program, or of another version.",
        "The reader is out of step, after an error on a connection that it kept.",
        "The header names a transform or a protocol that this reader was built without.",
    ),
    _FIRST_BYTES,
)
TEXT_ON_PORT: Final = Trouble(
    "Something sent text to the Thrift port.",
    ("A health check, a scraper, a port scanner, a browser or telnet. It is mostly harmless.",),
    "who connects, by the address in the log, and keep it off this port.",
)
MESSAGE_TYPE: Final = Trouble(
    "The message could be read, and its type is none that can come here: a server wants a CALL or "
    "a ONEWAY, a client a REPLY or an EXCEPTION.",
    (
        "The reader is out of step.",
        "Client and server are connected the wrong way round, or a proxy sends a side its own "
        "bytes.",
    ),
    "the message type, which is the fourth byte of a strict binary message.",
)
JSON: Final = Trouble(
    "A reader of the JSON protocol got something that is no message of it.",
    (
        "The sender speaks another protocol.",
        "The sender speaks thriftpy2's JSON protocol, which is not Apache's.",
        "The sender uses a framed transport and the reader an unframed one.",
    ),
    _FIRST_BYTES,
)
ZLIB: Final = Trouble(
    "A reader took bytes for compressed data, and they are none.",
    (
        "The sender does not compress: a zlib transport on one side only.",
        "Bytes are missing or damaged, or the reader is out of step.",
    ),
    f"the transports of both sides, and {_FIRST_BYTES}",
)

# ── Inside a message ─────────────────────────────────────────────────────────────────

FIELD_TYPE: Final = Trouble(
    "A reader came to a field or an element whose type is none. It was in the middle of a "
    "struct, and what it read before made sense.",
    (
        "The reader is out of step: something before this place was read with the wrong size.",
        "The two sides use different protocols, whose first bytes happened to pass.",
        "Bytes are missing or damaged.",
    ),
    "the message, byte by byte: pingpong show CAPTURE --message N, or paste its bytes here.",
)
FIELD_MISMATCH: Final = Trouble(
    "A field has another type than the reader's IDL gives it.",
    ("Client and server were made from different versions of the IDL.",),
    "the IDL of both sides: an id must never be used again for another type.",
)
DEPTH: Final = Trouble(
    "A reader went deeper into structs within structs than it allows.",
    (
        "The reader is out of step, and took other bytes for the starts of structs.",
        "The value really is that deep: a tree or a list that contains itself.",
    ),
    "the message, byte by byte: pingpong show CAPTURE --message N, or paste its bytes here.",
)
REQUIRED: Final = Trouble(
    "A struct came, or was to be sent, without a field that the IDL calls required.",
    (
        "Client and server were made from different versions of the IDL.",
        "The field is an enum, and its value is one that this side does not know: then it counts "
        "as not set. The other side is newer.",
        "Bytes are mixed up: two threads share one client, or the reader is out of step.",
        "The program did not set it. Then nothing was sent.",
    ),
    "the IDL of both sides. In a capture: pingpong show CAPTURE --message N shows the fields that "
    "are there.",
)
HIVE_VERSION: Final = Trouble(
    "The server does not know the version of the protocol that the driver asks for: such an enum "
    "value counts as not set.",
    ("The driver (Hive's JDBC driver, or a client in another language) is newer than the server.",),
    "the server's version, and use a driver of that version.",
)
UNION: Final = Trouble(
    "A union has no field set, or one that this side does not know.",
    (
        "The other side is newer, and its IDL has more fields in the union.",
        "The program did not set it. Then nothing was sent.",
    ),
    "the IDL of both sides.",
)
VALUE: Final = Trouble(
    "A value does not fit into the type that the IDL gives it: nothing was sent.",
    ("The program set a value of another type, or one that is too large.",),
    "the line of the program that sets the field.",
)

# ── SASL ─────────────────────────────────────────────────────────────────────────────

STATUS: Final = Trouble(
    "A reader with a SASL transport got a byte that does not fit into the negotiation.",
    (
        "The sender does not use SASL: the byte is the first of its message.",
        "The other side refuses: BAD is 3, ERROR is 4, and says why in its text.",
        "TLS or HTTP on this port.",
    ),
    "the number, and the configuration of both sides: in Hive and Impala, auth and NOSASL.",
    Role.STATUS,
)
SASL: Final = Trouble(
    "Both sides use SASL, and the negotiation failed.",
    (
        "They want different mechanisms, such as PLAIN and GSSAPI.",
        "User, password or Kerberos ticket is not accepted: wrong, expired, or for another "
        "host's name.",
    ),
    "the log of the other side at that second, and the mechanism in the client's START.",
)
SASL_LOCAL: Final = Trouble(
    "The SASL negotiation could not even start on this machine: nothing was sent.",
    (
        "The mechanism is not there: Cyrus SASL's plugin for it is not installed "
        "(libsasl2-modules, cyrus-sasl-plain, cyrus-sasl-gssapi), or the Python package sasl was "
        "built without it.",
        "There is no Kerberos ticket (klist), or it has expired, or the server's name does not "
        "fit its principal.",
    ),
    "what this machine has: the plugins of libsasl2, and klist. thrift_sasl with pure-sasl needs "
    "no plugin.",
)
SASL_PROBE: Final = Trouble(
    "A connection was opened and closed again before a SASL negotiation came: in a server's log.",
    (
        "A TCP health check of a load balancer, of Kubernetes or of a monitor. It is harmless.",
        "A client that gave up at once.",
    ),
    "who connects, by the address in the log: what a health check does needs no change.",
)

# ── The end of a connection ──────────────────────────────────────────────────────────

_CLOSED_CAUSES: Final = (
    "The other side could not read what it got, and closed: framed against unframed, "
    "another protocol, or one side with TLS or SASL and the other without.",
    "Its handler raised an exception that the IDL does not declare. Some servers, "
    "thriftpy2's among them, close the connection then.",
    "It had closed an idle connection before (a server's timeout, a load balancer), and "
    "this side noticed only now.",
    "It crashed, or was restarted.",
)
_WHO_CLOSES: Final = (
    "the log of the other side at that second. In a capture: who sends the FIN or RST, and "
    "after which of the other's bytes. At once after the first call means that the two do not "
    "understand each other."
)
CLOSED: Final = Trouble(
    "The other side closed the connection while this one waited for bytes. The words do "
    "not say why. In a server's log they mean only that a client went away.",
    _CLOSED_CAUSES,
    _WHO_CLOSES,
)
RESET: Final = Trouble(
    "The other side closed the connection with a reset (RST), without reading all that it had "
    "got, or it was gone. In a server's log: the client did.",
    (
        _CLOSED_CAUSES[0],
        _CLOSED_CAUSES[2],
        "A frame or a message was above its limit, and it did not read on.",
        "It crashed, or was restarted; or a firewall or a load balancer between the two cut the "
        "connection off.",
    ),
    _WHO_CLOSES,
)
BROKEN_PIPE: Final = Trouble(
    "This side wrote into a connection that the other side closed before.",
    (_CLOSED_CAUSES[2], *_CLOSED_CAUSES[:2], _CLOSED_CAUSES[3]),
    "whether there was a pause before the call: then connect anew and call again. " + _WHO_CLOSES,
)
CLIENT_GONE: Final = Trouble(
    "In a server's log: a client closed the connection, or it broke, while the server read or "
    "wrote.",
    (
        "The client is done, or its program ended: harmless.",
        "The client gave up waiting for the answer.",
        "A health check that opens a connection and closes it.",
    ),
    "whether a client complains at the same second.",
)
SERVER_FAILED: Final = Trouble(
    "In a server's log: the server failed at one connection. What it ran into stands behind these "
    "words or in the lines below them.",
    (
        "It could not read what the client sent.",
        "The handler failed.",
        "The client went away.",
    ),
    "the exception behind these words: explain that line.",
)
HS2_CLOSED: Final = Trouble(
    "HiveServer2 (or Spark's, Kyuubi's, Impala's) closed the connection while the driver waited. "
    "The words about too many connections are a guess of the driver's.",
    (
        "The driver is of another version, or wants another transport (HTTP, binary), SASL or TLS "
        "than the server has.",
        "The server has no thread left for one more connection.",
        "The server crashed, or was restarted.",
    ),
    "the server's log at that second.",
)
NOT_OPEN: Final = Trouble(
    "The program used a transport that is not open: nothing was sent.",
    (
        "It never opened the transport, or opening it failed and that was not noticed.",
        "It was closed after an error, or by another thread, and used again.",
    ),
    "the first error before this one.",
)
ALREADY_OPEN: Final = Trouble(
    "The program opened a transport that is open already.",
    (
        "It opens it twice: many clients open their transport themselves.",
        "An earlier use did not close it, or two threads share it.",
    ),
    "where the transport is opened; open it once, and close it after an error.",
)
UNUSABLE: Final = Trouble(
    "The program used a client again that an earlier error had made unusable.",
    ("An earlier call failed, timed out or was cancelled in the middle of a message.",),
    "the first error before this one, and make a new client after it.",
)

# ── Time ─────────────────────────────────────────────────────────────────────────────

READ_TIMEOUT: Final = Trouble(
    "No answer came in time. The connection itself stood.",
    (
        "The handler takes longer than the client waits.",
        "Each side waits for the other: the server took the first bytes for a length and waits "
        "for that many more. Framed against unframed can look like this.",
        "A firewall or a proxy swallows the packets.",
    ),
    "whether the server answers any call at all; in a capture, whether it sends a byte of "
    "payload. After a timeout, give up the connection: the late answer would be taken for that "
    "of the next call.",
)
WRITE_TIMEOUT: Final = Trouble(
    "This side could not send in time: the other one takes no more bytes. The connection itself "
    "stood.",
    (
        "The other side does not read: it is busy, or it waits for something else.",
        "The network between the two is broken or very slow.",
    ),
    "in a capture, whether the other side's window goes to 0.",
)
CONNECT_TIMEOUT: Final = Trouble(
    "There is no connection: nothing answered in time when this side tried to connect. Nothing of "
    "Thrift has been sent.",
    (
        "A firewall, a security group or a network policy drops the packets.",
        "The address is wrong, or the machine is down.",
        "The server is too busy to accept: its backlog is full.",
    ),
    "the address, and the way to it: nc -vz HOST PORT from the client's machine.",
)
TIMEOUT: Final = Trouble(
    "Something was not done in time. These words do not say whether a connection came about.",
    (
        "The handler takes longer than the client waits: so if it happens on some calls.",
        "No connection came about (a firewall, a wrong address, a machine that is down): so if "
        "it happens where the transport is opened.",
        "Each side waits for the other: framed against unframed can look like this. So if it "
        "happens on every call.",
    ),
    "the traceback: whether it is in open or connect, or where an answer is read.",
)
GAVE_UP: Final = Trouble(
    "The operating system gave up (ETIMEDOUT): nothing answered its packets. Mostly there is no "
    "connection, since it was trying to connect; on a connection that stood, the other side "
    "was no longer reachable.",
    (
        "A firewall, a security group or a network policy drops the packets.",
        "The address is wrong, or the machine is down.",
        "An idle connection was forgotten by a firewall or a load balancer between the two.",
    ),
    "where it happens: in open or connect there is no connection, nc -vz HOST PORT tells. In a "
    "read or a write, switch keepalive on.",
)
LOST: Final = Trouble(
    "A connection that stood was lost: for minutes the other side acknowledged nothing, and the "
    "operating system gave up.",
    (
        "A firewall or a load balancer between the two forgot the idle connection.",
        "The other machine is down, or unplugged.",
    ),
    "whether there was a pause before the call. Switch keepalive on, or connect anew.",
)

# ── No connection ────────────────────────────────────────────────────────────────────

REFUSED: Final = Trouble(
    "There is no connection: nothing has been sent yet.",
    (
        "No server listens at this address and port, or it listens on another interface only.",
        "A firewall refuses.",
    ),
    "the address and the port on both sides: ss -ltn where the server runs.",
)
UNREACHABLE: Final = Trouble(
    "There is no connection: no way leads to this address. Nothing has been sent yet.",
    (
        "The address is wrong, or in a network that this machine cannot reach (a VPN, another "
        "container network).",
        "The machine is down, or a firewall refuses.",
    ),
    "the address, and the way to it: ip route get ADDRESS on the client's machine.",
)
RESOLVE: Final = Trouble(
    "There is no connection: the host's name is not known here. Nothing has been sent yet.",
    (
        "The name is wrong, or known only elsewhere (in another container network, in a VPN).",
        "The name server cannot be reached.",
    ),
    "the name: getent hosts NAME on the client's machine, in the same container.",
)
UDP_UNREACHABLE: Final = Trouble(
    "A datagram was sent, and the other machine answered that nobody listens on that UDP port "
    "(ICMP port unreachable).",
    (
        "The agent (Jaeger's, for one) does not run there, or listens on another port or another "
        "interface.",
    ),
    "the address and the port on both sides: ss -lun where the agent runs.",
)
NO_SERVER: Final = Trouble(
    "A proxy, a pool or a load balancer has no server to which it could give the call.",
    (
        "All servers are down, or were marked as down after failures.",
        "No server, cluster or route is configured for this service or method.",
    ),
    "what the proxy or the pool knows of its servers, and the first error before this one.",
)
BIND: Final = Trouble(
    "A server could not take its port.",
    (
        "Another program listens there, perhaps an older server that still runs.",
        "The address is none of this machine, or the port is below 1024.",
    ),
    "who listens there: ss -ltnp.",
)
NO_ADDRESS: Final = Trouble(
    "This machine has no address or no port for it (EADDRNOTAVAIL). Nothing was sent.",
    (
        "A client has no local port left: too many connections were opened, and closed ones still "
        "wait (TIME_WAIT).",
        "A server was told to listen on an address that is none of this machine.",
        "The host's name means an IPv6 address, and this machine or container has none.",
    ),
    "how many connections there are (ss -tan), and the address. Keep connections and use them "
    "again.",
)
FILES: Final = Trouble(
    "The process has no file descriptor left for one more connection.",
    (
        "Connections are opened and not closed.",
        "The limit is too low for that many clients.",
    ),
    "ulimit -n, and how many connections there are: ss -tnp.",
)
OVERLOAD: Final = Trouble(
    "The server, or a library before it, refused the call because there is too much to do.",
    (
        "More calls come than the server has threads, queue or quota for.",
        "Handlers are slow or hang, so that threads do not become free.",
        "A circuit breaker or a limit is set too low.",
    ),
    "the handlers' times, and the size of the pool, the queue or the limit.",
)

# ── TLS and HTTP ─────────────────────────────────────────────────────────────────────

NOT_TLS: Final = Trouble(
    "A side that expects TLS got bytes that are no TLS.",
    (
        "The other side does without TLS: plain Thrift, or plain HTTP/2 (gRPC without "
        "credentials).",
        "It is another kind of program: HTTP/1.1 on this port.",
    ),
    _FIRST_BYTES,
)
TLS_CLOSED: Final = Trouble(
    "The other side closed the connection in the middle of the TLS handshake.",
    (
        "It does not speak TLS, and could not read the hello.",
        "It wants another version of TLS, another cipher, or a certificate from the client.",
    ),
    "the other side's log; openssl s_client -connect HOST:PORT tells what it speaks.",
)
CERTIFICATE: Final = Trouble(
    "Both sides speak TLS, and one does not accept the other's certificate.",
    (
        "It was signed by an authority that this side does not know: give it the CA's file.",
        "It is for another name than the one that was connected to, or it has expired.",
        "The server wants a certificate from the client, and got none that it accepts.",
    ),
    "the certificate: openssl s_client -showcerts -connect HOST:PORT.",
)
HTTP_STATUS: Final = Trouble(
    "An HTTP server answered with a status that is no success: there is no Thrift in the answer.",
    (
        "401, 403: user, password, ticket or cookie. 404: the path. 405: it is no Thrift endpoint. "
        "413: the message is too large.",
        "500: the handler failed, or the server could not read the call. 502, 503, 504: a proxy "
        "did not reach the server.",
    ),
    "the URL with its path, and the log of the HTTP server or of the proxy before it.",
)
HTTP_ANSWER: Final = Trouble(
    "An HTTP client could not read the answer: it is no HTTP, or no Thrift over HTTP.",
    (
        "The server speaks Thrift without HTTP: use a socket transport in the client.",
        "The URL leads to another kind of server, which answered with a page.",
    ),
    "the URL, and the first bytes of the answer.",
)

# ── What the other side says ─────────────────────────────────────────────────────────

SEQID: Final = Trouble(
    "The client got a reply with another seqid than its call had: the reply to another call.",
    (
        "An earlier call timed out, the connection was kept, and its late reply was read as "
        "that of this call.",
        "Two threads use one client at the same time.",
        "The server does not send the seqid back as it got it.",
    ),
    "whether there was a timeout before it on the same connection, and whether each thread has "
    "a client of its own.",
)
WRONG_REPLY: Final = Trouble(
    "The client got a reply that names another method than its call.",
    (
        "An earlier call timed out, the connection was kept, and its late reply was read as "
        "that of this call.",
        "Two threads use one client at the same time.",
    ),
    "whether there was a timeout before it on the same connection, and whether each thread has "
    "a client of its own.",
)
MULTIPLEXED: Final = Trouble(
    "The server is multiplexed: it wants a service's name and a colon before the method's name.",
    (
        "The client is not multiplexed: use TMultiplexedProtocol in it.",
        "The client names a service that the server has not registered. Case counts.",
    ),
    "the method's name in the CALL: pingpong show CAPTURE prints it as it was sent.",
)
METHOD: Final = Trouble(
    "The two sides understand each other's bytes, but not the method's name.",
    (
        "The service on this port is another one.",
        "Client and server were made from different versions of the IDL.",
        "The client is multiplexed (Service:method) and the server is not.",
    ),
    "the method's name in the CALL, and the service that the server was started with.",
)
HANDLER: Final = Trouble(
    "The call arrived and could be read. The server's handler failed.",
    (
        "The handler raised an exception that the IDL does not declare.",
        "It returned nothing where the IDL wants a result (unknown result).",
    ),
    "the server's log: the handler's own traceback is there.",
)
NO_RESULT: Final = Trouble(
    "The reply came, and holds neither a result nor a declared exception.",
    (
        "The handler failed or returned nothing (null, None) where the IDL wants a result.",
        "The server raised an exception that is declared in its IDL and not in this one: versions "
        "differ.",
    ),
    "the server's log, and the reply: pingpong show CAPTURE --message N.",
)
ARGUMENTS: Final = Trouble(
    "The server could not read the arguments of the call, and says so (PROTOCOL_ERROR).",
    (
        "Client and server were made from different versions of the IDL: a required field or an "
        "enum value that one of them does not know.",
        "Bytes of the call are left unread now: give up the connection.",
    ),
    "the IDL of both sides, and the call: pingpong show CAPTURE --message N.",
)
PROTOCOL_ERROR: Final = Trouble(
    "An error by the name of PROTOCOL_ERROR: Thrift's is of a server that could not read the "
    "arguments of a call (TApplicationException), HTTP/2's and gRPC's of a side that got what "
    "HTTP/2 does not allow. These words do not say which.",
    (
        "In Thrift, client and server were made from different versions of the IDL: a required "
        "field or an enum value that one of them does not know.",
        "In HTTP/2, the other side is another kind of program, or a proxy between the two is.",
    ),
    "the words around it. In a capture, pingpong diagnose says which of the two it is.",
)
INTERNAL_ERROR: Final = Trouble(
    "An error by the name of INTERNAL_ERROR: Thrift's is of a server whose handler failed "
    "(TApplicationException), HTTP/2's and gRPC's of a side that ended a stream or a connection "
    "for a failure of its own. These words do not say which.",
    (
        "The server's handler failed.",
        "In HTTP/2, a proxy between the two failed, or the server behind it did.",
    ),
    "the words around it, and the server's log at that second.",
)
SESSION: Final = Trouble(
    "The server does not know the session or the operation that the client names.",
    (
        "The server was restarted, or closed the session since it was idle for too long.",
        "A load balancer gave this connection to another server than the one before.",
    ),
    "the server's log, and whether a load balancer keeps a client at one server.",
)

OTHER_SERVER: Final = Trouble(
    "A server that is no Thrift server (Elasticsearch's transport, mostly on port 9300) could not "
    "read what it got.",
    (
        "A Thrift client, a browser or a health check has reached its port.",
        "A plugin that should serve Thrift there is not installed, or listens on another port.",
    ),
    "the number, host and port on the client's side, and who connects.",
    Role.FOREIGN,
)

# ── Words that say least ─────────────────────────────────────────────────────────────

BEGINNING: Final = Trouble(
    "A reader got a message that does not begin as those of its protocol do (BAD_VERSION).",
    (
        "The two sides use different protocols (binary, compact) or transports (framed, unframed).",
        "The sender is no Thrift program of this kind: HTTP, TLS or SASL on this port.",
        "The reader is out of step: bytes of an earlier message were left over.",
    ),
    _FIRST_BYTES,
)
TRANSPORT_ERROR: Final = Trouble(
    "The connection failed. These words do not say how.",
    (
        "The other side closed it, since it could not read what it got or its handler failed: so "
        "if it happens where an answer is read.",
        "No connection came about: so if it happens where the transport is opened.",
    ),
    "the traceback and the words behind these: explain them too.",
)
SAYS_NO: Final = Trouble(
    "The server answered with an exception of its own (TApplicationException): it does not know "
    "the method, could not read the arguments, or its handler failed. These words do not say "
    "which.",
    (
        "Client and server were made from different versions of the IDL, or the service on this "
        "port is another one.",
        "The handler failed.",
    ),
    "the reply, which holds a type and a text: pingpong show CAPTURE --message N.",
)

# ── gRPC and HTTP/2 ──────────────────────────────────────────────────────────────────

_NOT_HTTP2: Final = (
    "The other side answers in HTTP/1.1: the port of another service, a web server, or a proxy "
    "that speaks HTTP/2 to nobody. The first bytes are then HTTP (48 54 54 50).",
    "The other side expects TLS and answers with an alert (15 03): a client without credentials on "
    "a port with TLS.",
    "It is a server of another kind: Thrift, Dubbo, a database.",
)
_WHOSE_BYTES: Final = (
    "host and port, and whether both use TLS; then the first bytes that the other side sends: "
    "record them (pingpong record, tcpdump -w)."
)
H2_FRAME: Final = Trouble(
    "A reader of HTTP/2 took three bytes for the length of a frame, and found it too large.",
    (
        *_NOT_HTTP2,
        "A frame really is that large: a sender that does not keep to SETTINGS_MAX_FRAME_SIZE "
        "(16384 where nothing else was agreed).",
    ),
    _WHOSE_BYTES,
    Role.HTTP2,
)
NOT_SETTINGS: Final = Trouble(
    "A client of HTTP/2 wants SETTINGS as the server's first frame, and got something else.",
    _NOT_HTTP2,
    _WHOSE_BYTES,
    Role.HTTP2,
)
HTTP1_SERVER: Final = Trouble(
    "A gRPC client has reached a server that answers in HTTP/1.1.",
    (
        "It is the port of another service: REST, a web page, metrics.",
        "A proxy or a load balancer before the gRPC server speaks HTTP/1.1 only; or the client "
        "goes through an HTTP proxy (http_proxy, https_proxy in its environment).",
        "The server wants TLS, and says so in HTTP/1.1.",
    ),
    "host and port; http_proxy, https_proxy and no_proxy where the client runs.",
)
NO_PREFACE: Final = Trouble(
    "A server of HTTP/2 wants the client's preface (PRI * HTTP/2.0), and got something else.",
    (
        "The client speaks HTTP/1.1: a browser, curl without --http2-prior-knowledge, a health "
        "check, a proxy.",
        "The client speaks TLS (16 03), and the server does not; or the other way round.",
        "The client is of another kind: Thrift, Dubbo, a port scanner.",
    ),
    "who connects, by the address in the log, and the first bytes that it sends.",
    Role.HTTP2,
)
NO_H2_SETTINGS: Final = Trouble(
    "A client of HTTP/2 waited for the server's first frame, and the connection ended, or nothing "
    "came.",
    (
        "The server expects TLS, or speaks something else, and closed; or it waits for more.",
        "Something between the two accepts connections, and there is no server behind it.",
    ),
    _WHOSE_BYTES,
)
CONTENT_TYPE: Final = Trouble(
    "The answer to a gRPC call is none of gRPC's: HTTP's status or its content type says so.",
    (
        "A proxy or a load balancer answers itself: 502, 503, 504 where it does not reach the "
        "server, 404 where it has no route, 401 or 403 where it lets nobody through.",
        "The server is no gRPC server: it serves pages, REST, Connect or gRPC-Web on this port.",
        "The client writes another content type than the server takes (415).",
    ),
    "the status and the body, which often says who wrote it; then the proxy's log.",
)
PINGS: Final = Trouble(
    "The server ended the connection because the client sent PING frames too often (GOAWAY "
    "ENHANCE_YOUR_CALM, too_many_pings).",
    (
        "The client's keepalive time is shorter than the server allows: 5 minutes where nothing "
        "was set, and no pings at all without a call.",
        "A proxy between the two counts otherwise than the server.",
    ),
    "keepalive_time in the client (at least the server's limit), "
    "keepalive_permit_without_calls; in the server its enforcement (MinTime in Go, "
    "permitKeepAliveTime in Java, grpc.http2.min_ping_interval_without_data_ms in C++ and Python).",
)
MESSAGE_LIMIT: Final = Trouble(
    "A message is larger than the limit of who reads or writes it: the first number is its size, "
    "the second the limit.",
    (
        "The message really is that large: 4 MiB (4194304) is the limit of readers where nothing "
        "was set.",
        "The first number is beyond reason: then it is no length, but bytes of something else.",
    ),
    "how large the messages are: pingpong messages CAPTURE lists sizes. Raise the limit in the "
    "side that complains (max_receive_message_length, MaxCallRecvMsgSize, maxInboundMessageSize), "
    "or send the data as a stream.",
)
NO_SUCH_CALL: Final = Trouble(
    "The server understands the call, and has no such service or method (UNIMPLEMENTED).",
    (
        "The service was not registered in this server, or another server listens on this port.",
        "Client and server were made from different versions of the .proto file: the package is a "
        "part of the name.",
        "A proxy sent the call to another server.",
    ),
    "the path in the call (/package.Service/Method): pingpong show CAPTURE prints it as it was "
    "sent; grpcurl HOST:PORT list says what the server has.",
)
COMPRESSION: Final = Trouble(
    "A message is packed in a way that its reader does not know, or says that it is packed and "
    "not how.",
    (
        "The reader has no such decompressor: in Go, gzip has to be imported "
        "(google.golang.org/grpc/encoding/gzip).",
        "A proxy took the header grpc-encoding away.",
        "The reader is out of step, and took another byte for the flag.",
    ),
    "grpc-encoding in the call's headers, and grpc-accept-encoding in the answer's.",
)
STREAM_RESET: Final = Trouble(
    "The other side ended the stream of the call (RST_STREAM), and sent no status. Its code says "
    "why: 2 INTERNAL_ERROR, 7 REFUSED_STREAM, 8 CANCEL, 11 ENHANCE_YOUR_CALM.",
    (
        "INTERNAL_ERROR, PROTOCOL_ERROR: the server or a proxy between failed, or does not keep to "
        "HTTP/2; a proxy's own timeout ends so too.",
        "CANCEL: the deadline passed or the caller gave up, here or in a proxy on the way.",
        "REFUSED_STREAM: the call was not worked on, and can be sent again: the server is "
        "stopping, or has too many streams.",
        "NO_ERROR: the server was done and read no more of the request.",
    ),
    "who sent the RST_STREAM: the server or a proxy before it, by its log at that second; in a "
    "capture, pingpong diagnose says which code came from whom.",
)
DEADLINE: Final = Trouble(
    "The deadline of a call passed (DEADLINE_EXCEEDED). The client says so itself: no answer of "
    "the server is needed for it. The server may have done the work all the same.",
    (
        "The handler, or what it waits for, takes longer than the client allows.",
        "There was no connection in time: the client waited for one (wait_for_ready, a name that "
        "is not resolved, a server that is not gRPC and says nothing).",
        "The deadline came from further up, and little of it was left.",
    ),
    "in a capture, whether the call was sent at all, and its header grpc-timeout; then what the "
    "server did at that time.",
)
GOAWAY: Final = Trouble(
    "The server ended the connection in good order (GOAWAY): it takes no more calls on it.",
    (
        "The connection reached its age (max_age, MAX_CONNECTION_AGE), or was idle too long.",
        "The server, or a proxy before it, is being stopped or deployed.",
    ),
    "whether calls failed: those above the last stream were not worked on and can be sent again on "
    "a new connection, which most clients do by themselves.",
)
H2_FAILED: Final = Trouble(
    "The connection failed: it did not come about, or it ended while a call was on it. These words "
    "do not say which.",
    (
        "Nobody listens there, or nothing answers: so if it happens on every call.",
        "The two do not understand each other: one side with TLS and the other without, or what "
        "answers is no gRPC server. Then it happens on every call, too.",
        "The server was restarted, or something between the two cut an idle connection.",
    ),
    "the cause behind these words (Caused by): explain it, too.",
)
H2_ENDED: Final = Trouble(
    "The connection ended while a call was on it: the status of the call did not come through. The "
    "words do not say why.",
    (
        "The server was restarted, or closes connections that are old or idle "
        "(MAX_CONNECTION_AGE, MAX_CONNECTION_IDLE).",
        "A proxy or a load balancer between the two closed it, after a pause or at its own limit.",
        "The two do not understand each other: one side with TLS and the other without, or what "
        "answers is no gRPC server. Then it happens on every call.",
    ),
    "whether it happens on every call, after a pause, or now and then; the server's log at that "
    "second. A call that may be made twice can be made again.",
)
OWN_RESET: Final = Trouble(
    "No RST_STREAM came from the server: the client's own HTTP/2 gave the stream up, for the error "
    "that stands behind these words.",
    (
        "The connection was lost, or closed, while the call was on it.",
        "Many calls were cancelled at once, and the session was ended for it.",
        "The other side sent what HTTP/2 does not allow, or is no HTTP/2 server.",
    ),
    "the error behind these words: explain it, too.",
)
OWN_CLOSE: Final = Trouble(
    "The client closed its own connection, or its channel, while a call was on it or before one.",
    (
        "The program ends, or closes the client too early: in a defer, a with, a shutdown hook.",
        "A pool gives out a client that was closed before.",
    ),
    "who closes the channel in the client's program, and when.",
)
UPSTREAM: Final = Trouble(
    "A proxy (Envoy, Istio) did not get an answer from the server behind it, and says so itself.",
    (
        "connection failure, timeout: the server is down, or not at that address.",
        "connection termination, remote reset: the server closed: it was restarted, closed an idle "
        "connection that the proxy used again, or does not speak what the proxy speaks to it (TLS, "
        "HTTP/2).",
        "protocol error: the server speaks HTTP/1.1 where the proxy speaks HTTP/2, or the reverse.",
        "overflow: the proxy's circuit breaker.",
    ),
    "the words behind “reset reason”, the proxy's response flags (UF, UC, UH, UO), and the "
    "protocol and TLS of that cluster in the proxy.",
)

# ── Dubbo, Motan, rpcx ───────────────────────────────────────────────────────────────

CALL_TIMEOUT: Final = Trouble(
    "The caller's own time was over before an answer came. It says so itself: nothing of the "
    "server is behind these words, and the server may have done the work all the same.",
    (
        "The method, or what it waits for, takes longer than the caller gives it. Dubbo says how "
        "long the client took to send (client elapsed) and how long nothing came (server elapsed).",
        "The server's threads were all taken, so that the call waited there.",
        "The caller itself stood still (a long garbage collection): the answer was there in time.",
        "The server listens and is of another kind, or hangs, and never answers.",
    ),
    "in a capture, whether and when the answer came: pingpong diagnose says which part of the time "
    "passed where.",
)
CALLER_SLOW: Final = Trouble(
    "The caller's time was over before the call was sent: it did not get so far.",
    (
        "The connection takes no more: the server, or the network, does not read.",
        "The caller's own threads for output stood still, or it had too much to send.",
    ),
    "the client, not the server: its threads and pauses; in a capture, its window and what was "
    "sent again.",
)
LATE_ANSWER: Final = Trouble(
    "An answer came, and the call that it answers was not there any more: its caller had given up, "
    "and the answer was dropped.",
    (
        "The server took longer than the caller waits; a line about that timeout stands before.",
        "The caller was started anew, or two callers use the same ids.",
    ),
    "the time between that timeout and this line: so much longer the answer took.",
)
PAYLOAD: Final = Trouble(
    "A message is longer than the limit of who writes or reads it: the first number is its size, "
    "the second the limit.",
    (
        "The message really is that large: 8 MiB (8388608) is Dubbo's limit where nothing is set, "
        "10 MiB (10485760) Motan's.",
        "The first number is beyond reason: then it is no length, but bytes of something else.",
    ),
    "how large the messages are: pingpong messages CAPTURE lists sizes. Send less at a time, or "
    "raise the limit on both sides (payload in Dubbo, maxContentLength in Motan, "
    "MaxMessageLength in rpcx).",
    Role.BODY,
)
NOT_SERVED: Final = Trouble(
    "The server understands the call, and has no such service, or no such method in it.",
    (
        "Interface, group or version of the caller are not those with which the server offers it; "
        "Dubbo's text names all that it has.",
        "Another application listens at that address now, and the registry, or a fixed address, "
        "still names it.",
        "One side has been deployed in a new version and the other not yet.",
    ),
    "the name in the call (pingpong show CAPTURE prints it as it was sent), and what the server "
    "registered when it started.",
)
SERIALIZATION: Final = Trouble(
    "A side got values in a serialization that it does not have, or does not allow.",
    (
        "The two sides name different serializations, or one has no codec of that number.",
        "The server checks it (serialization.security.check in Dubbo) and allows another.",
        "The bytes are of something else, and a byte of them was taken for that number.",
    ),
    "the serialization that both sides are set to; in a capture, pingpong show says what each "
    "message has.",
)
HEARTBEAT: Final = Trouble(
    "The other side had said nothing for so long, and not answered heartbeats, that the "
    "connection is given up or made anew.",
    (
        "Its program hangs: a long garbage collection, or its threads for input and output are "
        "taken.",
        "Its machine is gone, or something between the two drops what it is sent.",
        "It does not answer such heartbeats: another version, or a library that does not know "
        "them.",
    ),
    "the other side's pauses and threads at that time; in a capture, pingpong diagnose counts the "
    "heartbeats without an answer.",
)
WRONG_MAGIC: Final = Trouble(
    "The first bytes of a message are not those that this protocol begins with.",
    (
        "In a server's log, a client of another kind has reached this port: HTTP, TLS, gRPC, a "
        "health check, a port scanner. In a client's log, what answers there is another kind of "
        "server.",
        "The two sides speak different versions of it.",
        "The reader is out of step, behind a message whose length was wrong.",
    ),
    "the number, where there is one: it is the first byte, or the first two, of what came. Then "
    "the other side, by the address in the log, and the first bytes that it sends.",
    Role.MAGIC,
)
NOT_DUBBO: Final = Trouble(
    "A Dubbo client got bytes that do not begin with da bb, and took them for text of a console.",
    (
        "An answer was longer than the client's limit (payload): it was refused, and its rest read "
        "as if it were a new one. Then a line about its length stands before.",
        "What answers at that address is another kind of server.",
    ),
    "the lines before this one, and the first characters of the text: they are what came.",
)
CLASS_REFUSED: Final = Trouble(
    "A side refused to make a value of a class that the other side sent: the class is not among "
    "those that it allows. The message itself could be read.",
    (
        "The class is in no list of allowed ones: it is not in a package of the service's own, or "
        "it came in as a subclass or a field.",
        "It does not implement Serializable, which is checked too.",
        "Somebody tries to have a harmful class made.",
    ),
    "the class in the line, and whether it belongs there. If so, allow it: Dubbo reads "
    "security/serialize.allowlist, and dubbo.application.trust-serialize-class-level.",
)
DECODE: Final = Trouble(
    "A side read the header of a message, and could not make values of what follows it.",
    (
        "The classes of the two sides differ: one is missing here, or has other fields.",
        "The libraries of the serialization differ (two versions of hessian), or the caller, in "
        "another language, wrote types that the method does not have.",
        "The class is not allowed here, or does not implement Serializable.",
        "Bytes are missing, or the reader is out of step.",
    ),
    "the cause behind these words (Caused by), in the log of the side that read; and the types of "
    "the message: pingpong show CAPTURE prints them as they were sent.",
)
ENCODE: Final = Trouble(
    "A side could not write the values of a message: nothing of that message was sent.",
    (
        "A class does not implement Serializable, or has a field that does not.",
        "The serialization does not know such a value, or is not the one that the caller named.",
    ),
    "the cause behind these words (Caused by): it names the class.",
)
NO_PROVIDER: Final = Trouble(
    "The caller knows no server for that service, by its registry or its list: the call was not "
    "sent.",
    (
        "No server of it runs, or its session with the registry is over: where Dubbo says that a "
        "consumer is forbidden, too, this is the usual cause.",
        "Interface, group, version or path are not those under which the servers registered.",
        "A rule or a list in the registry shuts this caller out, or the servers are switched off.",
    ),
    "what the registry has under that name at that time, and the log of the servers: whether they "
    "lost their registry.",
)
REGISTRY: Final = Trouble(
    "A program could not register, or ask, at its registry. Calls between those that know each "
    "other may go on.",
    (
        "The registry is down, at another address, or behind a firewall.",
        "It wants a password, or it does not allow that path.",
        "The session was lost: the registry was busy, or this program stood still for too long.",
    ),
    "the address of the registry in the line, and the registry's own log.",
)
THREAD_POOL: Final = Trouble(
    "A pool of threads is full, and what came was not taken. The name of the threads tells whose "
    "it is: those of a server (DubboServerHandler) run calls, those of a client "
    "(DubboClientHandler) take answers.",
    (
        "In a server, handlers are slow or hang, or more calls come than it has threads for.",
        "In a client, what is done with the answers is slow, or it sends more calls at once than "
        "its pool can take answers.",
    ),
    "the name of the threads; then a dump of what they do (Dubbo writes one, Dubbo_JStack.log).",
)
OWN_LIMIT: Final = Trouble(
    "The caller itself refused the call, before anything was sent.",
    (
        "It has as many calls under way as it allows itself: they are not answered fast enough.",
        "Too many calls to that server failed, and it is left out for a while (a circuit breaker).",
    ),
    "the errors and the times of the calls before this one.",
)
TOKEN: Final = Trouble(
    "The server understands the call, and refuses it: the caller's token is not the one it wants.",
    (
        "The caller went past the registry, from which it gets the token (a fixed address).",
        "The token has changed, or is set on one side only.",
    ),
    "the token that both sides are set to; in a capture it is among the attachments or the "
    "metadata of the call.",
)
CONSOLE: Final = Trouble(
    "Dubbo's port took what it got for a command of its console: it does not begin with da bb.",
    (
        "A client of another kind has reached it: an HTTP client (GET, POST), a health check, a "
        "port scanner.",
        "Somebody typed something else than a command: help lists them.",
    ),
    "who connects, by the address in the log.",
)

# ── Others ───────────────────────────────────────────────────────────────────────────

MUX: Final = Trouble(
    "A Finagle program expected ThriftMux, and got something else.",
    (
        "The other side speaks plain Thrift: use ThriftMux on both sides, or Thrift.client.",
        "The other side is no Thrift program.",
    ),
    _FIRST_BYTES,
)
LIBRARIES: Final = Trouble(
    "Pieces that do not fit together: a library of one version, and code that was made for "
    "another. Nothing was sent.",
    (
        "Two libraries with the same names are mixed: Apache's thrift and thriftpy2, or two "
        "versions of libthrift.",
        "The generated code is from a compiler of another version than the library.",
    ),
    "which versions are installed (pip list, mvn dependency:tree, go list -m all), and generate "
    "the code again.",
)
PARQUET: Final = Trouble(
    "A reader of a Parquet file could not read its footer: the struct in Thrift's compact protocol "
    "that stands at the end of the file.",
    (
        "The file is cut off, or still being written: the footer comes last.",
        "It is no Parquet file, or it is encrypted.",
        "The footer really is larger than the reader's limit for a string or a list.",
    ),
    "the file's last 8 bytes: pingpong struct FILE says where the footer is, and reads it.",
)
