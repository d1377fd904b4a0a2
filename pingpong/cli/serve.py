"""Being one end: ``pingpong demo``, ``serve``, ``call``.  What they speak is in over.py."""

from __future__ import annotations

import argparse
import select
import signal
import socket
import sys
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..views.hexdump import hexdump
from ..views.ladder import ladder
from ..views.text import escape
from ..wire.capturefile import write_packets
from ..wire.newfile import NewFile
from .options import HOST, PORT, Command, add_force, any_port, port, positive
from .over import SPEAKERS, Handler, Thrift
from .printing import READ_ALL, say, say_text, width
from .streams import ENDINGS

if TYPE_CHECKING:
    from ..live.recording import Recording

__all__ = ["Stop", "add"]


def add(command: Command) -> None:
    """Add the commands of this file."""
    one = command("demo", demo, "serve, call, capture, and explain every byte, with no rights")
    one.add_argument("--framed", action="store_true", help="use the framed transport")
    one.add_argument("--save", metavar="FILE", help="write the packets to a pcap file too")
    add_force(one, "with --save: ")

    one = command(
        "serve",
        serve,
        "run the PingPong server until Ctrl-C",
        "  pingpong serve\n  pingpong serve --over grpc\n"
        "  pingpong serve --over grpc --idl shop.proto    its replies are empty",
    )
    _where(one, any_port)

    one = command(
        "call",
        call,
        "call the PingPong server",
        "  pingpong call ping\n  pingpong call login root pwd --wire\n"
        "  pingpong call login root pwd --over grpc\n"
        "  pingpong call Shop/get '{\"id\": 7}' --over grpc --idl shop.proto",
    )
    one.add_argument("method", help="ping or login; with --idl a method of it, or Service/method")
    one.add_argument(
        "arguments",
        nargs="*",
        help="login takes a user name and a password; over gRPC and HTTP a JSON object will do",
    )
    one.add_argument("--wire", action="store_true", help="show the bytes of the call")
    one.add_argument("--timeout", type=positive, default=5.0, help="seconds to wait (5)")
    _where(one)


def _where(one: argparse.ArgumentParser, number: Callable[[str], int] = port) -> None:
    one.add_argument("--host", default=HOST, help=f"the server's address ({HOST})")
    one.add_argument("-p", "--port", type=number, default=PORT, help=f"its port ({PORT})")
    one.add_argument("--framed", action="store_true", help="use Thrift's framed transport")
    one.add_argument(
        "--over", choices=list(SPEAKERS), default="thrift", help="what to speak (thrift)"
    )
    one.add_argument("--idl", metavar="FILE", help="a .proto file, or a set of descriptors")
    one.add_argument(
        "--include", metavar="DIR", action="append", help="a folder of files that it includes"
    )


def demo(args: argparse.Namespace) -> int:
    """``pingpong demo``: the whole of it, in a second."""
    from ..live.private import PrivateNetwork, unavailable
    from ..live.recording import recording
    from ..live.serving import serving

    network, thrift = None if unavailable() else PrivateNetwork(), Thrift(args)
    try:
        with serving(thrift.service, Handler(), network=network, **thrift.factories()) as server:
            with recording(server) as wire, server.client() as client:
                said = [client.ping(), client.login("root", "pwd")]
            say_text(f'ping() → "{said[0]}"', "good")
            say_text(f'login("root", "pwd") → "{said[1]}"', "good")
            say_text()
            say_text("\n".join(textwrap.wrap(wire.how, width())), "dim")
            say_text()
            say(ladder(wire.capture.steps, width=width()))
            for message in wire.messages:
                say_text()
                say(hexdump(message, width=width()))
            if args.save:
                with NewFile(args.save, force=args.force) as out:
                    write_packets(out, wire.raw)
                say_text(f"\nSaved to {escape(args.save)}", "dim")
    finally:
        if network is not None:
            network.close()
    return READ_ALL


def serve(args: argparse.Namespace) -> int:
    """``pingpong serve``: the article's server, until Ctrl-C."""
    speaker = SPEAKERS[args.over](args)
    with Stop() as stop, speaker.serving() as server:
        service = getattr(server, "service", None)
        name = getattr(service, "__name__", "PingPong")
        say_text(f"{name} listens on {server.address}{speaker.told}; Ctrl-C stops it")
        sys.stdout.flush()
        stop.wait()
    return READ_ALL


def call(args: argparse.Namespace) -> int:
    """``pingpong call``: one call, made as the article's client makes it."""
    from ..live.recording import recording

    speaker = SPEAKERS[args.over](args)
    speaker.check()
    answers: list[str] = []
    with recording(host=args.host, port=args.port, way="tap") as wire:
        try:
            for answer in speaker.call(wire):
                if args.wire:
                    answers.append(answer)
                else:
                    say_text(escape(answer))
                    sys.stdout.flush()
        finally:
            _say_wire(args, wire)
    for answer in answers:
        say_text(escape(answer))
    return READ_ALL


def _say_wire(args: argparse.Namespace, wire: Recording) -> None:
    if not args.wire:
        return
    wire.stop()
    say_text("\n".join(textwrap.wrap(wire.how, width())), "dim")
    say_text()
    say(ladder(wire.capture.steps, width=width()))
    for message in wire.messages:
        say_text()
        say(hexdump(message, width=width()))
    say_text()


class Stop:
    """Ctrl-C, SIGTERM and SIGHUP, to be asked for instead of being interrupted by.

    Whatever runs inside the ``with`` is not cut off in the middle.
    """

    def __enter__(self) -> Stop:
        self._wake, self._asleep = socket.socketpair()
        self._before = {
            number: signal.signal(number, lambda *_: self._wake.send(b"!")) for number in ENDINGS
        }
        return self

    def wait(self, seconds: float | None = None, *sources: int) -> bool:
        """Wait for a signal, for ``seconds``, or until one of ``sources`` can be read.

        ``seconds`` None means for ever.  True only if a source can be read and no signal came.
        """
        either: list[Any] = [self._asleep, *sources]
        ready, _, _ = select.select(either, [], [], seconds)
        return bool(ready) and self._asleep not in ready

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._wake.close()
        self._asleep.close()
