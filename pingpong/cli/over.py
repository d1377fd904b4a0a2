"""What ``pingpong serve`` and ``call`` can speak: ``--over thrift``, ``grpc``, ``http``, ``http2``.

    thrift   foo.thrift, binary              thriftpy2
    grpc     notebooks/idl/foo.proto         grpcio, in a process of its own (extra "relatives")
    http     POST /method and JSON           hypercorn and httpcore (extra "lab")
    http2    the same over HTTP/2

With ``--idl`` a service of a .proto file is called, or served: then its methods that are not the
lessons' answer with an empty reply.  Each speaker turns the words of the command line into a call,
and what goes wrong into a sentence.
"""

from __future__ import annotations

import argparse
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ..errors import LiveError
from ..hints.magic_numbers import Family, Reading, explain_bytes
from ..views.text import escape
from .printing import counted

if TYPE_CHECKING:
    from ..live.recording import Recording

__all__ = ["SPEAKERS", "Handler", "Speaker", "Thrift"]


class Handler:
    """What the lessons' server does: the article's two methods."""

    def ping(self) -> str:
        """Answer "pong": a call without arguments."""
        return "pong"

    def login(self, username: str, password: str) -> str:
        """Say that the login succeeded, in Chinese as in the article: nothing is checked."""
        return "登录成功!"


class Speaker(ABC):
    """One way to serve and to call, as the command line asks for it.

    ``told`` is how it is named when it serves.
    """

    told = ""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args

    @abstractmethod
    def serving(self) -> Any:
        """The lessons' server: ready in its ``with``, and with an ``address``."""

    @abstractmethod
    def check(self) -> None:
        """Raise LiveError if the call cannot be made, whoever answers."""

    @abstractmethod
    def call(self, wire: Recording) -> Iterator[str]:
        """Make the call; what it answers, a line each.  Raises LiveError."""

    def misread(self, wire: Recording, kind: str, said: str) -> LiveError:
        """What to say if no server of that kind answered: what came instead, and what speaks so.

        ``said`` is the client's own word for it, for a server that said nothing.
        """
        began = wire.received[:_SHOWN]
        what = f"{wire.address} did not answer as {kind}"
        if not began:
            return LiveError(f"{what}: {said}", f"Does anything else speak there? {_WAYS}")
        shown = began.hex(" ") + (" …" if len(wire.received) > _SHOWN else "")
        readings = explain_bytes(wire.received[:_LOOK]).readings
        if not readings:
            return LiveError(f"{what}: it begins with {shown}, which is nothing known here", _WAYS)
        one = readings[0]
        text = f", and says “{escape(one.text[:_LOOK])}”" if one.text else ""
        return LiveError(
            f"{what}: it begins with {shown}, which is {one.what}{text}", self.way(one)
        )

    def way(self, one: Reading) -> str:
        """How to call what begins so."""
        return _WAY.get(one.family, _WAYS)


