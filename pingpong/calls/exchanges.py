"""Messages → exchanges: a call with its reply, and how it ended.

On one connection, a reply belongs to the oldest call without one that has the same seqid
and the same method.  Order alone is not enough (servers may answer out of order, and old
libraries send oneway methods as CALL, which nothing answers); nor is the seqid alone
(thriftpy2 sends 0 in every call).  A multiplexed call says ``Service:method``, its reply
just ``method``.

What became of a call is settled when its reply comes, or when it is clear that none will:

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
    │◀───── reply b │   other seqids: a server that answers in order has passed over a here too.
    │── FIN ────────│     a: ONEWAY, if the client did not wait for it, or nobody ever got a reply

A client that has several calls under way gives each its own seqid, or writes them in one go.
So it has given up on a call if it sends the next one with the same seqid a millisecond later
or more.  This is not so for HTTP, where answers come in the order of the requests.  If the seqids
differ, nothing tells a client that gave up from one that has several calls under way: if it then
closes without a reply, that gets a remark and no more.

A method is silent if a server passed over it, no byte of the server was missing there, and it has
never answered that method.  After one answer it is silent no more.

A call may be given out after its reply: when bytes before it were lost, and only the end of the
capture made that certain.  So replies without a call are remembered until a later call shows that
theirs will not come.

Where each call has an id of its own (HTTP/2's streams, Dubbo's request ids; see
``Carrier.has_ids``), none of this has to be guessed: who called, and the id, are enough.  A reply
may overtake others, and a server that has not answered may do so yet.  Either end may be the one
that calls, so two calls may have the same id.

The Pipeline asks in step with its packets, so that what is known of a connection at that point
does not depend on how the file is read: see ``Pipeline``.
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
    Half,
    Message,
    MessageType,
    Outcome,
)

__all__ = ["GAVE_UP", "HURRIED", "Pairing", "bare_method"]

# Shorter than any timeout: a client that sends its next call sooner did not wait for this one (ns).
HURRIED: Final = 10_000_000

# Longer than it takes to write several calls in one go: a client that cannot tell two replies
# apart has given up on a call if it sends the next one later than that (ns).
GAVE_UP: Final = 1_000_000

# How many calls may wait to see what the server does with their method elsewhere.
MAX_DOUBTFUL: Final = 1024

# So few bytes may be the beginning of anything: nobody can say what they are.
BEGUN: Final = 8

# How many calls of a connection may wait, how many of them with the same seqid, and how many
# replies may be without a call.  Beyond that, the oldest is settled.
MAX_WAITING: Final = 4096
MAX_SAME: Final = 1024
MAX_ORPHANS: Final = 1024

# For how many methods of servers it is remembered whether they answer.
MAX_METHODS: Final = 4096

# How many calls of a connection are remembered that were ended before they were answered.
MAX_PAST: Final = 64

# How many oneway calls of a connection are remembered, in case they are answered.
MAX_ONEWAY: Final = 64


def bare_method(method: str) -> str:
    """The method's name without the service that a multiplexed call puts before it.

    >>> bare_method("Calculator:add")
    'add'
    """
    return method.rpartition(":")[2]


class _Pending:
    """What is under way on one connection.

    The dicts and sets of numbers are about exchanges, by their numbers.

    - ``waiting``: calls without a reply, by seqid, in order; ``count`` is how many there are.
    - ``orphans``: replies without a call; ``acked``: how far their sender had acknowledged bytes
      that the capture brings only later, a call of them perhaps.
    - ``read_to``: where the server's last message ended in its stream; ``hole``: the time of its
      last message before which bytes were missing (-1: none); ``is_unsure``: since then it is not
      known which calls of HTTP/1 are answered.  ``heard``: how many bytes of the server's the
      client of such a call had got when it sent it.
    - ``gave_up``: when the client turned to its next call; ``misled``: the exchange whose reply it
      read instead of its own; ``unread``: replies that the next calls will read.
    - ``last``: the exchange that was answered last; ``newest``: the latest call that was answered;
      ``overtakes``: a later call was answered before an earlier one.
    - ``closing``: exchanges whose reply came after the client had closed; what follows will tell
      whether it was read.
    - ``hurried``: calls that the client did not wait for, because its next call followed at once;
      ``latest``: its last call, None after a oneway one.
    - ``oneway``: calls that were sent as such; ``posted``: those that HTTP may still answer.
    - ``by_id``: calls that have an id of their own, and streams, by that and by who called;
      ``past``: those that were ended before they were answered.  What still comes is theirs.
    """

    __slots__ = (
        "acked",
        "by_id",
        "closing",
        "count",
        "flow",
        "gave_up",
        "heard",
        "hole",
        "hurried",
        "is_unsure",
        "last",
        "latest",
        "misled",
        "newest",
        "oneway",
        "orphans",
        "overtakes",
        "past",
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
        self.acked: dict[int, int] = {}
        self.read_to = 0
        self.hole = -1
        self.is_unsure = False
        self.heard: dict[int, int] = {}
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
        self.by_id: dict[tuple[int, bool], Exchange] = {}
        self.past: dict[tuple[int, bool], Exchange] = {}

    def forget(self, exchange: Exchange) -> None:
        """Drop what is kept by the number of an exchange, which waits no more."""
        number = exchange.number
        self.gave_up.pop(number, None)
        self.misled.pop(number, None)
        self.heard.pop(number, None)
        self.hurried.discard(number)

    def add_orphan(self, exchange: Exchange, reply: Message) -> Exchange | None:
        """Keep a reply until its call comes; returns the oldest one if that is one too many."""
        self.orphans.append(exchange)
        flow = self.flow
        if flow is not None:
            ends = (flow.from_client, flow.sent), (flow.from_server, flow.received)
            caller, seen = ends[reply.from_client]
            if caller.acked > seen:
                self.acked[exchange.number] = caller.acked
        if len(self.orphans) <= MAX_ORPHANS:
            return None
        self.acked.pop(self.orphans[0].number, None)
        return self.orphans.pop(0)

    def is_later(self, exchange: Exchange, call: Message) -> bool:
        """Whether a call was sent before an orphan, though it was captured behind it.

        Either the times say so, or the sender of the reply had acknowledged the call's beginning.
        """
        reply = exchange.reply
        assert reply is not None
        if call.time <= reply.time:
            return True
        return 0 <= call.offset < self.acked.get(exchange.number, -1)


class Pairing:
    """Pairs the messages of all connections, and settles what became of each call.

    ``settled`` holds the exchanges whose outcome is final, in the order in which that became
    known; ``take`` takes them out.  Only what is not settled is remembered.

    Without ``keeps_bytes``, for those who look at no values, messages drop their bytes: a call may
    have 16 MB, and wait for long.  Those that wait do so at the second ``take`` after they came,
    and an exchange at the ``take`` after the one that gave it out: until then they can be read.
    """

    def __init__(self, keeps_bytes: bool = True) -> None:
        self.settled: list[Exchange] = []
        self._keeps_bytes = keeps_bytes
        self._taken: list[Exchange] = []  # settled, and given out last time
        self._waiting: list[Exchange] = []  # calls and replies from before the last time
        self._new: list[Exchange] = []  # and since then
        self._count = 0
        self._pending: dict[int, _Pending] = {}
        # What servers were seen to do with a method.  True: to answer it; False: to pass over it.
        self._methods: dict[tuple[Endpoint, str], bool] = {}
        # Calls whose client closed at once, by connection, and their connections by method.
        self._doubtful: dict[int, list[Exchange]] = {}
        self._doubted: dict[tuple[Endpoint, str], list[int]] = {}

    @property
    def count(self) -> int:
        """How many exchanges there are so far, settled or not."""
        return self._count

    def take(self) -> list[Exchange]:
        """The exchanges that were settled since the last time, which are then no longer kept."""
        settled = self.settled
        self.settled = []
        if not self._keeps_bytes:
            for exchange in self._waiting:
                _let_go_of_first(exchange)
            self._waiting, self._new = self._new, []
            for exchange in self._taken:
                exchange.let_go()
            self._taken = settled
        return settled

    def add(self, message: Message, flow: Flow | None = None) -> Exchange:
        """The exchange of ``message``: a new one, or that of its call, which now has its reply.

        ``flow`` is the connection; without it, only messages say what became of a call.
        """
        pending = self._pending.get(message.flow)
        if pending is None:
            pending = self._pending[message.flow] = _Pending(flow)
        if message.transport.has_ids:
            return self._identified(pending, message)
        mtype = message.type
        if mtype is MessageType.REPLY or mtype is MessageType.EXCEPTION:
            return self._reply(pending, message)
        return self._call(pending, message)

    def note_event(self, flow: Flow, read_to: int) -> None:
        """Take note of what a server said that is no reply: an event, up to ``read_to``."""
        pending = self._pending.get(flow.number)
        if pending is None:
            pending = self._pending[flow.number] = _Pending(flow)
        pending.read_to = max(pending.read_to, read_to)

    def end(self, flow: Flow) -> None:
        """Settle what waits on a connection that is over: it will not be answered."""
        pending = self._pending.pop(flow.number, None)
        if pending is not None:
            self._end(pending, flow)

    def leave(self, flow: Flow, time: int) -> None:
        """Settle what waits on a connection that is given up though it is not over.

        As at the capture's end; ``time`` is that of the last packet.
        """
        pending = self._pending.pop(flow.number, None)
        if pending is not None:
            self._end(pending, flow, time, the_last=True)

    def close(self, time: int = -1) -> None:
        """Settle everything at the end of the capture; ``time`` is that of its last packet."""
        for pending in self._pending.values():
            self._end(pending, pending.flow, time, the_last=True)
        self._pending.clear()
        for flow in list(self._doubtful):
            self.forget(flow)

    def forget(self, flow: int) -> None:
        """Settle what was in doubt on a connection that is over; ``flow`` is its number."""
        for exchange in self._doubtful.pop(flow, ()):
            self._settle(exchange, Outcome.CLOSED_BY_CLIENT)

    # ── Calls with ids of their own ──────────────────────────────────────────────────

    def _identified(self, pending: _Pending, message: Message) -> Exchange:
        mtype, by_id, seqid = message.type, pending.by_id, message.seqid
        if not message.from_client and mtype is not MessageType.EVENT:
            flow = pending.flow
            if flow is not None and not message.transport.is_woven:
                is_behind = message.offset > pending.read_to and flow.from_server.lost > 0
                if is_behind or (not seqid and _skipped(flow)):
                    pending.hole = message.time
            pending.read_to = max(pending.read_to, message.offset + message.size)
        if mtype is MessageType.CALL:
            return self._identified_call(pending, message)
        if mtype is MessageType.ONEWAY:
            known = self._take_orphan(pending, message)
            if known is not None:
                known.call = message
                part, known.reply = known.reply, None
                if part is not None:
                    known.add_part(part)
                self._remember(pending, (seqid, message.from_client), known)
                self._settle(known, Outcome.ONEWAY)
                return known
            exchange = self._begun(message)
            self._settle(exchange, Outcome.ONEWAY)
            # Some servers (motan-go) answer all the same.
            pending.past[(seqid, message.from_client)] = exchange
            if len(pending.past) > MAX_PAST:
                del pending.past[next(iter(pending.past))]
            return exchange
        if mtype is MessageType.REPLY or mtype is MessageType.EXCEPTION:
            key = (seqid, not message.from_client)
            known = by_id.pop(key, None)
            past = pending.past.get(key)
            if known is None and past is not None and past.reply is None:
                # It stays there: more of it may be under way.
                known = past
                known.add_part(message)
                return known
            if known is None:
                early = by_id.get((seqid, message.from_client))
                if early is not None and early.call is None:
                    known = by_id.pop((seqid, message.from_client))
            if known is None:
                known = self._begun(message)
            part, known.reply = known.reply, message
            if part is not None and part is not message:
                known.add_part(part)  # it represented its stream until now
            known.why = message.end
            if known.call is not None:
                self._remember(pending, key, known)
                self._settle(known, _answer(known, pending.flow))
                return known
            self._wait_for_call(pending, known, message)
            return known
        key = (seqid, message.from_client)
        turned = (seqid, not message.from_client)
        if key not in by_id and (
            mtype is MessageType.EVENT
            or turned in by_id
            or (turned in pending.past and key not in pending.past)
        ):
            key = turned
        known = by_id.get(key) or pending.past.get(key)
        if mtype is MessageType.EVENT:
            # It ends a call without a reply.
            if known is None or key not in by_id:
                return Exchange(0, message)
            self._remember(pending, key, by_id.pop(key))
            known.ended = message.time
            known.why = message.end
            known.parts_in_time = known.parts_received
            by_client = message.from_client
            if known.call is not None and by_client == known.call.from_client:
                known.why += _deadline(known.call)
            ended = Outcome.RESET_BY_CLIENT if by_client else Outcome.RESET_BY_SERVER
            self._settle(known, ended if known.call is not None else Outcome.NO_CALL)
            return known
        if known is None:
            # A stream whose call was not captured; its end will take the part's place.
            known = self._begun(message)
            by_id[key] = known
            return known
        known.add_part(message)
        return known

    def _remember(self, pending: _Pending, key: tuple[int, bool], exchange: Exchange) -> None:
        """Remember an ended exchange: parts of a stream may come when its call is over."""
        pending.past[key] = exchange
        if len(pending.past) > MAX_PAST:
            del pending.past[next(iter(pending.past))]

    def _begun(self, message: Message) -> Exchange:
        self._count += 1
        is_call = message.type is MessageType.CALL or message.type is MessageType.ONEWAY
        exchange = Exchange(self._count, message if is_call else None, None if is_call else message)
        if not self._keeps_bytes:
            self._new.append(exchange)
        return exchange

    def _identified_call(self, pending: _Pending, call: Message) -> Exchange:
        key = (call.seqid, call.from_client)
        late = self._take_orphan(pending, call)
        if late is not None:
            late.call = call
            self._remember(pending, key, late)
            self._settle(late, _answer(late, pending.flow))
            return late
        early = pending.by_id.get((call.seqid, not call.from_client))
        part = None if early is None or early.call is not None else early.reply
        if early is not None and part is not None and call.time <= part.time:
            # Its answer was read first, since this direction could only be read later.
            del pending.by_id[call.seqid, not call.from_client]
            early.call, early.reply = call, None
            early.add_part(part)
            pending.by_id[key] = early
            return early
        before = pending.by_id.pop(key, None)
        if before is not None:
            before.why = "its id was used for a new call"
            self._settle(before, Outcome.NO_REPLY if before.call else Outcome.NO_CALL)
        elif len(pending.by_id) >= MAX_WAITING:
            oldest = pending.by_id.pop(next(iter(pending.by_id)))
            oldest.why = "too many calls of this connection wait"
            self._settle(oldest, Outcome.NO_REPLY if oldest.call else Outcome.NO_CALL)
        exchange = pending.by_id[key] = self._begun(call)
        return exchange

    def _take_orphan(self, pending: _Pending, call: Message) -> Exchange | None:
        """The reply with that id, if it was captured before this call, which was sent before it."""
        for at, one in enumerate(pending.orphans):
            reply = one.reply
            assert reply is not None
            same = reply.seqid == call.seqid and reply.from_client != call.from_client
            if same and pending.is_later(one, call):
                del pending.orphans[at]
                pending.acked.pop(one.number, None)
                return one
        return None

    # ── A call ───────────────────────────────────────────────────────────────────────

    def _call(self, pending: _Pending, call: Message) -> Exchange:
        latest = pending.latest
        if (
            latest is not None
            and latest.call is not None
            and latest.reply is None
            and call.time - latest.call.time < HURRIED
            and len(pending.hurried) < MAX_WAITING
        ):
            pending.hurried.add(latest.number)
        if pending.orphans:
            exchange = self._late_call(pending, call)
            if exchange is not None:
                return exchange
        self._count += 1
        exchange = Exchange(self._count, call)
        if not self._keeps_bytes:
            self._new.append(exchange)
        if call.type is MessageType.ONEWAY:
            pending.latest = None
            pending.oneway.append(exchange)
            if len(pending.oneway) > MAX_ONEWAY:
                del pending.oneway[0]
            for orphan in [one for one in pending.orphans if pending.is_later(one, call)]:
                assert orphan.reply is not None
                if self._answers_oneway(pending, orphan, orphan.reply):
                    pending.acked.pop(orphan.number, None)
                    pending.orphans.remove(orphan)
            if call.transport.answers_always:
                # No message will answer it, but HTTP will.
                pending.posted.append(exchange)
                if len(pending.posted) > MAX_ONEWAY:
                    self._settle_posted(pending.posted.pop(0))
            else:
                self._settle(exchange, Outcome.ONEWAY)
            return exchange
        pending.latest = exchange
        flow = pending.flow
        if call.transport.answers_always and flow is not None:
            pending.heard[exchange.number] = max(flow.from_server.acked, flow.received)
        same = pending.waiting.get(call.seqid)
        if same is None:
            pending.waiting[call.seqid] = [exchange]
        else:
            before = same[-1]
            assert before.call is not None
            if call.time - before.call.time >= GAVE_UP and not call.transport.answers_always:
                pending.gave_up[before.number] = call.time
            same.append(exchange)
            if len(same) > MAX_SAME:
                self._drop(pending, call.seqid)
        if pending.unread:
            pending.misled[exchange.number] = pending.unread.pop(0)
        pending.count += 1
        if pending.count > MAX_WAITING:
            self._drop(pending, next(iter(pending.waiting)))
        return exchange

    def _late_call(self, pending: _Pending, call: Message) -> Exchange | None:
        """The exchange whose reply was given out before this call; None if there is none.

        Calls come in order: a reply without a call that is older than this call will not get one.
        """
        orphans = pending.orphans
        for at, exchange in enumerate(orphans):
            reply = exchange.reply
            assert reply is not None
            is_its = call.type is MessageType.CALL and _answers(reply, call)
            if is_its and pending.is_later(exchange, call):
                del orphans[at]
                pending.acked.pop(exchange.number, None)
                exchange.call = call
                pending.latest = None
                before = pending.waiting.pop(call.seqid, [])
                pending.count -= len(before)
                for passed in before:
                    self._pass_over(pending, passed, False)
                self._note_answered(pending, exchange, reply)
                self._settle(exchange, _answer(exchange, pending.flow))
                return exchange
        pending.orphans = []
        for exchange in orphans:
            if pending.is_later(exchange, call):
                pending.orphans.append(exchange)
            else:
                pending.acked.pop(exchange.number, None)
                self._settle(exchange, Outcome.NO_CALL)
        return None

    def _drop(self, pending: _Pending, seqid: int) -> None:
        """Settle the oldest call of that seqid, because too many wait."""
        same = pending.waiting[seqid]
        oldest = same.pop(0)
        if not same:
            del pending.waiting[seqid]
        pending.count -= 1
        pending.forget(oldest)
        oldest.why = "too many calls of this connection wait"
        self._settle(oldest, Outcome.NO_REPLY)

    # ── A reply ──────────────────────────────────────────────────────────────────────

    def _reply(self, pending: _Pending, reply: Message) -> Exchange:
        is_after_hole = _is_after_hole(pending, reply)
        if is_after_hole:
            pending.hole = reply.time
        is_after_hole = is_after_hole or pending.is_unsure
        pending.read_to = max(pending.read_to, reply.offset + reply.size)
        seqid = reply.seqid
        same = pending.waiting.get(seqid)
        at = -1 if same is None else _place(same, reply, is_after_hole)
        if at < 0 and pending.waiting and _is_nameless(reply) and not (seqid or is_after_hole):
            # The server could not make out the header, and so does not know its seqid either.
            same = min(pending.waiting.values(), key=_first_number)
            call = same[0].call
            assert call is not None
            at, seqid = 0, call.seqid
        if same is None or at < 0:
            return self._orphan(pending, reply)
        if is_after_hole and reply.transport.answers_always:
            surely = _lowest(same, at, pending.heard)
            pending.is_unsure = surely < at
            if pending.is_unsure:
                # It is not known which of them this answers; the next answers a later one.
                for passed in same[: surely + 1]:
                    self._pass_over(pending, passed, True)
                del same[: surely + 1]
                pending.count -= surely + 1
                return self._orphan(pending, reply)
        exchange = same[at]
        exchange.reply = reply
        last, pending.last = pending.last, exchange
        if at:
            for passed in same[:at]:
                self._pass_over(pending, passed, is_after_hole)
        pending.count -= at + 1
        if len(same) == at + 1:
            del pending.waiting[seqid]
            same = []
        else:
            del same[: at + 1]
        self._note_answered(pending, exchange, reply)
        if (pending.gave_up or pending.misled) and self._is_late(pending, exchange, same):
            return exchange
        flow = pending.flow
        if flow is not None and 0 <= flow.from_client.fin <= reply.end_time:
            if _came_between(last, exchange):
                self._note_between(exchange, last)
            pending.closing.append(exchange)
        else:
            self._settle(exchange, _answer(exchange, flow))
        return exchange

    def _note_answered(self, pending: _Pending, exchange: Exchange, reply: Message) -> None:
        """Record what a reply says about the server: in which order it answers, and what."""
        if exchange.number < pending.newest:
            pending.overtakes = True
        else:
            pending.newest = exchange.number
        if pending.hurried:
            pending.hurried.discard(exchange.number)
        if pending.heard:
            pending.heard.pop(exchange.number, None)
        self._answered(reply.server, exchange.method)

    def _orphan(self, pending: _Pending, reply: Message) -> Exchange:
        self._count += 1
        exchange = Exchange(self._count, None, reply)
        if self._answers_oneway(pending, exchange, reply):
            return exchange
        if not self._keeps_bytes:
            self._new.append(exchange)
        self._wait_for_call(pending, exchange, reply)
        return exchange

    def _answers_oneway(self, pending: _Pending, exchange: Exchange, reply: Message) -> bool:
        """Settle a reply to a oneway call; False if it is none."""
        for at in range(len(pending.oneway) - 1, -1, -1):
            call = pending.oneway[at].call
            if call is not None and _answers(reply, call):
                # The client does not read it now: its next call will do so.
                exchange.misled_by = pending.oneway[at].number
                exchange.why = f"a reply to the oneway call of exchange {pending.oneway[at].number}"
                if not reply.transport.answers_always and len(pending.unread) < MAX_WAITING:
                    self._leave_unread(pending, exchange)
                del pending.oneway[at]
                self._settle(exchange, Outcome.NO_CALL)
                return True
        return False

    def _wait_for_call(self, pending: _Pending, exchange: Exchange, reply: Message) -> None:
        oldest = pending.add_orphan(exchange, reply)
        if oldest is not None:
            self._settle(oldest, Outcome.NO_CALL)

    def _pass_over(self, pending: _Pending, passed: Exchange, is_after_hole: bool) -> None:
        """Settle a call after the server has answered a later one with the same seqid."""
        call, flow = passed.call, pending.flow
        assert call is not None
        if self._settle_answered_by_http(passed):
            pass
        elif passed.number in pending.misled:
            self._settle(passed, Outcome.OUT_OF_SEQUENCE, pending.misled[passed.number])
        elif is_after_hole:
            self._settle(passed, _missing(passed, flow))
        elif (flow is not None and flow.protocol == UDP) or self._is_answered(call):
            passed.why = "a later call was answered"
            self._settle(passed, Outcome.NO_REPLY)
        else:
            self._settle_silent(passed)
        pending.forget(passed)

    def _answered(self, server: Endpoint, method: str) -> None:
        """Record that a server has answered that method."""
        key = (server, bare_method(method))
        if key in self._methods or len(self._methods) < MAX_METHODS:
            self._methods[key] = True
        for exchange in self._no_doubt(key) if self._doubted else ():
            self._settle(exchange, Outcome.CLOSED_BY_CLIENT)

    def _doubt(self, exchange: Exchange, call: Message) -> None:
        """Leave a call in doubt whose client closed at once, until its connection is forgotten.

        Did the client fail, or does the method have no answer?  What the server does with it
        elsewhere may tell.
        """
        self._doubtful.setdefault(exchange.flow, []).append(exchange)
        key = (call.server, bare_method(call.method))
        self._doubted.setdefault(key, []).append(exchange.flow)
        if len(self._doubtful) > MAX_DOUBTFUL:
            self.forget(next(iter(self._doubtful)))
        if len(self._doubted) > MAX_DOUBTFUL:
            del self._doubted[next(iter(self._doubted))]

    def _no_doubt(self, key: tuple[Endpoint, str]) -> list[Exchange]:
        """Take out the calls of that method that were in doubt."""
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
        """Whether the server ever answered that method."""
        return self._methods.get((call.server, bare_method(call.method)), False)

    def _is_silent(self, call: Message) -> bool:
        """Whether the server passed over that method, and never answered it."""
        return not self._methods.get((call.server, bare_method(call.method)), True)

    def _is_late(self, pending: _Pending, exchange: Exchange, later: list[Exchange]) -> bool:
        """Whether the client had turned to its next call; then that one reads this reply.

        ``later`` are the calls after it that still wait for their replies.
        """
        reply, number = exchange.reply, exchange.number
        assert reply is not None
        misled_by = pending.misled.get(number, 0)
        turned = pending.gave_up.get(number, -1)
        is_late = 0 <= turned <= reply.end_time
        pending.forget(exchange)
        if not is_late and not misled_by:
            return False
        for reader in later:
            assert reader.call is not None
            turned = pending.gave_up.get(reader.number, -1)
            if reader.number not in pending.misled and not 0 <= turned <= reply.end_time:
                pending.misled[reader.number] = number
                break
        else:
            if len(pending.unread) < MAX_WAITING:
                pending.unread.append(number)
        if misled_by:
            self._settle(exchange, Outcome.OUT_OF_SEQUENCE, misled_by)
        else:
            exchange.why = "the client had sent its next call"
            self._settle(exchange, Outcome.LATE)
        return True

    # ── The end ──────────────────────────────────────────────────────────────────────

    def _end(
        self, pending: _Pending, flow: Flow | None, time: int = -1, the_last: bool = False
    ) -> None:
        left = pending.orphans + pending.closing + pending.posted
        for same in pending.waiting.values():
            left += same
        left += pending.by_id.values()
        if len(left) > 1:
            left.sort(key=_by_number)
        for exchange in left:
            if exchange.call is None:
                if flow is not None and flow.from_client.shut and not exchange.why:
                    exchange.why = _shut("client", flow.from_client)
                self._settle(exchange, Outcome.NO_CALL)
            elif exchange.call.type is MessageType.ONEWAY:
                self._settle_posted(exchange)
            elif exchange.reply is not None:
                # If the program still reads, the reply is acknowledged.  If it has closed, the
                # system resets the connection.
                assert flow is not None
                reply, client = exchange.reply, flow.from_client
                is_late = client.rst >= 0 and not (reply.cut and reply.time <= client.fin)
                if is_late:
                    exchange.why = exchange.why or "the client had closed the connection"
                    self._settle(exchange, Outcome.LATE)
                else:
                    exchange.misled_by, exchange.why = 0, ""
                    self._settle(exchange, _answer(exchange, flow))
            elif exchange.number in pending.misled:
                self._settle(exchange, Outcome.OUT_OF_SEQUENCE, pending.misled[exchange.number])
            else:
                exchange.ended = time
                self._unanswered(pending, exchange, exchange.call, flow, the_last)

    def _unanswered(
        self,
        pending: _Pending,
        exchange: Exchange,
        call: Message,
        flow: Flow | None,
        the_last: bool,
    ) -> None:
        if self._settle_answered_by_http(exchange):
            return
        if self._is_silent(call) and not call.transport.has_ids:
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
        # What was read of the server's: its messages, and what it said for the connection itself.
        read_to = max(pending.read_to, server.told)
        begun = flow.received - read_to
        if the_last and 0 < begun <= BEGUN and server.fin < 0 and server.rst < 0:
            exchange.why = "a reply had begun when the capture ended"
            self._settle(exchange, Outcome.WAITING)
            return
        is_missing = flow.received > read_to and (server.unseen or server.last >= call.time)
        if is_missing or pending.hole >= call.time:
            self._settle(exchange, _missing(exchange, flow))
            return
        replying = server if call.from_client else client
        is_skipped = replying.skipped > 0 and call.time < replying.seen
        if is_skipped or (call.transport.has_ids and replying.lost):
            # Answers come in any order: it may have been in any of the bytes that are missing.
            exchange.ended = -1
            exchange.why = "the capture lost bytes that may have been its reply"
            self._settle(exchange, Outcome.LOST)
            return
        in_order = exchange.number < pending.newest and not pending.overtakes and not server.lacks
        if in_order and not call.transport.has_ids and not self._is_answered(call):
            self._passed_in_order(pending, exchange)
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
            if outcome in _BY_CLIENT and call.transport.has_ids:
                # Over HTTP/1 whoever waits no longer can only close.
                exchange.why = _deadline(call).removeprefix("; ")
            if ended in (client.fin, client.rst) and _came_between(pending.last, exchange):
                self._note_between(exchange, pending.last)
            elif (
                outcome is Outcome.CLOSED_BY_CLIENT
                and ended - call.end_time < HURRIED
                and not self._is_answered(call)
                and not call.transport.has_ids
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

    def _passed_in_order(self, pending: _Pending, exchange: Exchange) -> None:
        """Settle a call that a server that answers in order has passed over.

        The later call that it answered has another seqid, and it has never answered this method.
        """
        if exchange.number in pending.hurried:
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
        """Settle a oneway call by HTTP: it has been answered by now, or never will be."""
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
        """Settle a call that HTTP answered without a message; False if it did not."""
        call = exchange.call
        response = None if call is None else call.response
        if call is None or response is None:
            return False
        exchange.ended = response.time
        if not response.is_good:
            self._settle(exchange, Outcome.APPLICATION_EXCEPTION)
        elif not response.size and not self._is_answered(call):
            # This is what happens to oneway methods that were sent as CALL.
            exchange.ended = -1
            exchange.why = f"sent as CALL, and {response} had no message for it"
            self._settle(exchange, Outcome.ONEWAY)
        else:
            exchange.why = f"{response}, {response.size} bytes that are no message"
            self._settle(exchange, Outcome.UNREADABLE)
        return True

    def _leave_unread(self, pending: _Pending, reply: Exchange) -> None:
        """Note that an unexpected reply is read by a call that waits now, or else by the next."""
        for same in pending.waiting.values():
            for reader in same:
                if reader.number not in pending.misled:
                    pending.misled[reader.number] = reply.number
                    return
        pending.unread.append(reply.number)


_BY_CLIENT: Final = (Outcome.CLOSED_BY_CLIENT, Outcome.RESET_BY_CLIENT)


def _deadline(call: Message) -> str:
    """Return, as words to append, how long a caller that gave up had said that it would wait."""
    patience = call.family.patience(call)
    if patience < 0:
        return ""
    unit, word = (1_000_000, "ms") if patience < 10_000_000_000 else (1_000_000_000, "s")
    return f"; its deadline was {patience / unit:g} {word}"


def _let_go_of_first(exchange: Exchange) -> None:
    """Let the bytes of an exchange's first message go; it may have the other one by now."""
    first, reply = exchange.first, exchange.reply
    if reply is None or reply.number > first.number:
        first.let_go()
    elif reply.type is MessageType.PART:
        pass  # the reply is still to come, and takes its place
    elif reply.names is None or exchange.answer is Outcome.SUCCESS:
        # A call that comes late may give its exception another name.
        exchange.let_reply_go()


