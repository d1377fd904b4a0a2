"""Carries the bytes of another process's connections through sockets of this one.

    server   client ──TCP, perhaps private──▶ WatchedSocket ──Unix socket──▶ the child's grpcio
    client   the child's grpcio ──Unix socket──▶ WatchedSocket ──TCP──▶ server

So grpcio, which makes its own sockets, is reached in a private network, and recorded as everything
else is: with real packets, or by a tap.  Bytes are passed on as they come, unread.  An end is
passed on as well: who has closed on one side is closed on the other, once it has said all.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from thriftpy2.transport import TTransportException

from pingpong.errors import LiveError
from pingpong.live.listening import Acceptor
from pingpong.live.tap import WatchedSocket, Watcher

__all__ = ["Relay", "to_child", "to_server"]

# How long, in seconds, closing waits for the other end of a connection to close it too.
PATIENCE: Final = 1.0
CHUNK: Final = 65536

# The socket outside, which is watched, and the child's; made from one that was accepted.
Pair = tuple[WatchedSocket, socket.socket]


class Relay:
    """Takes connections at ``listener``, which it closes in the end, and carries their bytes.

    ``pair`` makes the two ends of a connection from the one that was accepted, or raises
    LiveError: ``failed`` is the last of these.
    """

    def __init__(
        self, name: str, listener: socket.socket, pair: Callable[[socket.socket], Pair]
    ) -> None:
        self.failed: LiveError | None = None
        self._name = name
        self._pair = pair
        self._lock = threading.Lock()
        self._closed = False
        self._pairs: dict[threading.Thread, Pair] = {}
        self._acceptor = Acceptor(name, listener, self._welcome, self._refused)

    def close(self) -> None:
        """Take no more connections, end those there are, wait for the threads."""
        if self._closed:
            return
        self._closed = True
        self._acceptor.close()
        self.finish(PATIENCE)
        with self._lock:
            pairs = dict(self._pairs)
        for outside, inside in pairs.values():
            outside.hang_up()
            _shut(inside, socket.SHUT_RDWR)
        for thread in pairs:
            thread.join()

    def finish(self, patience: float) -> None:
        """Wait until the connections have ended, for at most ``patience`` seconds each."""
        with self._lock:
            threads = list(self._pairs)
        for thread in threads:
            thread.join(patience)

    def _refused(self, error: OSError) -> None:
        self.failed = LiveError(str(error))

    def _welcome(self, accepted: socket.socket) -> None:
        try:
            accepted.setblocking(True)
            pair = self._pair(accepted)
        except (LiveError, OSError) as error:
            self.failed = error if isinstance(error, LiveError) else LiveError(str(error))
            accepted.close()
            return
        thread = threading.Thread(target=self._carry, args=pair, name=self._name, daemon=True)
        with self._lock:
            self._pairs[thread] = pair
        thread.start()

    def _carry(self, outside: WatchedSocket, inside: socket.socket) -> None:
        """One connection, both ways, to its end: the body of its thread."""
        inward = threading.Thread(
            target=_carry_in, args=(outside, inside), name=self._name, daemon=True
        )
        inward.start()
        _carry_out(inside, outside)
        inward.join()
        outside.close()
        inside.close()
        with self._lock:
            self._pairs.pop(threading.current_thread(), None)


def to_child(path: str, watchers: Sequence[Watcher]) -> Callable[[socket.socket], Pair]:
    """For a server: a connection that came from outside leads to the child at ``path``."""

    def pair(accepted: socket.socket) -> Pair:
        inside = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            inside.connect(path)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return WatchedSocket(accepted, watchers, from_client=False), inside
        except BaseException:
            inside.close()
            raise

    return pair


def to_server(dial: Callable[[], WatchedSocket]) -> Callable[[socket.socket], Pair]:
    """For a client: a connection that the child makes leads to where ``dial`` connects."""
    return lambda accepted: (dial(), accepted)


def _carry_out(inside: socket.socket, outside: WatchedSocket) -> None:
    while data := _received(inside):
        try:
            outside.write(data)
        except (OSError, TTransportException):
            break
    outside.say_end()


def _carry_in(outside: WatchedSocket, inside: socket.socket) -> None:
    is_open = True
    while True:
        try:
            data = outside.read(CHUNK)
        except (OSError, TTransportException):
            break
        # Who has gone is sent no more, but what still comes is read: or it would end in a reset.
        if is_open:
            try:
                inside.sendall(data)
            except OSError:
                is_open = False
    _shut(inside, socket.SHUT_WR)


def _received(sock: socket.socket) -> bytes:
    try:
        return sock.recv(CHUNK)
    except OSError:
        return b""


def _shut(sock: socket.socket, how: int) -> None:
    with suppress(OSError):
        sock.shutdown(how)
