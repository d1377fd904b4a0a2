"""The child's half of private.py: the process that lives inside the private network.

It is run by its path, as ``python -I -S private_child.py FD``, so it imports nothing but the
standard library and starts in tens of milliseconds.  It enters a network of its own, brings up
the loopback there, reports that over its control socket, and then makes sockets on request until
that socket closes: a parent that was killed leaves no child behind.

    parent ── request ──▶ child      0 or 1, then three numbers
    parent ◀── answer ─── child      errno (0: done), the name of the step, and a descriptor
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl

REQUEST = struct.Struct("!4i")
ANSWER = struct.Struct("!i")
MAKE_SOCKET, SET_MTU = 0, 1

# linux/sched.h
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
# linux/sockios.h, linux/if.h
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFMTU, SIOCETHTOOL = 0x8913, 0x8914, 0x8922, 0x8946
IFF_UP = 1
# linux/ethtool.h: set "TCP segmentation offload" and "generic segmentation offload"
ETHTOOL_STSO, ETHTOOL_SGSO = 0x1F, 0x24


class StepRefused(Exception):
    """A step that the kernel refused: ``name`` says which, ``errno`` why."""

    def __init__(self, name: str, errno: int) -> None:
        super().__init__(name, errno)
        self.name = name
        self.errno = errno


@contextmanager
def step(name: str) -> Iterator[None]:
    """Turn an OSError inside the ``with`` into a StepRefused, for the parent to read."""
    try:
        yield
    except OSError as error:
        raise StepRefused(name, error.errno or 0) from error


def unshare(flags: int) -> None:
    """Leave the namespaces that ``flags`` name for new ones.  Raises OSError."""
    # os.unshare arrived in Python 3.12.
    if ctypes.CDLL(None, use_errno=True).unshare(flags):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def write(path: str, text: str) -> None:
    """Write to a file under /proc in one go.  Raises OSError if the kernel refuses."""
    with open(path, "w") as file:
        file.write(text)


def enter() -> None:
    """Enter a new network in which this process may do everything.  Raises StepRefused."""
    user, group = os.geteuid(), os.getegid()
    with step("unshare"):
        try:
            unshare(CLONE_NEWUSER | CLONE_NEWNET)
        except OSError:
            # Root needs no user namespace, and some machines have none.
            if user != 0:
                raise
            unshare(CLONE_NEWNET)
            return
    with step("map the user"):
        # user_namespaces(7): a group may be mapped only once setgroups is denied.
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"{user} {user} 1")
        write("/proc/self/gid_map", f"{group} {group} 1")


def raise_loopback() -> None:
    """Bring up ``lo``, which is down in a new network.  Raises StepRefused."""
    with step("raise the loopback"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        answer = ioctl(sock, SIOCGIFFLAGS, struct.pack("16sH14x", b"lo", 0))
        (flags,) = struct.unpack_from("H", answer, 16)
        ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def set_mtu(mtu: int) -> None:
    """Set the MTU of ``lo``, in bytes, and have segments carried singly.  Raises StepRefused."""
    with step("set the MTU"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        ioctl(sock, SIOCSIFMTU, struct.pack("16si12x", b"lo", mtu))
        # Otherwise the loopback carries several segments as one large packet, as a driver hands
        # them to its card, and no cut would be seen.  If that is refused, it stays like that.
        for command in (ETHTOOL_STSO, ETHTOOL_SGSO):
            off = ctypes.create_string_buffer(struct.pack("=II", command, 0))
            with suppress(OSError):
                ioctl(sock, SIOCETHTOOL, struct.pack("16sP16x", b"lo", ctypes.addressof(off)))


def answer(control: socket.socket, request: bytes) -> None:
    """Do what one request asks for, and answer it."""
    what, first, second, third = REQUEST.unpack(request)
    if what == SET_MTU:
        set_mtu(first)
        control.send(ANSWER.pack(0))
        return
    with step("make a socket"):
        made = socket.socket(first, second, third)
    with made:
        socket.send_fds(control, [ANSWER.pack(0)], [made.fileno()])


def main(control: socket.socket) -> None:
    """Enter the network, then answer requests until the control socket closes."""
    try:
        enter()
        raise_loopback()
    except StepRefused as refused:
        control.send(ANSWER.pack(refused.errno) + refused.name.encode())
        return
    control.send(ANSWER.pack(0))
    while request := control.recv(REQUEST.size):
        try:
            answer(control, request)
        except StepRefused as refused:
            control.send(ANSWER.pack(refused.errno) + refused.name.encode())


if __name__ == "__main__":
    try:
        main(socket.socket(fileno=int(sys.argv[1])))
    except OSError:
        # The parent went away in the middle of an answer.
        sys.exit(0)
