"""The same handler behind gRPC: to be called, recorded and looked into.

    client.call("login", username="root", password="pwd")

    handler ◀── values ── protobuf ◀── bytes ── child: grpcio ◀── Relay ◀── network
    call    ── values ──▶ protobuf ── bytes ──▶ child: grpcio ──▶ Relay ──▶ network

grpcio speaks, in a process of its own for each server and each client: see grpc_child.py, which
has the lines that pass between the two.  A Relay carries what it says through the sockets here.
The rest is as in serving.py: the server is listening once it has been made; once it is closed, its
threads, its port and its process are gone.  Both ends may be in a private network.

A handler answers a call by returning a value, and a call with a stream of answers by yielding
them.  It takes the next one out of the handler when the network wants it.  What the handler raises
is kept in ``errors``, and answered as grpcio does: UNKNOWN.  A GrpcError says another status.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pingpong.errors import LiveError
from pingpong.live import grpc_child
from pingpong.live.idl.services import RpcMethod, RpcService
from pingpong.live.listening import Listening
from pingpong.live.private import PrivateNetwork
from pingpong.live.relay import Relay, to_child, to_server
from pingpong.live.serving import Failure, dial, listen_on, wait_for_handlers
from pingpong.live.tap import Watcher
from pingpong.model import Endpoint
from pingpong.protocols.families.grpc.answers import STATUSES, status_name

__all__ = ["GrpcClient", "GrpcError", "GrpcServer", "connect_grpc", "serving_grpc"]

JsonLine = grpc_child.JsonLine

# How long, in seconds, closing waits for the child, and for a handler.
PATIENCE: Final = 5.0

INSTALL: Final = 'Install it: pip install "pingpong[relatives]"'


class GrpcError(LiveError):
    """A call that ended with another status than OK: ``code`` is its name, ``details`` its text.

    A client raises it, and a handler may: ``raise GrpcError("NOT_FOUND", "no user root")``.
    ``metadata`` is what came with the status.
    """

    def __init__(
        self, code: str, details: str = "", metadata: Sequence[tuple[str, str]] = ()
    ) -> None:
        if code not in STATUSES[1:]:
            raise ValueError(f"code is {code!r}, want one of {', '.join(STATUSES[1:])}")
        super().__init__(f"{code}: {details}" if details else code)
        self.code = code
        self.details = details
        self.metadata = list(metadata)


class GrpcServer(Listening):
    """A running gRPC server, made by ``serving_grpc``.

    ``address`` is where it listens; ``errors`` is what its handler raised.
    """

    def __init__(
        self,
        service: RpcService,
        handler: object,
        listener: socket.socket,
        network: PrivateNetwork | None,
        options: Mapping[str, object],
    ) -> None:
        super().__init__(listener, network)
        self.service = service
        self.errors: list[Failure] = []
        self._handler = handler
        self._methods = {method.path: method for method in service.methods.values()}
        self._clients: list[GrpcClient] = []
        self._lock = threading.Lock()
        self._answering: set[threading.Thread] = set()
        # The metadata of the call that each thread answers.
        self._here = threading.local()
        kinds = {path: [one.asks_many, one.answers_many] for path, one in self._methods.items()}
        self._child = _Child("serve", self._take, methods=kinds, options=list(options.items()))
        self._relay = Relay(
            f"pingpong gRPC server {self.address}",
            listener,
            to_child(self._child.path("server"), self.watchers),
        )

    @property
    def is_open(self) -> bool:
        """True until ``close()``, or until its process ended."""
        return self._child.is_open

    @property
    def metadata(self) -> dict[str, str]:
        """What came with the call that is answered in this thread: for its handler."""
        return dict(getattr(self._here, "metadata", {}))

    def client(
        self,
        timeout_ms: int | None = None,
        *,
        metadata: Mapping[str, str] | None = None,
        options: Mapping[str, object] | None = None,
    ) -> GrpcClient:
        """A client of this server; closing the server closes it.

        ``timeout_ms`` is the deadline of each of its calls, in milliseconds (None: none);
        ``metadata`` is sent with each; ``options`` are grpcio's channel options.  It connects on
        its first call.
        """
        made = connect_grpc(
            self.service,
            self.address,
            timeout_ms=timeout_ms,
            metadata=metadata,
            options=options,
            network=self.network,
        )
        self._clients = [client for client in self._clients if client.is_open] + [made]
        return made

    def close(self) -> None:
        """Close the clients, say goodbye, end the connections, the process and the threads.

        Calling it again does nothing.  A handler that does not return within PATIENCE seconds is
        left behind, and ``errors`` says so.
        """
        while self._clients:
            self._clients.pop().close()
        self._child.close()
        self._relay.close()
        with self._lock:
            answering = list(self._answering)
        wait_for_handlers(answering, self.errors)

    def __repr__(self) -> str:
        return f"<GrpcServer of {self.service.__name__} at {self.address}, {self.state}>"

    def _take(self, line: JsonLine) -> None:
        """What the child says, in the thread that reads it."""
        if line["do"] != "call":
            self._child.control.pass_on(line)
            return
        call = _Call(self._child.control, line["id"])
        thread = threading.Thread(
            target=self._answer,
            args=(call, self._methods[line["path"]], dict(line["metadata"])),
            daemon=True,
        )
        with self._lock:
            self._answering.add(thread)
        thread.start()

    def _answer(self, call: _Call, method: RpcMethod, metadata: dict[str, str]) -> None:
        """One call, from its request to its status: the body of its thread."""
        self._here.metadata = metadata
        try:
            replies = self._replies(call, method)
            call.wait()
            while (reply := next(replies, None)) is not None:
                call.send(reply)
                call.wait()
            call.end()
        except _Gone:
            pass
        except GrpcError as error:
            call.end(error.code, error.details, error.metadata)
        except BaseException as error:
            self.errors.append(Failure(method.name, error))
            # In grpcio's words.
            call.end("UNKNOWN", f"Exception calling application: {error}")
        finally:
            call.close()
            with self._lock:
                self._answering.discard(threading.current_thread())

    def _replies(self, call: _Call, method: RpcMethod) -> Iterator[bytes]:
        found = getattr(self._handler, method.name, None)
        if not callable(found):
            raise GrpcError("UNIMPLEMENTED", f"the handler has no method {method.name}")
        if method.asks_many:
            result = found(method.argument(data) for data in call.parts())
        else:
            data = next(call.parts(), b"")
            try:
                arguments = method.arguments(data)
            except ValueError as error:
                # In grpcio's words, up to the colon.
                text = f"Exception deserializing request!: {error}"
                raise GrpcError("INTERNAL", text) from None
            result = found(**arguments)
        if not method.answers_many:
            yield method.reply(result)
            return
        for one in result:
            yield method.reply(one)


class GrpcClient:
    """Calls a gRPC server, ours or another.  Use it in a ``with``, or ``close()`` it.

    ``metadata`` is sent with each call from now on.
    """

    def __init__(
        self,
        service: RpcService,
        address: Endpoint,
        *,
        timeout_ms: int | None,
        metadata: Mapping[str, str],
        options: Mapping[str, object],
        network: PrivateNetwork | None,
        watchers: list[Watcher],
    ) -> None:
        self.service = service
        self.address = address
        self._timeout = None if timeout_ms is None else timeout_ms / 1000
        self.metadata = dict(metadata)
        self._next = 0
        self._child = _Child(
            "call",
            lambda line: self._child.control.pass_on(line),
            authority=str(address),
            options=list(options.items()),
        )
        try:
            self._relay = Relay(
                f"pingpong gRPC client of {address}",
                self._child.listen("client"),
                to_server(lambda: dial(address, network, watchers)),
            )
        except BaseException:
            self._child.close()
            raise

    @property
    def is_open(self) -> bool:
        """True until it is closed."""
        return self._child.is_open

    def call(self, method: str, requests: Iterable[Any] | None = None, /, **arguments: Any) -> Any:
        """Call a method by its name and return what it answers.

        The answer is the reply's field if it has one, else a dict.  A stream of answers is an
        iterator, and its call goes on until it has ended; ``close()`` it, or the client, to end it
        earlier.  ``requests`` is a stream of requests: a dict of fields for each.

        Raises GrpcError for a status that is not OK, LiveError if nobody answers there;
        TypeError or ValueError for arguments that the method does not have.
        """
        found = self.service.methods.get(method)
        if found is None:
            methods = ", ".join(self.service.methods)
            raise LiveError(f"{self.service.name} has no method {method}; it has {methods}")
        if found.asks_many != (requests is not None):
            wanted = "a stream of requests" if found.asks_many else "its arguments by name"
            raise TypeError(f"{method} takes {wanted}")
        first = None if found.asks_many else found.request(arguments)
        rest = (found.request(dict(one)) for one in requests or ())
        if not self._child.is_open:
            raise LiveError("this client is closed", "Make a new one")
        answers = self._call(found, first, rest)
        if found.answers_many:
            return answers
        got = list(answers)
        return got[0] if got else None

    def _call(self, method: RpcMethod, first: bytes | None, rest: Iterator[bytes]) -> Iterator[Any]:
        self._next += 1
        self._relay.failed = None
        call = _Call(self._child.control, self._next)
        call.begin(method, first, self._timeout, list(self.metadata.items()))
        return self._answers(call, method, rest)

    def _answers(self, call: _Call, method: RpcMethod, rest: Iterator[bytes]) -> Iterator[Any]:
        try:
            for data in call.parts(rest, asking=method.answers_many):
                yield method.result(data)
            status = call.status
            if status.get("code"):
                raise self._error(status)
        except _Gone:
            raise LiveError(f"the call of {method.name} was broken off: its client ended") from None
        except ValueError as error:
            raise LiveError(f"the reply of {method.name} cannot be read: {error}") from None
        finally:
            call.close()

    def _error(self, status: JsonLine) -> LiveError:
        code = status_name(status["code"]) or "UNKNOWN"
        # grpcio knows our socket for it; who reads it wants to know where it leads.
        text = status["text"].replace(f"unix:{self._child.path('client')}", str(self.address))
        if code == "UNAVAILABLE" and self._relay.failed is not None:
            return self._relay.failed
        metadata = [(key, value) for key, value in status["metadata"]]
        return GrpcError(code, text, metadata)

    def close(self) -> None:
        """Close its connection, and end its process.  Closing the server does this too."""
        self._child.close()
        self._relay.close()

    def __enter__(self) -> GrpcClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<GrpcClient of {self.service.__name__} at {self.address}>"


class _Gone(Exception):
    """Nobody waits for this call any more, or the child has ended."""


class _Call:
    """One call, as this side has it: what is asked for, and what comes."""

    def __init__(self, control: grpc_child.Control, number: int) -> None:
        self._control = control
        self._number = number
        self._said = control.open(number)
        self._asked = 0
        self._is_over = False
        self.status: JsonLine = {}

    def begin(
        self,
        method: RpcMethod,
        data: bytes | None,
        timeout: float | None,
        metadata: list[tuple[str, str]],
    ) -> None:
        """Say that a call begins; ``data`` is its one request."""
        self._control.say(
            "call",
            self._number,
            path=method.path,
            kind=[method.asks_many, method.answers_many],
            data="" if data is None else b64encode(data).decode(),
            timeout=timeout,
            metadata=metadata,
        )

    def parts(self, mine: Iterator[bytes] | None = None, *, asking: bool = True) -> Iterator[bytes]:
        """The messages of the other side, as they come.

        ``mine`` are sent as they are asked for (None: ``send`` does that).  ``asking`` is False if
        the other side has one message and says it unasked.  Raises _Gone if the call is broken off.
        """
        while True:
            if asking:
                self._control.say("ask", self._number)
            while (line := self._get())["do"] == "ask":
                self._asked += 1
                if mine is not None:
                    self._send_next(mine)
            if line["do"] == "last":
                self.status, self._is_over = line, "code" in line
                return
            yield b64decode(line["data"])

    def _send_next(self, mine: Iterator[bytes]) -> None:
        self._asked -= 1
        data = next(mine, None)
        if data is None:
            self._control.say("last", self._number)
        else:
            self._control.say("part", self._number, data=b64encode(data).decode())

    def wait(self) -> None:
        """Wait until a message is asked for.  Raises _Gone if none ever will be."""
        while not self._asked:
            if self._get()["do"] == "ask":
                self._asked += 1

    def send(self, data: bytes) -> None:
        """Send a message that was asked for."""
        self._asked -= 1
        self._control.say("part", self._number, data=b64encode(data).decode())

    def end(
        self, code: str = "OK", text: str = "", metadata: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Say how the call ended."""
        number, self._is_over = STATUSES.index(code), True
        self._control.say("last", self._number, code=number, text=text, metadata=list(metadata))

    def close(self) -> None:
        """Forget it; what still runs of it is broken off."""
        self._control.close(self._number)
        if not self._is_over:
            self._control.say("gone", self._number)

    def _get(self) -> JsonLine:
        line = self._said.get()
        if line["do"] == "gone":
            self._is_over = True
            raise _Gone
        return line


