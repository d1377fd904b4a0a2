"""Messages → exchanges: a call with its reply.

On one connection, the reply belongs to the oldest call without one that has its seqid and
its method.  Order alone is not enough (servers may answer out of order, and old libraries
send oneway methods as CALL: nothing answers those); the seqid alone is not either
(thriftpy2 sends 0 for every call).  A multiplexed call says ``Service:method``, its reply
just ``method``.

A call may be given out after its reply, when bytes before it were lost and the capture had
to end before that was sure: so replies without a call are remembered too.
"""

from __future__ import annotations

from ..model import Exchange, Message, MessageType

__all__ = ["Pairing", "bare_method"]


def bare_method(method: str) -> str:
    """The method without the service that a multiplexed call puts before it.

    >>> bare_method("Calculator:add")
    'add'
    """
    return method.rpartition(":")[2]


class Pairing:
    """Pairs the messages of all connections.  It remembers only what has no partner yet."""

    def __init__(self) -> None:
        self._count = 0
        self._waiting: dict[int, list[Exchange]] = {}

    def add(self, message: Message) -> Exchange:
        """The exchange of ``message``: a new one, or the call's, now with its reply."""
        waiting = self._waiting.setdefault(message.flow, [])
        is_reply = message.type in (MessageType.REPLY, MessageType.EXCEPTION)
        for at, exchange in enumerate(waiting):
            if is_reply and exchange.call is not None and _answers(message, exchange.call):
                exchange.reply = message
            elif not is_reply and exchange.reply is not None and _was_for(exchange.reply, message):
                exchange.call = message
            else:
                continue
            del waiting[at]
            return exchange
        self._count += 1
        if is_reply:
            exchange = Exchange(self._count, None, message)
        else:
            exchange = Exchange(self._count, message)
        if message.type is not MessageType.ONEWAY:
            waiting.append(exchange)
        return exchange

    def forget(self, flow: int) -> None:
        """A connection has ended: none of its calls will be answered."""
        self._waiting.pop(flow, None)


def _answers(reply: Message, call: Message) -> bool:
    if reply.seqid != call.seqid:
        return False
    if reply.method == bare_method(call.method):
        return True
    # A server that could not make out the method answers without its name.
    return reply.type is MessageType.EXCEPTION and not reply.method


def _was_for(reply: Message, call: Message) -> bool:
    """Is this the call, given out late, of a reply that came without one?"""
    return call.type is MessageType.CALL and call.time <= reply.time and _answers(reply, call)
