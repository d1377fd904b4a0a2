"""Who serves what, and where: a registry, by which clients find servers that come and go.

    server ── register: a name, an address ──▶ registry ◀── find: a name ── client
           ── renew, as long as it lives ────▶     │
                                                   └─ a lease that nobody renews ends, and its
                                                      entries go with it

There are two, with the same verbs, which are etcd's:

    EtcdRegistry   etcd in a process of its own, over its gateway of HTTP and JSON
    FileRegistry   a file: where there is no etcd

etcd listens at Unix sockets in a folder of its own, and a Relay leads there.  So it takes no port
of this machine, it may be in a private network, and it is recorded as any other server is.  What
starts it ends it as soon as its standard input closes: on ``close()``, or because this process
died.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pingpong.errors import LiveError
from pingpong.live.listening import Listening
from pingpong.live.private import PrivateNetwork
from pingpong.live.relay import Relay, to_child
from pingpong.live.serving import listen_on
from pingpong.live.tap import Watcher
from pingpong.model import Endpoint

if TYPE_CHECKING:  # it needs packages of the extra "lab"
    from pingpong.live.http import HttpClient

__all__ = ["EtcdRegistry", "FileRegistry", "Registration", "Registry", "start_etcd"]

# How long, in seconds, etcd may take until it answers, and until it has ended.
PATIENCE: Final = 30.0

# What etcd says once its sockets listen: 3.4, and since 3.5.
READY: Final = ("serving client traffic", "ready to serve client requests")

# The shell waits until nobody holds its standard input any more.  What etcd says is etcd's alone.
GUARD: Final = (
    'folder=$1; shift; "$@" & exec 2>/dev/null; read -r line; kill $!; wait; rm -rf "$folder"'
)


class Registry(ABC):
    """Entries with a lease.  Use it in a ``with``, or ``close()`` it.

    ``how`` says which one it is.
    """

    how: str

    def __init__(self) -> None:
        self._registrations: list[Registration] = []

    @abstractmethod
    def grant(self, ttl: int) -> str:
        """A new lease of ``ttl`` seconds: its id."""

    @abstractmethod
    def put(self, key: str, value: str, lease: str) -> None:
        """Write an entry; it is there as long as the lease."""

    @abstractmethod
    def range(self, prefix: str) -> dict[str, str]:
        """The entries whose keys begin with ``prefix``, sorted by key."""

    @abstractmethod
    def keep_alive(self, lease: str) -> bool:
        """Begin the lease's time anew; False if it has ended."""

    @abstractmethod
    def revoke(self, lease: str) -> None:
        """End a lease now, unless it has ended."""

    def register(self, service: str, address: Endpoint | str, ttl: int = 60) -> Registration:
        """Say that ``service`` is served at ``address``, again and again until it is closed."""
        made = Registration(self, f"/{service}/{address}", str(address), ttl)
        self._registrations.append(made)
        return made

    def find(self, service: str) -> list[str]:
        """The addresses at which ``service`` is served, as far as the registry knows."""
        return list(self.range(f"/{service}/").values())

    def close(self) -> None:
        """Renew no lease any more, and leave nothing behind."""
        while self._registrations:
            self._registrations.pop().abandon()

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.how}>"


