"""The life of a small server and its clients: what they say is a Speaker's business.

    client.call("login", …) ─ Speaker.call ──▶ frame ──▶ server: decode ─▶ handler
                                                                              │
    value, or LiveError ◀─ decode ◀── frame ◀── Speaker.reply, Speaker.error ─┘

A frame says how long it is, so both ends read to its end and give it to ``pingpong.decode``, which
knows all families.  A server answers the calls of a connection one after the other.  The rest is
as in serving.py: it is listening once it has been made, and gone once it is closed, and both ends
may be in a private network.
"""

from __future__ import annotations

import inspect
import socket
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar, Final

from thriftpy2.transport import TTransportException

from pingpong.capture import decode
from pingpong.errors import DecodeError, LiveError
from pingpong.live.private import PrivateNetwork
from pingpong.live.serving import CLIENT_PATIENCE, Failure, SocketServer, dial, listen_on
from pingpong.live.tap import WatchedSocket, Watcher
from pingpong.model import Endpoint, Message, MessageType, Outcome

__all__ = ["OurClient", "OurServer", "Speaker", "connect_ours", "serving_ours"]

CHUNK: Final = 65536
# A frame that says that it is longer is not read.
MAX_FRAME: Final = 16 << 20


class Speaker(ABC):
    """Writes the frames of one family.  Change one of its methods, and see what the others say.

    ``service`` is the service's name as it stands on the wire; ``port`` where such servers usually
    listen; ``magic`` what each frame begins with; ``head`` how many bytes it has before it has said
    how long it is.
    """

    title: ClassVar[str]
    port: ClassVar[int]
    magic: ClassVar[bytes]
    head: ClassVar[int]

    def __init__(self, service: str) -> None:
        self.service = service

    @abstractmethod
    def size(self, data: bytes | bytearray) -> int:
        """Return how long the frame is that begins so, or will be at least."""

    @abstractmethod
    def call(
        self, number: int, method: str, arguments: Mapping[str, Any], metadata: Mapping[str, str]
    ) -> bytes:
        """Return the frame of a call; ``metadata`` is what it says besides its arguments."""

    @abstractmethod
    def reply(self, call: Message, value: Any) -> bytes:
        """Return the frame with what a method returned."""

    @abstractmethod
    def error(self, call: Message, error: Exception) -> bytes:
        """Return the frame that says that the handler raised an exception."""

    @abstractmethod
    def missing(self, call: Message) -> bytes:
        """Return the frame that says that there is no such service or method."""

    @abstractmethod
    def said(self, reply: Message) -> str:
        """Return what a reply says that is no success, in a line."""

    def method(self, call: Message) -> str:
        """Return the name of the handler's method that is called."""
        return call.bare_method

    def arguments(self, call: Message) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments of a call: those by their place, and those by their name."""
        return [field.value.plain for field in call.body.fields], {}

    def alive(self, event: Message) -> bytes:
        """Return the answer to a heartbeat; b"": nothing is to be answered."""
        return b""


class OurServer(SocketServer):
    """A running server of ours, made by ``serving_ours``.

    ``address`` is where it listens; ``errors`` is what its handler raised.
    """

    def __init__(
        self,
        speaker: Speaker,
        handler: object,
        listener: socket.socket,
        network: PrivateNetwork | None,
    ) -> None:
        self.speaker = speaker
        self._handler = handler
        super().__init__(f"{speaker.title} server", listener, network, [])

    def client(
        self,
        timeout_ms: int | None = None,
        *,
        metadata: Mapping[str, str] | None = None,
        speaker: Speaker | None = None,
    ) -> OurClient:
        """A client that is connected to this server; closing the server closes it.

        ``timeout_ms`` is how long it waits for an answer, in milliseconds (None: for ever).
        ``metadata`` is sent with each call.  ``speaker`` writes the client's frames (None: the
        server's own).
        """
        made = connect_ours(
            speaker or self.speaker,
            self.address,
            metadata=metadata,
            timeout_ms=timeout_ms,
            network=self.network,
        )
        self._keep(made)
        return made

    def __repr__(self) -> str:
        return f"<OurServer of {self.speaker.title} at {self.address}, {self.state}>"

    def _speak(self, connection: WatchedSocket) -> None:
        frames = _Frames(connection, self.speaker)
        # The client may be gone before it has its answer.
        with suppress(TTransportException, OSError):
            while (message := frames.read()) is not None:
                if answer := self._answer(message):
                    connection.write(answer)

    def _answer(self, message: Message) -> bytes:
        """The answer to one frame; b"" if it wants none."""
        if message.type is MessageType.EVENT:
            return self.speaker.alive(message)
        if message.type not in (MessageType.CALL, MessageType.ONEWAY):
            return b""
        name = self.speaker.method(message)
        found = None if name.startswith("_") else getattr(self._handler, name, None)
        if message.service != self.speaker.service or not callable(found):
            answer = self.speaker.missing(message)
        else:
            try:
                places, names = self.speaker.arguments(message)
                inspect.signature(found).bind(*places, **names)
                answer = self.speaker.reply(message, found(*places, **names))
            except Exception as error:
                self.errors.append(Failure(name, error))
                answer = self.speaker.error(message, error)
        return b"" if message.type is MessageType.ONEWAY else answer


class OurClient:
    """A client of ours, connected.  Use it in a ``with``, or ``close()`` it."""

    def __init__(
        self, speaker: Speaker, connection: WatchedSocket, metadata: Mapping[str, str]
    ) -> None:
        self.speaker = speaker
        self._connection = connection
        self._metadata = dict(metadata)
        self._frames = _Frames(connection, speaker)
        self._number = 0

    @property
    def is_open(self) -> bool:
        """True until it is closed; the server may have closed its end before."""
        return self._connection.sock is not None

    def call(self, method: str, /, **arguments: Any) -> Any:
        """Call a method and return its result.

        Raises LiveError with what the server said if that is no result, or if it said nothing.
        """
        frame = self.speaker.call(self._number, method, arguments, self._metadata)
        self._number += 1
        try:
            self._connection.write(frame)
            reply = self._reply()
        except (TTransportException, OSError) as error:
            raise LiveError(f"calling {method}: {error}") from None
        if reply is None:
            raise LiveError(f"calling {method}: the server closed the connection")
        if reply.answer is not Outcome.SUCCESS:
            raise LiveError(self.speaker.said(reply))
        fields = reply.body.fields
        return fields[0].value.plain if fields else None

    def _reply(self) -> Message | None:
        """The next reply; None at the end.  Servers send heartbeats and calls of their own, too."""
        while (message := self._frames.read()) is not None:
            if message.type in (MessageType.REPLY, MessageType.EXCEPTION):
                return message
            if message.type is MessageType.EVENT and (answer := self.speaker.alive(message)):
                self._connection.write(answer)
        return None

    def close(self) -> None:
        """Close it once the server has too, or has sent nothing for CLIENT_PATIENCE seconds."""
        self._connection.finish(CLIENT_PATIENCE)

    def __enter__(self) -> OurClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<OurClient of {self.speaker.title} at {self._connection.line.server}>"


class _Frames:
    """The frames that come in on a connection, one after the other."""

    def __init__(self, connection: WatchedSocket, speaker: Speaker) -> None:
        self._connection = connection
        self._speaker = speaker
        self._waiting = bytearray()

    def read(self) -> Message | None:
        """The next one; None at the end of the connection.  Raises LiveError for another family."""
        while True:
            size = self._size()
            if 0 <= size <= len(self._waiting):
                frame = bytes(self._waiting[:size])
                del self._waiting[:size]
                return self._decoded(frame)
            try:
                self._waiting += self._connection.read(CHUNK)
            except TTransportException:  # the end
                return None

    def _size(self) -> int:
        magic = self._speaker.magic
        begins = bytes(self._waiting[:8])
        if not magic.startswith(begins[: len(magic)]):
            raise LiveError(f"no frame of {self._speaker.title}: it begins {begins.hex(' ')}")
        if len(self._waiting) < self._speaker.head:
            return -1
        size = self._speaker.size(self._waiting)
        if size > MAX_FRAME:
            raise LiveError(f"the length of a frame is {size}, want at most {MAX_FRAME}")
        return size

    def _decoded(self, frame: bytes) -> Message:
        try:
            message = decode(frame)
        except DecodeError as error:
            begins = frame[:16].hex(" ")
            raise LiveError(
                f"no frame of {self._speaker.title}: it cannot be read, and begins {begins}"
            ) from error
        if message.size != len(frame):
            raise LiveError(f"no frame of {self._speaker.title}: it goes on behind its values")
        return message


def serving_ours(
    speaker: Speaker,
    handler: object,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    network: PrivateNetwork | None = None,
) -> OurServer:
    """Serve a handler's methods as ``speaker`` speaks; it is listening when this returns.

    Raises as ``serving`` does.
    """
    return OurServer(speaker, handler, listen_on(host, port, network), network)


def connect_ours(
    speaker: Speaker,
    address: tuple[str, int],
    *,
    metadata: Mapping[str, str] | None = None,
    timeout_ms: int | None = None,
    network: PrivateNetwork | None = None,
    watchers: list[Watcher] | None = None,
) -> OurClient:
    """A client of the server at ``address``, ours or a real one.  Raises LiveError without one."""
    told = [] if watchers is None else watchers
    connection = dial(Endpoint(*address), network, told, timeout_ms)
    return OurClient(speaker, connection, metadata or {})
