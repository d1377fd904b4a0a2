"""Messages → exchanges: a call with its reply, and how it ended.

On one connection, the reply belongs to the oldest call without one that has its seqid and
its method.  Order alone is not enough (servers may answer out of order, and old libraries
send oneway methods as CALL: nothing answers those); the seqid alone is not either
(thriftpy2 sends 0 for every call).  A multiplexed call says ``Service:method``, its reply
just ``method``.

What became of a call is settled when its reply comes, or when that shows that none will:

    client          server
    │── a ─────────▶│
    │── b ─────────▶│
    │◀───── reply b │   same seqid: the server answers in order, and has passed over a.
    │               │     a: ONEWAY, sent as CALL; or LOST, if bytes before the reply are

    │── a ─────────▶│
    │   gives up    │
    │── b ─────────▶│   same seqid: the client cannot tell two replies apart, so it awaits one
    │◀───── reply a │     a: LATE
    │   reads it    │     b: OUT_OF_SEQUENCE, and so on: each call reads the reply before its own
    │◀───── reply b │

    │── a ─────────▶│
    │── FIN, RST ───│── the first of them, by either end      a: CLOSED_BY_…, RESET_BY_…
    │   the end ────│── none of them: of the capture          a: WAITING

    │── a  seqid 1 ▶│
    │── b  seqid 2 ▶│
    │◀───── reply b │   other seqids: where the server answers in order, that passes over a too.
    │── FIN ────────│     a: ONEWAY, if the client did not wait for it, or nobody ever got a reply

A client that has several calls under way gives each its own seqid, or writes them in one go.
So it has given up on a call if it sends the next one with the same seqid a millisecond later
or more; by HTTP it has not, as answers come there in the order of the requests.  With other seqids
nothing tells one that gave up from one that has several under way: then its closing without a reply
gets a remark, no more.

A method is silent if a server passed over it, no byte of the server was missing there, and it has
never answered that method.  One answer, and it is silent no more.

A call may be given out after its reply, when bytes before it were lost and the capture had
to end before that was sure: so replies without a call are remembered, until a later call says
that theirs will not come.

The Pipeline asks in step with its packets, so that what is known of a connection then does not
depend on how a file was read: see ``Pipeline``.
"""

from __future__ import annotations

from typing import Final

from ..model import (
    CUT_CLOSED,
    CUT_ENDED,
    UDP,
    Endpoint,
    Exchange,
    Flow,
    Message,
    MessageType,
    Outcome,
)

__all__ = ["GAVE_UP", "HURRIED", "Pairing", "bare_method"]

# No timeout is so short: whoever sends its next call sooner did not wait for this one (ns).
HURRIED: Final = 10_000_000

# Whoever writes several calls in one go takes no longer: a client that cannot tell two replies
# apart has given up on a call, if it sends the next one later than that (ns).
GAVE_UP: Final = 1_000_000

# How many calls may wait for what the server does with their method elsewhere.
MAX_DOUBTFUL: Final = 1024

# What may be the begin of anything: nobody can say of so few bytes what they are.
BEGUN: Final = 8

# How many calls of a connection may wait, and how many of them with one seqid; how many replies
# may be without a call.  Beyond, the oldest is settled.
MAX_WAITING: Final = 4096
MAX_SAME: Final = 1024
MAX_ORPHANS: Final = 1024

# How many methods of servers are remembered: that they answer, or never do.
MAX_METHODS: Final = 4096

# How many oneway calls of a connection are remembered, in case that they are answered.
MAX_ONEWAY: Final = 64


def bare_method(method: str) -> str:
    """The method without the service that a multiplexed call puts before it.

    >>> bare_method("Calculator:add")
    'add'
    """
    return method.rpartition(":")[2]


