"""What all servers of the lessons have in common: where they listen, and how connections come in.

    listening socket ─▶ Acceptor, a thread ─▶ welcome(socket), once for each connection

``close`` wakes the thread by a byte in a socket pair, because closing a listening socket wakes
nobody.
"""

from __future__ import annotations

import selectors
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pingpong.live.tap import Watcher
from pingpong.model import Endpoint

if TYPE_CHECKING:
    from pingpong.live.private import PrivateNetwork

__all__ = ["Acceptor", "Listening"]

Itself = TypeVar("Itself", bound="Listening")


class Listening(ABC):
    """A server that listens at ``address``.  Use it in a ``with``, or ``close()`` it.

    ``network`` is the private network that it is in, None for this machine's own; ``watchers`` see
    the bytes of its connections.
    """

    def __init__(self, listener: socket.socket, network: PrivateNetwork | None) -> None:
        self.address = Endpoint(*listener.getsockname()[:2])
        self.network = network
        self.watchers: list[Watcher] = []

    @property
    def host(self) -> str:
        """The address that it listens on, as text: ``127.0.0.1``."""
        return self.address.host

    @property
    def port(self) -> int:
        """The TCP port that it listens on: the system's choice if 0 was asked for."""
        return self.address.port

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether it still takes calls."""

    @abstractmethod
    def close(self) -> None:
        """Stop listening, and leave nothing behind.  Calling it again does nothing."""

    def __enter__(self: Itself) -> Itself:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def state(self) -> str:
        """``open`` or ``closed``, for its repr."""
        return "open" if self.is_open else "closed"


class Acceptor:
    """Takes connections at ``listener``, which it closes in the end, in a thread called ``name``.

    ``welcome`` gets each connection's socket.  ``failed`` is told what the system refuses (too many
    open files, for one); then a second passes before the next try.
    """

    def __init__(
        self,
        name: str,
        listener: socket.socket,
        welcome: Callable[[socket.socket], None],
        failed: Callable[[OSError], None],
    ) -> None:
        self._listener = listener
        self._welcome = welcome
        self._failed = failed
        self._waker, self._alarm = socket.socketpair()
        self._closed = False
        self._thread = threading.Thread(target=self._accept, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more connections; wait for the thread."""
        self._closed = True
        self._alarm.send(b"!")
        self._thread.join()
        self._waker.close()
        self._alarm.close()

    def _accept(self) -> None:
        """The body of the thread."""
        with self._listener, selectors.DefaultSelector() as selector:
            self._listener.setblocking(False)
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._waker, selectors.EVENT_READ)
            while not self._closed:
                selector.select()
                if self._closed:
                    return
                try:
                    accepted, _ = self._listener.accept()
                except (BlockingIOError, ConnectionError):
                    continue  # the client has gone
                except OSError as error:
                    self._failed(error)
                    selector.unregister(self._listener)
                    selector.select(1)
                    selector.register(self._listener, selectors.EVENT_READ)
                else:
                    self._welcome(accepted)
