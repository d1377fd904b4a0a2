"""The same handler behind HTTP and JSON: to be called, recorded and compared.

    client.call("login", username="root", password="pwd")

    POST /login HTTP/1.1                       HTTP/1.1 200
    host: 127.0.0.1:8000                       content-type: application/json
    content-type: application/json             content-length: 15
    content-length: 40
                                               "登录成功!"
    {"username":"root","password":"pwd"}

Hypercorn serves and httpcore calls, over HTTP/1.1 or HTTP/2; both come with the extra "lab".
The rest is as in serving.py: the server is listening once it has been made and is gone once it
is closed, and both ends may be in a private network.  The server's own sockets belong to
hypercorn, so it is the clients made here that tell the watchers.

Only the headers that are required are sent, with no date and no program names: the bytes are
then the same on every run, and all of them belong to the protocol.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

import httpcore
from hypercorn.asyncio import serve
from hypercorn.config import Config
from thriftpy2.transport import TTransportException

from pingpong.errors import LiveError
from pingpong.live.listening import Listening
from pingpong.live.private import PrivateNetwork
from pingpong.live.serving import Failure, dial, listen_on
from pingpong.live.tap import WatchedSocket, Watcher
from pingpong.model import Endpoint

__all__ = ["HttpClient", "HttpServer", "JsonApp", "NoHttp", "serving_http"]

JSON: Final = b"application/json"
# How long, in seconds, an idle connection is kept: as long as a reader of the lesson needs.
IDLE: Final = 86_400.0
# ... and how long closing waits for a handler.
PATIENCE: Final = 5.0

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def as_json(value: object) -> bytes:
    """Compact JSON, in UTF-8: no byte that could be left out."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class JsonApp:
    """An ASGI application: POST /method with a JSON object of arguments returns a JSON value.

    The status is 404 for a method that the handler does not have, 400 for arguments that it does
    not take, and 500 for an exception in it, which is kept in ``errors``.
    """

    def __init__(self, handler: object) -> None:
        self.handler = handler
        self.errors: list[Failure] = []

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has a server call an application."""
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            part = await receive()
            body += part.get("body", b"")
            more = part.get("more_body", False)
        status, data = self.answer(scope["path"].strip("/"), body)
        headers = [(b"content-type", JSON), (b"content-length", b"%d" % len(data))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": data})

    def answer(self, method: str, body: bytes) -> tuple[int, bytes]:
        """The status and the JSON body for one request; ``method`` is the path without slashes."""
        found = None if method.startswith("_") else getattr(self.handler, method, None)
        if not callable(found):
            return 404, as_json({"error": f"no method {method}"})
        try:
            arguments = dict(json.loads(body or b"{}"))
            inspect.signature(found).bind(**arguments)
        except (ValueError, TypeError, RecursionError) as error:
            return 400, as_json({"error": str(error)})
        try:
            return 200, as_json(found(**arguments))
        except Exception as error:
            self.errors.append(Failure(method, error))
            return 500, as_json({"error": type(error).__name__})


class HttpServer(Listening):
    """A running server, made by ``serving_http``.

    ``address`` is where it listens; ``errors`` is what its handler raised.
    """

    def __init__(
        self, handler: object, listener: socket.socket, network: PrivateNetwork | None
    ) -> None:
        super().__init__(listener, network)
        self._app = JsonApp(handler)
        self._clients: list[HttpClient] = []
        self._loop = asyncio.new_event_loop()
        # What an asyncio loop has nobody to tell, it would print.
        self._loop.set_exception_handler(self._keep)
        self._stop = asyncio.Event()
        self._thread = threading.Thread(
            target=self._run,
            args=(listener,),
            name=f"pingpong HTTP server {self.address}",
            daemon=True,
        )
        self._thread.start()

    @property
    def errors(self) -> list[Failure]:
        """What went wrong so far, in order: in a handler, or in hypercorn itself."""
        return self._app.errors

    @property
    def is_open(self) -> bool:
        """Whether the server's thread is still running."""
        return self._thread.is_alive()

    def client(
        self, *, http2: bool = False, headers: Mapping[str, str] | None = None
    ) -> HttpClient:
        """A client of this server, for HTTP/1.1 or HTTP/2; closing the server closes it.

        ``headers`` are sent with every call.  The client connects on its first call.
        """
        made = HttpClient(
            self.address,
            http2=http2,
            headers=headers or {},
            network=self.network,
            watchers=self.watchers,
        )
        self._clients.append(made)
        return made

    def close(self) -> None:
        """Close the clients, stop listening, end the connections, wait for the thread.

        Calling it again does nothing.
        """
        while self._clients:
            self._clients.pop().close()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def __repr__(self) -> str:
        return f"<HttpServer at {self.address}, {self.state}>"

    def _run(self, listener: socket.socket) -> None:
        """The body of the server's thread: hypercorn, in a loop of its own."""
        config = Config()
        config.bind = [f"fd://{listener.detach()}"]
        config.errorlog = None
        config.include_date_header = config.include_server_header = False
        config.keep_alive_timeout = IDLE
        config.graceful_timeout = PATIENCE
        app: Any = self._app
        try:
            self._loop.run_until_complete(serve(app, config, shutdown_trigger=self._stop.wait))
        except BaseException as error:
            self.errors.append(Failure(None, error))
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    def _keep(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception") or LiveError(str(context.get("message")))
        self.errors.append(Failure(None, error))


class NoHttp(LiveError):
    """What came is no answer in HTTP.  ``is_late``: nothing came in time."""

    is_late = False


class HttpClient:
    """Calls an HttpServer, or another.  Use it in a ``with``, or ``close()`` it.

    ``timeout_ms`` is how long it waits for a connection, and for each part of an answer, in
    milliseconds (None: for ever).
    """

    def __init__(
        self,
        address: Endpoint,
        *,
        http2: bool,
        headers: Mapping[str, str],
        network: PrivateNetwork | None,
        watchers: list[Watcher],
        timeout_ms: int | None = None,
    ) -> None:
        self.address = address
        self._headers = list({"content-type": JSON.decode(), **headers}.items())
        self._pool = httpcore.ConnectionPool(
            http1=not http2, http2=http2, network_backend=_Network(network, watchers, timeout_ms)
        )

    def call(self, method: str, /, **arguments: object) -> Any:
        """Call a method and return its result, decoded from JSON.

        Raises LiveError if there is no answer, or with the status if that is not 200.
        """
        body = as_json(arguments)
        url = f"http://{self.address}/{method}"
        try:
            answer = self._pool.request("POST", url, headers=self._headers, content=body)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raised = NoHttp(f"POST {url}: {error or type(error).__name__}")
            raised.is_late = isinstance(error, httpcore.TimeoutException) or "time" in str(error)
            raise raised from None
        text = answer.content.decode(errors="backslashreplace")
        if answer.status != 200:
            raise LiveError(f"POST {url}: status {answer.status}, {text}")
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise LiveError(f"POST {url}: the answer is no JSON ({error}): {text[:100]}") from None

    def close(self) -> None:
        """Close its connections.  Closing the server does this too."""
        self._pool.close()

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<HttpClient of {self.address}>"


class _Network(httpcore.NetworkBackend):
    """Where httpcore's sockets come from."""

    def __init__(
        self, network: PrivateNetwork | None, watchers: list[Watcher], timeout_ms: int | None
    ) -> None:
        self._network = network
        self._watchers = watchers
        self._timeout_ms = timeout_ms

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            address = Endpoint(host, port)
            return _Stream(dial(address, self._network, self._watchers, self._timeout_ms))
        except LiveError as error:
            raise httpcore.ConnectError(str(error)) from None


class _Stream(httpcore.NetworkStream):
    """A watched socket with the interface that httpcore wants."""

    def __init__(self, watched: WatchedSocket) -> None:
        self._watched = watched

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._watched.read(max_bytes)
        except TTransportException:  # the end
            return b""
        except OSError as error:
            raise httpcore.ReadError(str(error)) from None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            if buffer:
                self._watched.write(buffer)
        except (OSError, TTransportException) as error:
            raise httpcore.WriteError(str(error)) from None

    def close(self) -> None:
        # Read what has arrived, so that closing does not cause a reset.  But do not wait for
        # hypercorn to close its end: it keeps an idle connection open for as long as it may live.
        self._watched.finish(0)

    def get_extra_info(self, info: str) -> Any:
        """``is_readable`` is how httpcore finds out that an idle connection has ended."""
        if info != "is_readable":
            return None
        sock = self._watched.sock
        if sock is None:
            return True
        timeout = sock.gettimeout()
        sock.setblocking(False)
        try:
            sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            sock.settimeout(timeout)
        return True


def serving_http(
    handler: object,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    network: PrivateNetwork | None = None,
) -> HttpServer:
    """Serve a handler's methods over HTTP and JSON; the server is listening when this returns.

    It speaks HTTP/1.1, or HTTP/2 to a client that opens with it.  Raises as ``serving`` does.
    """
    return HttpServer(handler, listen_on(host, port, network), network)
