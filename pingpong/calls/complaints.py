"""A line of a log → what its words mean, its numbers explained, its bytes dug out.

    Frame size (1213486160) larger than max length (16384000)!
    └ words: a framed reader ┘ └ a limit, not looked at ┘
            └ number: "HTTP", taken for the length of a frame

What libraries of several languages say when they cannot read on is a table: patterns of the
words, what they mean, the likely causes in order, and where to look next.  A pattern may
name the number that it is about (``number`` in decimal, ``hex`` in hexadecimal); the row
says what the reader took that number for, which ``calls.numbers`` needs to know.

A line that is not in the table still has its numbers: those whose bytes begin something
known.  Text that is nothing but numbers has all of them.

The texts come from people who paste, so they may be anything: no pattern repeats a
repetition, and no more than MAX_TEXT characters are looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..model import Shown
from .numbers import Certainty, NumberVerdict, Role, explain_number
from .pasted import MAX_TEXT, Block, blocks_in

__all__ = ["Complaint", "TextVerdict", "explain_text"]


@dataclass(frozen=True, slots=True)
class Complaint:
    """Words that a library writes when it cannot read on.

    ``phrase`` is what stood in the text, ``meaning`` what it says; ``causes`` are the likely
    ones, in order; ``look_at`` says where to look next; ``source`` which code writes it.
    """

    phrase: str
    meaning: str
    causes: tuple[str, ...]
    look_at: str
    source: str


@dataclass(frozen=True, slots=True)
class TextVerdict(Shown):
    """What a pasted text holds: known words, numbers, bytes; all empty if nothing is known.

    ``is_cut``: the text is longer than MAX_TEXT, and the rest was not looked at.
    """

    complaints: tuple[Complaint, ...]
    numbers: tuple[NumberVerdict, ...]
    blocks: tuple[Block, ...]
    is_cut: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.complaints or self.numbers or self.blocks)


# How many of them are listed.
_MAX_COMPLAINTS: Final = 8
_MAX_NUMBERS: Final = 20

# A longer phrase is cut: it is only there to be recognised.
_MAX_PHRASE: Final = 160


class _Row(NamedTuple):
    """Words, and what they mean.  ``added``: what the reader added to the number it shows."""

    patterns: tuple[re.Pattern[str], ...]
    role: Role
    meaning: str
    causes: tuple[str, ...]
    look_at: str
    source: str
    added: int


def _row(
    patterns: tuple[str, ...],
    role: Role,
    meaning: str,
    causes: tuple[str, ...],
    look_at: str,
    source: str,
    added: int = 0,
) -> _Row:
    compiled = tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
    return _Row(compiled, role, meaning, causes, look_at, source, added)


# A number behind the words: perhaps in brackets.
_N: Final = r"[ (:=]{0,3}(?P<number>-?[0-9]{1,20})\)?"
_PERHAPS_N: Final = rf"(?:{_N})?"

_FIRST_BYTES: Final = (
    "the first 8 bytes that the reader got: record them (pingpong record, tcpdump -w), or print "
    "them where it reads."
)

_FRAME_CAUSES: Final = (
    "The sender does not use frames: its first bytes were taken for a length. The number is those "
    "bytes.",
    "The sender is no Thrift program of this kind: HTTP, TLS or SASL on this port.",
    "The message really is that large. Then the number is a little above the limit, and nothing "
    "else.",
    "The reader is out of step, after an error on a connection that it kept.",
)

_ROWS: Final = (
    _row(
        (
            r"adjusted frame length exceeds [0-9]{1,20}: (?P<number>[0-9]{1,20})",
            r"adjusted frame length \((?P<number>-?[0-9]{1,20})\) is less than",
        ),
        Role.FRAME,
        "A reader with frames (Netty) took four bytes for a length, and found it too large. The "
        "number it shows is 4 more than those bytes: it counts the length itself.",
        _FRAME_CAUSES,
        f"the number. Without one, {_FIRST_BYTES}",
        "Netty's LengthFieldBasedFrameDecoder",
        4,
    ),
    _row(
        (
            rf"negative frame size{_PERHAPS_N}",
            r"frame size has negative value",
            rf"invalid frame size(?: of| got)?{_PERHAPS_N}",
            rf"incorrect frame size{_PERHAPS_N}",
            rf"frame size too large{_PERHAPS_N}",
            rf"frame size{_N} (?:is )?larger than",
            rf"frame size of{_N}, which is bigger",
            r"received an oversized frame",
            r"frame was too large",
            r"no frame\.",
            r"grow (?:read )?buffer fail",
            rf"negative pre-adjustment length field{_N}",
            r"frame length at offset [0-9]{1,20}: is (?P<number>-?[0-9]{1,20})",
            r"frame (?:size|length)[^0-9\n-]{0,24}(?P<number>-?[0-9]{1,20})",
        ),
        Role.FRAME,
        "A reader with a framed transport took four bytes for the length of a frame, and refused "
        "them.",
        _FRAME_CAUSES,
        f"the number. Without one, {_FIRST_BYTES}",
        "TFramedTransport and TNonblockingServer (Apache Thrift in Java, C++, Python, Go), "
        "TFramedTransport (thriftpy2: “No frame.”, “grow buffer fail”), Netty, pingpong",
    ),
    _row(
        (
            rf"bad version in read_?message_?begin{_PERHAPS_N}",
            rf"bad version identifier(?:, sz)?{_PERHAPS_N}",
            rf"invalid version{_N}",
        ),
        Role.VERSION,
        "A reader of the binary protocol got a message that begins with a negative number, as a "
        "strict header does, but with another version than 8001.",
        (
            "The sender speaks the compact protocol (its messages begin with 82).",
            "The reader is out of step: bytes of an earlier message were left over, or the frames "
            "of one side are read unframed.",
            "The sender is no Thrift program at all.",
        ),
        f"the number. Without one, {_FIRST_BYTES}",
        "readMessageBegin of TBinaryProtocol (Apache Thrift), read_message_begin (thriftpy2)",
    ),
    _row(
        (
            r"no protocol version header",
            r"missing version in read_?message_?begin(?:, old client\?)?",
            rf"no version identifier\.\.\. old protocol client in strict mode\?"
            rf"(?: sz{_N})?",
        ),
        Role.VERSION,
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
        "readMessageBegin of TBinaryProtocol (Apache Thrift), read_message_begin (thriftpy2)",
    ),
    _row(
        (r"can't decode byte 0x8[02] in position 0",),
        Role.UNKNOWN,
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
        "readMessageBegin of TBinaryProtocol (Apache Thrift in Python)",
    ),
    _row(
        (
            r"expected protocol id (?:0x)?[0-9a-f]{2,8} but got (?:0x)?(?P<hex>[0-9a-f]{1,8})\b",
            rf"bad protocol id in the message{_N}",
            rf"bad protocol identifier{_PERHAPS_N}",
        ),
        Role.PROTOCOL_ID,
        "A reader of the compact protocol got a message that does not begin with 82.",
        (
            "The sender speaks another protocol: strict binary begins with 80.",
            "The sender uses a framed transport and the reader an unframed one: a frame's length "
            "begins with 00.",
            "The reader is out of step: bytes of an earlier message were left over.",
        ),
        f"the number. Without one, {_FIRST_BYTES}",
        "readMessageBegin of TCompactProtocol (Apache Thrift, thriftpy2)",
    ),
    _row(
        (
            r"expected version [0-9]{1,3} but got -?[0-9]{1,3}",
            r"bad version: [0-9]{1,3} \(expect [0-9]{1,3}\)",
            r"bad protocol version",
        ),
        Role.UNKNOWN,
        "A reader of the compact protocol found 82 at the start, and behind it a version that it "
        "does not know.",
        (
            "The reader is out of step: the 82 was in the middle of something else.",
            "The sender uses a later version of the compact protocol (Facebook's has a version 2).",
        ),
        f"the second byte of the message, whose low 5 bits are the version, and {_FIRST_BYTES}",
        "readMessageBegin of TCompactProtocol (Apache Thrift, thriftpy2)",
    ),
    _row(
        (
            rf"invalid status{_N}",
            rf"bad sasl negotiation status{_N}",
            r"bad status: (?P<number>-?[0-9]{1,3})(?= \()",
        ),
        Role.STATUS,
        "A reader with a SASL transport got a byte that does not fit into the negotiation.",
        (
            "The sender does not use SASL: the byte is the first of its message.",
            "The other side refuses: BAD is 3, ERROR is 4, and says why in its text.",
            "TLS or HTTP on this port.",
        ),
        "the number, and the configuration of both sides: in Hive and Impala, auth and NOSASL.",
        "TSaslTransport (Apache Thrift), TSaslClientTransport (thriftpy2, thrift_sasl)",
    ),
    _row(
        (
            r"unsupported mechanism type \w{0,32}",
            r"peer indicated failure[^\n]{0,80}",
            r"bad sasl result[^\n]{0,80}",
            r"could not start sasl[^\n]{0,80}",
            rf"invalid payload header length{_PERHAPS_N}",
        ),
        Role.UNKNOWN,
        "Both sides use SASL, and the negotiation failed.",
        (
            "They want different mechanisms, such as PLAIN and GSSAPI.",
            "User, password or Kerberos ticket is not accepted: wrong, expired, or for another "
            "host's name.",
        ),
        "the log of the other side at that second, and the mechanism in the client's START.",
        "TSaslTransport (Apache Thrift), TSaslClientTransport (thriftpy2, thrift_sasl)",
    ),
    _row(
        (
            rf"length exceeded max allowed{_PERHAPS_N}",
            rf"message length exceeded{_PERHAPS_N}",
            rf"negative (?:length|size){_PERHAPS_N}",
            r"invalid data length",
        ),
        Role.LENGTH,
        "A reader took four bytes (in compact: a varint) for the length of a string, a list or a "
        "map, and refused them.",
        (
            "It is the first string of a message, the method's name, and the sender does not speak "
            "what the reader expects. Then the number is the first bytes of something else.",
            "The reader is out of step: the structs of the two sides differ, or bytes were left "
            "over.",
            "The string or the list really is longer than the reader's limit. (Apache's Python "
            "prints the limit, Java the length.)",
        ),
        f"the number. Without one, {_FIRST_BYTES}",
        "TBinaryProtocol and TCompactProtocol (Apache Thrift)",
    ),
    _row(
        (
            r"unrecogni[sz]ed type -?[0-9]{1,3}",
            r"don'?t know what type: -?[0-9]{1,3}",
            r"unknown data type -?[0-9]{1,3}",
            r"invalid binary field type -?[0-9]{1,3}",
            r"maximum skip depth exceeded",
        ),
        Role.UNKNOWN,
        "A reader came to a field or an element whose type is none. It was in the middle of a "
        "struct, and what it read before made sense.",
        (
            "The reader is out of step: something before this place was read with the wrong size.",
            "The two sides use different protocols, whose first bytes happened to pass.",
            "Bytes are missing or damaged.",
        ),
        "the message, byte by byte: pingpong show CAPTURE --message N, or paste its bytes here.",
        "TProtocolUtil, TBinaryProtocol and TCompactProtocol (Apache Thrift)",
    ),
    _row(
        (
            r"tsocket read 0 bytes",
            r"no more data to read",
            r"remote side has closed",
            r"socket is closed by peer",
            r"ttransportexception: unexpected exception",
            r"end of file reading from transport",
            r"\b(?:eoferror|unexpected eof|econnreset|epipe|broken pipe)\b",
            r"connection (?:was )?reset by peer",
        ),
        Role.UNKNOWN,
        "The other side closed the connection while this one waited for an answer. The words do "
        "not say why.",
        (
            "The other side could not read what it got, and closed: framed against unframed, "
            "another protocol, or one side with TLS or SASL and the other without.",
            "Its handler raised an exception that the IDL does not declare. Some servers, "
            "thriftpy2's among them, close the connection then.",
            "It had closed an idle connection before (a server's timeout, a load balancer), and "
            "this side noticed only now.",
            "It crashed, or was restarted.",
        ),
        "the log of the other side at that second. In a capture: who sends the FIN or RST, and "
        "after which of the other's bytes. At once after the first call means that the two do not "
        "understand each other.",
        "TSocket (Apache Thrift, thriftpy2), TTransport.readAll (Java), the operating system",
    ),
    _row(
        (
            r"thrift_eagain \(timed out\)",
            r"\b(?:read timeout|read timed out|sockettimeoutexception|socket\.timeout)\b",
            r"\btimed out\b",
            r"\bi/o timeout\b",
            r"\betimedout\b",
            r"resource temporarily unavailable",
        ),
        Role.UNKNOWN,
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
        "TSocket (Apache Thrift, thriftpy2)",
    ),
    _row(
        (
            r"could not connect to[^\n]{0,80}",
            r"connection refused",
            r"\beconnrefused\b",
            r"no route to host",
        ),
        Role.UNKNOWN,
        "There is no connection: nothing of Thrift has been sent yet.",
        (
            "No server listens at this address and port, or it listens on another interface only.",
            "A firewall refuses.",
        ),
        "the address and the port on both sides: ss -ltn where the server runs.",
        "TSocket (Apache Thrift, thriftpy2), the operating system",
    ),
    _row(
        (
            r"\bwrong[_ ]version[_ ]number\b",
            r"not an ssl/tls record",
            r"first record does not look like a tls handshake",
            r"unsupported or unrecognized ssl message",
        ),
        Role.UNKNOWN,
        "A side that expects TLS got bytes that are no TLS.",
        (
            "The other side does without TLS: plain Thrift.",
            "It is no Thrift program: HTTP on this port.",
        ),
        _FIRST_BYTES,
        "OpenSSL (“wrong version number”), Netty, Go’s crypto/tls, Java’s JSSE",
    ),
    _row(
        (
            r"out of (?:sequence|order)(?: sequence)? response(?:: expected -?[0-9]{1,11} but got "
            r"-?[0-9]{1,11})?",
            r"bad[_ ]sequence[_ ]id",
        ),
        Role.UNKNOWN,
        "The client got a reply with another seqid than its call had: the reply to another call.",
        (
            "An earlier call timed out, the connection was kept, and its late reply was read as "
            "that of this call.",
            "Two threads use one client at the same time.",
            "The server does not send the seqid back as it got it.",
        ),
        "whether there was a timeout before it on the same connection, and whether each thread has "
        "a client of its own.",
        "the generated clients of Apache Thrift",
    ),
    _row(
        (
            r"service name not found(?: in message(?: name)?)?",
            r"did you forget to use a?\s?tmultiplex\w{0,16}",
            r"did you forget to call registerprocessor",
        ),
        Role.UNKNOWN,
        "The server is multiplexed: it wants a service's name and a colon before the method's "
        "name.",
        (
            "The client is not multiplexed: use TMultiplexedProtocol in it.",
            "The client names a service that the server has not registered. Case counts.",
        ),
        "the method's name in the CALL: pingpong show CAPTURE prints it as it was sent.",
        "TMultiplexedProcessor (Apache Thrift, thriftpy2)",
    ),
    _row(
        (
            r"(?:invalid|unknown|wrong) method name(?:: ?'?[\w:.]{0,64}'?)?",
            r"\b(?:unknown[_ ]method|wrong_method_name)\b",
            r"unknown function \w{1,64}",
        ),
        Role.UNKNOWN,
        "The two sides understand each other's bytes, but not the method's name.",
        (
            "The service on this port is another one.",
            "Client and server were made from different versions of the IDL.",
            "The client is multiplexed (Service:method) and the server is not.",
        ),
        "the method's name in the CALL, and the service that the server was started with.",
        "the generated processors of Apache Thrift, TProcessor (thriftpy2)",
    ),
    _row(
        (
            r"internal error processing \w{1,64}",
            r"\binternal_error\b",
            r"failed: unknown result",
            r"\bmissing[_ ]result\b",
        ),
        Role.UNKNOWN,
        "The call arrived and could be read. The server's handler failed.",
        (
            "The handler raised an exception that the IDL does not declare.",
            "It returned nothing where the IDL wants a result (unknown result).",
        ),
        "the server's log: the handler's own traceback is there.",
        "the generated processors and clients of Apache Thrift",
    ),
    _row(
        (r"maxmessagesize reached", r"message size limit"),
        Role.UNKNOWN,
        "The reader has read as many bytes for one message as it allows.",
        (
            "Messages really are that large: raise the limit (TConfiguration), or send less at a "
            "time.",
            "The reader is out of step, and took other bytes for a length.",
        ),
        "how large the message is: pingpong messages CAPTURE lists sizes.",
        "TTransport with TConfiguration (Apache Thrift)",
    ),
    _row(
        (r"message contained bad version", r"unexpected character:"),
        Role.UNKNOWN,
        "A reader of the JSON protocol got something that is no message of it.",
        (
            "The sender speaks another protocol.",
            "The sender speaks thriftpy2's JSON protocol, which is not Apache's.",
            "The sender uses a framed transport and the reader an unframed one.",
        ),
        _FIRST_BYTES,
        "TJSONProtocol (Apache Thrift)",
    ),
)


# ── The way through a text ───────────────────────────────────────────────────────────

_NUMBER: Final = re.compile(
    r"(?<![\w.:/-])(?:(?P<hex>-?0[xX][0-9A-Fa-f]{1,16})|(?P<number>-?[0-9]{1,20}))(?![\w:/-]|\.[0-9])"
)
_ONLY_NUMBERS: Final = re.compile(r"[\s,;]*\Z")
_GROUPED: Final = re.compile(r"-?[0-9]{1,3}(?:[,_'][0-9]{3}){1,6}\Z")
_EIGHT_DIGITS: Final = re.compile(r"[0-9]{8}\Z")


def explain_text(text: str) -> TextVerdict:
    """What a number, a line of a log or bytes in any layout mean, with no capture at all.

    The bytes are not decoded here: that is for who has ``capture.decode`` at hand.
    """
    is_cut = len(text) > MAX_TEXT
    text = text[:MAX_TEXT].replace("\N{MINUS SIGN}", "-")
    blocks = blocks_in(text)
    complaints, numbers = _complaints(text)
    if not numbers and not blocks:
        numbers = _plain_numbers(text, bool(complaints))
    return TextVerdict(complaints, tuple(_once(numbers)), blocks, is_cut)


def _complaints(text: str) -> tuple[tuple[Complaint, ...], list[NumberVerdict]]:
    """The known words in the text, in the order in which they stand there."""
    found: list[tuple[int, Complaint]] = []
    numbers: list[tuple[int, NumberVerdict]] = []
    taken: list[tuple[int, int]] = []
    for row in _ROWS:
        first: re.Match[str] | None = None
        for match in _matches(row, text):
            start, stop = match.span()
            if any(start < end and begin < stop for begin, end in taken):
                continue
            taken.append((start, stop))
            if first is None or start < first.start():
                first = match
            number = _number_of(match, row)
            if number is not None and len(numbers) < _MAX_NUMBERS:
                numbers.append((start, explain_number(number, row.role)))
        if first is not None:
            phrase = first[0][:_MAX_PHRASE].strip()
            complaint = Complaint(phrase, row.meaning, row.causes, row.look_at, row.source)
            found.append((first.start(), complaint))
    found.sort(key=lambda item: item[0])
    numbers.sort(key=lambda item: item[0])
    return (
        tuple(complaint for _, complaint in found[:_MAX_COMPLAINTS]),
        [verdict for _, verdict in numbers],
    )


def _matches(row: _Row, text: str) -> list[re.Match[str]]:
    """Some matches of each of the row's patterns: a log repeats itself."""
    matches: list[re.Match[str]] = []
    for pattern in row.patterns:
        for count, match in enumerate(pattern.finditer(text)):
            if count == _MAX_NUMBERS:
                break
            matches.append(match)
    return matches


