"""A .proto file, or a set of descriptors, as a Schema (encodings/protobuf_types.py).

    shop.proto ──protoc, in a process of its own──▶ FileDescriptorSet ──▶ Schema
    shop.binpb ───────────────────────────────────────────▲

protoc is the compiler for which everybody's .proto files were written, so what it accepts is what
they mean.  It comes with ``grpcio-tools`` (the extra ``relatives``), or is on the PATH.  No code is
generated, and nothing is kept.  A set of descriptors needs none of it; which of the two a file is,
its bytes say.

Imports are looked for in the file's own folder, in the folders that were named, and then, since
they usually start at the root of a repository, in the folders above.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

from pingpong.errors import IdlError
from pingpong.protocols.encodings.protobuf_types import Schema

__all__ = ["descriptor_set", "read_schema"]

_Path = str | os.PathLike[str]

# How far up to look for imports.
_MOST_UP: Final = 12

_MOST_SECONDS: Final = 60

INSTALL: Final = (
    "pip install 'pingpong[relatives]' brings it; or make a descriptor set of the file where "
    "protoc is (protoc --include_imports --descriptor_set_out=FILE), and give that"
)

# A complaint by protoc, with or without its place in the file.
_SAID: Final = re.compile(r"(?P<file>[^\s:]+\.proto):(?P<line>\d+):(?P<column>\d+): (?P<text>.*)")
# What it says besides: warnings, and the log of a library of its own.
_ASIDE: Final = re.compile(r": warning: |^WARNING: All log messages |^[IW]\d{4} [\d:.]+ ")
_NOT_FOUND: Final = re.compile(r": (?:File not found|.* was not found or had errors)\.")


def read_schema(path: _Path, include: Sequence[_Path] = ()) -> Schema:
    """Read a .proto file and its imports, a set of descriptors, or the descriptor of one file.

    ``include`` lists folders where imports are looked for, besides the file's own and those above
    it.  Raises IdlError with the file, the place and the reason.
    """
    where = os.fspath(path)
    data = _content(where)
    try:
        return _of_descriptors(data, where)
    except IdlError:
        if b"\0" in data:
            raise  # no text has that, and most descriptors do
    return Schema.from_descriptor_set(_compiled(where, [os.fspath(one) for one in include]), where)


def descriptor_set(path: _Path, include: Sequence[_Path] = ()) -> bytes:
    """The FileDescriptorSet of a .proto file and its imports, or of a file that is one.

    Raises IdlError, as ``read_schema`` does.
    """
    where = os.fspath(path)
    data = _content(where)
    if b"\0" in data or not where.endswith(".proto"):
        return data
    return _compiled(where, [os.fspath(one) for one in include])


def _content(where: str) -> bytes:
    try:
        with open(where, "rb") as file:
            return file.read()
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise IdlError(f"{where}: {reason}", "Is this its path?", path=where) from None


def _of_descriptors(data: bytes, where: str) -> Schema:
    try:
        return Schema.from_descriptor_set(data, where)
    except IdlError:
        schema = Schema()
        try:
            schema.add_file(data, where)
        except IdlError:
            pass
        else:
            return schema
        raise


def _compiled(where: str, include: list[str]) -> bytes:
    """The FileDescriptorSet of a .proto file and its imports."""
    command = _protoc(where)
    folder, name = os.path.split(os.path.abspath(where))
    said = ""
    for _ in range(_MOST_UP):
        data, told = _run(command, folder, name, include)
        if data is not None:
            return data
        said = said or told
        above = os.path.dirname(folder)
        if not _NOT_FOUND.search(told) or above == folder:
            break
        name = os.path.join(os.path.basename(folder), name)
        folder = above
    raise _wrong(where, said)


def _protoc(where: str) -> list[str]:
    if find_spec("grpc_tools") is not None:
        return [sys.executable, "-m", "grpc_tools.protoc"]
    found = shutil.which("protoc")
    if found is None:
        raise IdlError(
            f"{where}: protoc reads .proto files, and it is not here", INSTALL, path=where
        )
    return [found]


def _run(
    command: list[str], folder: str, name: str, include: list[str]
) -> tuple[bytes | None, str]:
    """Return what protoc makes of a file, None if it refuses it; and what it says."""
    with tempfile.TemporaryDirectory() as scratch:
        out = os.path.join(scratch, "set.binpb")
        arguments = [
            "--proto_path=.",
            *(f"--proto_path={os.path.abspath(one)}" for one in include),
            "--include_imports",
            f"--descriptor_set_out={out}",
            name if not name.startswith("-") else os.path.join(".", name),
        ]
        try:
            done = subprocess.run(
                [*command, *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_MOST_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return None, f"protoc did not run: {error}"
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        if done.returncode:
            return None, said or f"protoc ended with {done.returncode}"
        with open(out, "rb") as file:
            return file.read(), said


def _wrong(where: str, said: str) -> IdlError:
    """Return protoc's first complaint, with its place, as an error."""
    lines = [line for line in said.splitlines() if not _ASIDE.search(line)] or [said]
    first = lines[0].strip()
    found = _SAID.match(first)
    if found is None:
        return IdlError(f"{where}: {first}", path=where)
    line, column = int(found["line"]), int(found["column"])
    at = where
    if os.path.basename(found["file"]) != os.path.basename(where):
        at = found["file"]
    text = f"{at}:{line}:{column}: {found['text'].rstrip('.')}"
    return IdlError(text, path=at, line=line, column=column)
