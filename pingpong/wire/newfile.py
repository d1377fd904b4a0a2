"""Writing files: whole or not at all, and an old file is never lost by accident.

    k.pcap.8xq1z_2a.part     being written, and readable by its owner alone
            │  done
            ▼
    k.pcap                   replaced in one step: it is either the old file or the whole new one

A device or a pipe (``/dev/null``, a FIFO, standard output) cannot be replaced: it is written to
directly.  A link is followed, and stays a link.  A folder, a disk and a socket are refused, and so
is the file that is being read, by whatever name.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ..errors import CaptureError, OutputError

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["NewFile"]

# Most file systems allow names of 255 bytes; this leaves room for what the part's name adds.
_MAX_NAME: Final = 200

# What the system says about a path that leads nowhere: the user has to name another one.
_NO_PLACE: Final = (
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.EINVAL,
)


class NewFile:
    """A file that is being written; "-" is standard output.

    Use it in a ``with``: at the end of the block the file is put in its place.  If the block
    raises, the file is thrown away; with ``keep`` it is put in its place all the same, up to the
    last ``mark``.

    Without ``force`` an existing file is not replaced.  ``reads`` names the file that is read
    meanwhile ("-": standard input).  That one is never overwritten, and users who may not read it
    may not read this file either.

    Raises CaptureError if the file must not be written or its path leads nowhere; OutputError,
    then or later, if the machine cannot write it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        force: bool = True,
        reads: str = "",
        keep: bool = False,
    ) -> None:
        self._path = os.fspath(path)
        # How messages call it.
        self.name = "standard output" if self._path == "-" else self._path
        self.is_standard_output = False
        self.count: i64 = 0  # bytes written so far
        self.part = ""  # the path of the part; "" if it is written to directly
        self._place = ""
        self._force = force
        self._keep = keep
        self._whole: i64 = 0
        self._mode = 0
        try:
            handle = self._open(reads)
        except (OSError, ValueError) as error:
            raise self._failed(error) from None
        self._file = open(handle, "wb")  # noqa: SIM115  (close, keep or discard does it)

    def _open(self, reads: str) -> int:
        there = _stat_of(self._path) if self._path != "-" else None
        read = _read_stat(reads) if reads else None
        output = _output_stat()
        self.is_standard_output = self._path == "-" or _is_same(there, output)
        if self.is_standard_output:
            there = output
        if _is_same(there, read):
            raise CaptureError(
                f"{self.name}: is the file that is read: give another one to be written"
            )
        if self.is_standard_output:
            return os.dup(1)
        if there is None:
            return self._open_beside(None, read)
        kind = stat.S_IFMT(there.st_mode)
        if kind == stat.S_IFREG:
            if not self._force:
                raise CaptureError(f"{self.name} exists: --force replaces it")
            return self._open_beside(there, read)
        if kind in (stat.S_IFCHR, stat.S_IFIFO):
            return os.open(self._path, os.O_WRONLY | getattr(os, "O_NOCTTY", 0))
        what = "a folder" if kind == stat.S_IFDIR else "a disk, or another thing that is no file"
        raise CaptureError(f"{self.name}: cannot be written: is {what}")

    def _open_beside(self, there: os.stat_result | None, read: os.stat_result | None) -> int:
        self._place = self._path
        if os.path.islink(self._path):
            self._place = os.path.realpath(self._path)
            if there is None and not self._force:
                raise CaptureError(
                    f"{self.name} is a link to {self._place}, which is not there: --force makes it"
                )
        mask = os.umask(0)
        os.umask(mask)
        self._mode = 0o666 & ~mask
        for other in (there, read):
            if other is not None and stat.S_ISREG(other.st_mode):
                self._mode &= other.st_mode
        folder, base = os.path.split(self._place)
        while len(os.fsencode(base)) > _MAX_NAME:
            base = base[:-1]
        handle, self.part = tempfile.mkstemp(".part", base + ".", folder or ".")
        return handle

    def write(self, data: bytes) -> int:
        """Write all of ``data``; returns its length.

        Raises OutputError, or BrokenPipeError if it is a pipe that nobody reads any more.
        """
        try:
            self._file.write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failed(error) from None
        self.count += len(data)
        return len(data)

    def flush(self) -> None:
        """Hand what was written to the system; raises as ``write`` does."""
        try:
            self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failed(error) from None

    def tell(self) -> int:
        """How many bytes were written so far."""
        return self.count

    @property
    def closed(self) -> bool:
        """Whether nothing more can be written: the file was put in its place, or thrown away."""
        return self._file.closed

    @property
    def is_in_place(self) -> bool:
        """Whether it was put in its place; never true of a device, a pipe or standard output."""
        return bool(self._place) and not self.part

    def mark(self) -> None:
        """Say that what was written so far is complete in itself: ``keep`` keeps it."""
        self.flush()
        self._whole = self.count

    def close(self) -> None:
        """Put the file in its place; a second call does nothing.

        Raises OutputError or BrokenPipeError as ``write`` does, and CaptureError if, without
        ``force``, a file of that name has appeared meanwhile.
        """
        if self._file.closed:
            return
        try:
            self._file.close()
            self._put()
        except BrokenPipeError:
            raise
        except OSError as error:
            self._end()
            raise self._failed(error) from None
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        """Handle a failure: put what is to be kept in its place, or throw the file away."""
        with suppress(OSError):  # what was still buffered cannot be written
            self._file.close()
        if not self.part:
            return
        if self._keep:
            os.truncate(self.part, self._whole)
            self._put()
        else:
            os.unlink(self.part)
            self.part = self._place = ""

    def _put(self) -> None:
        if not self.part:
            return
        os.chmod(self.part, self._mode)
        if self._force:
            os.replace(self.part, self._place)
        else:
            self._put_if_new()
        self.part = ""

    def _put_if_new(self) -> None:
        """Add the second name, then remove the first: unlike renaming, that replaces nothing."""
        part = self.part
        try:
            os.link(part, self._place)
        except FileExistsError:
            self._came_meanwhile()
        except OSError:  # a file system without hard links
            if os.path.lexists(self._place):
                self._came_meanwhile()
            os.rename(part, self._place)
        else:
            os.unlink(part)

    def _came_meanwhile(self) -> None:
        part, self.part, self._place = self.part, "", ""
        raise CaptureError(f"{self.name} came to be meanwhile: what was to be in it is in {part}")

    def _failed(self, error: Exception) -> CaptureError:
        reason = getattr(error, "strerror", None) or error
        text = f"{self.name}: cannot be written: {reason}"
        if isinstance(error, ValueError) or getattr(error, "errno", None) in _NO_PLACE:
            return CaptureError(text)
        return OutputError(text)

    def __enter__(self) -> NewFile:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.close()
        else:
            self._end()


def _stat_of(path: str) -> os.stat_result | None:
    """What ``path`` leads to, through all links; None if nothing is there."""
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _read_stat(path: str) -> os.stat_result | None:
    try:
        return os.fstat(0) if path == "-" else os.stat(path)
    except OSError:
        return None  # reading it will fail, and say so


def _output_stat() -> os.stat_result | None:
    try:
        return os.fstat(1)
    except OSError:
        return None


def _is_same(one: os.stat_result | None, other: os.stat_result | None) -> bool:
    """Whether both are the same file or pipe; a device, such as a terminal, may well be both."""
    if one is None or other is None or stat.S_ISCHR(one.st_mode):
        return False
    return os.path.samestat(one, other)