class Thrift(Speaker):
    """thriftpy2, unframed or framed."""

    @property
    def service(self) -> Any:
        """The lessons' service."""
        from ..live.course import course_file
        from ..live.idl import load_idl

        return load_idl(course_file("foo.thrift"), "pingpong_thrift").PingPong

    def factories(self) -> dict[str, Any]:
        """thriftpy2's factories that are not its usual ones."""
        if not self.args.framed:
            return {}
        from thriftpy2.transport import TFramedTransportFactory

        return {"transport": TFramedTransportFactory()}

    def serving(self) -> Any:
        """The server that the lessons have."""
        from ..live.serving import serving

        args = self.args
        self.refuse_idl()
        return serving(self.service, Handler(), host=args.host, port=args.port, **self.factories())

    def refuse_idl(self) -> None:
        """Raise LiveError if an IDL was given."""
        if self.args.idl is not None:
            raise LiveError(
                "over Thrift, serve and call know the lessons' foo.thrift only",
                "With a .proto file, write --over grpc",
            )

    def check(self) -> None:
        """Does it have the method, with so many arguments?"""
        self.refuse_idl()
        self.names()

    def names(self, *, fitting: bool = True) -> list[str]:
        """The names of the method's arguments, as many as were given.  Raises LiveError."""
        args, service = self.args, self.service
        wanted = getattr(service, f"{args.method}_args", None)
        if wanted is None:
            raise LiveError(_no_method(args.method, service.thrift_services))
        spec = wanted.thrift_spec
        names = [spec[field_id][1] for field_id in sorted(spec)]
        return _fitting(args, names) if fitting else names

    def call(self, wire: Recording) -> Iterator[str]:
        """Call as the article's client does."""
        from thriftpy2.thrift import TApplicationException, TException

        args = self.args
        try:
            with wire.client(
                self.service, timeout_ms=round(args.timeout * 1000), **self.factories()
            ) as client:
                yield str(getattr(client, args.method)(*args.arguments))
        except TApplicationException as error:
            raise LiveError(f"the server could not make the call: {error}") from None
        except LiveError:
            raise
        except Exception as error:  # thriftpy2's readers raise what their bytes lead them to
            kind = "a framed Thrift server" if args.framed else "an unframed Thrift server"
            said = _words(error) if isinstance(error, (TException, OSError)) else _ENDED
            raise self.misread(wire, kind, said) from None


class Proto(Speaker):
    """What a .proto file says of the call."""

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args)
        if args.framed:
            raise LiveError("--framed is a transport of Thrift's", "Leave it out")

    @cached_property
    def services(self) -> list[Any]:
        """The services of the IDL: the lessons' own if none was given."""
        from ..live.course import course_file
        from ..live.idl.services import load_services

        path = self.args.idl or course_file("notebooks/idl/foo.proto")
        found: list[Any] = load_services(path, self.args.include or ()).services
        if not found:
            raise LiveError(f"{path} has no service")
        return found

    @cached_property
    def found(self) -> tuple[Any, Any]:
        """The service and the method that were asked for: ``login``, or ``PingPong/login``."""
        services, word = self.services, self.args.method
        of, _, name = word.strip("/").rpartition("/")
        fitting = [one for one in services if of in ("", one.name, one.__name__)]
        have = [one for one in fitting if name in one.methods]
        if len(have) > 1:
            ways = " or ".join(f"{one.name}/{name}" for one in have)
            several = counted(len(have), "service")
            raise LiveError(f"{several} have a method {name}", f"Write {ways}")
        if not have:
            known = [
                method if len(services) == 1 else f"{one.name}/{method}"
                for one in services
                for method in one.methods
            ]
            raise LiveError(_no_method(word, known))
        return have[0], have[0].methods[name]

    def as_json(self) -> str:
        """The one request: its fields in the order of their numbers, or one JSON object."""
        _, method = self.found
        words = self.args.arguments
        if _is_object(words):
            return str(words[0])
        names = _fitting(self.args, method.fields, ", or one JSON object with their names")
        fields = zip(names, words, strict=True)
        return json.dumps({name: method.in_json(name, text) for name, text in fields})


