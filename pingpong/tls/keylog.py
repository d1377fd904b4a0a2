"""The key log: what secrets there are, by the random bytes of a client's hello.

    CLIENT_RANDOM                    <random, 64 hex digits> <master secret, 96>         TLS 1.2
    CLIENT_TRAFFIC_SECRET_0          <random>                <secret, 64 or 96>          TLS 1.3
    SERVER_HANDSHAKE_TRAFFIC_SECRET  …

A file that programs write if SSLKEYLOGFILE names one, or a block of a pcapng (RFC 9850 and
draft-ietf-opsawg-pcapng, 4.7).  It is read in pieces, and what is kept of it is bounded.  A file
that grows is read on where it ended, because a program that is watched writes into it as it goes.

No text that is made here has a secret in it.
"""

from __future__ import annotations

import os
import re
import stat
from collections import OrderedDict
from collections.abc import Iterator
from typing import IO, Final

from ..errors import CaptureError, KeyLogError
from ..model import Finding, Severity
from ..wire.capturefile import PCAPNG, open_capture

__all__ = [
    "CLIENT_APPLICATION",
    "CLIENT_EARLY",
    "CLIENT_HANDSHAKE",
    "MASTER",
    "SERVER_APPLICATION",
    "SERVER_HANDSHAKE",
    "KeyLog",
]

MASTER: Final = "CLIENT_RANDOM"
CLIENT_EARLY: Final = "CLIENT_EARLY_TRAFFIC_SECRET"
CLIENT_HANDSHAKE: Final = "CLIENT_HANDSHAKE_TRAFFIC_SECRET"
SERVER_HANDSHAKE: Final = "SERVER_HANDSHAKE_TRAFFIC_SECRET"
CLIENT_APPLICATION: Final = "CLIENT_TRAFFIC_SECRET_0"
SERVER_APPLICATION: Final = "SERVER_TRAFFIC_SECRET_0"

# How many hex digits each has: those of TLS 1.3 are as long as a hash.
_DIGITS: Final = {
    MASTER: (96,),
    CLIENT_EARLY: (64, 96),
    CLIENT_HANDSHAKE: (64, 96),
    SERVER_HANDSHAKE: (64, 96),
    CLIENT_APPLICATION: (64, 96),
    SERVER_APPLICATION: (64, 96),
}
_LABELS: Final = tuple(_DIGITS)

_RANDOM: Final = 64
_HEX: Final = re.compile(rb"[0-9A-Fa-f]*\Z")
# RFC 9850, 2: a line with a label that is not known is passed over.
_LABEL: Final = re.compile(rb"[A-Z][A-Z0-9_]*\Z")

# No line of a secret is longer, in bytes; of longer ones nothing is kept.
MAX_LINE: Final = 512
# So many lines in the beginning that mean nothing show that a file is no key log.
MAX_BAD: Final = 10_000
# Of how many connections secrets are kept, the last ones.
MAX_CONNECTIONS: Final = 1 << 18

_READ: Final = 1 << 16


