"""The child of a GrpcServer or a GrpcClient: grpcio, in a process of its own.

    parent (grpc.py): handler, protobuf, recording        child: grpcio
           │── control: a line of JSON a message ─────────────│
           └── the bytes of HTTP/2, through a Relay ──────────┘

grpcio has threads that outlive what they were made for, and a licence (Apache-2.0) that scapy's
does not go with: neither comes into the process of the notebook.  The child knows no IDL.  It
carries messages as bytes, and its sockets are of this machine alone: what is recorded passes
through the Relay, where the parent reads and writes it.

    {"do": "call", "id": 1, "path": "/a.B/c", …}     a call begins: the client's parent, and then
                                                     the server's child, say it
    {"do": "ask", "id": 1}                           the next message of your side, please
    {"do": "part", "id": 1, "data": "CgRyb290"}      … is this
    {"do": "last", "id": 1, "code": 0, "text": ""}   … is none; a server says its status here
    {"do": "gone", "id": 1}                          nobody waits for this call any more

No side sends a message that it was not asked for, except the one message of a side without a
stream: so nothing piles up between them.  The child ends when the control socket closes, and takes
its folder of sockets with it.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import socket
import sys
import threading
import traceback
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

JsonLine = dict[str, Any]

# Calls that a server answers at once; each open stream is one.
MAX_CALLS = 64


class Control:
    """The socket between parent and child, and the queues of what is said of each call."""

    def __init__(self, sock: socket.socket) -> None:
        self._file = sock.makefile("rb")
        self._sock = sock
        self._lock = threading.Lock()
        self._queues: dict[int, queue.SimpleQueue[JsonLine]] = {}
        self._ended = False

    def say(self, do: str, number: int = 0, **more: Any) -> None:
        """Say something; if nobody is there any more, nothing happens."""
        line = json.dumps({"do": do, "id": number, **more}) + "\n"
        with self._lock, suppress(OSError):
            self._sock.sendall(line.encode())

    def lines(self) -> Iterator[JsonLine]:
        """What the other side says, until it closes."""
        with suppress(OSError):
            for line in self._file:
                yield json.loads(line)

    def open(self, number: int) -> queue.SimpleQueue[JsonLine]:
        """The queue of what is said of a call from now on."""
        made: queue.SimpleQueue[JsonLine] = queue.SimpleQueue()
        self._queues[number] = made
        if self._ended:
            made.put({"do": "gone"})
        return made

    def pass_on(self, line: JsonLine) -> None:
        """Put what was said into its call's queue; a call that is over has none."""
        found = self._queues.get(line["id"])
        if found is not None:
            found.put(line)

    def close(self, number: int) -> None:
        """Forget a call."""
        self._queues.pop(number, None)

    def end(self) -> None:
        """The other side has closed: no call goes on."""
        self._ended = True
        for one in list(self._queues.values()):
            one.put({"do": "gone"})

    def close_socket(self) -> None:
        """Close the socket."""
        self._file.close()
        self._sock.close()


def coded(data: bytes) -> str:
    """Bytes, as they stand in a line of JSON."""
    return b64encode(data).decode()


def metadata_of(pairs: Any) -> list[list[str]]:
    """Metadata, as it stands in a line of JSON: bytes are written as a client would send them."""
    return [[key, value if isinstance(value, str) else coded(value)] for key, value in pairs or ()]