class Grpc(Proto):
    """grpcio, without TLS."""

    told = ", over gRPC"

    def serving(self) -> Any:
        """The lessons' methods, and empty replies for others."""
        from ..live.grpc import serving_grpc

        services = self.services
        if len(services) > 1:
            names = ", ".join(one.name for one in services)
            raise LiveError(
                f"{self.args.idl} has {counted(len(services), 'service')}, and one can be served: "
                f"{names}",
                "Give a file with one of them",
            )
        (service,) = services
        return serving_grpc(service, _Replies(service), host=self.args.host, port=self.args.port)

    def check(self) -> None:
        """Does it have the method, and the arguments?"""
        self.requests()

    def requests(self) -> list[dict[str, Any]]:
        """The request; in a stream, each argument is one, as JSON.  Raises LiveError."""
        _, method = self.found
        texts = self.args.arguments if method.asks_many else [self.as_json()]
        try:
            return [method.request_of(text) for text in texts]
        except ValueError as error:
            raise LiveError(
                f"these are no arguments of {method.name}: {str(error).rstrip('.')}",
                "It takes a stream: write each request as a JSON object"
                if method.asks_many
                else "",
            ) from None

    def call(self, wire: Recording) -> Iterator[str]:
        """Call, with the time to wait as its deadline."""
        from ..live.grpc import GrpcError, connect_grpc

        service, method = self.found
        wire.use_idl(service.path)
        timeout = self.args.timeout
        with connect_grpc(
            service, wire.address, timeout_ms=round(timeout * 1000), watchers=wire.watchers
        ) as client:
            try:
                requests = self.requests()
                if method.asks_many:
                    answer = client.call(method.name, requests)
                else:
                    answer = client.call(method.name, **requests[0])
                for one in answer if method.answers_many else [answer]:
                    yield _as_text(one)
            except GrpcError as error:
                if error.code == "DEADLINE_EXCEEDED" and not _is_http2(wire.received):
                    raise self.misread(wire, "a gRPC server", _late(timeout)) from None
                if error.code == "DEADLINE_EXCEEDED":
                    raise LiveError(
                        f"{wire.address} did not answer within {timeout:g} seconds",
                        "Does it speak gRPC, without TLS? How long to wait is --timeout",
                    ) from None
                is_other = error.code == "UNAVAILABLE" or error.details.startswith(_PLAIN_HTTP)
                if is_other and _is_http2(wire.received):
                    raise LiveError(
                        f"{wire.address} did not answer as a gRPC server: {error.details}",
                        "It speaks HTTP/2: where that carries JSON, it is called with --over http2",
                    ) from None
                if is_other:
                    said = _ENDED if wire.capture.flows else error.details
                    raise self.misread(wire, "a gRPC server", said) from None
                raise LiveError(f"the server could not make the call: {error}") from None


class Http(Proto):
    """JSON over HTTP/1.1: hypercorn serves, httpcore calls."""

    told = ", over HTTP"
    kind = "an HTTP/1.1 server"
    http2 = False

    def serving(self) -> Any:
        """The lessons' methods.  An HTTP server speaks both versions."""
        if self.args.idl is not None:
            raise LiveError(
                "over HTTP, serve has the lessons' two methods and needs no IDL",
                "Leave --idl out",
            )
        return self._http().serving_http(Handler(), host=self.args.host, port=self.args.port)

    def _http(self) -> Any:
        try:
            from ..live import http
        except ImportError as error:
            raise LiveError(
                f"HTTP cannot be spoken here: {error}", 'Install it: pip install "pingpong[lab]"'
            ) from None
        return http

    def check(self) -> None:
        """Does it have the method, and the arguments?"""
        self._http()
        self.request()

    def request(self) -> tuple[str, dict[str, Any]]:
        """The method and its arguments: the lessons' need no .proto file.  Raises LiveError."""
        words = self.args.arguments
        if self.args.idl is None:
            named = _is_object(words)
            names, name = Thrift(self.args).names(fitting=not named), self.args.method
            text = words[0] if named else json.dumps(dict(zip(names, words, strict=True)))
        else:
            _, method = self.found
            if method.asks_many or method.answers_many:
                raise LiveError(f"{method.name} has a stream, which goes over gRPC only")
            name, text = method.name, self.as_json()
        try:
            return name, dict(json.loads(text))
        except ValueError as error:
            raise LiveError(f"these are no arguments of {name}: {error}") from None

    def call(self, wire: Recording) -> Iterator[str]:
        """POST /method, with the arguments as a JSON object."""
        method, arguments = self.request()
        with self._http().HttpClient(
            wire.address,
            http2=self.http2,
            headers={},
            network=None,
            watchers=wire.watchers,
            timeout_ms=round(self.args.timeout * 1000),
        ) as client:
            try:
                answer = client.call(method, **arguments)
            except self._http().NoHttp as error:
                if not wire.capture.flows:
                    raise LiveError(str(error)) from None
                said = _late(self.args.timeout) if error.is_late else _ENDED
                raise self.misread(wire, self.kind, said) from None
            yield _as_text(answer)


