"""The transports of Thrift: what others have to know about each, and what explains its bytes.

    message.transport ─▶ "framed", as text
                      ─▶ .around .classes .is_plain …      what sentences and rules say about it
                      ─▶ .notes(message) .masks(message)   what precedes the message's header
                      ─▶ .own_bytes(data, start, lines)    its bytes in a unit without a message

How each is read is in a file of its own (``framed.py``, ``http.py`` …); which of them is spoken is
``detect.py``'s business.  Notes and masks are for one message at a time: ``before.py`` writes them,
and is loaded on demand.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from ....model import Carrier, HeadMasks, Message, Metadatum, Note, Run
from ...framings.carriers import ADDRESSES, MEASURES
from . import deflate, framed, http, sasl, ttheader, websocket
from . import theader as header
from .answers import THRIFT
from .framed import HEAD
from .theader import FIXED, FrameHead, Part
from .ttheader import TTHead

__all__ = [
    "ALL",
    "DATAGRAM",
    "FRAMED",
    "FRAMED_THEADER",
    "FRAMED_ZLIB",
    "HTTP",
    "SASL",
    "THEADER",
    "TTHEADER",
    "UNFRAMED",
    "WEBSOCKET",
    "ZLIB",
]


@mypyc_attr(native_class=False)
class ThriftCarrier(Carrier):
    """A transport of Thrift.

    ``struct_at`` is where a struct of tracing headers may precede a message.
    """

    __slots__ = ()

    family = THRIFT
    struct_at = 0

    @property
    def plain(self) -> tuple[Carrier, ...]:
        return FRAMED, UNFRAMED

    def notes(self, message: Message) -> list[Note]:
        from .before import notes

        return notes(message, self.describe)

    def describe(self, data: bytes, stop: int) -> list[Part]:
        """Return the parts of the transport's own bytes in ``data[:stop]``, before a message.

        Each is size, label, meaning and why, in order.
        """
        return []

    def masks(self, message: Message) -> HeadMasks:
        from .before import BLANK

        start = message.header.span.start
        if not start:
            return HeadMasks([])
        if any(gap.offset < start for gap in message.gaps):
            return HeadMasks([(0, BLANK * start)])
        return self.masks_whole(message, start)

    def masks_whole(self, message: Message, start: int) -> HeadMasks:
        """Return the masks for what precedes a message if nothing of it was lost."""
        from .before import struct_masks

        return struct_masks(message, self.struct_at)


@mypyc_attr(native_class=False)
class _Unframed(ThriftCarrier):
    __slots__ = ()

    classes = "TBufferedTransportFactory (thriftpy2; TBufferedTransport in Apache's)"
    is_plain = True
    may_be_inside = True

    @property
    def other(self) -> Carrier:
        return FRAMED

    @property
    def in_datagram(self) -> Carrier:
        return DATAGRAM


@mypyc_attr(native_class=False)
class _Framed(ThriftCarrier):
    __slots__ = ()

    classes = "TFramedTransportFactory (thriftpy2; TFramedTransport in Apache's)"
    is_plain = True
    has_length = True
    may_be_inside = True
    struct_at = HEAD

    @property
    def other(self) -> Carrier:
        return UNFRAMED

    def describe(self, data: bytes, stop: int) -> list[Part]:
        return framed.describe(data, stop)

    def own_bytes(
        self, data: bytes, start: int, lines: tuple[tuple[int, bytes], ...]
    ) -> tuple[list[tuple[int, int]], list[Run]]:
        return [(0, len(data))], []  # an empty frame


@mypyc_attr(native_class=False)
class _Datagram(ThriftCarrier):
    __slots__ = ()

    around = "datagrams"
    is_datagram = True


# ── With heads of their own ──────────────────────────────────────────────────────────


@mypyc_attr(native_class=False)
class _Http(ThriftCarrier):
    __slots__ = ()

    around = "HTTP"
    addresses = ADDRESSES
    measures = MEASURES
    classes = "THttpClient and THttpServer"
    answers_always = True
    is_shut = True

    def describe(self, data: bytes, stop: int) -> list[Part]:
        return http.describe(data, stop)

    def masks_whole(self, message: Message, start: int) -> HeadMasks:
        from ...http_heads import mask_head_lines

        head = message.data[:start]
        return HeadMasks(mask_head_lines(head), start if http.is_packed(head) else -1)

    def metadata(self, message: Message) -> tuple[Metadatum, ...]:
        from ...framings.http1_notes import metadata_of

        return tuple(metadata_of(message.data, 0, message.header.span.start))

    def line_masks(self, lines: tuple[tuple[int, bytes], ...]) -> list[Run]:
        from ...http_heads import mask_lines

        return mask_lines(lines)

    def own_bytes(
        self, data: bytes, start: int, lines: tuple[tuple[int, bytes], ...]
    ) -> tuple[list[tuple[int, int]], list[Run]]:
        from ...http_heads import mask_head_lines, mask_lines

        opened = [(at, at + len(text)) for at, text in lines]
        return [(0, len(data)), *opened], mask_head_lines(data) + mask_lines(lines)


@mypyc_attr(native_class=False)
class _Theader(ThriftCarrier):
    __slots__ = ()

    around = "THeader"
    classes = "THeaderTransport (Apache's; thriftpy2 has none)"
    is_headed = True
    reads_others = True
    may_be_inside = True

    def describe(self, data: bytes, stop: int) -> list[Part]:
        return header.describe(data, stop)

    def head(self, data: bytes, stop: int) -> FrameHead:
        return FrameHead(data, stop)

    def masks_whole(self, message: Message, start: int) -> HeadMasks:
        from .before import head_masks

        return head_masks(self.head(message.data, start))

    def own_bytes(
        self, data: bytes, start: int, lines: tuple[tuple[int, bytes], ...]
    ) -> tuple[list[tuple[int, int]], list[Run]]:
        return [(0, min(FIXED, len(data)))], []


@mypyc_attr(native_class=False)
class _TTheader(_Theader):
    __slots__ = ()

    around = "TTHeader"
    classes = ""
    reads_others = False
    may_be_inside = False

    def describe(self, data: bytes, stop: int) -> list[Part]:
        return ttheader.describe(data, stop)

    def head(self, data: bytes, stop: int) -> FrameHead:
        return TTHead(data, stop)


@mypyc_attr(native_class=False)
class _FramedTheader(_Theader):
    __slots__ = ()

    around = "THeader in frames"
    classes = ""
    is_headed = False
    reads_others = False
    may_be_inside = False

    def describe(self, data: bytes, stop: int) -> list[Part]:
        return header.describe_framed(data, stop)

    def head(self, data: bytes, stop: int) -> FrameHead:
        return FrameHead(data, stop, HEAD)

    def own_bytes(
        self, data: bytes, start: int, lines: tuple[tuple[int, bytes], ...]
    ) -> tuple[list[tuple[int, int]], list[Run]]:
        return [(0, min(HEAD + FIXED, len(data)))], []


@mypyc_attr(native_class=False)
class _Sasl(ThriftCarrier):
    __slots__ = ()

    around = "SASL"
    classes = "TSaslClientTransport"
    negotiates = True
    struct_at = HEAD

    @property
    def inner(self) -> Carrier:
        return FRAMED

    def describe(self, data: bytes, stop: int) -> list[Part]:
        return sasl.describe(data, stop)

    def own_bytes(
        self, data: bytes, start: int, lines: tuple[tuple[int, bytes], ...]
    ) -> tuple[list[tuple[int, int]], list[Run]]:
        from .before import own_of_sasl

        return own_of_sasl(data)


# ── What packs ───────────────────────────────────────────────────────────────────────


@mypyc_attr(native_class=False)
class _Packed(ThriftCarrier):
    """A transport whose messages are not on the wire as they are read."""

    __slots__ = ()

    resumes = False

    def masks(self, message: Message) -> HeadMasks:
        return HeadMasks([], 0)


@mypyc_attr(native_class=False)
class _Zlib(_Packed):
    __slots__ = ()

    around = "zlib"
    classes = "TZlibTransportFactory"
    leans = True

    def describe(self, data: bytes, stop: int) -> list[Part]:
        return deflate.describe(data, stop)


@mypyc_attr(native_class=False)
class _FramedZlib(_Zlib):
    __slots__ = ()

    around = "zlib in frames"
    classes = ""


@mypyc_attr(native_class=False)
class _WebSocket(_Packed):
    __slots__ = ()

    around = "WebSocket"
    is_shut = True

    def describe(self, data: bytes, stop: int) -> list[Part]:
        return websocket.describe(data, stop)

    def own_bytes(
        self, data: bytes, start: int, lines: tuple[tuple[int, bytes], ...]
    ) -> tuple[list[tuple[int, int]], list[Run]]:
        from ...http_heads import mask_head_lines

        # The head of its upgrade is shown; frames stay masked, whether they were read or not.
        head = data[:start]
        return [(0, len(head))], mask_head_lines(head)


UNFRAMED: Final = _Unframed("unframed")
FRAMED: Final = _Framed("framed")
FRAMED_THEADER: Final = _FramedTheader("framed-theader")
THEADER: Final = _Theader("theader")
TTHEADER: Final = _TTheader("ttheader")
WEBSOCKET: Final = _WebSocket("websocket")
HTTP: Final = _Http("http")
ZLIB: Final = _Zlib("zlib")
FRAMED_ZLIB: Final = _FramedZlib("framed-zlib")
SASL: Final = _Sasl("sasl")
DATAGRAM: Final = _Datagram("datagram")

# All transports that messages may have come in.
ALL: Final[tuple[Carrier, ...]] = (
    *(UNFRAMED, FRAMED, FRAMED_THEADER, THEADER, TTHEADER, WEBSOCKET, HTTP, ZLIB, FRAMED_ZLIB),
    *(SASL, DATAGRAM),
)
