"""The shell's door: ``pingpong COMMAND``.

    look at captures     show, messages            show.py, several.py
    say what is wrong    diagnose                  diagnose.py
    look at calls        calls                     calls.py
    look at bytes        struct, explain           pasted.py, find_structs.py
    look at them live    watch                     watch.py
    hand one on          redact                    redact.py
    be one end           demo, serve, call         serve.py
    make one             record                    record.py
    learn                lab                       course.py

What was asked for goes to standard output: coloured on a terminal, plain in a pipe.  What is
wrong goes to standard error, one line each, beginning with ``pingpong:``.  The exit code says the
same to a script:

    0    all of it was read                  4    it cannot be done here: a full disk, a
    1    there is nothing in it                    closed output, no memory
    2    something in the input was bad, or  70   a fault of pingpong's own
          what was asked for was refused    130  Ctrl-C, or another signal
    3    ``diagnose``: trouble was found     141  the reader of the output has gone
"""

from __future__ import annotations

import argparse
import sys
import traceback
from contextlib import suppress
from typing import Final

from .. import __version__, is_compiled
from ..errors import DecodeError, OutputError, PingpongError
from . import calls, course, diagnose, record, redact, watch
from . import pasted as loose
from . import serve as ends
from . import show as looking
from .options import Command
from .printing import (
    BAD,
    BROKEN,
    INTERRUPTED,
    NO_THRIFT,
    NOBODY_READS,
    READ_ALL,
    TROUBLE,
    UNABLE,
    complain,
    why_unable,
)
from .streams import prepared

__all__ = [
    "BAD",
    "BROKEN",
    "INTERRUPTED",
    "NOBODY_READS",
    "NO_THRIFT",
    "READ_ALL",
    "TROUBLE",
    "UNABLE",
    "run",
]

TOP: Final = """\
Run a remote call, then see all of it: the packets, the stream, the message, every byte
explained. Or point it at any capture of Thrift.

  pingpong demo                          make two calls and explain every byte of them
  pingpong show trouble.pcap             who called what, when, and what came back
  pingpong show trouble.pcap --message 3     every byte of one message
  pingpong diagnose trouble.pcap         what is wrong, and what to change
  pingpong calls trouble.pcap            a line a call: how it ended, how long it took
  pingpong redact trouble.pcap safe.pcap --field login.2     the same without its secrets
  pingpong lab                           the lessons, in JupyterLab
"""


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="pingpong", description=TOP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    how = "compiled" if is_compiled() else "plain Python (no C compiler built it)"
    top.add_argument("--version", action="version", version=f"pingpong {__version__}, {how}")
    command = Command(top.add_subparsers(metavar="COMMAND", required=True, title="commands"))
    for part in (course, ends, record, looking, calls, diagnose, watch, loose, redact):
        part.add(command)
    return top


def run(arguments: list[str]) -> int:
    """Carry out a command line and return its exit code.

    No traceback reaches the shell, except for a fault of our own.
    """
    with prepared():
        try:
            return _carry_out(arguments)
        except OutputError as error:
            complain(f"error: {error}")
            return UNABLE
        except (PingpongError, DecodeError) as error:
            complain(f"error: {error}")
            return BAD
        except KeyboardInterrupt:
            return INTERRUPTED
        except BrokenPipeError:
            # The reader of our output has gone (`| head`): there is nobody left to tell.
            return NOBODY_READS
        except (OSError, MemoryError) as error:
            complain(f"error: {why_unable(error)}")
            return UNABLE
        except Exception:  # an exit code of 1 would say that there is nothing in it
            complain("error: this is a fault of pingpong's own; please report it, with this:")
            with suppress(OSError):
                traceback.print_exc()
            return BROKEN


def _carry_out(arguments: list[str]) -> int:
    try:
        args = _parser().parse_args(arguments)
    except SystemExit:  # help, or wrong words
        sys.stdout.flush()
        raise
    code: int = args.do(args)
    sys.stdout.flush()
    return code
