"""What HTTP of any version may carry, and what reads the body of a request or a reply.

    head of a request or reply ─▶ each family's ``reads`` ─▶ Content: how its messages are cut, and
                                                               in which encoding they are

    whole       the body is one message: JSON, protobuf in Connect
    enveloped   flag (1 byte), length (4 bytes), message, again and again: gRPC, gRPC-Web, Connect

A family decides by the head alone what it takes.  What no family takes is HTTP's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from ...model import LETTER, Carrier, Protocol

__all__ = [
    *("NOT_KNOWN", "NOT_NAMED", "NO_END", "Content", "Contents", "Ending", "Head", "InHead"),
    "Kept",
]

NOT_NAMED: Final = "?"


class Head:
    """The headers of a request or of a reply, as far as they are known; names in lower case.

    ``is_request``: it has a method and a path.  ``lines`` has the last value of each name;
    ``unknown`` is true if some header's name or value is not known.  ``version`` is HTTP's.  What
    HTTP/1 has in its start line has HTTP/2's names: ":method", ":path", ":status".
    """

    __slots__ = ("is_request", "lines", "unknown", "version")

    def __init__(self, is_request: bool, version: int = 2) -> None:
        self.is_request = is_request
        self.version = version
        self.lines: dict[str, str] = {}
        self.unknown = False

    def get(self, name: str) -> str:
        """Return a header's value, "" if it is absent."""
        return self.lines.get(name, "")

    @property
    def content_type(self) -> str:
        """The type that the body claims to have, without parameters, in lower case."""
        return self.lines.get("content-type", "").partition(";")[0].strip().lower()


class Ending:
    """How a reply ended: well, or with an error that the framework names.

    ``is_error``, ``code`` and ``name`` (NOT_FOUND), and what it says in words.  ``is_known`` is
    false if the bytes that say it refer to something that was not captured.
    """

    __slots__ = ("code", "is_error", "is_known", "name", "text")

    def __init__(
        self, is_error: bool, code: int | None, name: str, text: str, is_known: bool = True
    ) -> None:
        self.is_known = is_known
        self.is_error = is_error
        self.code = code
        self.name = name
        self.text = text

    def hushed(self) -> Ending:
        """Return the same without what the server chose to say.

        A status with a number has a name that everybody knows; another's is the server's word.
        """
        name = "" if self.code is None else self.name
        text = LETTER.decode() * len(self.text.encode("utf-8", "surrogatepass"))
        return Ending(self.is_error, self.code, name, text, self.is_known)


NO_END: Final = Ending(False, None, "", "")

# The answer may be in bytes that were not captured.
NOT_KNOWN: Final = Ending(False, None, "", "", False)


class Kept:
    """What is kept with an HTTP message: how it ended.  ``is_redacted``: it was masked."""

    __slots__ = ("ending", "is_redacted")

    def __init__(self, ending: Ending) -> None:
        self.ending = ending
        self.is_redacted = False


class InHead:
    """A message that stands in a head, not in a body: Connect's GET has it in its query.

    ``content`` are its bytes, packed as ``packing`` says ("" if they are not).  ``wrong`` says why
    they cannot be read, "" if they can.
    """

    __slots__ = ("content", "packing", "protocol", "wrong")

    def __init__(self, content: bytes, protocol: Protocol, packing: str, wrong: str) -> None:
        self.content = content
        self.protocol = protocol
        self.packing = packing
        self.wrong = wrong


class Content(ABC):
    """How messages are laid out in the bodies that a family takes; it has no state.

    ``carrier`` is what its messages are carried by.  ``is_enveloped``: each is preceded by a flag
    and a length.  ``ends_at``: the bit of the flag that says that trailers follow instead of a
    message; 0: trailers are HTTP's own.  ``is_base64``: all of that is text.  ``has_stray``: its
    clients write an empty message after the last one, which means nothing.
    """

    carrier: Carrier
    is_enveloped: bool = False
    ends_at: int = 0
    is_base64: bool = False
    has_stray: bool = False

    @abstractmethod
    def protocol(self, head: Head) -> Protocol:
        """Return the encoding of its messages."""

    @abstractmethod
    def ending(self, head: Head, trailers: Head | None, body: bytes) -> Ending:
        """Return what a reply's head, its ``body`` and its trailers say about how it ended."""

    def reads_as(self, protocol: Protocol, body: bytes, from_client: bool) -> Protocol:
        """The encoding of one message, where its bytes tell more than its head did."""
        return protocol

    def method(self, head: Head) -> str:
        """Return the method that a request calls."""
        return head.get(":path")

    def in_head(self, head: Head) -> InHead | None:
        """Return the message that stands in a request's head; None: none does, it is the body."""
        return None

    def packing(self, head: Head, flag: int) -> str:
        """Return how a message with that flag is packed: "gzip", "deflate" and so on.

        "" if it is not; NOT_NAMED if it is and no header says how.
        """
        return ""

    def read_trailers(self, raw: bytes) -> Head:
        """Read the trailers that come in place of a message: see ``ends_at``."""
        return Head(False)


# Which content a request or a reply has, from its head (and for a reply, that of its request).
# None: nothing here reads it.
Contents = Callable[[Head, "Head | None"], "Content | None"]
