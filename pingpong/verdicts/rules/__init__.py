"""The rules: from a connection, and what is known about its server, to Verdicts.

    FIRST    what the connection is as a whole: the first rule that has something to say
    CALLS    why calls had no answer: each is asked while there are outcomes left to explain
    REPLIES  what cannot be read, and what the answers say: all are asked
    LAST     if nothing else had something to say: the first that has
    ALSO     what is missing in the capture: said in addition

A verdict rests on what is on the wire: the first bytes of each direction, who closed when,
which calls were answered.  Much of that looks alike: a server that cannot read a call and a
handler that failed both close the connection without a word.  They are told apart by what the
same server did elsewhere: it answered this client before, or others in another dialect.  If
nothing tells them apart, the verdict says so, and names both.

What became of each call was settled before (``exchanges.Pairing``).  A verdict ``covers`` outcomes.
Those that no verdict covers are left to ``ended_otherwise``, so that no connection is called well
if a call on it failed.

Two signs need no second connection.  A server that resets at once has closed with bytes
unread (RFC 2525, 2.17), so it had not read the call to its end.  And an answer in another
dialect needs no comment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ...model import Outcome
from ..evidence import BY_CLIENT, BY_SERVER, CLOSED, Case, Known
from ..verdict import Verdict
from .connecting import (
    began_in_the_middle,
    began_late,
    disordered,
    half_opened,
    lost_packets,
    no_answer,
    nothing_called,
    one_direction,
    opened_only,
    refused,
    same_as_another,
    unreachable,
)
from .dialects import (
    answers_differ,
    multiplexed_on_plain,
    not_answered,
    sasl,
    sasl_alone,
    two_protocols,
)
from .dubbo import console, thrown_by_dubbo
from .endings import (
    closed_on_call,
    closed_unasked,
    cut_call,
    cut_reply,
    dropped_when_idle,
    gave_up,
    late_reply,
    left_stream,
    not_arrived,
    still_waiting,
    too_large,
)
from .foreign import (
    foreign_client,
    foreign_in,
    foreign_server,
    not_thrift,
    spoke_otherwise,
    unrecognised,
)
from .grpc import (
    answered_in_http1,
    held_up,
    http2_alone,
    http2_refused,
    http2_server,
    looked_in,
    sent_away,
    stands_still,
    streams,
)
from .lifelines import (
    broken_text,
    called_back,
    left_first,
    too_late,
    took_leave,
    took_long,
    unanswered_heartbeats,
)
from .replies import (
    all_well,
    answers_nothing,
    declared,
    ended_otherwise,
    http_never_answered,
    is_well,
    not_unpacked,
    oneway_answered,
    out_of_step,
    structs_alone,
    unreadable,
    well,
    wrong_words,
)

__all__ = ["ALSO", "CALLS", "FIRST", "LAST", "REPLIES", "all_well", "foreign_in", "verdicts"]

# A rule looks at a Case and at what is Known about its server; None: it has nothing to say.
Rule = Callable[[Case, Known], "Verdict | None"]

FIRST: Final[tuple[Rule, ...]] = (
    refused,
    unreachable,
    no_answer,
    one_direction,
    began_late,
    too_large,
    structs_alone,
    closed_unasked,
    looked_in,
    console,
    http2_server,
    answered_in_http1,
    http2_refused,
    foreign_client,
    foreign_server,
    sasl,
    sasl_alone,
    answers_differ,
    multiplexed_on_plain,
    out_of_step,
    not_answered,
    spoke_otherwise,
)
_LATE: Final = (Outcome.LATE, Outcome.OUT_OF_SEQUENCE)
CALLS: Final[tuple[tuple[Rule, tuple[Outcome, ...]], ...]] = (
    (stands_still, (*CLOSED, Outcome.WAITING)),
    (oneway_answered, (Outcome.NO_CALL,)),
    (answers_nothing, (Outcome.NO_CALL,)),
    (not_arrived, (*CLOSED, Outcome.WAITING)),
    (left_stream, (*BY_CLIENT, *BY_SERVER, Outcome.UNREADABLE)),
    (cut_reply, (*BY_CLIENT, Outcome.UNREADABLE)),
    (cut_call, CLOSED),
    (left_first, BY_SERVER),
    (dropped_when_idle, BY_SERVER),
    (late_reply, (*_LATE, *BY_CLIENT)),
    (closed_on_call, BY_SERVER),
    (gave_up, (*BY_CLIENT, Outcome.LATE)),
    (still_waiting, (Outcome.WAITING,)),
)
REPLIES: Final[tuple[tuple[Rule, Outcome], ...]] = (
    (unreadable, Outcome.UNREADABLE),
    (two_protocols, Outcome.ONEWAY),
    (http_never_answered, Outcome.ONEWAY),
    (declared, Outcome.DECLARED_EXCEPTION),
)
LAST: Final[tuple[Rule, ...]] = (
    *(well, opened_only, http2_alone, nothing_called, unrecognised, not_thrift),
)
ALSO: Final[tuple[Rule, ...]] = (
    sent_away,
    took_leave,
    took_long,
    disordered,
    half_opened,
    not_unpacked,
    lost_packets,
    began_in_the_middle,
    same_as_another,
)


def verdicts(case: Case, known: Known) -> tuple[Verdict, ...]:
    """Return everything there is to say about a connection, the most telling first."""
    left = case.amiss
    found: list[Verdict] = []

    def take(*verdicts: Verdict | None) -> None:
        for one in verdicts:
            if one is not None:
                found.append(one)
                left.difference_update(one.covers)

    take(next((one for rule in FIRST if (one := rule(case, known)) is not None), None))
    for rule, about in CALLS:
        if not left.isdisjoint(about):
            take(rule(case, known))
    take(held_up(case, known))
    take(*streams(case, known), *too_late(case, known), *broken_text(case, known))
    take(*called_back(case, known), unanswered_heartbeats(case, known))
    if Outcome.APPLICATION_EXCEPTION in left or any(
        not one.is_called for _, one in case.failures.values()
    ):
        take(*wrong_words(case, known))
    take(*thrown_by_dubbo(case, known))
    for rule, outcome in REPLIES:
        if all(outcome not in one.covers for one in found):
            take(rule(case, known))
    also = [one for rule in ALSO if (one := rule(case, known)) is not None]
    for one in also:
        left.difference_update(one.covers)
    if left:
        take(ended_otherwise(case, left))
    if not found and (not case.ended or is_well(case)):
        take(next(one for rule in LAST if (one := rule(case, known)) is not None))
    kinds = {one.kind for one in found}
    found.sort(key=lambda one: -one.severity)
    return (*found, *(one for one in also if one.kind not in kinds))