class _Talk:
    """What is under way on one connection.

    ``waiting`` holds calls without a reply by their seqid, in order; ``read_to`` is where the
    server's last message ended in its stream, ``hole`` the time of the last one before which
    bytes were missing (-1: none).  ``gave_up`` says when the client turned to its next
    call, ``misled`` which exchange's reply it read instead, both by the exchange's number;
    ``unread`` are replies that the next call will read; ``last`` was answered last.  ``closing``
    are exchanges whose reply came when the client had closed: how that went on will tell.
    ``newest`` is the latest call that was answered; ``overtakes``: a reply came before that to
    an earlier call.  ``hurried`` are exchanges that the client did not wait for, by number: its
    next call followed at once.  ``latest`` is its last call, ``oneway`` are those it sent as
    such, and ``posted`` those of them that HTTP may still answer.
    """

    __slots__ = (
        "closing",
        "count",
        "flow",
        "gave_up",
        "hole",
        "hurried",
        "last",
        "latest",
        "misled",
        "newest",
        "oneway",
        "orphans",
        "overtakes",
        "posted",
        "read_to",
        "unread",
        "waiting",
    )

    def __init__(self, flow: Flow | None) -> None:
        self.flow = flow
        self.waiting: dict[int, list[Exchange]] = {}
        self.count = 0
        self.orphans: list[Exchange] = []
        self.read_to = 0
        self.hole = -1
        self.last: Exchange | None = None
        self.gave_up: dict[int, int] = {}
        self.misled: dict[int, int] = {}
        self.unread: list[int] = []
        self.closing: list[Exchange] = []
        self.newest = 0
        self.overtakes = False
        self.hurried: set[int] = set()
        self.latest: Exchange | None = None
        self.oneway: list[Exchange] = []
        self.posted: list[Exchange] = []

    def forget(self, exchange: Exchange) -> None:
        number = exchange.number
        self.gave_up.pop(number, None)
        self.misled.pop(number, None)
        self.hurried.discard(number)