def _by_number(exchange: Exchange) -> int:
    return exchange.number


def _first_number(same: list[Exchange]) -> int:
    return same[0].number


def _is_nameless(reply: Message) -> bool:
    return reply.type is MessageType.EXCEPTION and not reply.method


def _is_before(time: int, other: int) -> bool:
    return other < 0 or time <= other


def _came_between(last: Exchange | None, exchange: Exchange) -> bool:
    """Whether the reply to an earlier call came while the client waited for this one's."""
    if last is None or last.reply is None or exchange.call is None:
        return False
    call = exchange.call
    assert last.call is not None
    return (
        last.number < exchange.number
        and call.time - last.call.time >= GAVE_UP
        and last.reply.end_time >= call.time
    )


def _is_after_hole(pending: _Pending, reply: Message) -> bool:
    """Whether a reply can be missing before this one.

    It can after a first message, or if the capture lost bytes of the server.  Otherwise what comes
    before the first message is a negotiation, or was skipped on the way in.
    """
    flow = pending.flow
    if reply.offset > pending.read_to:
        return pending.read_to > 0 or flow is None or flow.from_server.lacks
    return not (reply.offset or pending.read_to) and flow is not None and _skipped(flow)


def _skipped(flow: Flow) -> bool:
    """Whether the server's first bytes are missing, and a call was seen before that."""
    server = flow.from_server
    return server.skipped > 0 and 0 <= flow.from_client.seen < server.seen


