"""A private loopback that needs no rights: real TCP, real packets, and nobody else's.

    ┌──────── this process ────────┐          ┌── child: private_child.py ┐
    │ server · client · capture    │ ◀─ fds ─ │ socket() in a network of  │
    │ bind, listen, connect, read  │          │ its own: one lo, no more  │
    └──────────────────────────────┘          └───────────────────────────┘

A socket belongs for life to the network in which it was made.  So a child enters a new network
(Linux: user and network namespaces), makes sockets there and hands them over; we then serve,
call and capture with them as with any others.  The child does nothing else, and it ends as soon
as the control socket closes: on ``close()``, or because this process died.
"""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from socket import AF_INET
from socket import socket as Socket  # noqa: N812  # PrivateNetwork has a method with that name
from typing import Final

from pingpong.errors import LiveError, NotAllowed
from pingpong.live import private_child as inside

__all__ = ["PrivateNetwork", "unavailable"]

# Clients leave from these ports, in this order, so that a lesson shows the same ports every time
# it runs.
FIRST_CLIENT_PORT: Final = 50001
LAST_PORT: Final = 65535


class PrivateNetwork:
    """A network with one interface, ``lo``, and nobody else in it.

    Use it in a ``with``, or call ``close()``.  Raises NotAllowed where it cannot be made.
    Sockets that were handed out keep working after ``close()``; new ones cannot be made.
    """

    def __init__(self) -> None:
        if not sys.platform.startswith("linux"):
            raise NotAllowed("a private network needs Linux", "Record in another way")
        if not sys.executable:
            raise NotAllowed("a private network needs the path of the Python that runs this")
        self._lock = threading.Lock()
        self._next_client_port = FIRST_CLIENT_PORT
        # SEQPACKET, not a stream: two messages on the control socket cannot run together.
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                child = _start(theirs)
            # Runs once: on close(), when nobody holds this network any more, or when Python ends.
            self._end = weakref.finalize(self, _end, self._control, child)
        except BaseException:
            self._control.close()
            raise
        self.pid = child.pid
        try:
            self._read_answer()
        except OSError as refused:
            self.close()
            raise _not_allowed(refused.errno or 0, str(refused.strerror)) from None
        except BaseException:
            self.close()
            raise

    def socket(self, family: int, kind: int, protocol: int = 0) -> Socket:
        """A new socket in this network, to bind, listen on or connect like any other.

        Raises LiveError if the network is closed, OSError if the kernel refuses.
        """
        descriptor = self._ask(inside.MAKE_SOCKET, family, kind, protocol)
        assert descriptor is not None
        os.set_inheritable(descriptor, False)
        return socket.socket(fileno=descriptor)

    def client_socket(self, host: str, family: int = AF_INET) -> Socket:
        """A TCP socket bound to the next client port of ``host``, ready to connect."""
        made = self.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        while True:
            with self._lock:
                port = self._next_client_port
                self._next_client_port += 1
            try:
                made.bind((host, port if port <= LAST_PORT else 0))
                return made
            except OSError as error:
                if error.errno != errno.EADDRINUSE or port > LAST_PORT:
                    made.close()
                    raise

    def set_mtu(self, mtu: int) -> None:
        """Set the largest packet of ``lo`` from now on, in bytes; it starts at 65536.

        A small value shows how TCP cuts up a large message.  Packets are then recorded as a wire
        would carry them, one segment each.
        """
        self._ask(inside.SET_MTU, mtu)

    def close(self) -> None:
        """End the child.  Calling it again does nothing."""
        self._end()

    def __enter__(self) -> PrivateNetwork:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<PrivateNetwork, {'open' if self._end.alive else 'closed'}>"

    def _ask(self, what: int, first: int, second: int = 0, third: int = 0) -> int | None:
        with self._lock:
            if not self._end.alive:
                raise LiveError("this private network is closed", "Make a new one")
            self._control.send(inside.REQUEST.pack(what, first, second, third))
            return self._read_answer()

    def _read_answer(self) -> int | None:
        answer, descriptors, _, _ = socket.recv_fds(self._control, 200, 1)
        if not answer:
            raise LiveError("the child that holds the private network ended", "Make a new one")
        (number,) = inside.ANSWER.unpack_from(answer)
        if number:
            raise OSError(number, answer[inside.ANSWER.size :].decode())
        return descriptors[0] if descriptors else None


def unavailable() -> str | None:
    """Why no private network can be made here; None if one can be.  Finds out by trying."""
    try:
        PrivateNetwork().close()
    except LiveError as error:
        return str(error)
    return None


def _start(control: socket.socket) -> subprocess.Popen[bytes]:
    number = control.fileno()
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(inside.__file__).resolve()), str(number)],
            pass_fds=[number],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # It keeps no folder busy, and Ctrl-C in a terminal does not reach it.
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise NotAllowed(
            f"no private network here: {sys.executable} cannot be run ({error.strerror})"
        ) from None


def _end(control: socket.socket, child: subprocess.Popen[bytes]) -> None:
    control.close()
    child.wait()


def _setting(path: str) -> str:
    try:
        return Path("/proc/sys", path).read_text().strip()
    except OSError:
        return ""


def _not_allowed(number: int, step: str) -> NotAllowed:
    """What the kernel refused, with how to allow it as the remedy."""
    what = "no private network here: "
    if _setting("user/max_user_namespaces") == "0":
        return NotAllowed(
            what + "user namespaces are off (user.max_user_namespaces is 0)",
            "As root: sysctl user.max_user_namespaces=10000",
        )
    if _setting("kernel/unprivileged_userns_clone") == "0":
        return NotAllowed(
            what + "user namespaces are for root only (kernel.unprivileged_userns_clone is 0)",
            "As root: sysctl kernel.unprivileged_userns_clone=1",
        )
    if _setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return NotAllowed(
            what + "AppArmor restricts user namespaces",
            "As root: sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        )
    if number in (errno.EPERM, errno.EACCES):
        return NotAllowed(
            what + f"the kernel does not permit it (step: {step}), as in most containers",
            "With Docker: run it with --security-opt seccomp=unconfined",
        )
    if number in (errno.ENOSPC, errno.EUSERS):
        return NotAllowed(
            what + f"there are as many namespaces as are allowed (step: {step})",
            "See user.max_user_namespaces and user.max_net_namespaces in sysctl",
        )
    return NotAllowed(what + f"{os.strerror(number)} (step: {step})")
