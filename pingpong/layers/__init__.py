"""Layers for scapy.

    >>> from scapy.all import *                                   # doctest: +SKIP
    >>> conf.exts.load("pingpong"); load_contrib("thrift")        # doctest: +SKIP

This file is what scapy loads as ``scapy.contrib.thrift``.  It only passes on the one module there
is, so that there is one class Thrift, by whatever name it was loaded: scapy's loader goes by path,
and would make a second one from ``thrift.py`` itself.
"""

from __future__ import annotations

from pingpong.layers.thrift import (
    Thrift,
    ThriftEntry,
    ThriftField,
    ThriftFramed,
    ThriftList,
    ThriftMap,
    ThriftStruct,
    bind_thrift_port,
)

__all__ = [
    "Thrift",
    "ThriftEntry",
    "ThriftField",
    "ThriftFramed",
    "ThriftList",
    "ThriftMap",
    "ThriftStruct",
    "bind_thrift_port",
]
