"""A .thrift file, as plain values to read captures with or as thriftpy2's classes.

    read_interface("a.thrift") ──grammar──▶ nodes ──meaning──▶ an Interface (thrift/names.py)
    load_idl("a.thrift")       ──thriftpy2─▶ its module ──classes──▶ the same, except for what
                                                                     thriftpy2 forgets

lark and thriftpy2 are imported when they are needed: reading a capture with names does not take
thriftpy2.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import ModuleType

from pingpong.model import Definitions
from pingpong.protocols.encodings.protobuf_types import ProtoNaming
from pingpong.protocols.families.thrift.names import Interface

__all__ = ["as_interface", "load_idl", "read_definitions", "read_interface"]

_Path = str | os.PathLike[str]


def read_interface(path: _Path, include: Sequence[_Path] = ()) -> Interface:
    """What a .thrift file says: services, methods, structs, enums, and those of its includes.

    ``include`` lists folders where includes are looked for, besides the file's own.  The file is
    read anew each time.  Files that are missing, and parts that say nothing about the wire, are
    in the Interface's ``notes``.  Raises IdlError with the file, the place and the reason.
    """
    from .meaning import read

    return read(path, include)


def read_definitions(path: _Path, include: Sequence[_Path] = ()) -> Definitions:
    """Read a .thrift file, a .proto file, or a set of descriptors: its content tells which.

    Otherwise as ``read_interface``.
    """
    where = os.fspath(path)
    if not where.endswith(".proto"):
        try:
            with open(where, "rb") as file:
                begin = file.read(4096)
        except OSError:
            begin = b""  # the reader says what is wrong
        if _is_text(begin):
            return read_interface(path, include)
    from .proto import read_schema

    return ProtoNaming(read_schema(path, include), os.path.basename(where))


def _is_text(begin: bytes) -> bool:
    """Say whether it is text: descriptors have bytes that no text has, tags and lengths."""
    return not any(byte < 9 or 13 < byte < 32 for byte in begin)


def load_idl(
    path: _Path, module_name: str | None = None, include: Sequence[_Path] = ()
) -> ModuleType:
    """thriftpy2's module of a .thrift file, to serve and to call with: see ``classes``."""
    from .classes import load_idl

    return load_idl(path, module_name, include)


def as_interface(module: ModuleType) -> Interface:
    """thriftpy2's module as plain values.  Raises IdlError for a type that it never resolved."""
    from .classes import as_interface

    return as_interface(module)
