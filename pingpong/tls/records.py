"""One TLS connection: its records in, what was in them out, proven record by record.

    record   ┌ type ┬ version ┬ length ┬ … ┐     RFC 8446, 5.1
               1      2         2

    HELLO ──hellos──▶ the version, the suite, the client's random ──KeyLog──▶ keys
    client   [early data ▸] handshake ▸ application          one key after the other;
    server                  handshake ▸ application          Finished and KeyUpdate say when

A direction **waits** for what it needs: the other end's hello, or a secret that comes later.  It
is **shut** where it cannot be opened: ``why`` says what is missing, and is the only thing that is
said of it.

A record opens with one key and one number only, and its tag proves both.  So after a loss the next
record is looked for, and its number tried out: how far the tag agrees says how many records are
missing.  That is bounded by the bytes that were lost, and for all connections by ``Opener.effort``.

If the secret of a handshake is missing, its records are passed over until one opens with the
secret of what follows: nothing but certificates is lost.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from ..errors import KeyLogError
from ..model import Chunk, Finding, Gap, Severity
from ..wire.streams import Piece
from . import ciphers, hellos
from .ciphers import Key
from .hellos import ClientHello, Handshakes, ServerHello
from .keylog import (
    CLIENT_APPLICATION,
    CLIENT_EARLY,
    CLIENT_HANDSHAKE,
    MASTER,
    SERVER_APPLICATION,
    SERVER_HANDSHAKE,
    KeyLog,
)
from .suites import Suite, name_of, suite_of

__all__ = ["Opener", "Tls"]

_HEAD: Final = 5
_CHANGE_CIPHER: Final = 20
_ALERT: Final = 21
_HANDSHAKE: Final = 22
_DATA: Final = 23
_HEARTBEAT: Final = 24

# RFC 5246, 6.2.3: 2^14 bytes, and what a cipher adds to them.
MAX_RECORD: Final = (1 << 14) + 2048

# What a record may begin with, where one is looked for.
_BEGIN: Final = re.compile(rb"[\x15-\x17]\x03[\x01-\x04]")
_DATA_BEGIN: Final = re.compile(rb"\x17\x03\x03[\x00-\x48].", re.DOTALL)

_TLS_12: Final = 0x0303
_TLS_13: Final = 0x0304
_VERSIONS: Final = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2"}

# How many pieces of a connection may look like no TLS, if its beginning is not in the capture.
_DOUBTS: Final = 4

# How many bytes of a connection may stand before TLS.
MAX_BEFORE: Final = 4096

# How many bytes of a direction wait for a secret, or for the other end; and of all connections
# together, as long as nobody has given any secret at all.
MAX_HELD: Final = 1 << 18
MAX_HELD_BLIND: Final = 1 << 14
MAX_ALL_BLIND: Final = 1 << 22

# The smallest record that is encrypted has so many bytes: head, type, tag (of 8 bytes at least).
_SMALLEST: Final = 14
# How many numbers are tried for a record after a loss.
MAX_TRIED: Final = 4096
# What trying costs, in bytes: as many as the record has, and a little for each try.  To begin with
# there is EFFORT, and each byte of a connection that is opened earns some.
EFFORT: Final = 1 << 26
_EARNED: Final = 32
_A_TRY: Final = 2048

# How many records are passed over because the secret of the handshake is missing.
MAX_PASSED: Final = 4096
# How many bytes of early data wait for the server's word on them.
MAX_EARLY: Final = 1 << 20
# A direction has no more records of a handshake than these: behind them, data should have opened.
MAX_HANDSHAKE: Final = 16
# How many alerts of a connection are told.
MAX_ALERTS: Final = 4
# Of how many connections it is remembered that their secrets were missing.
MAX_MISSED: Final = 4096

# RFC 8446, 6: alerts that are no fault.
_CLOSE: Final = (0, 90)
_ALERTS: Final = {
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    116: "certificate_required",
    120: "no_application_protocol",
}

_NO_HANDSHAKE: Final = "its handshake is not in the capture"
_LOST_HANDSHAKE: Final = "the capture lost bytes of its handshake"

# How many bytes stand before TLS, of a PROXY header: see ``Opener``.
Before = Callable[[bytes], "int | None"]


class Opener:
    """Opens the connections of a capture with the secrets of ``keys``.

    ``before`` says how many of a connection's first bytes stand before TLS, None if that cannot be
    told yet.  Raises KeyLogError if the ciphers are not installed.
    """

    __slots__ = ("_missed", "before", "effort", "held", "keys")

    def __init__(self, keys: KeyLog, before: Before) -> None:
        missing = ciphers.why_not()
        if missing:
            raise KeyLogError(
                f'TLS cannot be opened here: {missing}. Install it: pip install "pingpong[tls]"'
            )
        self.keys = keys
        self.before = before
        self.effort = EFFORT
        self.held = 0  # bytes that wait, while nobody has given any secret
        self._missed: OrderedDict[tuple[bytes, str], None] = OrderedDict()

    def connection(self, from_start: bool) -> Tls:
        """A connection, whose first packet is in the capture (``from_start``) or not."""
        return Tls(self, from_start)

    def miss(self, random: bytes, label: str) -> None:
        """Remember that a connection stays closed for want of that secret."""
        self._missed[random, label] = None
        if len(self._missed) > MAX_MISSED:
            self._missed.popitem(last=False)

    @property
    def findings(self) -> list[Finding]:
        """What is wrong with the key log, and whose secrets came too late."""
        found = self.keys.findings
        late = len(
            {
                random
                for random, label in self._missed
                if self.keys.secret(label, random) is not None
            }
        )
        if late:
            whose = "a connection" if late == 1 else f"{late} connections"
            text = (
                f"secrets of {whose} came behind what they would have opened, which stayed closed: "
                "give them first (--keys; of a pcapng's own secrets, name the capture there too)"
            )
            found.append(Finding(Severity.WARNING, text))
        return found


class _Side:
    """What one end sends."""

    __slots__ = (
        "alerts",
        "at",
        "buffer",
        "by_client",
        "early",
        "early_lost",
        "early_size",
        "epoch",
        "epochs",
        "has_opened",
        "hellos",
        "inside",
        "keys",
        "label",
        "last",
        "lost",
        "marked",
        "marks",
        "missed",
        "offset",
        "passed",
        "plain",
        "queue",
        "queued",
        "seeking",
        "skip",
        "slack",
        "tried",
        "unseen",
        "waits",
        "why",
        "wrong",
    )

    def __init__(self, by_client: bool) -> None:
        self.by_client = by_client
        self.queue: list[Piece] = []
        self.queued = 0  # bytes in it
        self.buffer = bytearray()  # from the beginning of a record on
        self.at = 0  # how much of the buffer was taken
        self.offset = 0  # of the byte behind the buffer
        self.marks: list[tuple[int, int, int]] = []  # each packet's offset, time, number
        self.marked = 0  # the one that brought what is read now
        self.hellos = Handshakes()  # as they are sent before there are keys
        self.inside = Handshakes()  # those that are encrypted
        # TLS 1.3: the labels of the secrets, one after the other, and which is used now.
        self.epochs: tuple[str, ...] = ()
        self.epoch = 0
        # By label; None: there is no secret.  TLS 1.2 has one, MASTER.
        self.keys: dict[str, Key] = {}
        self.waits = ""  # "hello": of the other end; or the label of the secret
        self.tried = -1  # the key log's ``changes``, when it was asked last
        self.why = ""  # it is shut
        self.label = ""  # … for want of the secret with that label
        self.wrong = ""  # … because the secret with that label does not fit
        self.plain = 0  # bytes that were inside, so far
        self.last = -1  # when the last of them came
        self.has_opened = False
        # Early data that waits for the server to take it.
        self.early: list[Chunk] = []
        self.early_size = 0
        self.early_lost = 0  # bytes of it that did not open
        # After a loss.
        self.lost = 0  # bytes that could not be opened, since the last that could
        self.skip = 0  # bytes that belong to a record of which others are lost
        self.seeking = False  # the next record has to be looked for
        self.slack = 0  # how many records may be lost
        self.missed = 0  # bytes of Gaps that were given out
        self.unseen = 0  # … those behind all that opened
        self.passed = 0  # records that were passed over, for want of a secret
        self.alerts: list[int] = []

    @property
    def waiting(self) -> int:
        return self.queued + len(self.buffer)


class Tls:
    """One connection.  ``is_tls`` is None until its first bytes tell.

    ``opened`` are the pieces of what is inside, with the direction that they belong to (the
    client's?), until somebody takes them.  The length of a Gap in them counts bytes on the wire:
    how many were inside is not known.
    """

    __slots__ = (
        "_asker",
        "_doubts",
        "_early",
        "_held",
        "_is_blind",
        "_number",
        "_offers_early",
        "_opener",
        "_random",
        "_server_random",
        "_sides",
        "_suite",
        "_version",
        "_was_retried",
        "is_tls",
        "opened",
    )

    def __init__(self, opener: Opener, from_start: bool) -> None:
        self._doubts = _DOUBTS if from_start else 0
        self.is_tls: bool | None = None
        self.opened: list[tuple[bool, Piece]] = []
        self._opener = opener
        self._sides = {True: _Side(True), False: _Side(False)}
        self._asker = True  # who said the client hello
        self._random = b""
        self._server_random = b""
        self._version = 0
        self._number = -1  # of the suite
        self._suite: Suite | None = None
        self._offers_early = False
        self._early: bool | None = None  # the server takes early data
        self._was_retried = False  # the server wanted another hello
        self._is_blind = True  # nobody had given a secret when it was looked at last
        self._held = 0  # bytes that are counted in ``Opener.held``

    # ── What is known of it ──────────────────────────────────────────────────────────

    @property
    def words(self) -> str:
        """What it speaks: "TLS 1.3 (TLS_AES_128_GCM_SHA256)"; "" before that is known."""
        if not self._version:
            return ""
        suite = "" if self._suite is None else f" ({self._suite.name})"
        return f"{self._version_words()}{suite}"

    @property
    def waiting(self) -> int:
        """How many bytes wait in it."""
        one, other = self._sides[True], self._sides[False]
        return one.waiting + other.waiting + one.early_size + other.early_size

    def inside(self, by_client: bool) -> tuple[int, int, int, int]:
        """What was inside of that direction so far.

        How many bytes, including those of a record that is not all there; when the last of them
        came, -1 if none did; how many could not be opened, and how many of those were behind all
        others.
        """
        side = self._sides[by_client]
        begun = max(0, len(side.buffer) - _HEAD) if self._is_half_open(side) else 0
        return side.plain + begun, side.last, side.missed, side.unseen

    def lacking(self, by_client: bool) -> str:
        """Which secret of that direction is missing or wrong, in a few words; "" if none is."""
        side = self._sides[by_client]
        if side.label or side.wrong:
            return f"no {side.label}" if side.label else f"a wrong {side.wrong}"
        return f"no {side.waits}" if side.waits not in ("", "hello") else ""

    def shut(self, by_client: bool) -> str:
        """Why that direction cannot be opened; "" if it can, or if it is no TLS."""
        side = self._sides[by_client]
        if side.label:
            return self._no_secret(side.label)
        if side.why:
            return side.why
        if side.waits == "hello" or (self.is_tls and not self._random):
            return _NO_HANDSHAKE
        if side.waits:
            return self._no_secret(side.waits)
        if side.passed > MAX_HANDSHAKE and not side.has_opened:
            first, last = side.epochs[0], side.epochs[-1]
            return (
                f"none of its {side.passed} records opens with the {last} that "
                f"{self._opener.keys.names} has for client random {self._random.hex()}, and it "
                f"has no {first}"
            )
        return ""

    def alerts(self, by_client: bool) -> list[str]:
        """The alerts of that end that tell of a fault: "unknown_ca (48)"."""
        return [
            f"{_ALERTS[one]} ({one})" if one in _ALERTS else str(one)
            for one in self._sides[by_client].alerts
        ]

    @property
    def was_early_refused(self) -> bool:
        """Was there early data that the server did not take?"""
        return self._early is False and self._sides[self._asker].early_size > 0

    def swap(self) -> None:
        """Client and server were guessed, and wrongly."""
        one, other = self._sides[False], self._sides[True]
        self._sides = {True: one, False: other}
        one.by_client, other.by_client = True, False
        self._asker = not self._asker
        self.opened = [(not by_client, piece) for by_client, piece in self.opened]

    # ── What comes in ────────────────────────────────────────────────────────────────

    def feed(self, by_client: bool, pieces: list[Piece]) -> None:
        """Take the next pieces of a direction; what they open is in ``opened``."""
        side = self._sides[by_client]
        for piece in pieces:
            side.queue.append(piece)
            if isinstance(piece, Chunk):
                side.queued += len(piece.data)
                self._opener.effort = min(EFFORT, self._opener.effort + _EARNED * len(piece.data))
        if self.is_tls is None:
            self._decide(side)
        if self.is_tls:
            self._go_on()
            self._bound()
        elif self.is_tls is False:
            self._forget()

    def close(self) -> None:
        """No more will come."""
        if self.is_tls:
            self._opener.keys.look_again()
            self._go_on()
            self._settle_early(True)
            for side in self._sides.values():
                self._end(side)
        self._forget()

    def _forget(self) -> None:
        """Keep no bytes."""
        for side in self._sides.values():
            side.queue.clear()
            side.buffer.clear()
            side.early.clear()
            side.queued = side.at = 0
        self._count()

    def _decide(self, side: _Side) -> None:
        """Is it TLS?  It is asked only as long as that cannot be told."""
        data = b""
        for piece in side.queue:
            if isinstance(piece, Gap):
                self._doubt(side)
                return
            data += piece.data
            if len(data) > MAX_BEFORE:
                break
        before = self._opener.before(data)
        if before is None:
            self.is_tls = False if len(data) > MAX_BEFORE else None
            return
        begin = data[before : before + _HEAD + 1]
        if len(begin) <= _HEAD:
            if not _may_begin(begin):
                self._doubt(side)
            return
        if not _begins(begin) and not _holds_records(data):
            self._doubt(side)
            return
        self.is_tls = True
        side.skip = before
        hello = begin[_HEAD] if _begins(begin) and begin[0] == _HANDSHAKE else -1
        if hello == hellos.CLIENT_HELLO:
            self._asker = side.by_client
        elif hello != hellos.SERVER_HELLO or not self._sides[not side.by_client].queue:
            # Data, or one end's part of the handshake, and nothing before it.
            self._shut_both(_NO_HANDSHAKE)

    def _doubt(self, side: _Side) -> None:
        """It looks like no TLS.

        If its beginning is not in the capture, this may be the end of a record: what comes next
        tells.
        """
        self._doubts += 1
        self.is_tls = False if self._doubts > _DOUBTS else None
        side.queue.clear()
        side.queued = 0

    # ── Records ──────────────────────────────────────────────────────────────────────

    def _go_on(self) -> None:
        """Read whatever can be read, in both directions, until neither gets any further."""
        is_moving = True
        while is_moving:
            is_moving = False
            for side in (self._sides[self._asker], self._sides[not self._asker]):
                if self._read(side):
                    is_moving = True

    def _read(self, side: _Side) -> bool:
        """Read records of a direction; did it get any further?"""
        if side.waits:
            if not self._may_go_on(side):
                return False
        elif not side.queue:
            return False
        if side.why:
            self._pass_shut(side)
            return False
        side.waits = ""
        is_moving = False
        taken = 0
        while not side.why:
            if self._record(side):
                is_moving = True
                continue
            if side.waits or taken == len(side.queue):
                break
            self._take(side, side.queue[taken])
            taken += 1
        del side.queue[:taken]
        del side.buffer[: side.at]
        side.at = 0
        self._pass_marks(side, side.offset - len(side.buffer))
        del side.marks[: side.marked]
        side.marked = 0
        if side.why:
            self._pass_shut(side)
        return is_moving

    def _may_go_on(self, side: _Side) -> bool:
        """Did what a direction waits for come, perhaps?"""
        if side.waits == "hello":
            return self._version != 0
        keys = self._opener.keys
        if keys.changes == side.tried:
            keys.look_again()
        return keys.changes != side.tried

    def _take(self, side: _Side, piece: Piece) -> None:
        """Add the next piece to the buffer."""
        if isinstance(piece, Gap):
            self._lose(side, piece)
            return
        data = piece.data
        side.queued -= len(data)
        side.marks.append((side.offset, piece.time, piece.number))
        side.offset += len(data)
        if side.skip:
            passed = min(side.skip, len(data))
            side.skip -= passed
            if side.slack:
                side.lost += passed
            data = data[passed:]
        side.buffer += data

    def _lose(self, side: _Side, gap: Gap) -> None:
        """Bytes were lost: the record that they belong to cannot be opened."""
        side.offset += gap.length
        have = len(side.buffer) - side.at
        needs = side.skip
        if have >= _HEAD:
            needs = _HEAD + _length(side.buffer, side.at) - have
        elif have:
            needs = 0
        side.buffer.clear()
        side.at = side.marked = 0
        side.marks.clear()
        side.lost += have + gap.length
        # So many records may have stood there, and one that had begun.
        side.slack = min(MAX_TRIED, side.slack + gap.length // _SMALLEST + 1)
        side.hellos, side.inside = Handshakes(), Handshakes()
        if needs >= gap.length and not side.seeking:
            side.skip = needs - gap.length
        else:
            side.skip = 0
            side.seeking = True
        if not (self._random if side.by_client is self._asker else self._server_random):
            self._shut_both(_LOST_HANDSHAKE)

    def _record(self, side: _Side) -> bool:
        """Take the record at the buffer's start; False if it is not there, or has to wait."""
        data, at = side.buffer, side.at
        if side.seeking:
            found = _BEGIN.search(data, at)
            side.at = found.start() if found is not None else max(at, len(data) - 2)
            side.lost += side.at - at
            at = side.at
        if len(data) - at < _HEAD:
            return False
        kind, size = data[at], _length(data, at)
        if not _begins(data[at : at + _HEAD]):
            if side.seeking:
                side.at += 1
                side.lost += 1
                return True
            where = side.offset - (len(data) - at)
            shown = bytes(data[at : at + _HEAD]).hex(" ")
            self._shut(side, f"at byte {where} stands no TLS record: {shown}")
            return False
        if len(data) - at < _HEAD + size:
            return False
        head = bytes(data[at : at + _HEAD])
        body = bytes(data[at + _HEAD : at + _HEAD + size])
        if not self._read_record(side, kind, head, body):
            if side.waits or side.why:
                return False
            # What looked like a record was none.
            side.at += 1
            side.lost += 1
            return True
        side.seeking = False
        side.at += _HEAD + size
        return True

    def _read_record(self, side: _Side, kind: int, head: bytes, body: bytes) -> bool:
        """Read a record; False if it has to wait, or is none."""
        if kind == _DATA and not self._version:
            side.waits = "hello"
            return False
        if self._version == _TLS_13:
            if kind == _DATA:
                return self._open_13(side, head, body)
        elif MASTER in side.keys or (side.slack and self._version):
            return self._open_12(side, kind, head, body)
        elif kind == _DATA:
            self._shut(side, "data comes before its keys were agreed on")
            return False
        if side.seeking:
            return False
        if kind == _HANDSHAKE:
            for message, content in side.hellos.feed(body):
                self._hello(side, message, content)
        elif kind == _CHANGE_CIPHER:
            if not self._version and not self._was_retried:
                side.waits = "hello"
                return False
            # In TLS 1.3 it means nothing (RFC 8446, 5).
            return self._version in (0, _TLS_13) or self._make_key_12(side)
        elif kind == _ALERT:
            self._alert(side, body)
        return not side.why

    # ── The handshake ────────────────────────────────────────────────────────────────

    def _hello(self, side: _Side, kind: int, data: bytes) -> None:
        try:
            if kind == hellos.CLIENT_HELLO and side.by_client is self._asker:
                self._client_hello(ClientHello(data))
            elif kind == hellos.SERVER_HELLO and side.by_client is not self._asker:
                self._server_hello(side, ServerHello(data))
        except ValueError as error:
            who = "client" if kind == hellos.CLIENT_HELLO else "server"
            self._shut_both(f"the {who}'s hello cannot be read: {error}")

    def _client_hello(self, hello: ClientHello) -> None:
        self._random = hello.random
        self._offers_early = self._offers_early or hello.offers_early

    def _server_hello(self, side: _Side, hello: ServerHello) -> None:
        if hello.is_retry:
            self._was_retried = True
            self._early = False
            return
        if not self._random:
            self._shut_both(_NO_HANDSHAKE)
            return
        self._version = hello.version
        self._number = hello.suite
        self._server_random = hello.random
        is_13 = hello.version == _TLS_13
        if not is_13 and hello.version != _TLS_12:
            self._shut_both("its ciphers carry no tag that would prove a record (no AEAD)")
            return
        self._suite = suite_of(hello.suite, is_13)
        if self._suite is None:
            known = name_of(hello.suite)
            self._shut_both(f"its cipher suite {known} is no AEAD, or none that is known here")
        elif hello.packs:
            self._shut_both("it compresses its records")
        elif is_13:
            asker, server = self._sides[self._asker], side
            early = (CLIENT_EARLY,) if self._offers_early else ()
            asker.epochs = (*early, CLIENT_HANDSHAKE, CLIENT_APPLICATION)
            server.epochs = (SERVER_HANDSHAKE, SERVER_APPLICATION)

    def _alert(self, side: _Side, body: bytes) -> None:
        if len(body) == 2 and body[1] not in _CLOSE and len(side.alerts) < MAX_ALERTS:
            side.alerts.append(body[1])

    # ── TLS 1.2 ──────────────────────────────────────────────────────────────────────

    def _make_key_12(self, side: _Side) -> bool:
        """From here on records are encrypted; False if the secret is not there."""
        secret = self._secret(side, MASTER)
        if secret is None or self._suite is None:
            side.waits = MASTER
            return False
        is_asker = side.by_client is self._asker
        randoms = self._random, self._server_random
        key = ciphers.key_12(self._suite, secret, *randoms, is_asker)
        side.inside = Handshakes()
        return self._use(side, MASTER, key)

    def _use(self, side: _Side, label: str, key: Key) -> bool:
        if not key.is_usable:
            assert self._suite is not None
            self._shut_both(f"the libraries of this machine cannot do {self._suite.cipher}")
            return False
        side.keys[label] = key
        return True

    def _open_12(self, side: _Side, kind: int, head: bytes, body: bytes) -> bool:
        is_fresh = MASTER not in side.keys
        if is_fresh and not self._make_key_12(side):
            return False
        key = side.keys[MASTER]
        opened = self._try(side, key, head, body, False)
        if opened is None:
            if is_fresh:
                # These may be records from before there were keys.
                del side.keys[MASTER]
                return not side.seeking
            return self._not_opened(side, MASTER)
        number, content = opened
        # The first record is the end of the handshake.
        lost = number - key.number - (is_fresh and number > 0)
        key.number = number + 1
        side.slack = 0
        if kind == _DATA:
            self._give(side, content, lost)
            return True
        if lost and side.has_opened:
            self._give(side, b"", lost)
        if kind == _HANDSHAKE:
            for message, inside in side.inside.feed(content):
                self._hello(side, message, inside)
        elif kind == _CHANGE_CIPHER:
            del side.keys[MASTER]
            return self._make_key_12(side)
        elif kind == _ALERT:
            self._alert(side, content)
        return not side.why

    # ── TLS 1.3 ──────────────────────────────────────────────────────────────────────

    def _open_13(self, side: _Side, head: bytes, body: bytes) -> bool:
        epochs = side.epochs
        for at in range(side.epoch, len(epochs)):
            key = self._key_13(side, epochs[at])
            if side.why:
                return False
            if key is None:
                continue
            opened = self._try(side, key, head, body, True)
            if opened is None and side.slack and at == len(epochs) - 1:
                # A KeyUpdate may be lost.
                for later in (ciphers.next_key(key), ciphers.next_key(ciphers.next_key(key))):
                    opened = opened or self._try(side, later, head, body, True)
                    if opened is not None:
                        side.keys[epochs[at]] = key = later
                        break
            if opened is not None:
                return self._take_13(side, at, key, *opened)
        return self._closed_13(side, len(body))

    def _closed_13(self, side: _Side, size: int) -> bool:
        """A record of TLS 1.3, ``size`` bytes, did not open."""
        epochs = side.epochs
        last = epochs[-1]
        if last not in side.keys:
            side.waits = last
            return False
        if side.seeking:
            return False
        # Of the handshake, whose secret is missing; or early data, which the server may refuse.
        now = epochs[side.epoch]
        is_early = now == CLIENT_EARLY
        if side.epoch < len(epochs) - 1 and (is_early or now not in side.keys):
            side.passed += 1
            if is_early:
                side.early_lost += size
            if side.passed <= MAX_PASSED:
                return True
        return self._not_opened(side, now if now in side.keys else last)

    def _key_13(self, side: _Side, label: str) -> Key | None:
        key = side.keys.get(label)
        if key is None:
            secret = self._secret(side, label)
            if secret is None or self._suite is None:
                return None
            key = ciphers.key_13(self._suite, secret)
            self._use(side, label, key)
        return key

    def _take_13(self, side: _Side, at: int, key: Key, number: int, data: bytes) -> bool:
        """Read what is in a record: its content, its type, its padding (RFC 8446, 5.2)."""
        label = side.epochs[at]
        is_new = at != side.epoch
        if is_new:
            side.inside = Handshakes()
        side.epoch = at
        lost = number - key.number
        key.number = number + 1
        side.slack = 0
        end = len(data)
        content = data.rstrip(b"\0")
        if not content or end > MAX_RECORD:
            self._shut(side, "a record has no type in it")
            return False
        kind, content = content[-1], content[:-1]
        if label == CLIENT_HANDSHAKE and is_new and CLIENT_EARLY in side.keys and not lost:
            # Without a word on their end, so the server has not taken them.
            self._early = bool(self._early)
        if kind == _DATA and label == CLIENT_EARLY:
            self._hold_early(side, content)
        elif kind == _DATA:
            if side.by_client is self._asker:
                self._settle_early(True)
                if self._early is not False:
                    side.lost += side.early_lost
                    lost += side.early_lost
                side.early_lost = 0
            self._give(side, content, lost)
        elif lost and label == side.epochs[-1]:
            self._give(side, b"", lost)
        if kind == _HANDSHAKE:
            for message, inside in side.inside.feed(content):
                self._inside(side, message, inside)
        elif kind == _ALERT:
            self._alert(side, content)
        return not side.why

    def _inside(self, side: _Side, kind: int, data: bytes) -> None:
        """A handshake message that was encrypted says which secret comes next."""
        label = side.epochs[side.epoch]
        if kind == hellos.KEY_UPDATE and side.epoch == len(side.epochs) - 1:
            side.keys[label] = ciphers.next_key(side.keys[label])
        elif kind == hellos.FINISHED and label in (CLIENT_HANDSHAKE, SERVER_HANDSHAKE):
            side.epoch += 1
        elif kind == hellos.END_OF_EARLY_DATA and label == CLIENT_EARLY:
            # It is sent only where the server has taken them.
            self._early = True if self._early is None else self._early
            side.epoch += 1
        elif kind == hellos.ENCRYPTED_EXTENSIONS and side.by_client is not self._asker:
            if self._early is None:
                self._early = hellos.accepts_early(data)
            self._settle_early(False)

    def _hold_early(self, side: _Side, content: bytes) -> None:
        """Early data counts only once the server has taken it."""
        side.early_size += len(content)
        if side.early_size > MAX_EARLY:
            self._shut(side, f"more than {MAX_EARLY} bytes of early data wait for the server")
            return
        _, time, number = self._mark(side)
        side.early.append(Chunk(0, content, time, number))
        self._settle_early(False)

    def _settle_early(self, is_last: bool) -> None:
        side = self._sides[self._asker]
        if self._early is None and not is_last:
            return
        if self._early is None and side.early:
            self._early = False
        if self._early and side.early:
            for one in side.early:
                self._give_chunk(side, one.data, one.time, one.number)
            side.early_size = 0
        side.early.clear()

    # ── Opening ──────────────────────────────────────────────────────────────────────

    def _secret(self, side: _Side, label: str) -> bytes | None:
        """The secret with that label; it takes note of when it was asked for."""
        keys = self._opener.keys
        secret = keys.secret(label, self._random)
        if secret is None:
            keys.look_again()
            secret = keys.secret(label, self._random)
        side.tried = keys.changes
        return secret

    def _try(
        self, side: _Side, key: Key, head: bytes, body: bytes, is_13: bool
    ) -> tuple[int, bytes] | None:
        """The number and the content of a record; None if it does not open.

        It may open with the next number, or after a loss with one of those behind it.
        """
        opener = self._opener
        for number in range(key.number, key.number + side.slack + 1):
            if number > key.number or side.slack:
                opener.effort -= len(body) + _A_TRY
                if opener.effort < 0:
                    opener.effort = 0
                    return None
            opened = (key.open_13 if is_13 else key.open_12)(number, head, body)
            if opened is not None:
                return number, opened
        return None

    def _not_opened(self, side: _Side, label: str) -> bool:
        """A record did not open, though its secret is there."""
        if side.seeking:
            return False
        if side.slack:
            # Its number is not known, so this proves nothing: look further.
            side.seeking = True
            return False
        if side.has_opened:
            where = side.offset - (len(side.buffer) - side.at)
            why = f"from byte {where} on its records do not open: a tag does not agree"
        else:
            why = self._wrong_key(side, label)
            side.wrong = label or _last_label(side)
        self._shut(side, why)
        return False

    def _wrong_key(self, side: _Side, label: str = "") -> str:
        label = label or _last_label(side)
        return (
            f"{self._opener.keys.names} has a wrong {label} for client random "
            f"{self._random.hex()}: the tag of the first record does not agree"
        )

    def _no_secret(self, label: str) -> str:
        keys = self._opener.keys
        if keys.secret(label, self._random) is not None:
            return f"its {label} came when too much waited for it: give it first (--keys)"
        what = label
        if not keys.has(self._random) and label != MASTER:
            what = f"{CLIENT_APPLICATION}, nor anything else,"
        return f"{keys.names} has no {what} for client random {self._random.hex()}"

    # ── What comes out ───────────────────────────────────────────────────────────────

    def _mark(self, side: _Side) -> tuple[int, int, int]:
        """The packet in which the record at the buffer's start ends."""
        size = _HEAD + _length(side.buffer, side.at)
        last = side.offset - (len(side.buffer) - side.at) + size - 1
        self._pass_marks(side, last)
        return side.marks[side.marked]

    def _pass_marks(self, side: _Side, offset: int) -> None:
        """Forget the packets before the one that brought the byte at that offset."""
        last = len(side.marks) - 1
        while side.marked < last and side.marks[side.marked + 1][0] <= offset:
            side.marked += 1

    def _give(self, side: _Side, content: bytes, lost: int) -> None:
        """Give out what was in a record, and before it, that ``lost`` records are missing."""
        _, time, number = self._mark(side)
        if lost:
            side.last = time  # by then they had come
            self._give_gap(side)
        side.lost = 0
        if content:
            self._give_chunk(side, content, time, number)

    def _give_chunk(self, side: _Side, data: bytes, time: int, number: int) -> None:
        self.opened.append((side.by_client, Chunk(side.plain, data, time, number)))
        side.plain += len(data)
        side.last = time
        side.has_opened = True

    def _give_gap(self, side: _Side) -> None:
        if side.lost:
            self.opened.append((side.by_client, Gap(side.plain, side.lost)))
            side.plain += side.lost
            side.missed += side.lost
        side.lost = 0

    # ── What cannot be opened ────────────────────────────────────────────────────────

    def _shut(self, side: _Side, why: str) -> None:
        if not side.why:
            side.why = why
            if side.waits not in ("", "hello"):
                side.label = side.waits
                self._opener.miss(self._random, side.label)
            side.waits = ""

    def _shut_both(self, why: str) -> None:
        for side in self._sides.values():
            self._shut(side, why)

    def _pass_shut(self, side: _Side) -> None:
        """Count the bytes of a direction that cannot be opened, and keep none."""
        side.lost += len(side.buffer)
        side.buffer.clear()
        side.at = 0
        for piece in side.queue:
            size = piece.length if isinstance(piece, Gap) else len(piece.data)
            side.lost += size
            side.offset += size
            if isinstance(piece, Chunk):
                side.marks[:] = [(0, piece.time, piece.number)]
                side.marked = 0
        side.queue.clear()
        side.queued = 0
        if side.lost and self._is_half_open(side):
            if side.marks:
                side.last = max(side.last, side.marks[-1][1])
            self._give_gap(side)

    def _is_half_open(self, side: _Side) -> bool:
        """Was anything opened, of it or of the other end?  Then what is missing here is a loss."""
        return side.has_opened or self._sides[not side.by_client].has_opened

    def _end(self, side: _Side) -> None:
        """What was not opened of a direction, at its end."""
        why = self.shut(side.by_client)
        if why:
            self._shut(side, why)
            self._pass_shut(side)
        elif (side.slack or side.lost) and self._is_half_open(side):
            # Nothing behind the loss could be opened.
            side.lost += len(side.buffer)
            side.buffer.clear()
            side.unseen = side.lost
            self._give_gap(side)
        side.plain = self.inside(side.by_client)[0]

    # ── How much waits ───────────────────────────────────────────────────────────────

    def _bound(self) -> None:
        """Let no more wait than may."""
        opener = self._opener
        is_blind = not len(opener.keys)
        most = MAX_HELD_BLIND if is_blind else MAX_HELD
        for side in self._sides.values():
            if side.waits and (side.waiting > most or (is_blind and opener.held > MAX_ALL_BLIND)):
                self._shut(side, self.shut(side.by_client))
                self._pass_shut(side)
        self._is_blind = is_blind
        self._count()

    def _count(self) -> None:
        """Count what waits without hope in ``Opener.held``."""
        now = 0
        if self._is_blind:
            now = sum(side.waiting for side in self._sides.values() if side.waits)
        self._opener.held += now - self._held
        self._held = now

    def _version_words(self) -> str:
        if self._version == _TLS_13:
            return "TLS 1.3"
        return _VERSIONS.get(self._version, f"TLS of version 0x{self._version:04x}")


def _last_label(side: _Side) -> str:
    """The label of the secret in which its data are."""
    return side.epochs[-1] if side.epochs else MASTER


def _begins(data: bytes | bytearray) -> bool:
    """Do these bytes begin like a record?"""
    return (
        _CHANGE_CIPHER <= data[0] <= _HEARTBEAT
        and data[1] == 3
        and data[2] <= 4
        and _length(data, 0) <= MAX_RECORD
    )


def _may_begin(data: bytes) -> bool:
    """May these bytes, with others behind them, begin like a record?"""
    return _begins(data + b"\x16\3\3\0\0"[len(data) :])


def _holds_records(data: bytes) -> bool:
    """Whether bytes that begin in the midst of something hold a record of data.

    Another begins behind it, or they end there.
    """
    for found in _DATA_BEGIN.finditer(data):
        stop = found.start() + _HEAD + _length(data, found.start())
        if stop == len(data) or (stop + _HEAD <= len(data) and _begins(data[stop : stop + _HEAD])):
            return True
    return False


def _length(data: bytes | bytearray, at: int) -> int:
    return data[at + 3] << 8 | data[at + 4]