def _answer(exchange: Exchange, flow: Flow | None) -> Outcome:
    """What the reply says; LOST if that is in bytes that the capture lost.

    If the reply was not sent to its end, it matters more who ended it: the capture, or a client
    that took no more of it.
    """
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
    if answer is Outcome.UNREADABLE and flow is not None and flow.from_server.lacks:
        return _missing(exchange, flow)
    if answer is Outcome.SUCCESS and reply.protocol.is_raw:
        unread = reply.family.unread(reply)
        if unread:
            status = "" if reply.family.tells_outcome else "the status is OK; "
            exchange.why = f"{status}what came is in {unread}, which is not read here"
    return answer


def _missing(exchange: Exchange, flow: Flow | None) -> Outcome:
    """The outcome of a call if the server sent bytes there that were no message."""
    if flow is not None and flow.from_server.shut:
        exchange.why = _shut("server", flow.from_server)
        return Outcome.UNREADABLE
    is_lost = flow is None or flow.from_server.lost > 0 or _skipped(flow)
    return Outcome.LOST if is_lost else Outcome.UNREADABLE


def _shut(who: str, half: Half) -> str:
    """Why nothing of that end is read."""
    return f"the {who}'s TLS was not opened: {half.shut}"


def _place(same: list[Exchange], reply: Message, is_after_hole: bool) -> int:
    """Which of the calls with the same seqid a reply is for: its index, or -1 for none."""
    found = -1
    for at, exchange in enumerate(same):
        call = exchange.call
        assert call is not None
        if call.response is not None or not _answers(reply, call):
            continue  # HTTP has answered the call without a message; or the reply is another's
        if not is_after_hole:
            return at
        # Replies before this one are missing: it is for the last call that was sent before it.
        if found >= 0 and call.time > reply.time:
            break
        found = at
    return found


def _lowest(same: list[Exchange], last: int, heard: dict[int, int]) -> int:
    """Which of the calls by HTTP/1, up to ``last``, a reply behind lost bytes answers at least.

    A reply is missing.  A client that had got something new before each call waits for the answer
    to its last one; if it sends several in one go, that says nothing about how many are missing.
    """
    at = min(last, 1)
    while at < last and heard.get(same[at + 1].number, 0) > heard.get(same[at].number, 0):
        at += 1
    return at


def _answers(reply: Message, call: Message) -> bool:
    if reply.seqid != call.seqid:
        return False
    if reply.method == call.method or reply.method == bare_method(call.method):
        return True
    # A server that could not make out the method answers without a name.
    return _is_nameless(reply)
