"""Everything that pingpong raises on purpose.

    PingpongError
    ├── CaptureError         a capture file, or a packet in it, cannot be read or written
    │   └── OutputError      … because the disk is full, or a right is missing
    ├── DecodeError          bytes of a message are not what they should be
    │   ├── Incomplete       … because they end too soon
    │   └── LimitExceeded    … because they claim more than is allowed
    └── LiveError            the world outside said no
        ├── PortTaken        somebody else listens there
        ├── HostNotLocal     an address that is not this machine's
        ├── NotAllowed       a right is missing
        └── IdlError         a .thrift or a .proto file cannot be read

A message says what was being read, where, what was found and what was wanted.
The same facts are attributes, so that nobody has to parse a sentence.  TypeError
and ValueError are left for our caller's mistakes.
"""

from __future__ import annotations

__all__ = [
    "CaptureError",
    "DecodeError",
    "HostNotLocal",
    "IdlError",
    "Incomplete",
    "LimitExceeded",
    "LiveError",
    "NotAllowed",
    "OutputError",
    "PingpongError",
    "PortTaken",
]


class PingpongError(Exception):
    """The root: catch this to catch everything that pingpong raises on purpose."""


class CaptureError(PingpongError):
    """A capture file, or a packet in it, cannot be read or written.

    ``offset`` counts bytes from the start of the (unpacked) file; None if the
    trouble is with the file as a whole.
    """

    def __init__(self, text: str, offset: int | None = None) -> None:
        super().__init__(text)
        self.offset = offset


class OutputError(CaptureError):
    """A file cannot be written here and now: the disk is full, a right is missing."""


class DecodeError(PingpongError):
    """Bytes of a message are not what they should be.

    ``what`` was being read.  ``offset`` is where it begins, in bytes, and ``size`` how many of its
    bytes were looked at.  ``found`` and ``wanted`` say what is there and what should be.

    >>> str(DecodeError("version", 0, found="0x8002", wanted="0x8001"))
    'version at offset 0: is 0x8002, want 0x8001'
    """

    def __init__(self, what: str, offset: int, *, found: str, wanted: str, size: int = 0) -> None:
        super().__init__(f"{what} at offset {offset}: is {found}, want {wanted}")
        self.what = what
        self.offset = offset
        self.size = size
        self.found = found
        self.wanted = wanted


class Incomplete(DecodeError):
    """The bytes end before the thing does: it ``needs`` so many, and there are only ``left``.

    >>> str(Incomplete("method name", 8, needs=4, left=3))
    'method name at offset 8: needs 4 bytes, 3 left'
    """

    def __init__(self, what: str, offset: int, *, needs: int, left: int) -> None:
        super().__init__(what, offset, found=f"{left} bytes", wanted=f"{needs} bytes")
        unit = "byte" if needs == 1 else "bytes"
        self.args = (f"{what} at offset {offset}: needs {needs} {unit}, {left} left",)
        self.needs = needs
        self.left = left


class LimitExceeded(DecodeError):
    """The bytes claim more than the limits allow: more than ``limit``.

    >>> str(LimitExceeded("frame length", 0, found="1347375956", limit=16384000))
    'frame length at offset 0: is 1347375956, want at most 16384000'
    """

    def __init__(self, what: str, offset: int, *, found: str, limit: int, size: int = 0) -> None:
        super().__init__(what, offset, found=found, wanted=f"at most {limit}", size=size)
        self.limit = limit


class LiveError(PingpongError):
    """The world outside said no.  ``remedy`` says what to do about it, if anything helps."""

    def __init__(self, text: str, remedy: str = "") -> None:
        super().__init__(f"{text}. {remedy}" if remedy else text)
        self.remedy = remedy


class PortTaken(LiveError):
    """Somebody else listens on that port."""


class HostNotLocal(LiveError):
    """A server can only listen on an address of this machine."""


class NotAllowed(LiveError):
    """The user may not do that here; ``remedy`` says which right is missing."""


class IdlError(LiveError):
    """A .thrift or a .proto file cannot be read; the text says where and why.

    ``path`` is the file's, "" if that is not known; ``line`` and ``column`` count from 1, and are
    None if the trouble is with the file as a whole.
    """

    def __init__(
        self,
        text: str,
        remedy: str = "",
        *,
        path: str = "",
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(text, remedy)
        self.path = path
        self.line = line
        self.column = column
