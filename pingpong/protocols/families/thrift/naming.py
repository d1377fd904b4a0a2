"""Which names a message gets: those of its method, in the service that its call names.

Only a multiplexed call names its service; its reply has the method alone.  Which call a reply
answers, only Pairing says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....model import Exchange, Message, Namer

if TYPE_CHECKING:
    from .names import Interface

__all__ = ["ServiceNamer"]


class ServiceNamer(Namer):
    """Finds the naming for each message of a capture, using an interface."""

    def __init__(self, interface: Interface) -> None:
        self.interface = interface

    def give(self, message: Message, exchange: Exchange) -> None:
        call, reply = exchange.call, exchange.reply
        if reply is not None:
            service = "" if call is None else self._service(call)
            reply.use_names(self.interface.within(service) if service else self.interface)
        if message is not reply:
            message.use_names(self.interface)

    def _service(self, call: Message) -> str:
        """Return the service that a call names, if the interface has it; else ""."""
        prefix = call.method.rpartition(":")[0]
        return prefix if prefix and self.interface.service(prefix) is not None else ""
