"""pingpong: run a remote call, then see all of it; or read any capture of Thrift.

    >>> import pingpong
    >>> capture = pingpong.read("captures/first_light.pcap")      # doctest: +SKIP
    >>> print(capture.exchanges)                                  # doctest: +SKIP

Here are the public names of the pure rooms.  What starts servers and records packets is in
``pingpong.lab`` (for notebooks) and ``pingpong.live`` (for programs): they import thriftpy2
and scapy, this does not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import views  # noqa: F401  (it tells the model how to show itself)
from .calls.complaints import explain_text
from .calls.explain import check_cover, explain
from .calls.numbers import explain_number
from .calls.verdict import Diagnosis, Kind, Verdict
from .capture import Capture, Pipeline, decode, decode_struct, read, read_packets, steps_of
from .errors import CaptureError, DecodeError, LiveError, PingpongError
from .model import (
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
from .wire import streams
from .wire.capturefile import open_capture, write_capture

__version__ = "0.1.0"

__all__ = [
    "Capture",
    "CaptureError",
    "DecodeError",
    "Diagnosis",
    "Exchange",
    "Field",
    "Finding",
    "Flow",
    "Gap",
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
    "read_packets",
    "steps_of",
    "write_capture",
]


def is_compiled() -> bool:
    """Do the rooms that read long captures run compiled, or as plain Python?  See setup.py."""
    return not (streams.__file__ or "").endswith(".py")


def scapy_ext(extension: Any) -> None:
    """Tell scapy's extension loader (``conf.exts``), which calls this, of the Thrift layer."""
    extension.config("pingpong", __version__)
    layer = Path(__file__).parent / "layers" / "__init__.py"
    extension.register("thrift", extension.MODE.CONTRIB, layer, default=False)
