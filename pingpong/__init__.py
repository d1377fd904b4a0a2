"""pingpong: run a remote call, then see all of it; or read any capture of Thrift.

    >>> import pingpong
    >>> capture = pingpong.read("captures/first_light.pcap")      # doctest: +SKIP
    >>> print(capture.exchanges)                                  # doctest: +SKIP

These are the public names of the pure rooms.  What starts servers and records packets is in
``pingpong.lab`` (for notebooks) and ``pingpong.live`` (for programs): those import thriftpy2 and
scapy, this does not.  Reading a .thrift file takes lark, which is imported only then.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

# What is imported stays.  Python would look through it for cycles again and again, which takes a
# sixth of the time.
_was_on = gc.isenabled()
gc.disable()

from . import views  # noqa: F401  (tells the model how to show itself)
from .capture import (
    Capture,
    Pipeline,
    decode,
    decode_struct,
    read,
    read_packets,
    steps_of,
    use_idl_reader,
)
from .errors import CaptureError, DecodeError, LiveError, PingpongError
from .hints.complaints import explain_text
from .hints.magic_numbers import explain_number
from .model import (
    Definitions,
    Difference,
    Differences,
    Exchange,
    Field,
    Finding,
    Flow,
    Gap,
    Limits,
    Message,
    MessageType,
    Note,
    Outcome,
    Packet,
    Record,
    Span,
    Struct,
    TType,
    Value,
)
from .protocols.explain import check_cover, explain
from .protocols.families.thrift.names import Interface
from .verdicts.verdict import Diagnosis, Kind, Verdict
from .wire import streams
from .wire.capturefile import open_capture, write_capture

if _was_on:
    gc.enable()

__version__ = "0.1.0"

__all__ = [
    "Capture",
    "CaptureError",
    "DecodeError",
    "Definitions",
    "Diagnosis",
    "Difference",
    "Differences",
    "Exchange",
    "Field",
    "Finding",
    "Flow",
    "Gap",
    "Interface",
    "Kind",
    "Limits",
    "LiveError",
    "Message",
    "MessageType",
    "Note",
    "Outcome",
    "Packet",
    "PingpongError",
    "Pipeline",
    "Record",
    "Span",
    "Struct",
    "TType",
    "Value",
    "Verdict",
    "check_cover",
    "decode",
    "decode_struct",
    "explain",
    "explain_number",
    "explain_text",
    "is_compiled",
    "open_capture",
    "read",
    "read_interface",
    "read_packets",
    "steps_of",
    "write_capture",
]


def is_compiled() -> bool:
    """Whether the rooms that read long captures run compiled, not as plain Python: see setup.py."""
    return not (streams.__file__ or "").endswith(".py")


def read_interface(
    path: str | os.PathLike[str], include: Sequence[str | os.PathLike[str]] = ()
) -> Definitions:
    """Read a .thrift file, a .proto file or a set of descriptors: an Interface, or a ProtoNaming.

    The result is for ``read(…, idl=…)`` and its like.

    Those take the path as well; this is for reading many captures, or for includes in other
    folders (``include``).  Raises IdlError with the file, the line and the reason.
    """
    from .live.idl import read_definitions

    return read_definitions(path, include)


def _idl(idl: object) -> Definitions:
    """Definitions from what ``idl=`` was given.  lark is imported here, not before."""
    from .live.idl import as_interface, read_definitions

    if isinstance(idl, ModuleType):
        return as_interface(idl)
    if isinstance(idl, (str, os.PathLike)):
        return read_definitions(idl)
    raise TypeError(f"idl is {type(idl).__name__}, want a path, thriftpy2's module or an Interface")


use_idl_reader(_idl)


def scapy_ext(extension: Any) -> None:
    """Tell scapy's extension loader (``conf.exts``), which calls this, about the Thrift layer."""
    extension.config("pingpong", __version__)
    layer = Path(__file__).parent / "layers" / "__init__.py"
    extension.register("thrift", extension.MODE.CONTRIB, layer, default=False)