class Pairing:
    """Pairs the messages of all connections, and settles what became of each call.

    ``settled`` are exchanges whose outcome is final, in the order in which that was known: take
    them out (``take``).  What is not settled is what is remembered.
    """

    def __init__(self) -> None:
        self.settled: list[Exchange] = []
        self._count = 0
        self._talks: dict[int, _Talk] = {}
        # What servers were seen to do with a method: False, to pass over it; True, to answer.
        self._methods: dict[tuple[Endpoint, str], bool] = {}
        # Calls whose client closed at once, by connection, and their connections by method.
        self._doubtful: dict[int, list[Exchange]] = {}
        self._doubted: dict[tuple[Endpoint, str], list[int]] = {}

    @property
    def count(self) -> int:
        """How many exchanges there are so far."""
        return self._count

    def take(self) -> list[Exchange]:
        """Those that were settled since the last time."""
        settled = self.settled
        self.settled = []
        return settled

    def add(self, message: Message, flow: Flow | None = None) -> Exchange:
        """The exchange of ``message``: a new one, or the call's, now with its reply.

        ``flow`` is its connection; without it only messages tell.
        """
        talk = self._talks.get(message.flow)
        if talk is None:
            talk = self._talks[message.flow] = _Talk(flow)
        mtype = message.type
        if mtype is MessageType.REPLY or mtype is MessageType.EXCEPTION:
            return self._reply(talk, message)
        return self._call(talk, message)

    def end(self, flow: Flow) -> None:
        """A connection is over: what waits there will not be answered."""
        talk = self._talks.pop(flow.number, None)
        if talk is not None:
            self._end(talk, flow)

    def close(self, time: int = -1) -> None:
        """The capture is over; ``time`` is that of its last packet."""
        for talk in self._talks.values():
            self._end(talk, talk.flow, time, the_last=True)
        self._talks.clear()
        for flow in list(self._doubtful):
            self.forget(flow)

    def forget(self, flow: int) -> None:
        """Nothing more will be known of a connection that is over; ``flow`` is its number."""
        for exchange in self._doubtful.pop(flow, ()):
            self._settle(exchange, Outcome.CLOSED_BY_CLIENT)

    # ── A call ───────────────────────────────────────────────────────────────────────

    def _call(self, talk: _Talk, call: Message) -> Exchange:
        if talk.orphans:
            exchange = self._late_call(talk, call)
            if exchange is not None:
                return exchange
        self._count += 1
        exchange = Exchange(self._count, call)
        latest = talk.latest
        if (
            latest is not None
            and latest.call is not None
            and latest.reply is None
            and call.time - latest.call.time < HURRIED
            and len(talk.hurried) < MAX_WAITING
        ):
            talk.hurried.add(latest.number)
        if call.type is MessageType.ONEWAY:
            talk.latest = None
            talk.oneway.append(exchange)
            if len(talk.oneway) > MAX_ONEWAY:
                del talk.oneway[0]
            if call.transport.answers_always:
                # It has no reply, but HTTP answers it.
                talk.posted.append(exchange)
                if len(talk.posted) > MAX_ONEWAY:
                    self._settle_posted(talk.posted.pop(0))
            else:
                self._settle(exchange, Outcome.ONEWAY)
            return exchange
        talk.latest = exchange
        same = talk.waiting.get(call.seqid)
        if same is None:
            talk.waiting[call.seqid] = [exchange]
        else:
            before = same[-1]
            assert before.call is not None
            if call.time - before.call.time >= GAVE_UP and not call.transport.answers_always:
                talk.gave_up[before.number] = call.time
            same.append(exchange)
            if len(same) > MAX_SAME:
                self._drop(talk, call.seqid)
        if talk.unread:
            talk.misled[exchange.number] = talk.unread.pop(0)
        talk.count += 1
        if talk.count > MAX_WAITING:
            self._drop(talk, next(iter(talk.waiting)))
        return exchange

    def _late_call(self, talk: _Talk, call: Message) -> Exchange | None:
        """The exchange of a reply that came before its call was given out; None if it is
        another's.  Calls come in order: replies that are older than this one are without."""
        orphans = talk.orphans
        for at, exchange in enumerate(orphans):
            reply = exchange.reply
            assert reply is not None
            if call.type is MessageType.CALL and call.time <= reply.time and _answers(reply, call):
                del orphans[at]
                exchange.call = call
                self._settle(exchange, _answer(exchange, talk.flow))
                return exchange
        talk.orphans = []
        for exchange in orphans:
            assert exchange.reply is not None
            if exchange.reply.time < call.time:
                self._settle(exchange, Outcome.NO_CALL)
            else:
                talk.orphans.append(exchange)
        return None

    def _drop(self, talk: _Talk, seqid: int) -> None:
        """Too many wait: the oldest of that seqid does no more."""
        same = talk.waiting[seqid]
        oldest = same.pop(0)
        if not same:
            del talk.waiting[seqid]
        talk.count -= 1
        talk.forget(oldest)
        oldest.why = "too many calls of this connection wait"
        self._settle(oldest, Outcome.NO_REPLY)

    # ── A reply ──────────────────────────────────────────────────────────────────────

    def _reply(self, talk: _Talk, reply: Message) -> Exchange:
        is_behind_hole = reply.offset > talk.read_to and _may_miss(talk)
        if is_behind_hole:
            talk.hole = reply.time
        talk.read_to = max(talk.read_to, reply.offset + reply.size)
        seqid = reply.seqid
        same = talk.waiting.get(seqid)
        at = -1 if same is None else _place(same, reply, is_behind_hole)
        if at < 0 and talk.waiting and _is_nameless(reply) and not (seqid or is_behind_hole):
            # The server could not make out the header, and so it has no seqid of it either.
            same = min(talk.waiting.values(), key=_first_number)
            call = same[0].call
            assert call is not None
            at, seqid = 0, call.seqid
        if same is None or at < 0:
            return self._orphan(talk, reply)
        exchange = same[at]
        exchange.reply = reply
        last, talk.last = talk.last, exchange
        if at:
            for passed in same[:at]:
                self._pass_over(talk, passed, is_behind_hole)
        talk.count -= at + 1
        if len(same) == at + 1:
            del talk.waiting[seqid]
            same = []
        else:
            del same[: at + 1]
        if exchange.number < talk.newest:
            talk.overtakes = True
        else:
            talk.newest = exchange.number
        if talk.hurried:
            talk.hurried.discard(exchange.number)
        self._answered(reply.server, exchange.method)
        if (talk.gave_up or talk.misled) and self._is_late(talk, exchange, same):
            return exchange
        flow = talk.flow
        if flow is not None and 0 <= flow.from_client.fin <= reply.end_time:
            if _came_between(last, exchange):
                self._note_between(exchange, last)
            talk.closing.append(exchange)
        else:
            self._settle(exchange, _answer(exchange, flow))
        return exchange

    def _orphan(self, talk: _Talk, reply: Message) -> Exchange:
        self._count += 1
        exchange = Exchange(self._count, None, reply)
        for at in range(len(talk.oneway) - 1, -1, -1):
            call = talk.oneway[at].call
            if call is not None and _answers(reply, call):
                # The client does not read it now: its next call will.
                exchange.misled_by = talk.oneway[at].number
                exchange.why = f"a reply to the oneway call of exchange {talk.oneway[at].number}"
                if not reply.transport.answers_always and len(talk.unread) < MAX_WAITING:
                    self._leave_unread(talk, exchange)
                del talk.oneway[at]
                self._settle(exchange, Outcome.NO_CALL)
                return exchange
        talk.orphans.append(exchange)
        if len(talk.orphans) > MAX_ORPHANS:
            self._settle(talk.orphans.pop(0), Outcome.NO_CALL)
        return exchange

    def _pass_over(self, talk: _Talk, passed: Exchange, is_behind_hole: bool) -> None:
        """The server answered a later call with the same seqid."""
        call, flow = passed.call, talk.flow
        assert call is not None
        if self._settle_answered_by_http(passed):
            pass
        elif passed.number in talk.misled:
            self._settle(passed, Outcome.OUT_OF_SEQUENCE, talk.misled[passed.number])
        elif is_behind_hole:
            self._settle(passed, _missing(flow))
        elif (flow is not None and flow.protocol == UDP) or self._is_answered(call):
            passed.why = "a later call was answered"
            self._settle(passed, Outcome.NO_REPLY)
        else:
            self._settle_silent(passed)
        talk.forget(passed)

    def _answered(self, server: Endpoint, method: str) -> None:
        """A server has answered that method."""
        key = (server, bare_method(method))
        if key in self._methods or len(self._methods) < MAX_METHODS:
            self._methods[key] = True
        for exchange in self._no_doubt(key) if self._doubted else ():
            self._settle(exchange, Outcome.CLOSED_BY_CLIENT)

    def _doubt(self, exchange: Exchange, call: Message) -> None:
        """The client closed at once.  Did it fail, or does the method have no answer?  What the
        server does with it elsewhere may tell, until the connection is forgotten."""
        self._doubtful.setdefault(exchange.flow, []).append(exchange)
        key = (call.server, bare_method(call.method))
        self._doubted.setdefault(key, []).append(exchange.flow)
        if len(self._doubtful) > MAX_DOUBTFUL:
            self.forget(next(iter(self._doubtful)))
        if len(self._doubted) > MAX_DOUBTFUL:
            del self._doubted[next(iter(self._doubted))]

    def _no_doubt(self, key: tuple[Endpoint, str]) -> list[Exchange]:
        """The calls of a method of which it was not known whether it has an answer."""
        found: list[Exchange] = []
        for flow in self._doubted.pop(key, ()):
            left: list[Exchange] = []
            for one in self._doubtful.pop(flow, ()):
                call = one.call
                assert call is not None
                same = (call.server, bare_method(call.method)) == key
                (found if same else left).append(one)
            if left:
                self._doubtful[flow] = left
        return found

    def _is_answered(self, call: Message) -> bool:
        """Did the server ever answer that method?"""
        return self._methods.get((call.server, bare_method(call.method)), False)

    def _is_silent(self, call: Message) -> bool:
        """Did the server pass over that method, and never answer it?"""
        return not self._methods.get((call.server, bare_method(call.method)), True)

    def _is_late(self, talk: _Talk, exchange: Exchange, behind: list[Exchange]) -> bool:
        """Had the client turned to its next call?  Then that reads this reply; ``behind`` are
        the calls that wait for theirs."""
        reply, number = exchange.reply, exchange.number
        assert reply is not None
        misled_by = talk.misled.get(number, 0)
        turned = talk.gave_up.get(number, -1)
        is_late = 0 <= turned <= reply.end_time
        talk.forget(exchange)
        if not is_late and not misled_by:
            return False
        for reader in behind:
            assert reader.call is not None
            turned = talk.gave_up.get(reader.number, -1)
            if reader.number not in talk.misled and not 0 <= turned <= reply.end_time:
                talk.misled[reader.number] = number
                break
        else:
            if len(talk.unread) < MAX_WAITING:
                talk.unread.append(number)
        if misled_by:
            self._settle(exchange, Outcome.OUT_OF_SEQUENCE, misled_by)
        else:
            exchange.why = "the client had sent its next call"
            self._settle(exchange, Outcome.LATE)
        return True

    # ── The end ──────────────────────────────────────────────────────────────────────

    def _end(self, talk: _Talk, flow: Flow | None, time: int = -1, the_last: bool = False) -> None:
        left = talk.orphans + talk.closing + talk.posted
        for same in talk.waiting.values():
            left += same
        if len(left) > 1:
            left.sort(key=_by_number)
        for exchange in left:
            if exchange.call is None:
                self._settle(exchange, Outcome.NO_CALL)
            elif exchange.call.type is MessageType.ONEWAY:
                self._settle_posted(exchange)
            elif exchange.reply is not None:
                # A program that still reads acknowledges; for one that has closed, the system
                # resets the connection.
                assert flow is not None
                reply, client = exchange.reply, flow.from_client
                is_late = client.rst >= 0 and not (reply.cut and reply.time <= client.fin)
                if is_late:
                    exchange.why = exchange.why or "the client had closed the connection"
                    self._settle(exchange, Outcome.LATE)
                else:
                    exchange.misled_by, exchange.why = 0, ""
                    self._settle(exchange, _answer(exchange, flow))
            elif exchange.number in talk.misled:
                self._settle(exchange, Outcome.OUT_OF_SEQUENCE, talk.misled[exchange.number])
            else:
                exchange.ended = time
                self._unanswered(talk, exchange, exchange.call, flow, the_last)

    def _unanswered(
        self, talk: _Talk, exchange: Exchange, call: Message, flow: Flow | None, the_last: bool
    ) -> None:
        if self._settle_answered_by_http(exchange):
            return
        if self._is_silent(call):
            self._settle_silent(exchange)
            return
        if flow is None:
            self._settle(exchange, Outcome.WAITING)
            return
        exchange.ended = max(exchange.ended, flow.last)
        server, client = flow.from_server, flow.from_client
        if server.seen < 0 and flow.protocol != UDP:
            exchange.ended = -1
            exchange.why = "only what the client sends was captured"
            self._settle(exchange, Outcome.LOST)
            return
        begun = flow.received - talk.read_to
        if the_last and 0 < begun <= BEGUN and server.fin < 0 and server.rst < 0:
            exchange.why = "a reply had begun when the capture ended"
            self._settle(exchange, Outcome.WAITING)
            return
        is_missing = flow.received > talk.read_to and (server.unseen or server.last >= call.time)
        if is_missing or talk.hole >= call.time:
            self._settle(exchange, _missing(flow))
            return
        in_order = exchange.number < talk.newest and not talk.overtakes and not server.lost
        if in_order and not self._is_answered(call):
            self._passed_in_order(talk, exchange)
            return
        if 0 <= server.fin < call.time or 0 <= server.rst < call.time:
            exchange.ended = call.time
            exchange.why = "it had closed before the call was sent"
            self._settle(exchange, Outcome.CLOSED_BY_SERVER)
            return
        outcome = Outcome.WAITING
        ended = -1
        for time, what in (
            (server.fin, Outcome.CLOSED_BY_SERVER),
            (server.rst, Outcome.RESET_BY_SERVER),
            (client.fin, Outcome.CLOSED_BY_CLIENT),
            (client.rst, Outcome.RESET_BY_CLIENT),
        ):
            if time >= 0 and (ended < 0 or time < ended):
                outcome, ended = what, time
        if ended >= 0:
            exchange.ended = ended
            if ended in (client.fin, client.rst) and _came_between(talk.last, exchange):
                self._note_between(exchange, talk.last)
            elif (
                outcome is Outcome.CLOSED_BY_CLIENT
                and ended - call.end_time < HURRIED
                and not self._is_answered(call)
            ):
                self._doubt(exchange, call)
                return
        elif not the_last:
            exchange.why = "the client's port was used again"
            outcome = Outcome.NO_REPLY
        self._settle(exchange, outcome)

    def _note_between(self, exchange: Exchange, last: Exchange | None) -> None:
        assert last is not None
        exchange.misled_by = last.number
        exchange.why = f"exchange {last.number}'s reply came late: it may have been read as this"

    def _passed_in_order(self, talk: _Talk, exchange: Exchange) -> None:
        """A server that answers in order has answered a later call, with another seqid, and never
        this method."""
        if exchange.number in talk.hurried:
            self._settle_silent(exchange)
            return
        exchange.why = "later calls were answered: a oneway method, or the client had given up"
        self._settle(exchange, Outcome.NO_REPLY)

    # ── Settled ──────────────────────────────────────────────────────────────────────

    def _settle(self, exchange: Exchange, outcome: Outcome, misled_by: int = 0) -> None:
        exchange.fate = outcome
        if misled_by:
            exchange.misled_by = misled_by
            exchange.why = f"the client read exchange {misled_by}'s reply"
        self.settled.append(exchange)

    def _settle_silent(self, exchange: Exchange) -> None:
        call = exchange.call
        assert call is not None
        if len(self._methods) < MAX_METHODS:
            self._methods[call.server, bare_method(call.method)] = False
        exchange.ended = -1  # nobody waited
        exchange.why = "sent as CALL, and never answered"
        self._settle(exchange, Outcome.ONEWAY)
        key = (call.server, bare_method(call.method))
        for other in self._no_doubt(key) if self._doubted else ():
            self._settle_silent(other)

    def _settle_posted(self, exchange: Exchange) -> None:
        """A oneway call by HTTP: by now it was answered, or never will be."""
        assert exchange.call is not None
        response = exchange.call.response
        if response is None:
            exchange.why = "HTTP never answered it"
        elif not response.is_good:
            exchange.ended = response.time
            self._settle(exchange, Outcome.APPLICATION_EXCEPTION)
            return
        self._settle(exchange, Outcome.ONEWAY)

    def _settle_answered_by_http(self, exchange: Exchange) -> bool:
        """HTTP answered a call, and no message was in the answer."""
        call = exchange.call
        response = None if call is None else call.response
        if call is None or response is None:
            return False
        exchange.ended = response.time
        if not response.is_good:
            self._settle(exchange, Outcome.APPLICATION_EXCEPTION)
        elif not response.size and not self._is_answered(call):
            # So it is with oneway methods that were sent as CALL.
            exchange.ended = -1
            exchange.why = f"sent as CALL, and {response} had no message for it"
            self._settle(exchange, Outcome.ONEWAY)
        else:
            exchange.why = f"{response}, {response.size} bytes that are no message"
            self._settle(exchange, Outcome.UNREADABLE)
        return True

    def _leave_unread(self, talk: _Talk, reply: Exchange) -> None:
        """A reply that nobody waits for: whoever waits now reads it, or else the next call."""
        for same in talk.waiting.values():
            for reader in same:
                if reader.number not in talk.misled:
                    talk.misled[reader.number] = reply.number
                    return
        talk.unread.append(reply.number)