class _Lines:
    """A source of lines: its ``name``, and how far it was read (``at``, in bytes)."""

    __slots__ = ("_rest", "at", "name", "number")

    def __init__(self, name: str) -> None:
        self.name = name
        self.at = 0
        self.number = 0  # of the last line that was given out
        self._rest = b""  # the beginning of a line that has not ended

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that end in ``data``; ``number`` is that of the line."""
        self.at += len(data)
        *ended, self._rest = (self._rest + data).split(b"\n")
        # What is too long by a byte is too long.
        self._rest = self._rest[: MAX_LINE + 1]
        for line in ended:
            self.number += 1
            yield line

    @property
    def rest(self) -> bytes:
        """The last line, if it has no end."""
        return self._rest


class KeyLog:
    """Secrets of TLS connections, from files and blocks of captures.

    ``changes`` counts the secrets that came, so that who lacks one knows when to ask again.
    """

    def __init__(self) -> None:
        self.changes = 0
        self._known: OrderedDict[bytes, dict[str, bytes]] = OrderedDict()
        self._growing: list[_Lines] = []
        self._names: list[str] = []
        self._blocks = 0
        self._bad = 0  # lines that were not understood
        self._first_bad = ""
        self._forgotten = 0

    def __len__(self) -> int:
        """Of how many connections there are secrets."""
        return len(self._known)

    @property
    def names(self) -> str:
        """What it was read from, in words."""
        if self._names:
            return f"the key log {' and '.join(self._names[:3])}"
        return "the capture's own key log" if self._blocks else "the key log"

    @property
    def findings(self) -> list[Finding]:
        """What was wrong with the lines, and what of them was not kept."""
        found = []
        if self._bad:
            lines = "1 line of a key log was" if self._bad == 1 else f"{self._bad} lines were"
            text = f"{lines} not understood: {self._first_bad}"
            if self._bad > 1:
                text = f"{self._bad} lines of key logs were not understood, first {self._first_bad}"
            found.append(Finding(Severity.WARNING, text))
        if self._forgotten:
            text = (
                f"the key log has secrets of more than {MAX_CONNECTIONS} connections: those of the "
                f"first {self._forgotten} were not kept"
            )
            found.append(Finding(Severity.WARNING, text))
        if self._names and not self._known and not self._bad:
            found.append(Finding(Severity.WARNING, f"{self.names} has no secrets of TLS"))
        return found

    def secret(self, label: str, random: bytes) -> bytes | None:
        """The secret with that label for a client's random; None if there is none."""
        known = self._known.get(random)
        return None if known is None else known.get(label)

    def has(self, random: bytes) -> bool:
        """Is there any secret for a client's random?"""
        return random in self._known

    # ── What comes in ────────────────────────────────────────────────────────────────

    def read(self, name: str) -> None:
        """Read the key log, or the secrets in the pcapng, at that path.

        Raises KeyLogError if it cannot be read, or if it is something else.
        """
        try:
            file = open(name, "rb")  # noqa: SIM115  (what opening it and reading it raise differs)
        except OSError as error:
            raise KeyLogError(f"{name}: cannot be opened: {error.strerror or error}") from None
        lines = _Lines(name)
        self._names.append(name)
        before = self.changes, self._bad
        with file:
            try:
                may_grow = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
                begin = file.read(len(PCAPNG))
                if begin != PCAPNG:
                    self._take(lines, begin)
                    self._read_on(lines, file)
            except OSError as error:
                raise KeyLogError(f"{name}: cannot be read: {error.strerror or error}") from None
        if begin == PCAPNG:
            self._read_capture(name)
            return
        wrong = self._first_bad if self._bad > before[1] else ""
        if not wrong and (text := self._line(lines.rest)) and not _may_go_on(lines.rest):
            wrong = f"{name}, line {lines.number + 1}: {text}"
        if wrong and self.changes == before[0]:
            raise KeyLogError(f"{name}: is no key log: {wrong}")
        if may_grow:
            self._growing.append(lines)

    def add(self, data: bytes, where: str) -> None:
        """Add the lines in ``data``, a block of a capture; ``where`` says which."""
        self._blocks += 1
        lines = _Lines(where)
        self._take(lines, data)
        self._take(lines, b"\n")

    def look_again(self) -> None:
        """Read what was added to the files since."""
        for lines in self._growing:
            try:
                if os.stat(lines.name).st_size <= lines.at:
                    continue
                with open(lines.name, "rb") as file:
                    file.seek(lines.at)
                    self._read_on(lines, file)
            except OSError:  # it has gone; what was read of it holds
                continue

    def _read_capture(self, name: str) -> None:
        try:
            with open_capture(name) as capture:
                capture.tell_secrets = self.add
                while capture.advance():
                    pass
        except CaptureError as error:
            raise KeyLogError(str(error)) from None

    def _read_on(self, lines: _Lines, file: IO[bytes]) -> None:
        is_more = False
        while data := file.read(_READ):
            self._take(lines, data)
            is_more = True
            if self._bad > MAX_BAD and not self._known:
                return  # no more of it has to be read to know that it is something else
        if lines.rest and (is_more or not lines.number):
            # It may have no line end, or be half of a line; then it comes again.
            self._line(lines.rest)

    def _take(self, lines: _Lines, data: bytes) -> None:
        for line in lines.feed(data):
            wrong = self._line(line)
            if wrong:
                self._bad += 1
                self._first_bad = self._first_bad or f"{lines.name}, line {lines.number}: {wrong}"

    def _line(self, line: bytes) -> str:
        """Take a line; returns what is wrong with it, else ""."""
        words = line.split() if len(line) <= MAX_LINE else line[:MAX_LINE].split()
        if not words or words[0].startswith(b"#"):
            return ""
        label = words[0].decode("ascii", "replace")
        digits = _DIGITS.get(label)
        if digits is None:
            if _LABEL.match(words[0]) and len(words) > 1:
                return ""
            begin = "a key or a certificate" if words[0].startswith(b"-----BEGIN") else "other text"
            return f"is {begin}, want a label, a client's random and a secret in hex"
        if len(words) != 3:
            return f"{label} has {len(words) - 1} words behind it, want 2: a random and a secret"
        if len(words[1]) != _RANDOM or not _HEX.match(words[1]):
            return f"{label}: the random has {_shown(words[1])}, want {_RANDOM} hex digits"
        if len(words[2]) not in digits or not _HEX.match(words[2]):
            wanted = " or ".join(str(one) for one in digits)
            return f"{label}: the secret has {_shown(words[2])}, want {wanted} hex digits"
        self._add(label, bytes.fromhex(words[1].decode()), bytes.fromhex(words[2].decode()))
        return ""

    def _add(self, label: str, random: bytes, secret: bytes) -> None:
        known = self._known.get(random)
        if known is None:
            known = self._known[random] = {}
            if len(self._known) > MAX_CONNECTIONS:
                self._known.popitem(last=False)
                self._forgotten += 1
        if known.get(label) != secret:
            known[_LABELS[_LABELS.index(label)]] = secret  # one text for each label
            self.changes += 1


def _may_go_on(line: bytes) -> bool:
    """Is this half of a line of a secret?"""
    word = line.split(b" ")[0].decode("ascii", "replace")
    return any(label.startswith(word) for label in _LABELS)


def _shown(word: bytes) -> str:
    return f"{len(word)} digits" if _HEX.match(word) else "what is no hex digit"
