"""Imports point one way: this is DESIGN.md's table of rooms, held.

model, errors ◀─ wire ◀─ tls, protocols ◀─ calls ◀─ verdicts, hints, redaction ◀─ capture
    capture ◀─ live, views ◀─ doors
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import ROOT

pytestmark = pytest.mark.once

PACKAGE = ROOT / "pingpong"

DOORS = {"lab", "cli", "__main__", "layers", "arrow"}
ROOMS_OF_PROTOCOLS = ("encodings", "families", "framings")
PURE = {
    *("wire", "tls", "protocols", *ROOMS_OF_PROTOCOLS, "calls"),
    *("verdicts", "hints", "redaction"),
}
WORDS = {"model", "errors"}
READING = {*WORDS, "wire", "protocols", *ROOMS_OF_PROTOCOLS}
PIPELINE = {*READING, "tls", "calls", "verdicts", "hints", "redaction", "capture"}
# Of the extra "lab": imported where they are used, so that all else works without them.
LAB = {"cryptography", "httpcore", "hypercorn"}
# Of the extra "relatives", likewise.
RELATIVES = {"google", "grpc"}
# What a room may import: rooms, and packages that are not the standard library's.
# "" is pingpong/__init__.py.
MAY_IMPORT = {
    "model": set[str](),
    "errors": set[str](),
    # The extra "containers", and what Python 3.14 has itself.
    "wire": {*WORDS, "zstandard", "compression"},
    # The extra "tls".
    "tls": {*WORDS, "wire", "cryptography"},
    "encodings": {*WORDS, "protocols"},
    "framings": {*WORDS, "wire", "protocols"},
    "families": {*WORDS, "wire", "protocols", "encodings", "framings"},
    "protocols": READING,
    "calls": WORDS,
    "hints": READING,
    "redaction": READING,
    "verdicts": {*READING, "calls", "hints"},
    "capture": PIPELINE,
    "live": {*PIPELINE, "lark", "scapy", "thriftpy2", *LAB, *RELATIVES},
    "views": {*WORDS, "protocols", "calls", "verdicts", "hints", "capture"},
    # live: where a .thrift file is read, and not before (see the last test).
    "": {*PIPELINE, "views", "live"},
}
# No sockets, clocks, threads or processes in the pure rooms, and nothing dynamic.
IMPURE = {
    *("_thread", "asyncio", "concurrent", "multiprocessing", "queue", "subprocess", "threading"),
    *("select", "selectors", "signal", "socket", "socketserver", "ssl"),
    *("importlib", "inspect", "sched", "time"),
}
# Files are read in one place, and written in one.
FILES = {"os", "pathlib", "shutil", "tempfile"}
HAVE_FILES = {"pingpong.tls.keylog", "pingpong.wire.capturefile", "pingpong.wire.newfile"}
# For the type checker and the compiler: they do nothing when they run.
TYPES = {"mypy_extensions"}
# An import by name is an import.
DYNAMIC = ("import_module", "__import__", "run_module")


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def room(module: str) -> str:
    """The part of the house that a module of pingpong stands in."""
    parts = module.split(".")
    if parts[1:2] == ["protocols"] and parts[2:3] and parts[2] in ROOMS_OF_PROTOCOLS:
        return parts[2]
    return parts[1] if len(parts) > 1 else ""


def imported(module: str, source: str, is_package: bool) -> Iterator[str]:
    """The modules that a module imports, at its top or inside a function."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *([base] if base else [])])
            for alias in node.names:
                # `from pingpong import wire` imports a module, `from …model import Span` a name.
                name = f"{base}.{alias.name}"
                yield name if name in MODULES else base
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(DYNAMIC):
            yield from (str(arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant))


def complaints(module: str, source: str, is_package: bool = False) -> list[str]:
    """What a module imports against the table."""
    here = room(module)
    if here in DOORS:
        return []
    wrong = []
    for name in imported(module, source, is_package):
        top = name.partition(".")[0]
        if top in TYPES:
            continue
        if top == "pingpong":
            allowed = room(name) == here or room(name) in MAY_IMPORT[here]
        elif top in sys.stdlib_module_names:
            allowed = here not in PURE or not (
                top in IMPURE or (top in FILES and module not in HAVE_FILES)
            )
        else:
            allowed = top in MAY_IMPORT[here]
        if not allowed:
            wrong.append(f"{module} imports {name}")
    return wrong


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    path = MODULES[module]
    source = path.read_text(encoding="utf-8")
    assert complaints(module, source, path.name == "__init__.py") == []