def _number_of(match: re.Match[str], row: _Row) -> int | None:
    """The number that the words are about, if they name it."""
    groups = match.groupdict()
    digits = groups.get("number")
    if digits is not None:
        return int(digits) - row.added
    digits = groups.get("hex")
    return int(digits, 16) if digits is not None else None


def _plain_numbers(text: str, has_words: bool) -> list[NumberVerdict]:
    """The numbers of a text without known words: all of them if it has nothing else, or
    those that begin something known."""
    stripped = text.strip()
    if _GROUPED.match(stripped):
        return [explain_number(int(re.sub(r"[,_']", "", stripped)))]
    numbers: list[int] = []
    others: list[str] = []
    at = 0
    for match in _NUMBER.finditer(stripped):
        others.append(stripped[at : match.start()])
        at = match.end()
        numbers.append(int(match["hex"], 16) if match["hex"] else int(match["number"]))
        if len(numbers) > 1000:
            break
    others.append(stripped[at:])
    if numbers and all(_ONLY_NUMBERS.match(other) for other in others):
        verdicts = [explain_number(number) for number in numbers[:_MAX_NUMBERS]]
        return _as_hex(stripped) + verdicts
    if has_words:
        return []
    known = [explain_number(number) for number in numbers if not 0 <= number < 2**20]
    return [verdict for verdict in known if _is_known(verdict)][:_MAX_NUMBERS]


def _as_hex(text: str) -> list[NumberVerdict]:
    """Eight digits that mean more as hex than as a decimal number: ``80010001``."""
    if not _EIGHT_DIGITS.match(text):
        return []
    verdict = explain_number(int(text, 16))
    return [verdict] if _is_known(verdict) else []


def _is_known(verdict: NumberVerdict) -> bool:
    return bool(verdict.readings) and verdict.readings[0].certainty > Certainty.POSSIBLE


def _once(numbers: list[NumberVerdict]) -> list[NumberVerdict]:
    """Each number once for each thing that it was taken for."""
    seen: set[tuple[int, Role]] = set()
    kept: list[NumberVerdict] = []
    for verdict in numbers:
        if (verdict.number, verdict.role) not in seen:
            seen.add((verdict.number, verdict.role))
            kept.append(verdict)
    return kept