def _by_number(exchange: Exchange) -> int:
    return exchange.number


def _first_number(same: list[Exchange]) -> int:
    return same[0].number


def _is_nameless(reply: Message) -> bool:
    return reply.type is MessageType.EXCEPTION and not reply.method


def _is_before(time: int, other: int) -> bool:
    return other < 0 or time <= other


def _came_between(last: Exchange | None, exchange: Exchange) -> bool:
    """Did a reply to an earlier call come while the client waited for this one's?"""
    if last is None or last.reply is None or exchange.call is None:
        return False
    call = exchange.call
    assert last.call is not None
    return (
        last.number < exchange.number
        and call.time - last.call.time >= GAVE_UP
        and last.reply.end_time >= call.time
    )


def _may_miss(talk: _Talk) -> bool:
    """Were there messages before the server's first, or did the capture lose bytes of it?  Else
    what stands before its first message is a negotiation, or was skipped on the way in."""
    flow = talk.flow
    return talk.read_to > 0 or flow is None or flow.from_server.lost > 0


def _answer(exchange: Exchange, flow: Flow | None) -> Outcome:
    """What the reply says; LOST where that is in bytes that the capture lost.  Of one that was not
    sent to its end, who ended it says more: the capture, or a client that took no more of it."""
    reply = exchange.reply
    assert reply is not None
    if reply.cut in (CUT_CLOSED, CUT_ENDED) and flow is not None:
        client, server = flow.from_client, flow.from_server
        for time, outcome in (
            (client.fin, Outcome.CLOSED_BY_CLIENT),
            (client.rst, Outcome.RESET_BY_CLIENT),
        ):
            if time >= reply.time and _is_before(time, server.fin) and _is_before(time, server.rst):
                exchange.ended = time
                exchange.why = "in the midst of the reply"
                return outcome
        if reply.cut == CUT_CLOSED or max(server.fin, server.rst) >= 0:
            return Outcome.UNREADABLE
        exchange.why = "a reply had begun when the capture ended"
        return Outcome.WAITING
    answer = exchange.answer
    if answer is Outcome.UNREADABLE and flow is not None and flow.from_server.lost:
        return Outcome.LOST
    return answer


def _missing(flow: Flow | None) -> Outcome:
    """What the outcome is where bytes of the server made no message."""
    is_lost = flow is None or flow.from_server.lost > 0
    return Outcome.LOST if is_lost else Outcome.UNREADABLE


def _place(same: list[Exchange], reply: Message, is_behind_hole: bool) -> int:
    """Which of the calls with its seqid a reply is for; -1: none of them."""
    found = -1
    for at, exchange in enumerate(same):
        call = exchange.call
        assert call is not None
        if call.response is not None or not _answers(reply, call):
            continue  # HTTP has answered it, without a message; or it is another's
        if not is_behind_hole:
            return at
        # Replies are missing before this one: it is for the last call that was sent before it.
        if found >= 0 and call.time > reply.time:
            break
        found = at
    return found


def _answers(reply: Message, call: Message) -> bool:
    if reply.seqid != call.seqid:
        return False
    if reply.method == call.method or reply.method == bare_method(call.method):
        return True
    # A server that could not make out the method answers without its name.
    return _is_nameless(reply)
