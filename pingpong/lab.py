"""The notebook's door: what a lesson starts, and what running a cell twice does.

    server = lab.serve(pingpong.PingPong, Dispatcher())
    wire = lab.record(server)
    ...
    wire.stop()

Cells are run again and out of order, and kernels are killed.  So what a cell made before is
replaced, not leaked: a server by the next one on its port, a recording by the next one of its
server.  All of them share one private network, if this machine can make one.  When Python ends,
everything is closed.
"""

from __future__ import annotations

import ast
import atexit
import html
import inspect
import linecache
import os
import ssl
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from pingpong.errors import LiveError, NotAllowed
from pingpong.live.grpc import GrpcError, GrpcServer, serving_grpc
from pingpong.live.idl import load_idl
from pingpong.live.idl.services import load_services
from pingpong.live.ours.dubbo import Dubbo
from pingpong.live.ours.motan import Motan
from pingpong.live.ours.rpcx import Rpcx
from pingpong.live.ours.speaking import OurServer, Speaker, serving_ours
from pingpong.live.private import PrivateNetwork
from pingpong.live.recording import Recorded, Recording, recording, use_layers
from pingpong.live.registry import EtcdRegistry, FileRegistry, Registry, start_etcd
from pingpong.live.serving import Server, serving
from pingpong.live.tls import make_certificate
from pingpong.model import Endpoint, Exchange, Message, Record
from pingpong.protocols.shares import PURPOSES, shares
from pingpong.views.bars import Bars
from pingpong.views.side import Sides
from pingpong.views.stacks import Stacks

if TYPE_CHECKING:  # it needs packages of the extra "lab"
    from pingpong.live.http import HttpServer

__all__ = [
    "Dubbo",
    "GrpcError",
    "Motan",
    "Rpcx",
    "Source",
    "bars",
    "by_purpose",
    "close",
    "load",
    "make_certificate",
    "record",
    "registry",
    "serve",
    "serve_grpc",
    "serve_http",
    "serve_ours",
    "show_source",
    "side_by_side",
]

# What is running now.  A server is known by the port that was asked for (0: by its service) and by
# whether it is private; a recording by its server's address.
_servers: dict[tuple[object, bool], Server | HttpServer | GrpcServer | OurServer] = {}
_recordings: dict[Endpoint, Recording] = {}
_networks: list[PrivateNetwork] = []
_registries: list[Registry] = []


def load(path: str | os.PathLike[str], module_name: str | None = None) -> ModuleType:
    """A .thrift file, as thriftpy2 loads it; or the services of a .proto file, by their names.

    Raises IdlError, which says what is wrong.
    """
    if os.fspath(path).endswith(".proto"):
        return load_services(path)
    return load_idl(path, module_name)


def serve(
    service: Any,
    handler: object,
    *,
    port: int = 9000,
    protocol: Any = None,
    transport: Any = None,
    private: bool | None = None,
    tls: ssl.SSLContext | None = None,
    tracker: Any = None,
) -> Server:
    """Start a thriftpy2 server; it is listening when this returns.

    One that this made before on the same port is closed first; with port 0, one for the same
    service.  ``private`` puts it into the private network (True), on 127.0.0.1 of this machine
    (False), or into the private network if there can be one (None).  ``protocol`` and
    ``transport`` are thriftpy2 factories (None: binary, buffered).  ``tls`` is the server's side
    of TLS, with its certificate (None: plain); clients bring their own:
    ``server.client(tls=...)``.  So it is with ``tracker``, one of thriftpy2.contrib.tracking.

    Raises PortTaken if another program has the port, NotAllowed if the private network was asked
    for and cannot be made.
    """
    network = None if private is False else _network(needed=private is True)
    key = (port or service.__name__, network is not None)
    _close_server(_servers.pop(key, None))
    _servers[key] = server = serving(
        service,
        handler,
        port=port,
        protocol=protocol,
        transport=transport,
        network=network,
        tls=tls,
        tracker=tracker,
    )
    return server


def serve_http(handler: object, *, port: int = 8000, private: bool | None = None) -> HttpServer:
    """Serve a handler's methods over HTTP and JSON: POST /method, to compare with Thrift.

    As with ``serve``, what ran on the port before is closed first.  Raises as ``serve`` does, and
    LiveError without the packages of the extra "lab".
    """
    try:
        from pingpong.live.http import serving_http
    except ImportError as error:
        raise LiveError(
            f"HTTP cannot be served here: {error}", 'Install it: pip install "pingpong[lab]"'
        ) from None
    network = None if private is False else _network(needed=private is True)
    key = (port or "HTTP", network is not None)
    _close_server(_servers.pop(key, None))
    _servers[key] = server = serving_http(handler, port=port, network=network)
    return server


