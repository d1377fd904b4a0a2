"""The shell's door: ``pingpong COMMAND``.

    look at captures     show, messages            looking.py, several.py
    say what is wrong    diagnose                  diagnose.py
    look at calls        calls                     calls.py
    look at bytes        struct, explain           loose.py
    look at them live    watch                     watch.py
    hand one on          redact                    redact.py
    be one end           demo, serve, call         ends.py
    make one             record                    ends.py
    learn                lab                       course.py

What is asked for goes to standard output: coloured on a terminal, plain in a pipe.  What is
wrong goes to standard error, a line each, beginning with ``pingpong:``.  The exit code says
the same to a script:

    0    all of it was read                  2    something in the input was bad, or the
    1    there is no Thrift in it                 command could not be carried out
    3    ``diagnose``: trouble was found     130  Ctrl-C
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Final

from .. import __version__, is_compiled
from ..errors import DecodeError, PingpongError
from . import calls, course, diagnose, ends, looking, loose, redact, watch
from .options import Command
from .printing import BAD, INTERRUPTED, NO_THRIFT, READ_ALL, TROUBLE, complain

__all__ = ["BAD", "INTERRUPTED", "NO_THRIFT", "READ_ALL", "TROUBLE", "run"]

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
    for part in (course, ends, looking, calls, diagnose, watch, loose, redact):
        part.add(command)
    return top


def run(arguments: list[str]) -> int:
    """Carry out a command line; the exit code.  No traceback reaches the shell."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        args = _parser().parse_args(arguments)
        code: int = args.do(args)
        sys.stdout.flush()
        return code
    except (PingpongError, DecodeError) as error:
        complain(f"error: {error}")
        return BAD
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Who read from us has gone (`| head`): nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READ_ALL
