"""What a family brings, so that a connection that speaks it is recognised and read.

    Sign       what the messages of an encoding begin with
    Wrapper    what a framing with a head of its own begins with, and the object that reads it
    Entry      a family in the list of all (families/__init__.py), with its signs and wrappers

What its messages mean is the business of a ``model.Family``, which each of them has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from ..model import Carrier, Family, Limits, Protocol
from .framing import ProtocolAt, Transport
from .framings.contents import Content, Contents, Head

__all__ = ["FAIR", "STRONG", "WEAK", "Entry", "Sign", "Wrapper"]

# At the first byte of a connection, ``begins`` alone is enough; or the struct has to make
# sense too, as far as it goes; or it has to be there to its end (or for detect.PROOF bytes), and
# in mid-stream such a message is found only where its protocol was settled before.
STRONG: Final = 2
FAIR: Final = 1
WEAK: Final = 0


class Sign(NamedTuple):
    """How the messages of a protocol are recognised.

    ``begins(data, at)``: can one begin there?  None: too few bytes to say no.  ``magic`` is
    what to search for in mid-stream, ``shift`` bytes behind the message's first; empty: it
    cannot be found there.  ``strength``: see below.
    """

    protocol: Protocol
    words: str
    begins: Callable[[bytes | bytearray, int], bool | None]
    magic: bytes
    strength: int
    shift: int = 0


class Wrapper(NamedTuple):
    """How a transport with a head of its own is recognised.

    ``begins(data)``: do these first bytes begin one?  None: too few to tell.  ``magics`` are
    what to search for in mid-stream, ``shift`` bytes behind the head's first; none: it cannot
    be picked up there.

    ``woven`` makes it in place of ``make`` where the head of each message says who reads it: see
    ``framings.contents``.  ``find(data, ended)`` searches where there is no magic: where one
    begins, and whether that is sure; it is believed if both directions have one.
    """

    transport: Carrier
    words: str
    begins: Callable[[bytes | bytearray], bool | None]
    make: Callable[[Limits, ProtocolAt], Transport]
    magics: tuple[bytes, ...] = ()
    shift: int = 0
    woven: Callable[[Limits, Contents, ProtocolAt], Transport] | None = None
    find: Callable[[bytes | bytearray, bool], tuple[int, bool]] | None = None


def _never(data: bytes | bytearray) -> str:
    return ""


class Entry(NamedTuple):
    """A family, its ``signs`` in the order in which they are tried, and its ``wrappers``.

    ``nearly(data)`` says what is wrong with first bytes that are nearly, and yet not, the
    family's; "" if they are nothing like it.  ``reads(head, asked)`` says who reads the body of
    a request or a reply of HTTP with that head (``asked``: of the request, where a reply's is
    meant); None: not this family.
    """

    family: Family
    signs: tuple[Sign, ...] = ()
    wrappers: tuple[Wrapper, ...] = ()
    nearly: Callable[[bytes | bytearray], str] = _never
    reads: Callable[[Head, Head | None], Content | None] | None = None