class Http2(Http):
    """The same over HTTP/2, by prior knowledge."""

    http2 = True
    kind = "a server of HTTP/2 with JSON"

    def way(self, one: Reading) -> str:
        if one.family is Family.GRPC:
            return "It speaks HTTP/2 and did not answer JSON: gRPC is called with --over grpc"
        return super().way(one)


SPEAKERS: Final[dict[str, type[Speaker]]] = {
    "thrift": Thrift,
    "grpc": Grpc,
    "http": Http,
    "http2": Http2,
}


class _Replies(Handler):
    """Answers all methods of a service: the lessons' as they do, others with an empty reply."""

    def __init__(self, service: Any) -> None:
        for method in service.methods.values():
            mine = getattr(type(self), method.name, None)
            if mine is None or method.path not in _OURS:
                setattr(self, method.name, _empty(method))

    def news(self, about: str) -> Iterator[str]:
        """A stream of three lines."""
        for number in (1, 2, 3):
            yield f"{about}: line {number}"


# What grpcio says of an answer without a grpc-status.
_PLAIN_HTTP: Final = "Received http2 header with status"

_OURS: Final = tuple(f"/pingpong.v1.PingPong/{name}" for name in ("ping", "login", "news"))


# How many of a server's first bytes are shown, and how many are looked at.
_SHOWN: Final = 12
_LOOK: Final = 256

_ENDED: Final = "it closed the connection and said nothing"
_WAYS: Final = (
    "Ways to call are --over thrift, with --framed or without, grpc, http and http2, all without "
    "TLS"
)


def _late(seconds: float) -> str:
    return f"it said nothing within {seconds:g} seconds (--timeout)"


def _words(error: BaseException) -> str:
    """What a client says of a connection on which no byte came."""
    return "it said nothing in time (--timeout)" if isinstance(error, TimeoutError) else _ENDED


def _is_http2(began: bytes) -> bool:
    """Does it begin like HTTP/2, with a SETTINGS frame?"""
    return began[3:4] == b"\x04" and began[5:9] == bytes(4)


_WAY: Final[dict[Family | None, str]] = {
    Family.BINARY: "Thrift that is unframed is called with --over thrift, without --framed",
    Family.FRAMED: "Framed Thrift is called with --over thrift --framed",
    Family.COMPACT: "serve and call speak Thrift's binary protocol only",
    Family.JSON: "serve and call speak Thrift's binary protocol only",
    Family.HEADER: "serve and call speak no THeader",
    Family.HTTP: "HTTP/1.1 is called with --over http",
    Family.GRPC: "HTTP/2 is called with --over grpc, or with --over http2 where it carries JSON",
    Family.TLS: "serve and call speak no TLS: look for a port without it",
}


def _empty(method: Any) -> Any:
    def answer(*requests: Any, **_: Any) -> Any:
        for stream in requests:
            for _request in stream:
                pass
        return [method.empty()] if method.answers_many else method.empty()

    return answer


def _no_method(word: str, known: Sequence[str]) -> str:
    return f"the service has no method {word}; it has {', '.join(known)}"


def _is_object(words: Sequence[str]) -> bool:
    return len(words) == 1 and words[0].lstrip().startswith("{")


def _fitting(args: argparse.Namespace, names: list[str], more: str = "") -> list[str]:
    """The names, if there are as many arguments.  Raises LiveError."""
    if len(names) != len(args.arguments):
        form = " ".join(["pingpong call", args.method, *names])
        raise LiveError(
            f"{args.method} takes {counted(len(names), 'argument')}, not {len(args.arguments)}",
            f"Write: {form}{more}",
        )
    return names


def _as_text(answer: Any) -> str:
    if answer is None:
        return "(empty)"
    if isinstance(answer, str):
        return answer
    return json.dumps(answer, ensure_ascii=False, default=_other)


def _other(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