# Who finds, pairs, judges, hides or draws asks a message's protocol and its transport.
ASKING = {
    *("protocols", "encodings", "framings", "calls", "capture"),
    *("hints", "redaction", "verdicts", "views"),
}
# These know a family.
KNOW_A_FAMILY = {
    # The list of all of them.
    ("pingpong.protocols.detect", "pingpong.protocols.families"),
    # Limits of Thrift's, as numbers that people meet.
    ("pingpong.hints.magic_numbers", "pingpong.protocols.families.thrift.theader"),
    # First bytes that no reader took: which protocol would begin so behind a length?
    ("pingpong.verdicts.phrases", "pingpong.protocols.families.thrift.framed"),
    # The rules about a family's own words, and the family.
    ("pingpong.verdicts.rules.dubbo", "pingpong.protocols.families.dubbo.answers"),
    ("pingpong.verdicts.rules.motan", "pingpong.protocols.families.motan.answers"),
    ("pingpong.verdicts.rules.rpcx", "pingpong.protocols.families.rpcx.answers"),
}


def test_who_asks_objects_imports_no_family() -> None:
    known = set()
    for module, path in MODULES.items():
        if room(module) in ASKING:
            names = imported(module, path.read_text("utf-8"), path.name == "__init__.py")
            known |= {(module, name) for name in names if room(name) == "families"}
    assert known == KNOW_A_FAMILY


@pytest.mark.parametrize("module", MODULES)
def test_every_module_opens_with_its_strategy(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{module} has no docstring"


@pytest.mark.parametrize(
    ("module", "line", "found"),
    [
        ("pingpong.wire.link", "from pingpong.model import Span", ""),
        ("pingpong.wire.link", "from ..model import Span", ""),
        ("pingpong.wire.link", "import struct", ""),
        ("pingpong.wire.link", "from pingpong.wire import streams", ""),
        ("pingpong.redaction.messages", "from pingpong.protocols.encodings import binary", ""),
        ("pingpong.live.idl", "import thriftpy2", ""),
        ("pingpong.wire.capturefile", "import os", ""),
        ("pingpong.wire.link", "import os", "os"),
        ("pingpong.live.tap", "import_module('pingpong.layers.thrift')", "pingpong.layers.thrift"),
        ("pingpong.cli", "from pingpong.lab import serve", ""),
        ("pingpong.wire.link", "from ..protocols import proxy", "pingpong.protocols.proxy"),
        ("pingpong.calls.ledger", "from ..protocols import proxy", "pingpong.protocols.proxy"),
        ("pingpong.wire.link", "from scapy.utils import rdpcap", "scapy.utils"),
        ("pingpong.wire.link", "def f():\n    import time", "time"),
        ("pingpong.wire.link", "if TYPE_CHECKING:\n    import socket", "socket"),
        ("pingpong.model", "import pingpong.errors", "pingpong.errors"),
        ("pingpong.views.tree", "from pingpong.live import serving", "pingpong.live"),
        ("pingpong.views.tree", "import thriftpy2", "thriftpy2"),
        ("pingpong.live.tap", "from pingpong.views import text", "pingpong.views"),
        ("pingpong.live.tap", "from pingpong import layers", "pingpong.layers"),
        ("pingpong.live.tap", "from pingpong import something", "pingpong"),
    ],
)
def test_a_wrong_import_is_found(module: str, line: str, found: str) -> None:
    wrong = complaints(module, line)
    assert bool(wrong) == bool(found)
    assert all(text.startswith(f"{module} imports {found}") for text in wrong)


def test_importing_pingpong_imports_nothing_heavy() -> None:
    code = "import sys, pingpong; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "pingpong" in loaded
    assert not loaded & {"scapy", "thriftpy2", "lark", "IPython", "rich", "ssl", "asyncio"}