class Registration:
    """One entry of a registry, and the thread that renews its lease."""

    def __init__(self, registry: Registry, key: str, value: str, ttl: int) -> None:
        self._registry = registry
        self._entry = key, value
        self._ttl = ttl
        self._ended = threading.Event()
        self.lease = self._write()
        self._thread = threading.Thread(target=self._renew, name=f"pingpong {key}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Say goodbye: the entry goes now."""
        if not self._ended.is_set():
            self.abandon()
            self._registry.revoke(self.lease)

    def abandon(self) -> None:
        """Renew no more and say nothing, as a program that dies.  The entry stays until then."""
        self._ended.set()
        self._thread.join()

    def _write(self) -> str:
        lease = self._registry.grant(self._ttl)
        self._registry.put(*self._entry, lease)
        return lease

    def _renew(self) -> None:
        while not self._ended.wait(self._ttl / 3):
            try:
                if not self._registry.keep_alive(self.lease):
                    self.lease = self._write()
            except LiveError:
                pass  # the registry is away: try again


class FileRegistry(Registry):
    """A file of JSON: leases with their end and their length, entries with their lease.

    The file has no name, so that nothing is left of it, even if this process is killed.
    """

    def __init__(self, why: str = "") -> None:
        super().__init__()
        self.how = f"a file{f', because {why}' if why else ''}"
        self._lock = threading.Lock()
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # close() does
        json.dump([{}, {}], self._file)

    def grant(self, ttl: int) -> str:
        with self._content() as (leases, _):
            lease = str(len(leases) + 1)
            leases[lease] = [time.monotonic() + ttl, ttl]
        return lease

    def put(self, key: str, value: str, lease: str) -> None:
        with self._content() as (_, entries):
            entries[key] = [value, lease]

    def range(self, prefix: str) -> dict[str, str]:
        with self._content() as (leases, entries):
            return {
                key: value
                for key, (value, lease) in sorted(entries.items())
                if key.startswith(prefix) and leases[lease][0] > time.monotonic()
            }

    def keep_alive(self, lease: str) -> bool:
        now = time.monotonic()
        with self._content() as (leases, _):
            ends, ttl = leases[lease]
            if ends > now:
                leases[lease][0] = now + ttl
        return bool(ends > now)

    def revoke(self, lease: str) -> None:
        with self._content() as (leases, _):
            leases[lease][0] = 0

    def close(self) -> None:
        super().close()
        self._file.close()

    @contextmanager
    def _content(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """What the file holds, to be read and changed."""
        with self._lock:
            self._file.seek(0)
            content = json.load(self._file)
            yield content[0], content[1]
            self._file.seek(0)
            self._file.truncate()
            json.dump(content, self._file)


class EtcdRegistry(Registry):
    """etcd, as its gateway has it: a POST of JSON for each verb, bytes in Base64."""

    def __init__(self, server: Etcd) -> None:
        super().__init__()
        self.server = server
        self.how = f"etcd at {server.address}"
        self._client = server.client()

    def grant(self, ttl: int) -> str:
        return str(self._client.call("v3/lease/grant", TTL=ttl)["ID"])

    def put(self, key: str, value: str, lease: str) -> None:
        self._client.call("v3/kv/put", key=_base64(key), value=_base64(value), lease=lease)

    def range(self, prefix: str) -> dict[str, str]:
        # All keys from the prefix up to the first that does not begin with it.
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        answer = self._client.call("v3/kv/range", key=_base64(prefix), range_end=_base64(end))
        entries = answer.get("kvs", [])
        return {_text(entry["key"]): _text(entry["value"]) for entry in entries}

    def keep_alive(self, lease: str) -> bool:
        return "TTL" in self._client.call("v3/lease/keepalive", ID=lease)["result"]

    def revoke(self, lease: str) -> None:
        try:
            self._client.call("v3/lease/revoke", ID=lease)
        except LiveError as error:
            if "lease not found" not in str(error):
                raise

    def close(self) -> None:
        super().close()
        self._client.close()
        self.server.close()


class Etcd(Listening):
    """A running etcd, made by ``start_etcd``: a registry of its own, empty, for as long as it is.

    ``address`` is where it takes HTTP.
    """

    def __init__(self, listener: socket.socket, network: PrivateNetwork | None) -> None:
        super().__init__(listener, network)
        self._folder = tempfile.mkdtemp(prefix="pingpong-")
        self._last = ""
        self._is_ready = threading.Event()
        self._process = _run_etcd(self._folder)
        self._reader = threading.Thread(target=self._read, name="pingpong etcd", daemon=True)
        self._reader.start()
        heard = self._is_ready.wait(PATIENCE)
        socket_path = Path(self._folder, "etcd:2379")
        if not heard or not self._reader.is_alive():
            self._end()
            raise LiveError(f"etcd did not start: {self._last or 'it said nothing'}")
        watchers: list[Watcher] = self.watchers
        self._relay = Relay(
            f"pingpong etcd {self.address}", listener, to_child(str(socket_path), watchers)
        )

    @property
    def is_open(self) -> bool:
        """True until ``close()``, or until its process ended."""
        return self._reader.is_alive()

    def client(self) -> HttpClient:
        """A client of its gateway."""
        from pingpong.live.http import HttpClient

        # The relay tells the watchers already.
        return HttpClient(self.address, http2=False, headers={}, network=self.network, watchers=[])

    def close(self) -> None:
        """End the process, its connections and its folder.  Calling it again does nothing."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._end()
            self._relay.close()

    def __repr__(self) -> str:
        return f"<Etcd at {self.address}, {self.state}>"

    def _read(self) -> None:
        """The body of the thread that hears what etcd says."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._last = line.decode(errors="backslashreplace").strip() or self._last
            if any(words in self._last for words in READY):
                self._is_ready.set()
        self._is_ready.set()

    def _end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stderr is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._reader.join()
        self._process.stderr.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def start_etcd(port: int = 0, network: PrivateNetwork | None = None) -> EtcdRegistry:
    """Start an etcd that answers at ``port`` of 127.0.0.1 (0: the system chooses one).

    Raises LiveError if there is none, if it does not start, or without the extra "lab"; PortTaken.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise LiveError("etcd is reached over Unix sockets, which are not here")
    if shutil.which("etcd") is None:
        raise LiveError("there is no etcd here", "With Debian: apt install etcd-server")
    try:
        import pingpong.live.http  # noqa: F401
    except ImportError as error:
        raise LiveError(f"etcd cannot be asked here: {error}") from None
    listener = listen_on("127.0.0.1", port, network)
    try:
        return EtcdRegistry(Etcd(listener, network))
    except BaseException:
        listener.close()
        raise


def _run_etcd(folder: str) -> subprocess.Popen[bytes]:
    here, peer = "unix://etcd:2379", "unix://peer:2380"  # the names of its sockets, in the folder
    named = "http://127.0.0.1:2380"  # which nobody calls: it is alone
    options = {
        "data-dir": "data",
        "listen-client-urls": here,
        "advertise-client-urls": here,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": named,
        "initial-cluster": f"default={named}",
        "logger": "zap",
        # In milliseconds.  No lease may be shorter than one and a half elections.
        "heartbeat-interval": "10",
        "election-timeout": "100",
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    return subprocess.Popen(
        ["sh", "-c", GUARD, "sh", folder, "etcd", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={key: value for key, value in os.environ.items() if not key.startswith("ETCD_")},
        cwd=folder,
        start_new_session=True,  # Ctrl-C in a terminal does not reach it
    )


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _text(base64: str) -> str:
    return b64decode(base64).decode(errors="backslashreplace")