def serve_grpc(
    service: Any,
    handler: object,
    *,
    port: int = 50051,
    private: bool | None = None,
    options: Mapping[str, object] | None = None,
) -> GrpcServer:
    """Serve a handler's methods over gRPC, with grpcio in a process of its own.

    ``service`` is one of a .proto file: ``lab.load("foo.proto").PingPong``.  As with ``serve``,
    what ran on the port before is closed first.  ``options`` are grpcio's.  Raises as ``serve``
    does, and LiveError without the packages of the extra "relatives".
    """
    network = None if private is False else _network(needed=private is True)
    key = (port or f"gRPC {service.__name__}", network is not None)
    _close_server(_servers.pop(key, None))
    _servers[key] = server = serving_grpc(
        service, handler, port=port, network=network, options=options
    )
    return server


def serve_ours(
    speaker: Speaker, handler: object, *, port: int | None = None, private: bool | None = None
) -> OurServer:
    """Serve a handler's methods with a small server of ours: for Dubbo, Motan and rpcx.

    ``speaker`` writes the bytes: ``lab.Dubbo("com.thinkrpc.UserService")``, ``lab.Motan(…)``,
    ``lab.Rpcx(…)``, or what was made of one of them.  ``port`` None is where such servers usually
    listen.  As with ``serve``, what ran on the port before is closed first.  Raises as it does.
    """
    network = None if private is False else _network(needed=private is True)
    asked = speaker.port if port is None else port
    key = (asked or speaker.title, network is not None)
    _close_server(_servers.pop(key, None))
    _servers[key] = server = serving_ours(speaker, handler, port=asked, network=network)
    return server


def registry(kind: str | None = None, *, port: int = 2379, private: bool | None = None) -> Registry:
    """A registry, empty: where servers say where they are.  ``how`` of it says which one it is.

    ``kind`` is "etcd", which has to be installed, or "file"; None takes etcd if it can be had.
    What this made before is closed first.  etcd answers at ``port``, and is private as servers are;
    ``lab.record(registry.server)`` records it.  Raises LiveError for etcd that does not start.
    """
    if kind not in (None, "etcd", "file"):
        raise ValueError(f'kind is "{kind}", want etcd or file')
    while _registries:
        _close_registry(_registries.pop())
    why = ""
    made: Registry | None = None
    if kind != "file":
        network = None if private is False else _network(needed=private is True)
        try:
            made = start_etcd(port, network)
        except LiveError as error:
            if kind == "etcd":
                raise
            why = str(error)
    made = made or FileRegistry(why)
    _registries.append(made)
    return made


def record(
    server: Recorded | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
    interface: str | None = None,
    way: str | None = None,
) -> Recording:
    """Record what passes to and from a server from now on; see ``recording`` for the rest.

    A recording that this made before of the same server is stopped first.
    """
    address = server.address if server is not None else Endpoint(host or "127.0.0.1", port or 0)
    _stop_recording(address)
    made = recording(server, host=host, port=port, interface=interface, way=way)
    _recordings[address] = made
    return made


def bars(numbers: Mapping[str, float], unit: str = "bytes", title: str = "") -> Bars:
    """Named numbers as bars: ``lab.bars({"binary": 39, "compact": 25})``.

    They keep the order in which they are given.  ``unit`` is what they count, ``title`` what
    they are about.  Raises ValueError for a number that is negative or not finite.
    """
    return Bars(numbers, unit, title)


def by_purpose(
    messages: Mapping[str, Message | Exchange | Sequence[Message]], title: str = ""
) -> Stacks:
    """What the bytes of messages are spent on, a bar for each name.

    The purposes are framing, addressing, metadata and payload: ``pingpong.protocols.shares`` says
    what they are.  Of an exchange it is the call and its answer.  ``numbers`` of what comes back
    has them for each name.
    """
    numbers = {}
    for name, given in messages.items():
        spent = dict.fromkeys(PURPOSES, 0)
        for message in _messages_of(given):
            for purpose, size in shares(message).items():
                spent[purpose] += size
        numbers[name] = spent
    return Stacks(numbers, "bytes", title)


def _messages_of(given: Message | Exchange | Sequence[Message]) -> list[Message]:
    if isinstance(given, Message):
        return [given]
    if isinstance(given, Exchange):
        return [one for one in (given.call, given.reply) if one is not None]
    return list(given)


