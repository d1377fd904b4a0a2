"""Options that several commands have, and the Pipeline that they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, Final

from .. import read_interface
from ..calls.exchanges import Pairing
from ..capture import Pipeline, keys_of
from ..model import DEFAULT_LIMITS, MAX_DEPTH, Definitions, Flow, Limits
from ..protocols.detect import protocols, tell, transports
from ..protocols.families.thrift.names import Interface
from ..redaction.messages import Redactor
from ..redaction.packets import Plan
from ..redaction.selectors import Selector, parse_selectors
from .printing import complain

__all__ = [
    "HOST",
    "PORT",
    "SELECTORS",
    "Command",
    "add_force",
    "add_idl",
    "add_limits",
    "add_reading",
    "add_redaction",
    "any_port",
    "idl_of",
    "limits_of",
    "pipeline_of",
    "port",
    "positive",
    "redactor_of",
    "selectors",
    "size",
]

HOST: Final = "127.0.0.1"
PORT: Final = 9000

CODES: Final = """\
exit codes: 0 done, and all was read; 1 there is nothing in it that is known here; 2 something in
it is bad, or what was asked for is refused (standard error says what and where; what could be read
is printed); 3 a client and a server are in trouble (diagnose); 4 it cannot be done
here: a disk is full, standard input or output is closed, a file may not be written, there is no
memory; 70 a fault of pingpong's own; 130 Ctrl-C, SIGTERM or SIGHUP; 141 who read the output has
gone"""


SELECTORS: Final = """\
fields, with commas between: password is every field of that name, at any depth; login.2 is field
2 of login, in its calls and its replies; login.user.password goes into the struct in field user
(and through lists and maps); * stands for any method, or any field; login.0 is what login
returns. Names are those of an IDL, or of the wire where it has some"""


class Command:
    """Adds commands to the command line.

    Below a command's options, its help shows ``more`` and then the exit codes, which are the same
    for all commands.
    """

    def __init__(self, commands: Any) -> None:
        self._commands = commands

    def __call__(
        self, name: str, do: Callable[[argparse.Namespace], int], about: str, more: str = ""
    ) -> argparse.ArgumentParser:
        """Add a command.

        ``do`` returns the exit code; ``about`` is its line in the list of commands.
        """
        one: argparse.ArgumentParser = self._commands.add_parser(
            name,
            help=about,
            description=about,
            epilog=f"{more.rstrip()}\n\n{CODES}".strip(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        one.set_defaults(do=do)
        return one


def limits_of(args: argparse.Namespace) -> Limits:
    """The limits that the options of ``add_limits`` set."""
    return Limits(
        args.max_depth,
        args.max_frame,
        args.max_message,
        args.max_unpacked,
        args.max_values,
        args.max_connections,
        args.max_waiting,
    )


def pipeline_of(
    args: argparse.Namespace,
    dropped: Callable[[Flow], None] | None = None,
    *,
    redactor: Redactor | None = None,
    plan: Plan | None = None,
    pairing: Pairing | None = None,
) -> Pipeline:
    """The Pipeline that the options of ``add_reading`` and ``add_idl`` ask for.

    ``dropped`` is called with each connection that the Pipeline forgets; ``redactor``, ``plan``
    and ``pairing`` are handed to it.
    """
    return Pipeline(
        limits_of(args),
        tell(args.protocol, args.transport, getattr(args, "http", False)),
        frozenset(args.port or ()),
        keep=False,
        interface=idl_of(args),
        dropped=dropped,
        redactor=redactor_of(args) if redactor is None else redactor,
        plan=plan,
        pairing=pairing,
        events=getattr(args, "events", False),
        keys=keys_of(getattr(args, "keys", None)),
    )


def redactor_of(args: argparse.Namespace) -> Redactor | None:
    """What masks values in what is shown; None if ``--redact`` was not given."""
    chosen = getattr(args, "redact", None)
    if not chosen:
        return None
    return Redactor([one for part in chosen for one in part], nameless=True)


def idl_of(args: argparse.Namespace) -> Definitions | None:
    """The IDL that a command was given; None if it was given none, or takes none.

    What could not be read of it is reported on standard error.
    """
    path = getattr(args, "idl", None)
    if path is None:
        return None
    interface = read_interface(path, args.include or ())
    for note in interface.notes if isinstance(interface, Interface) else ():
        complain(f"warning: {note}")
    return interface


def add_idl(one: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the options of commands that show names; returns their group."""
    what = one.add_argument_group("names, from the interface")
    what.add_argument(
        "--idl",
        metavar="FILE",
        help="a .thrift or .proto file, or a set of descriptors; says too where the wire differs",
    )
    what.add_argument(
        "--include", metavar="DIR", action="append", help="a folder of files that it includes"
    )
    return what


