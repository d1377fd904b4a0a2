"""Being one end: ``pingpong demo``, ``serve``, ``call``."""

from __future__ import annotations

import argparse
import select
import signal
import socket
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from ..errors import LiveError
from ..views.hexdump import hexdump
from ..views.ladder import ladder
from ..views.text import escape
from ..wire.capturefile import write_packets
from ..wire.newfile import NewFile
from .options import HOST, PORT, Command, add_force, port, positive
from .printing import READ_ALL, counted, say, say_text, width
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

    one = command("serve", serve, "run the PingPong server until Ctrl-C")
    _where(one)

    one = command(
        "call",
        call,
        "call the PingPong server",
        "  pingpong call ping\n  pingpong call login root pwd --wire",
    )
    one.add_argument("method", help="ping or login")
    one.add_argument("arguments", nargs="*", help="login takes a user name and a password")
    one.add_argument("--wire", action="store_true", help="show the bytes of the call")
    one.add_argument("--timeout", type=positive, default=5.0, help="seconds to wait (5)")
    _where(one)


def _where(one: argparse.ArgumentParser) -> None:
    one.add_argument("--host", default=HOST, help=f"the server's address ({HOST})")
    one.add_argument("-p", "--port", type=port, default=PORT, help=f"its port ({PORT})")
    one.add_argument("--framed", action="store_true", help="use the framed transport")


class Handler:
    """What the lessons' server does: the article's two methods."""

    def ping(self) -> str:
        """Answer "pong": a call without arguments."""
        return "pong"

    def login(self, username: str, password: str) -> str:
        """Say that the login succeeded, in Chinese as in the article: nothing is checked."""
        return "登录成功!"


def _service() -> Any:
    from ..live.course import course_file
    from ..live.idl import load_idl

    return load_idl(course_file("foo.thrift"), "pingpong_thrift").PingPong


def _factories(args: argparse.Namespace) -> dict[str, Any]:
    if not args.framed:
        return {}
    from thriftpy2.transport import TFramedTransportFactory

    return {"transport": TFramedTransportFactory()}


def demo(args: argparse.Namespace) -> int:
    """``pingpong demo``: the whole of it, in a second."""
    from ..live.private import PrivateNetwork, unavailable
    from ..live.recording import recording
    from ..live.serving import serving

    network = None if unavailable() else PrivateNetwork()
    try:
        with serving(_service(), Handler(), network=network, **_factories(args)) as server:
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
    from ..live.serving import serving

    with (
        Stop() as stop,
        serving(
            _service(), Handler(), host=args.host, port=args.port, **_factories(args)
        ) as server,
    ):
        say_text(f"PingPong listens on {server.address}; Ctrl-C stops it")
        sys.stdout.flush()
        stop.wait()
    return READ_ALL


def call(args: argparse.Namespace) -> int:
    """``pingpong call``: one call, made as the article's client makes it."""
    from thriftpy2.thrift import TApplicationException, TException

    from ..live.recording import recording

    service = _service()
    wanted = getattr(service, f"{args.method}_args", None)
    if wanted is None:
        methods = ", ".join(service.thrift_services)
        raise LiveError(f"the service has no method {args.method}; it has {methods}")
    names = [wanted.thrift_spec[field_id][1] for field_id in sorted(wanted.thrift_spec)]
    if len(names) != len(args.arguments):
        form = " ".join(["pingpong call", args.method, *names])
        raise LiveError(
            f"{args.method} takes {counted(len(names), 'argument')}, not {len(args.arguments)}",
            f"Write: {form}",
        )
    with recording(host=args.host, port=args.port, way="tap") as wire:
        try:
            with wire.client(
                service, timeout_ms=round(args.timeout * 1000), **_factories(args)
            ) as client:
                answer = getattr(client, args.method)(*args.arguments)
        except TApplicationException as error:
            _say_wire(args, wire)
            raise LiveError(f"the server could not make the call: {error}") from None
        except (TException, OSError, EOFError) as error:
            _say_wire(args, wire)
            raise LiveError(
                f"{wire.address} did not answer as a Thrift server of this kind: {error}",
                "Does it speak the same protocol and transport (--framed)?",
            ) from None
    _say_wire(args, wire)
    say_text(escape(str(answer)))
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
