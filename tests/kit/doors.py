"""Holds the doors against each other: the ledger, ``show``, ``diagnose``, ``messages``, names.

    packets ─┬─▶ read, all at once ─▶ Capture.exchanges, .diagnosis
             ├─▶ Pipeline.take, .feed, in batches of any size ─▶ the ledger
             ├─▶ with an IDL
             └─▶ a file ─▶ messages, calls, show, diagnose: rows and exit codes

They have to tell the same of the same packets: how many calls, how each ended, and that nothing
is well where a call failed or bytes could not be read.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from places import ROOT, SHARED

from pingpong import cli, read_packets
from pingpong.calls.exchanges import Pairing
from pingpong.calls.ledger import Ledger
from pingpong.capture import Capture, Pipeline, interface_of
from pingpong.model import Exchange, Flow, Outcome, Packet, Severity
from pingpong.verdicts.diagnosis import Diagnoser
from pingpong.verdicts.verdict import Kind, Verdict
from pingpong.wire.capturefile import write_capture

IDL = str(ROOT / "foo.thrift")

Row = tuple[object, ...]


def captures() -> list[Path]:
    """The captures at hand: our own, and those beside the checkout, as far as they are small."""
    folders = [ROOT / "captures", *(SHARED / "captures" / name for name in FOLDERS)]
    folders += [SHARED / "cases" / "threads" / "captures", SHARED / "cases" / "peers"]
    found = [path for folder in folders for path in sorted(folder.glob("*cap*"))]
    return [path for path in found if path.is_file() and path.stat().st_size < 1_000_000]


FOLDERS = ("edge", "family", "real", "relatives")


def row(one: Exchange) -> Row:
    return (
        one.number,
        one.method,
        one.outcome.name,
        None if one.call is None else one.call.number,
        None if one.reply is None else one.reply.number,
        one.flow,
        one.waited,
        one.why,
        one.exception,
    )


def streamed(packets: list[Packet], batch: int, by_take: bool, idl: str | None) -> list[Row]:
    """The ledger's rows, as a capture of any length gives them."""
    pairing, ledger = Pairing(), Ledger()
    pipeline = Pipeline(keep=False, pairing=pairing, interface=interface_of(idl))
    found: list[Exchange] = []
    for start in range(0, len(packets), batch):
        for one in packets[start : start + batch]:
            if by_take:
                pipeline.take(one)
            else:
                pipeline.feed(one)
        found += ledger.take(pairing.take())
    pipeline.close()
    found += ledger.take(pairing.take()) + ledger.close()
    return [row(one) for one in found]


def told_of(capture: Capture) -> dict[int, list[Verdict]]:
    """The verdicts of each connection, by its number."""
    told: dict[int, list[Verdict]] = {}
    for flow in capture.flows:
        diagnoser = Diagnoser()
        # What is known of its server comes from all connections.
        diagnoser.take(capture.exchanges, [flow])
        told[flow.number] = list(diagnoser.diagnosis().verdicts)
    return told


def is_bad(one: Exchange, flow: Flow, answered: bool) -> bool:
    """Did it not end as its caller wanted, or is that not known?"""
    if one.outcome is Outcome.NO_CALL and not flow.opened and answered and not one.misled_by:
        return False  # the capture began between the two
    return one.outcome.failed or one.outcome.unclear or bool(one.faulty)


def check(packets: list[Packet], *, deep: bool = True) -> Capture:
    """That all doors tell the same of these packets."""
    capture = read_packets(packets)
    whole = [row(one) for one in capture.exchanges]
    assert [one[0] for one in whole] == list(range(1, len(whole) + 1))
    for batch, by_take, idl in (
        (1, True, None),
        (7, False, None),
        (100_000, True, None),
        (3, True, IDL),
    ):
        assert sorted(streamed(packets, batch, by_take, idl), key=str) == sorted(whole, key=str)
    seen = [m.number for e in capture.exchanges for m in (e.call, e.reply) if m is not None]
    parts = sum(one.parts_sent + one.parts_received for one in capture.exchanges)
    assert len(seen) + parts == len(capture.messages)
    assert set(seen) <= {one.number for one in capture.messages}
    assert capture.diagnosis.calls == len(whole)

    flows = {flow.number: flow for flow in capture.flows}
    answered = {one.flow for one in capture.exchanges if one.call and one.reply}
    bad = {
        one.flow for one in capture.exchanges if is_bad(one, flows[one.flow], one.flow in answered)
    }
    for group in capture.diagnosis.groups:
        if group.verdict.kind is Kind.ALL_WELL:
            assert bad.isdisjoint(group.flows), (group, bad)
    if deep and len(flows) <= 12:
        told = told_of(capture)
        for number in bad:
            kinds = {one.kind for one in told[number]}
            assert kinds - {Kind.ALL_WELL, Kind.NOT_THRIFT}, (number, told[number])
        for one in capture.exchanges:
            failed = one.outcome.failed and one.outcome is not Outcome.DECLARED_EXCEPTION
            if failed and capture.diagnosis.connections <= 12:
                worst = max((v.severity for v in told[one.flow]), default=Severity.NOTE)
                assert worst > Severity.NOTE, (one, told[one.flow])
    return capture