def add_reading(one: argparse.ArgumentParser, *, shows: bool = True) -> None:
    """Add the options of commands that read captures, and that show (``shows``) what is in them."""
    one.set_defaults(others=())  # unless the command takes several files
    if shows:
        add_redaction(one)
        one.add_argument(
            "--keys",
            metavar="FILE",
            action="append",
            help="open TLS with this key log, as SSLKEYLOGFILE makes it; or with the secrets in "
            "this pcapng (those of the capture itself are used anyway)",
        )
    what = one.add_argument_group("what connections speak (their bytes tell)")
    what.add_argument("--protocol", choices=sorted(protocols()), help="take it for this")
    what.add_argument(
        "--transport",
        choices=transports(),
        metavar="NAME",
        help=f"take it for this: {', '.join(transports())}",
    )
    if shows:
        what.add_argument(
            "--events",
            action="store_true",
            help="list too what connections say for themselves: settings, heartbeats, farewells",
        )
        what.add_argument(
            "--http",
            action="store_true",
            help="list all HTTP: pages, pictures and downloads too",
        )
    what.add_argument(
        "-p", "--port", type=port, action="append", help="only connections with this port"
    )
    add_limits(one)


def add_redaction(one: argparse.ArgumentParser) -> None:
    """Add the option of commands that show values."""
    one.add_argument(
        "--redact",
        type=selectors,
        action="append",
        metavar="FIELDS",
        help=f"show no values of these: {SELECTORS}",
    )


def selectors(text: str) -> tuple[Selector, ...]:
    """The fields that one ``--redact`` or ``--field`` names.  Raises argparse's error."""
    try:
        return parse_selectors((text,))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_limits(one: argparse.ArgumentParser) -> None:
    """Add the options for how much a capture may claim before it is refused."""
    most = one.add_argument_group("what is allowed to be claimed")
    known = DEFAULT_LIMITS
    for name, kind, number, what in (
        ("depth", depth, known.depth, f"structs and containers in each other, to {MAX_DEPTH}"),
        ("frame", size, known.frame, "bytes in a frame"),
        ("message", size, known.message, "bytes in a message"),
        ("unpacked", size, known.unpacked, "bytes in one that was packed"),
        ("values", size, known.values, "values that are read of a message"),
        ("connections", size, known.connections, "connections that are open at once"),
        ("waiting", size, known.waiting, "bytes that wait for others, in all connections"),
    ):
        most.add_argument(
            f"--max-{name}", type=kind, default=number, metavar="N", help=f"{what} ({number})"
        )


def add_force(one: argparse._ActionsContainer, what: str = "") -> None:
    """Add the option of commands that write a file."""
    one.add_argument("--force", action="store_true", help=f"{what}replace a file that is there")


def size(text: str) -> int:
    """A number from 0 to 2³¹ - 1.  Raises argparse's error, as all of the functions below do."""
    if not text.isascii() or not text.isdigit() or int(text) >= 1 << 31:
        raise argparse.ArgumentTypeError(f'"{text}" is no number from 0 to 2147483647')
    return int(text)


def depth(text: str) -> int:
    """A depth of structs and containers, from 0 to MAX_DEPTH."""
    number = size(text)
    if number > MAX_DEPTH:
        raise argparse.ArgumentTypeError(f"{number} is too deep to be read, want 0 to {MAX_DEPTH}")
    return number


def port(text: str) -> int:
    """A port number, from 1 to 65535."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f'"{text}" is no port, want 1 to 65535')
    return int(text)


def any_port(text: str) -> int:
    """A port number, or 0: any that is free."""
    if text == "0":
        return 0
    return port(text)


def positive(text: str) -> float:
    """A number of seconds above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(f'"{text}" is no number of seconds above 0')
    return number
