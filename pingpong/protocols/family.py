"""What a family brings, so that a connection that speaks it is recognised and read.

    Sign       what the messages of an encoding begin with
    Plain      how such messages follow one another: bare, or each behind its length
    Wrapper    what a framing with a head of its own begins with, and the object that reads it
    Entry      a family in the list of all (families/__init__.py), with all of these

What its messages mean is the business of its ``model.Family``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from ..model import Carrier, Family, Limits, Protocol
from .framing import ProtocolAt, Transport
from .framings.contents import Content, Contents, Head

__all__ = [
    *("FAIR", "MAX_NAME", "METHOD", "NAME", "STRONG", "WEAK"),
    *("Entry", "Plain", "Sign", "Wrapper"),
]

# Names that a method can have, as bytes and as text.  Longer ones than MAX_NAME are not taken for a
# method's.  Apache's generators make identifiers; a multiplexed one has a service and a colon
# before it.
NAME: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_.:$/-]*\Z")
METHOD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:$/-]*\Z")
MAX_NAME: Final = 1024

# How much is a proof at the first byte of a connection.  STRONG: ``begins`` alone.  FAIR: the
# struct has to make sense too, up to the end of the bytes.  WEAK: it has to be there to its end (or
# for detect.PROOF bytes), and in mid-stream it is found only if its protocol was settled before.
STRONG: Final = 2
FAIR: Final = 1
WEAK: Final = 0


class Sign(NamedTuple):
    """How the messages of a protocol are recognised.

    ``begins(data, at)``: can one begin there?  None: too few bytes to say no.  ``magic`` is what to
    search for in mid-stream, ``shift`` bytes after the message's first; empty: it cannot be found
    there.  ``strength``: see above.  ``least(data, at)``, if that is STRONG: how many bytes a
    length before such a message has to say at least.
    """

    protocol: Protocol
    words: str
    begins: Callable[[bytes | bytearray, int], bool | None]
    magic: bytes
    strength: int
    shift: int = 0
    least: Callable[[bytes | bytearray, int], int] | None = None


def _no_length(data: bytes | bytearray, start: int, stop: int, limits: Limits) -> int:
    return 0


class Plain(NamedTuple):
    """How messages that a Sign recognises follow one another: bare, or each after its length.

    ``make`` takes their protocol, and whether something may come before them that the ends have
    agreed on (``Transport.prefixed``).  The length has ``head`` bytes, 0 if there is none;
    ``length(data, start, stop, limits)`` returns what it says, and raises DecodeError for a length
    that no message has.
    """

    transport: Carrier
    make: Callable[[Protocol, Limits, bool], Transport]
    head: int = 0
    length: Callable[[bytes | bytearray, int, int, Limits], int] = _no_length


class Wrapper(NamedTuple):
    """How a transport with a head of its own is recognised.

    ``begins(data)``: do these first bytes begin one?  None: too few to tell.  ``magics`` are what
    to search for in mid-stream, ``shift`` bytes after the head's first; none: it cannot be found
    there.

    ``woven`` makes the transport instead of ``make`` if each message's head decides which family
    reads it: see ``framings.contents``.  ``find(data, ended)`` searches where there is no magic: it
    returns where one begins, and whether that is certain; it is believed if both directions have
    one.  ``alone(data, at)``: what begins there is proof enough where nothing of the other
    direction was captured.

    ``behind(data, magic)``: how many bytes of a head come after the magic, by its own account; None
    if it does not say, and its end is easily found.  ``answers(data)`` says what first bytes are
    that nothing recognises, if the other direction speaks this transport; "" if they are no answer.
    """

    transport: Carrier
    words: str
    begins: Callable[[bytes | bytearray], bool | None]
    make: Callable[[Limits, ProtocolAt], Transport]
    magics: tuple[bytes, ...] = ()
    shift: int = 0
    woven: Callable[[Limits, Contents, ProtocolAt], Transport] | None = None
    find: Callable[[bytes | bytearray, bool], tuple[int, bool]] | None = None
    behind: Callable[[bytes | bytearray, int], int] | None = None
    answers: Callable[[bytes | bytearray], str] | None = None
    alone: Callable[[bytes | bytearray, int], bool] | None = None


def _never(data: bytes | bytearray) -> str:
    return ""


class Entry(NamedTuple):
    """A family, its ``signs`` and its ``wrappers``, in the order in which they are tried.

    Each sign is tried in each of the ``plains``.
    ``nearly(data)`` says what is wrong with first bytes that are almost the family's; "" if they
    are nothing like it.  ``reads(head, asked)`` returns what reads the body of an HTTP message with
    that head (``asked``: the request's head, if this is a reply's); None: not this family.
    ``reads_rest(head)`` reads what no family does, if the user wants that too.
    """

    family: Family
    signs: tuple[Sign, ...] = ()
    wrappers: tuple[Wrapper, ...] = ()
    nearly: Callable[[bytes | bytearray], str] = _never
    reads: Callable[[Head, Head | None], Content | None] | None = None
    plains: tuple[Plain, ...] = ()
    reads_rest: Callable[[Head], Content] | None = None