class Serving:
    """A server: each call is told to the parent, which answers it."""

    def __init__(self, control: Control, settings: JsonLine) -> None:
        from concurrent.futures import ThreadPoolExecutor

        import grpc

        self._control = control
        self._statuses = {code.value[0]: code for code in grpc.StatusCode}
        self._next = 0
        self._lock = threading.Lock()
        outer = self
        methods: dict[str, list[bool]] = settings["methods"]

        class Everything(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc is not typed
            def service(self, details: Any) -> Any:
                kind = methods.get(details.method)
                return kind and outer._handler(details, *kind)

        self._server = grpc.server(ThreadPoolExecutor(MAX_CALLS), options=options(settings))
        self._server.add_generic_rpc_handlers((Everything(),))
        self._server.add_insecure_port(f"unix:{settings['folder']}/server")
        self._server.start()

    def _handler(self, details: Any, asks_many: bool, answers_many: bool) -> Any:
        import grpc

        def answer(request: Any, context: Any) -> Iterator[bytes]:
            return self._answer(details, request, context, asks_many)

        def one(request: Any, context: Any) -> bytes:
            return next(iter(list(answer(request, context))), b"")

        kinds = (
            (grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler),
            (grpc.stream_unary_rpc_method_handler, grpc.stream_stream_rpc_method_handler),
        )
        return kinds[asks_many][answers_many](answer if answers_many else one)

    def _answer(self, details: Any, request: Any, context: Any, asks_many: bool) -> Iterator[bytes]:
        with self._lock:
            self._next = number = self._next + 1
        control = self._control
        said = control.open(number)
        requests = request if asks_many else iter([request])
        wanted: queue.SimpleQueue[bool] = queue.SimpleQueue()

        def over() -> None:
            wanted.put(False)
            control.say("gone", number)
            said.put({"do": "gone"})

        if not context.add_callback(over):
            control.close(number)
            return
        threading.Thread(target=self._hand_on, args=(number, requests, wanted), daemon=True).start()
        control.say(
            "call",
            number,
            path=details.method,
            metadata=metadata_of(details.invocation_metadata),
        )
        try:
            while True:
                control.say("ask", number)
                line = said.get()
                while line["do"] == "ask":
                    wanted.put(True)
                    line = said.get()
                if line["do"] == "part":
                    yield b64decode(line["data"])
                    continue
                if line["do"] == "last":
                    context.set_trailing_metadata([tuple(one) for one in line["metadata"]])
                    if line["code"]:
                        context.abort(self._statuses[line["code"]], line["text"])
                return
        finally:
            control.close(number)

    def _hand_on(
        self, number: int, requests: Iterator[bytes], wanted: queue.SimpleQueue[bool]
    ) -> None:
        """Hand on each request that the parent asks for: the body of a thread."""
        while wanted.get():
            try:
                data = next(requests, None)
            except Exception:  # the call is over; grpcio raises what has no other base
                data = None
            if data is None:
                self._control.say("last", number)
            else:
                self._control.say("part", number, data=coded(data))

    def take(self, line: JsonLine) -> None:
        """What the parent says."""
        self._control.pass_on(line)

    def stop(self) -> None:
        """Say goodbye to the clients, and listen no more."""
        self._server.stop(0).wait(5)


class Calling:
    """A client: each call is made as the parent says it."""

    def __init__(self, control: Control, settings: JsonLine) -> None:
        import grpc

        self._control = control
        self._grpc = grpc
        more = [("grpc.default_authority", settings["authority"])]
        self._channel = grpc.insecure_channel(
            f"unix:{settings['folder']}/client", options=options(settings) + more
        )

    def take(self, line: JsonLine) -> None:
        """What the parent says."""
        if line["do"] == "call":
            said = self._control.open(line["id"])
            threading.Thread(target=self._call, args=(line, said), daemon=True).start()
        else:
            self._control.pass_on(line)

    def _call(self, line: JsonLine, said: queue.SimpleQueue[JsonLine]) -> None:
        """One call from its begin to its end: the body of its thread."""
        number, control = line["id"], self._control
        asks_many, answers_many = line["kind"]
        wanted: queue.SimpleQueue[JsonLine] = queue.SimpleQueue()
        sent: queue.SimpleQueue[JsonLine] = queue.SimpleQueue()

        def requests() -> Iterator[bytes]:
            while True:
                control.say("ask", number)
                got = sent.get()
                if got["do"] != "part":
                    return
                yield b64decode(got["data"])

        kinds = (("unary_unary", "unary_stream"), ("stream_unary", "stream_stream"))
        make = getattr(self._channel, kinds[asks_many][answers_many])(line["path"])
        request = requests() if asks_many else b64decode(line["data"])
        how = {
            "timeout": line["timeout"],
            "metadata": [tuple(one) for one in line["metadata"]],
        }
        made = make(request, **how) if answers_many else make.future(request, **how)

        def sort() -> None:
            """Requests to the one who sends them, the rest to the one who answers."""
            while True:
                got = said.get()
                if got["do"] == "gone":
                    made.cancel()
                    sent.put(got)
                    wanted.put(got)
                    return
                (wanted if got["do"] == "ask" else sent).put(got)

        threading.Thread(target=sort, daemon=True).start()
        code, text = 0, ""
        trailers: Any = ()
        try:
            if answers_many:
                self._stream(number, iter(made), wanted)
            else:
                control.say("part", number, data=coded(made.result()))
            code, text = made.code().value[0], made.details() or ""
            trailers = made.trailing_metadata()
        except self._grpc.FutureCancelledError:
            code, text = 1, "cancelled by the client"
        except self._grpc.RpcError as error:
            code, text = error.code().value[0], error.details() or ""
            trailers = error.trailing_metadata()
        except Exception as error:
            code, text = 13, f"{type(error).__name__}: {error}"
        finally:
            control.say("last", number, code=code, text=text, metadata=metadata_of(trailers))
            said.put({"do": "gone"})
            control.close(number)

    def _stream(
        self, number: int, replies: Iterator[bytes], wanted: queue.SimpleQueue[JsonLine]
    ) -> None:
        while wanted.get()["do"] == "ask":
            data = next(replies, None)
            if data is None:
                return
            self._control.say("part", number, data=coded(data))

    def stop(self) -> None:
        """Close the connection."""
        self._channel.close()


def options(settings: JsonLine) -> list[tuple[str, Any]]:
    """What grpcio is told: two runs of a lesson send the same bytes."""
    return [
        # It would measure the network with PINGs, and they come when they come.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.so_reuseport", 0),
        *((str(name), value) for name, value in settings["options"]),
    ]


def main(control: Control) -> None:
    """Do what the first line says, until the control socket closes."""
    lines = control.lines()
    settings = next(lines, None)
    if settings is None:
        return
    try:
        try:
            peer = (Serving if settings["do"] == "serve" else Calling)(control, settings)
        except ImportError as error:
            control.say("missing", text=str(error))
            return
        except Exception:
            control.say("failed", text=traceback.format_exc())
            return
        control.say("ready")
        for line in lines:
            peer.take(line)
        peer.stop()
    finally:
        shutil.rmtree(settings["folder"], ignore_errors=True)


if __name__ == "__main__":
    # This folder has an http.py, which is not the one that others import.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != here]
    try:
        main(Control(socket.socket(fileno=int(sys.argv[1]))))
    finally:
        # Not the threads that grpcio still has: nobody waits for what they do.
        os._exit(0)