class _Child:
    """The process with grpcio, and its folder of sockets.

    ``do`` is what it does, "serve" or "call", with these ``settings``.  ``take`` is told what it
    says of calls, in a thread of its own.  Raises LiveError if it cannot be started.
    """

    def __init__(self, do: str, take: Callable[[JsonLine], None], **settings: Any) -> None:
        if not hasattr(socket, "AF_UNIX"):
            raise LiveError("gRPC is served and called over Unix sockets, which are not here")
        self._lock = threading.Lock()
        self._closed = False
        self._folder = tempfile.mkdtemp(prefix="pingpong-")
        self._sock, theirs = socket.socketpair()
        self.control = grpc_child.Control(self._sock)
        try:
            with theirs:
                self._process = _start(theirs)
        except BaseException:
            self._release()
            raise
        self.control.say(do, folder=self._folder, **settings)
        self._lines = self.control.lines()
        self._reader: threading.Thread | None = None
        try:
            _check(next(self._lines, None))
        except BaseException:
            self._end()
            raise
        self._reader = threading.Thread(
            target=self._read, args=(take,), name=f"pingpong gRPC child {do}", daemon=True
        )
        self._reader.start()

    @property
    def is_open(self) -> bool:
        """True until ``close()``, or until the process has ended."""
        return not self._closed and self._reader is not None and self._reader.is_alive()

    def path(self, name: str) -> str:
        """The path of a socket in its folder."""
        return str(Path(self._folder, name))

    def listen(self, name: str) -> socket.socket:
        """A socket in its folder that listens, for the child to connect to."""
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.bind(self.path(name))
            made.listen()
        except BaseException:
            made.close()
            raise
        return made

    def close(self) -> None:
        """Have it say goodbye, and wait for its end.  Calling it again does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._end()

    def _read(self, take: Callable[[JsonLine], None]) -> None:
        for line in self._lines:
            take(line)
        self.control.end()

    def _end(self) -> None:
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._reader is not None:
            self._reader.join()
        self._release()

    def _release(self) -> None:
        self.control.close_socket()
        shutil.rmtree(self._folder, ignore_errors=True)


def _start(control: socket.socket) -> subprocess.Popen[bytes]:
    number = control.fileno()
    try:
        return subprocess.Popen(
            [sys.executable, str(Path(grpc_child.__file__).resolve()), str(number)],
            pass_fds=[number],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # What it has to say, it says through the control socket.
            env={**os.environ, "GRPC_VERBOSITY": "NONE", "GRPC_ENABLE_FORK_SUPPORT": "false"},
            # It keeps no folder busy, and Ctrl-C in a terminal does not reach it.
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise LiveError(f"{sys.executable} cannot be run: {error.strerror}") from None


def _check(line: JsonLine | None) -> None:
    if line is None:
        raise LiveError("the process that speaks gRPC ended before it began")
    if line["do"] == "missing":
        raise LiveError(f"gRPC cannot be spoken here: {line['text']}", INSTALL)
    if line["do"] == "failed":
        last = line["text"].strip().rpartition("\n")[2]
        raise LiveError(f"the process that speaks gRPC failed: {last}")


def serving_grpc(
    service: RpcService,
    handler: object,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    network: PrivateNetwork | None = None,
    options: Mapping[str, object] | None = None,
) -> GrpcServer:
    """Serve a handler's methods over gRPC; the server is listening when this returns.

    ``service`` is one that ``load_services`` made of a .proto file; ``options`` are grpcio's
    server options.  Raises as ``serving`` does, and LiveError without grpcio.
    """
    listener = listen_on(host, port, network)
    try:
        return GrpcServer(service, handler, listener, network, options or {})
    except BaseException:
        listener.close()
        raise


def connect_grpc(
    service: RpcService,
    address: tuple[str, int],
    *,
    timeout_ms: int | None = None,
    metadata: Mapping[str, str] | None = None,
    options: Mapping[str, object] | None = None,
    network: PrivateNetwork | None = None,
    watchers: list[Watcher] | None = None,
) -> GrpcClient:
    """A client of the gRPC server at ``address``, ours or any other; it connects when it calls.

    ``watchers`` are told what passes.  ``timeout_ms`` is the deadline of each call (None: none),
    ``metadata`` is sent with each, ``options`` are grpcio's channel options.  Raises LiveError
    without grpcio.
    """
    return GrpcClient(
        service,
        Endpoint(*address),
        timeout_ms=timeout_ms,
        metadata=metadata or {},
        options=options or {},
        network=network,
        watchers=[] if watchers is None else watchers,
    )
