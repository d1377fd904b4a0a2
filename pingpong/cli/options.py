"""Options that several commands have, and the Pipeline that they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, Final

from .. import read_interface
from ..capture import Pipeline
from ..model import DEFAULT_LIMITS, Flow, Limits
from ..thrift.detect import PROTOCOLS, TRANSPORTS, tell
from ..thrift.names import Interface

__all__ = [
    "CODES",
    "HOST",
    "PORT",
    "Command",
    "add_idl",
    "add_limits",
    "add_reading",
    "idl_of",
    "limits_of",
    "pipeline_of",
    "port",
    "positive",
    "size",
]

HOST: Final = "127.0.0.1"
PORT: Final = 9000

CODES: Final = """\
exit codes: 0 all was read, 1 no Thrift in it, 2 something in it is bad (standard error says
what and where; what could be read is printed)"""


class Command:
    """Adds commands to the command line."""

    def __init__(self, commands: Any) -> None:
        self._commands = commands

    def __call__(
        self, name: str, do: Callable[[argparse.Namespace], int], about: str, more: str = ""
    ) -> argparse.ArgumentParser:
        one: argparse.ArgumentParser = self._commands.add_parser(
            name,
            help=about,
            description=about,
            epilog=more,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        one.set_defaults(do=do)
        return one


def limits_of(args: argparse.Namespace) -> Limits:
    return Limits(args.max_depth, args.max_frame, args.max_message)


def pipeline_of(
    args: argparse.Namespace, dropped: Callable[[Flow], None] | None = None
) -> Pipeline:
    """``dropped`` is called with each connection that the Pipeline forgets."""
    told = tell(args.protocol, args.transport)
    ports = frozenset(args.port or ())
    interface = idl_of(args)
    return Pipeline(limits_of(args), told, ports, keep=False, interface=interface, dropped=dropped)


def idl_of(args: argparse.Namespace) -> Interface | None:
    """The IDL that a command was given; None where it was given none, or takes none."""
    path = getattr(args, "idl", None)
    return None if path is None else read_interface(path, args.include or ())


def add_idl(one: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Options of what shows names."""
    what = one.add_argument_group("names, from the interface")
    what.add_argument(
        "--idl", metavar="FILE", help="a .thrift file; says too where the wire differs"
    )
    what.add_argument(
        "--include", metavar="DIR", action="append", help="a folder of files that it includes"
    )
    return what


def add_reading(one: argparse.ArgumentParser) -> None:
    """Options of what reads captures."""
    what = one.add_argument_group("what connections speak (their bytes tell)")
    what.add_argument("--protocol", choices=sorted(PROTOCOLS), help="take it for this")
    what.add_argument("--transport", choices=TRANSPORTS, help="take it for this")
    what.add_argument(
        "-p", "--port", type=port, action="append", help="only connections with this port"
    )
    add_limits(one)


def add_limits(one: argparse.ArgumentParser) -> None:
    most = one.add_argument_group("what is allowed to be claimed")
    for name, number, what in (
        ("depth", DEFAULT_LIMITS.depth, "structs and containers in each other"),
        ("frame", DEFAULT_LIMITS.frame, "bytes in a frame"),
        ("message", DEFAULT_LIMITS.message, "bytes in a message"),
    ):
        most.add_argument(
            f"--max-{name}", type=size, default=number, metavar="N", help=f"{what} ({number})"
        )


def size(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) >= 1 << 31:
        raise argparse.ArgumentTypeError(f'"{text}" is no number from 0 to 2147483647')
    return int(text)


def port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f'"{text}" is no port, want 1 to 65535')
    return int(text)


def positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(f'"{text}" is no number of seconds above 0')
    return number