def run(*arguments: str) -> tuple[int, str, str]:
    """A command, in this process: its exit code and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run(list(arguments))
    return code, out.getvalue(), err.getvalue()


def rows_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def check_commands(path: Path) -> None:
    """That the commands agree on a file: in rows, in counts, and in exit codes."""
    name = str(path)
    codes = {}
    codes["messages"], messages, _ = run("messages", name, "--json")
    codes["calls"], calls, _ = run("calls", name, "--json")
    codes["show"], shown, _ = run("show", name)
    codes["show --all"], everything, _ = run("show", name, "--all")
    codes["show --json"], deep, _ = run("show", name, "--json")
    diagnosed, verdicts, _ = run("diagnose", name, "--json")
    assert len(set(codes.values())) == 1, (name, codes)
    (code,) = set(codes.values())
    trouble = any(one["severity"] == "error" for one in rows_of(verdicts))
    assert diagnosed == (3 if trouble else code if code != 2 else diagnosed), (
        name,
        diagnosed,
        code,
    )
    if code == 2:
        assert diagnosed in (2, 3), (name, diagnosed)
    listed, read = rows_of(messages), rows_of(deep)
    assert [one["number"] for one in listed] == [one["number"] for one in read]
    ledger = rows_of(calls)
    counted = f"{len(listed)} message{'' if len(listed) == 1 else 's'}, "
    counted += f"{len(ledger)} exchange{'' if len(ledger) == 1 else 's'}"
    assert everything.rstrip().endswith(counted), (name, everything[-200:], counted)
    assert shown.rstrip().endswith(counted), (name, shown[-200:], counted)


# ── Captures that were mistreated ────────────────────────────────────────────────────


def mutated(packets: list[Packet], seed: int) -> list[Packet]:
    """The same packets after a bad day: lost, doubled, out of order, damaged, cut off."""
    dice = random.Random(seed)
    how = dice.choice(["lose", "double", "swap", "damage", "late", "early", "cut", "one way"])
    found = list(packets)
    some = max(1, len(found) // 10)
    if how == "lose":
        gone = set(dice.sample(range(len(found)), min(some, len(found))))
        found = [one for at, one in enumerate(found) if at not in gone]
    elif how == "double":
        for at in sorted(dice.sample(range(len(found)), min(some, len(found))), reverse=True):
            found.insert(at + dice.randrange(1, 3), found[at])
    elif how == "swap":
        for _ in range(some):
            at = dice.randrange(max(len(found) - 1, 1))
            found[at : at + 2] = reversed(found[at : at + 2])
    elif how == "damage":
        for _ in range(some):
            at = dice.randrange(len(found))
            data = bytearray(found[at].data)
            if len(data) > 60:
                data[dice.randrange(54, len(data))] ^= 1 << dice.randrange(8)
            found[at] = Packet(0, found[at].time, found[at].link, bytes(data), found[at].length)
    elif how == "late":
        found = found[dice.randrange(len(found)) :]
    elif how == "early":
        found = found[: dice.randrange(1, len(found) + 1)]
    elif how == "cut":
        found = [
            Packet(0, one.time, one.link, one.data[: dice.randrange(60, 120)], one.length)
            if dice.random() < 0.1
            else one
            for one in found
        ]
    elif how == "one way" and found:
        ends = found[0].data[26:30]
        found = [one for one in found if (one.data[26:30] == ends) == (seed % 2 == 0)]
    return list(renumbered(found))


def renumbered(packets: Iterable[Packet]) -> Iterator[Packet]:
    time = 0
    for number, one in enumerate(packets, 1):
        time = max(time, one.time)
        yield Packet(number, time, one.link, one.data, one.length)


def written(folder: Path, packets: list[Packet]) -> Path:
    path = folder / "mistreated.pcap"
    write_capture(str(path), packets)
    return path