def side_by_side(*messages: Record, names: Sequence[str] = ()) -> Sides:
    """Messages beside each other, lined up by what their bytes are for.

    That is the method's name, the seqid, field 1 and so on; each byte is in one cell.  ``names``
    are the columns' titles (none: the protocol, and the transport too if two would be the same).
    Raises ValueError for no message, and for more than MAX_SIDES.
    """
    return Sides(messages, names)


def close() -> None:
    """Stop all recordings, close all servers and the private network.

    Python calls this when it ends; the next ``serve`` starts afresh.
    """
    for address in list(_recordings):
        _stop_recording(address)
    while _servers:
        _servers.popitem()[1].close()
    while _registries:
        _registries.pop().close()
    while _networks:
        _networks.pop().close()


def _load_thrift_layer() -> None:
    from pingpong.layers import thrift  # noqa: F401  # it registers with scapy


atexit.register(close)
use_layers(_load_thrift_layer)


class Source:
    """Python source to be read: it shows itself just as it is in its file."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f'<pre style="{_SOURCE_STYLE}">{html.escape(self.text)}</pre>'


_SOURCE_STYLE: Final = (
    "padding: 0.6em 0.8em; border-left: 3px solid #8888; overflow-x: auto; line-height: 1.35; "
    "font-family: Menlo, Consolas, 'DejaVu Sans Mono', monospace"
)


def show_source(thing: Any) -> Source:
    """The source of a function, class or module: of the very one that runs here.

    Raises TypeError for things without Python source, such as thriftpy2's services.
    """
    try:
        text = inspect.getsource(thing)
    except (OSError, TypeError):
        found = _source_of_compiled(thing)
        if found is None and inspect.isclass(thing):
            found = _source_of_class(thing)
        if found is None:
            raise TypeError(f"{thing!r} has no Python source") from None
        text = found
    return Source(textwrap.dedent(text).rstrip("\n"))


def _source_of_compiled(thing: Any) -> str | None:
    """The source of what was compiled from a module of pingpong, whose file is there too."""
    is_module = isinstance(thing, ModuleType)
    owner = getattr(thing, "__objclass__", thing)  # of a method
    name = thing.__name__ if is_module else getattr(owner, "__module__", None) or ""
    parts = name.split(".")
    source = Path(__file__).parents[1].joinpath(*parts).with_suffix(".py")
    if parts[0] != "pingpong" or not source.is_file():
        return None
    text = source.read_text(encoding="utf-8")
    if is_module:
        return text
    inside: list[ast.stmt] = ast.parse(text).body
    found: ast.ClassDef | ast.FunctionDef | None = None
    for part in str(getattr(thing, "__qualname__", "")).split("."):
        defined = [one for one in inside if isinstance(one, (ast.ClassDef, ast.FunctionDef))]
        found = next((one for one in defined if one.name == part), None)
        if found is None:
            return None
        inside = found.body
    assert found is not None
    first = min([found.lineno, *(each.lineno for each in found.decorator_list)])
    return "".join(text.splitlines(True)[first - 1 : found.end_lineno])


def _source_of_class(cls: type) -> str | None:
    """The source of a class made in a notebook, which Python before 3.13 does not find.

    One of its methods knows which cell it is from.
    """
    for member in vars(cls).values():
        if not isinstance(member, FunctionType):
            continue
        code = member.__code__
        text = "".join(linecache.getlines(code.co_filename))
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.ClassDef)
                and node.name == cls.__name__
                and node.lineno <= code.co_firstlineno <= (node.end_lineno or 0)
            ):
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                return "".join(text.splitlines(True)[first - 1 : node.end_lineno])
    return None


def _network(*, needed: bool) -> PrivateNetwork | None:
    """The one private network, made on first use; None if there can be none."""
    if not _networks:
        try:
            _networks.append(PrivateNetwork())
        except NotAllowed:
            if needed:
                raise
            return None
    return _networks[0]


def _close_server(server: Server | HttpServer | GrpcServer | OurServer | None) -> None:
    if server is not None:
        _stop_recording(server.address)
        server.close()


def _close_registry(made: Registry) -> None:
    if isinstance(made, EtcdRegistry):
        _stop_recording(made.server.address)
    made.close()


def _stop_recording(address: Endpoint) -> None:
    earlier = _recordings.pop(address, None)
    if earlier is not None:
        earlier.stop()
