"""Secrets out, everything else as it was: in every dialect, however the packets lie.

The secrets are random and long, so that finding none of them says something; each dialect is first
asked whether they can be found at all before.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterable
from typing import Any

import dialects
import pytest
from dialects import DATAGRAM, MULTIPLEXED, ROWS, Row
from hiding import (
    ALL,
    SECRETS,
    WORD,
    Done,
    answer,
    checksum,
    leaves,
    login,
    outline,
    outputs,
    redacted,
    right,
    told_packets,
    total,
    with_checksum,
)
from hypothesis import given
from hypothesis import strategies as st
from making import (
    ACK,
    CLIENT,
    PING,
    PSH,
    SERVER,
    Talk,
    ethernet,
    framed,
    ipv4,
    ipv6,
    packet,
    tcp,
    udp,
)
from surrounding import SECRET

from pingpong import check_cover, explain, read_packets
from pingpong.capture import Capture, Pipeline
from pingpong.model import Message, Packet
from pingpong.protocols.encodings.binary import write_header
from pingpong.redaction.messages import Redactor
from pingpong.redaction.packets import Way
from pingpong.redaction.selectors import parse_selectors
from pingpong.views import html, text
from pingpong.views.json import message_row

# ── Checksums ────────────────────────────────────────────────────────────────────────


def is_right(one: Packet) -> bool:
    return checksum(one.data[34:], one.data[23], one.data[26:34]) == 0


# ── What has to hold ─────────────────────────────────────────────────────────────────


def same_envelopes(before: list[Packet], after: list[Packet]) -> None:
    """Numbers, times, link types and lengths are as they were."""
    assert [(one.number, one.time, one.link, one.length, len(one.data)) for one in before] == [
        (one.number, one.time, one.link, one.length, len(one.data)) for one in after
    ]


def is_packed(row: Row) -> bool:
    """Does what is masked not stand there as it is read?  Then it is hidden whole."""
    return row.column == "WebSocket" or any(word in row.carrier for word in ("zlib", "packed"))


# ── Every dialect ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("row", [*ROWS, *MULTIPLEXED], ids=str)
def test_no_secret_is_left_in_any_dialect(row: Row) -> None:
    packets = told_packets(row)
    before = read_packets(packets)
    streams = stream_bytes(before)
    if not is_packed(row):
        assert any(form in streams for form in SECRETS.forms[:4]), "nothing to be found"
    done = redacted(packets, *ALL)
    same_envelopes(packets, done.packets)
    assert all(is_right(one) for one in done.packets)
    after = read_packets(done.packets)
    for form in SECRETS.forms:
        assert form not in b"".join(one.data for one in done.packets)
        assert form not in stream_bytes(after)
    if is_packed(row):
        assert done.plan.packed
        assert bytes(SECRETS.text, "ascii") not in text(after).encode()
        return
    assert [outline(one) for one in before.messages] == [outline(one) for one in after.messages]
    assert [one.outcome for one in before.exchanges] == [one.outcome for one in after.exchanges]
    assert after.findings == ()
    for one, other in zip(before.messages, after.messages, strict=True):
        assert one.findings == other.findings
        if one.method.rpartition(":")[2] in ("add", "nope"):
            assert one.body == other.body, "not named, and changed"
    assert done.redactor.unsure == done.rewriter.unread == done.rewriter.again == 0
    # Once more changes nothing.
    assert [one.data for one in redacted(done.packets, *ALL).packets] == [
        one.data for one in done.packets
    ]


def stream_bytes(capture: Capture) -> bytes:
    """The bytes of every segment in order, and of every message as it is read."""
    payloads = b"".join(one.segment.payload for one in capture.steps if one.segment is not None)
    return payloads + b"".join(one.data for one in capture.messages)


@pytest.mark.parametrize("cut", [1, 7])
@pytest.mark.parametrize("row", [row for row in ROWS if row.transport != DATAGRAM][::3], ids=str)
def test_the_cut_of_the_segments_does_not_matter(row: Row, cut: int) -> None:
    packets = right(dialects.packets(dialects.carried(row, SECRETS.said), cut))
    done = redacted(packets, *ALL)
    after = read_packets(done.packets)
    assert all(is_right(one) for one in done.packets)
    assert all(form not in stream_bytes(after) for form in SECRETS.forms)
    if not is_packed(row):
        before = read_packets(packets)
        assert [outline(one) for one in before.messages] == [outline(one) for one in after.messages]


@pytest.mark.parametrize("row", ROWS[::5], ids=str)
def test_a_capture_with_redact_holds_no_secret_anywhere(row: Row) -> None:
    packets = told_packets(row)
    before = read_packets(packets)
    capture = read_packets(packets, redact=ALL)
    assert [outline(one) for one in capture.messages] == [outline(one) for one in before.messages]
    shown = [text(capture), html(capture), repr(capture.findings), repr(capture.flows)]
    for message in capture.messages:
        check_cover(explain(message), len(message.data))
        shown += [text(message), html(message), message_row(message), repr(explain(message))]
        shown += [repr(message.body), repr(message.body.plain), repr(message.findings)]
    for flow in capture.flows:
        shown += [text(flow), repr(flow.from_client.first), repr(flow.from_server.first)]
    data = stream_bytes(capture) + "\n".join(shown).encode()
    for form in SECRETS.forms:
        assert form not in data
    assert all(form not in b"".join(one.data for one in capture.packets) for form in SECRETS.forms)
    look = capture.messages[2].body
    assert all(value.redacted for value in leaves(look))
    assert "(redacted" in text(capture.exchanges)
    assert '"redacted": true' in message_row(capture.messages[2])


# ── How packets lie ──────────────────────────────────────────────────────────────────


def check_login(packets: list[Packet], **also: Any) -> Done:
    """The messages are those that they were, and the secret is gone, wherever it stood."""
    done = redacted(packets, "login.2", "login.0", **also)
    same_envelopes(packets, done.packets)
    assert WORD[:8] not in outputs(done)
    before, after = read_packets(packets), read_packets(done.packets)
    assert [outline(one) for one in before.messages] == [outline(one) for one in after.messages]
    return done


def test_bytes_that_were_sent_again() -> None:
    talk = Talk().open().call(login())
    talk.add(True, ACK | PSH, login(), back=len(login()))
    talk.add(True, ACK | PSH, login()[20:40], back=len(login()) - 20)
    done = check_login(right(talk.reply(answer()).close().packets))
    assert done.rewriter.again == 0
    again = done.packets[4].data[54:]
    assert again == done.packets[3].data[54:]
    assert again == login(b"x" * len(WORD))
    assert done.packets[5].data[54:] == again[20:40]
    assert all(is_right(one) for one in done.packets)


def test_bytes_that_were_sent_again_and_differ() -> None:
    """What stands where something else was read, was read by nobody."""
    other = b"somethingelse" + WORD + bytes(40)
    talk = Talk().open().call(login())
    talk.add(True, ACK | PSH, other[: len(login())], back=len(login()))
    done = check_login(right(talk.reply(answer()).close().packets))
    assert done.rewriter.again > 30
    assert b"somethingelse" not in outputs(done)
    assert all(is_right(one) for one in done.packets)


def test_bytes_out_of_order_and_overlapping() -> None:
    data = login()
    talk = Talk().open()
    parts = [(0, 30), (50, len(data)), (20, 55), (28, 52)]
    for start, stop in parts:
        talk.add(True, ACK | PSH, data[start:stop], back=-start)
    talk.seq[True] += len(data)
    done = check_login(right(talk.reply(answer()).close().packets))
    masked = login(b"x" * len(WORD))
    for (start, stop), one in zip(parts, done.packets[3:], strict=False):
        # What the third brings again cannot be told yet when it comes: it is read later.
        shown, size = one.data[54:], stop - start
        assert len(shown) == size
        assert all(byte in (0, masked[start + at]) for at, byte in enumerate(shown))
    assert all(is_right(one) for one in done.packets)


def test_a_capture_that_begins_in_the_middle() -> None:
    """What was skipped is hidden: nobody knows what it was."""
    talk = Talk()
    talk.call(login()[-10:]).reply(answer()).call(login()).reply(answer())
    done = check_login(right(talk.packets))
    assert done.rewriter.unread == 10
    assert done.packets[0].data[54:] == bytes(10)


def test_loss_inside_and_between() -> None:
    """Where bytes are lost in a message, all its values are masked."""
    data = framed(login())
    talk = Talk().open().call(framed(PING)).call(data[:40]).skip(True, 10).call(data[50:])
    talk.call(data).call(framed(PING))
    packets = right(talk.close().packets)
    done = check_login(packets)
    assert b"root" not in done.packets[4].data
    assert b"root" in done.packets[6].data
    assert done.redactor.unsure == 1


def test_a_message_that_is_cut() -> None:
    for cut in range(20, len(login())):
        packets = right(Talk().open().call(PING).call(login()[:cut]).close().packets)
        done = redacted(packets, "login.2")
        assert b"root" not in outputs(done)
        assert WORD[:4] not in outputs(done)


def test_left_over_bytes_in_a_frame() -> None:
    packets = right(Talk().open().call(framed(login() + WORD)).close().packets)
    done = redacted(packets, "login.1")
    assert WORD not in done.packets[3].data  # no field is sure to be what it seems
    assert done.packets[3].data.endswith(b"\x80" * len(WORD))


def test_a_string_that_swallows_the_next_field() -> None:
    """A wrong length makes a message that does not end: then nothing in it is what it seems."""
    data = bytearray(login())
    data[len(write_header(b"login", 1, 1)) + 6] = 12
    done = redacted(right(Talk().open().call(framed(bytes(data))).close().packets), "login.2")
    assert WORD[:8] not in outputs(done)


def test_headers_whose_lengths_lie() -> None:
    """What is no option is none, though a header's length says so."""
    good = right(Talk().open().call(login()).close().packets)
    timestamps = b"\1\1\x08\x0a" + bytes(range(8))
    inner = tcp(1, 2, 3, 4, ACK, login(), timestamps)
    for at, value in ((46, 0xF0), (14, 0x4F)):
        for one in (good[3], packet(1, ethernet(ipv4(inner)))):
            data = bytearray(one.data)
            data[at] = value
            (after,) = redacted([packet(1, bytes(data))], "login.2").packets
            assert WORD[:4] not in after.data
            assert b"login" not in after.data
    (after,) = redacted([packet(1, ethernet(ipv4(inner)))], "login.2").packets
    assert after.data[54:66] == timestamps
    extension = bytes((6, 4)) + login()[:38]
    (after,) = redacted([packet(1, ethernet(ipv6(inner, 6, extension, 0), 0x86DD))], "a").packets
    assert after.data[54:94] == extension[:8] + bytes(32)


def test_snaplen() -> None:
    packets = Talk().open().call(login()).reply(answer()).close().packets
    cut = [Packet(one.number, one.time, 1, one.data[:100], one.length) for one in packets]
    done = redacted(cut, "login.2")
    assert WORD[:4] not in outputs(done)
    same_envelopes(cut, done.packets)


def test_what_speaks_no_thrift_is_hidden() -> None:
    packets = Talk().open().call(b"USER root\r\nPASS " + WORD).reply(b"230 ok\r\n").close().packets
    done = redacted(right(packets), "login.2")
    assert done.packets[3].data[54:] == bytes(16 + len(WORD))
    assert all(is_right(one) for one in done.packets)
    assert done.rewriter.unread == 16 + len(WORD) + 8
    kept = redacted(right(packets), "login.2", keep_unknown=True)
    assert [one.data for one in kept.packets] == [one.data for one in right(packets)]


def test_other_packets() -> None:
    """ICMP quotes what it complains about; ARP has nothing to hide; nobody knows the others."""
    quoted = ipv4(tcp(1, 2, 3, 4, ACK, login()))
    icmp = b"\3\3\0\0\0\0\0\0" + quoted
    icmp = icmp[:2] + struct.pack(">H", ~total(icmp) & 0xFFFF) + icmp[4:]
    arp = bytes(range(28))
    tagged = ethernet(ipv4(udp(1, 2, login()), 17) + b"trailer of " + WORD)
    data = [
        ethernet(ipv4(icmp, 1)),
        ethernet(arp, 0x0806),
        ethernet(arp + WORD, 0x0806),
        ethernet(WORD, 0x88CC),
        ethernet(ipv4(WORD, 47)),
        ethernet(ipv4(tcp(1, 2, 3, 4, ACK, WORD)))[:40],
        tagged,
        ethernet(ipv6(b"\x80\0\0\0\0\0\0\0" + WORD, 58)),
    ]
    packets = [packet(at, one) for at, one in enumerate(data, 1)]
    done = redacted(packets, "login.2")
    assert WORD[:6] not in outputs(done)
    assert total(done.packets[0].data[34:]) == 0xFFFF
    assert done.packets[0].data[:42] == data[0][:36] + done.packets[0].data[36:38] + data[0][38:42]
    assert done.packets[1].data == data[1]
    assert done.packets[2].data == data[2][:-25] + bytes(25)
    assert done.packets[3].data == ethernet(bytes(25), 0x88CC)
    assert done.packets[6].data[:-36] == data[6][: 42 + len(login()) - len(WORD) - 1] + (
        b"x" * len(WORD) + b"\0"
    )
    assert done.rewriter.other >= 5
    kept = redacted(packets, "login.2", keep_unknown=True)
    assert [one.data for one in kept.packets[:6]] == data[:6]


@pytest.mark.parametrize("link", [0, 1, 12, 101, 108, 113, 228, 276, 147])
def test_link_types(link: int) -> None:
    inner = ipv4(tcp(50001, 9090, 1, 1, ACK | PSH, login()))
    heads = {0: b"\2\0\0\0", 108: b"\0\0\0\2", 1: bytes(12) + b"\x08\0", 113: bytes(14) + b"\x08\0"}
    heads[276] = b"\x08\0" + bytes(18)
    head = heads.get(link, b"")
    done = redacted([packet(1, head + inner, link)], "login.2")
    masked = ipv4(tcp(50001, 9090, 1, 1, ACK | PSH, login(b"x" * len(WORD))))
    if link == 147:  # for private use: nobody knows what it is
        assert done.packets[0].data == bytes(len(inner))
    else:
        assert done.packets[0].data[: len(head) + 36] == (head + masked)[: len(head) + 36]
        assert done.packets[0].data[len(head) + 38 :] == (head + masked)[len(head) + 38 :]


def fragments(inner: bytes, kind: int, sizes: Iterable[int]) -> list[bytes]:
    made, at = [], 0
    for size in sizes:
        part = inner[at : at + size]
        more = 0x2000 if at + size < len(inner) else 0
        whole = bytearray(ipv4(part, kind))
        whole[4:8] = struct.pack(">HH", 77, more | at // 8)
        made.append(ethernet(bytes(whole)))
        at += size
    return made


@pytest.mark.parametrize("kind", [6, 17])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_fragments(kind: int, order: tuple[int, ...]) -> None:
    ends = bytes(int(part) for part in f"{CLIENT}.{SERVER}".split("."))
    inner = tcp(50001, 9090, 1, 1, ACK, login()) if kind == 6 else udp(50001, 9090, login())
    inner = with_checksum(inner, kind, ends)
    parts = fragments(inner, kind, (48, 16, 100))
    packets = [packet(at, parts[part]) for at, part in enumerate(order, 1)]
    done = check_login(packets)
    whole = b"".join(
        one.data[34:]
        for _, one in sorted(zip(order, done.packets, strict=True), key=lambda x: x[0])
    )
    assert whole.endswith(b"x" * len(WORD) + b"\0")
    assert checksum(whole, kind, ends) == 0
    # A copy of a fragment, and one whose others never come: nobody has read them.
    packets.append(packet(4, parts[0]))
    packets.append(packet(5, parts[1].replace(b"\0\x4d", b"\0\x4e")))
    done = redacted(packets, "login.2")
    assert done.packets[3].data[34:] == bytes(48)
    assert done.packets[4].data[34:] == bytes(16)


def test_fragments_of_ipv6() -> None:
    inner = udp(50001, 9090, login())
    data = []
    for start, stop, more in ((0, 48, 1), (48, len(inner), 0)):
        extension = bytes((17, 0)) + struct.pack(">HI", start | more, 99)
        data.append(ethernet(ipv6(inner[start:stop], 17, extension, 44), 0x86DD))
    done = check_login([packet(at, one) for at, one in enumerate(data, 1)])
    assert done.packets[0].data[-5:] == b"xxxxx"
    assert done.packets[1].data[62:] == b"x" * (len(WORD) - 5) + b"\0"


def test_checksums_that_were_left_to_the_card_stay() -> None:
    """The sum of the addresses alone, and UDP's 0."""
    packets = Talk().open().call(login()).close().packets
    data = bytearray(packets[3].data)
    length = len(data) - 34
    pseudo = total(bytes(data[26:34]) + struct.pack(">II", 6, length))
    data[50:52] = struct.pack(">H", pseudo)
    packets[3] = packet(4, bytes(data))
    assert redacted(packets, "login.2").packets[3].data[50:52] == data[50:52]
    (one,) = redacted([packet(1, ethernet(ipv4(udp(1, 2, login()), 17)))], "login.2").packets
    assert one.data[40:42] == b"\0\0"


@pytest.mark.parametrize("sizes", [(500,), (48, 16, 100)])
def test_a_true_checksum_that_is_the_sum_of_the_ends_too_is_made_anew(sizes: tuple[int]) -> None:
    """One packet of 65 536 has such a one: here the window makes it so."""
    ends = bytes(int(part) for part in f"{CLIENT}.{SERVER}".split("."))
    inner = bytearray(tcp(50001, 9090, 1, 1, ACK, login()))
    of_ends = total(ends + struct.pack(">II", 6, len(inner)))
    inner[14:18] = bytes(4)
    rest = checksum(bytes(inner), 6, ends)
    inner[14:18] = struct.pack(">HH", (rest - of_ends) % 0xFFFF, of_ends)
    assert checksum(bytes(inner), 6, ends) == 0
    made = fragments(bytes(inner), 6, sizes) if len(sizes) > 1 else [ethernet(ipv4(bytes(inner)))]
    done = check_login([packet(at, part) for at, part in enumerate(made, 1)])
    assert checksum(b"".join(one.data[34:] for one in done.packets), 6, ends) == 0


@pytest.mark.parametrize("wrong", [0, 1, 0xFFFF, 0x1234])
def test_no_checksum_tells_what_stood_there(wrong: int) -> None:
    """Whatever it was: of two secrets that are as long, the same is left."""
    left = set()
    for secret in (WORD, WORD[::-1], b"0" * len(WORD)):
        for size in (0, 3):
            one = bytearray(Talk().open().call(login(secret)).packets[3].data)
            one[50:52] = struct.pack(">H", wrong)
            data = bytes(one)
            cut = Packet(4, 0, 1, data[: len(data) - size], len(data))
            (after,) = redacted([cut], "login.2").packets
            assert is_right(after) if not size else after.data[50:52] == b"\0\0"
            left.add(after.data)
    assert len(left) == 2


@pytest.mark.parametrize("inner", [b"\3\3\0\0\0\0\0\0", b"\x08\0\x12\x34\0\1\0\1"])
def test_no_checksum_of_icmp_tells_what_it_quoted(inner: bytes) -> None:
    left = set()
    for secret in (WORD, WORD[::-1]):
        for size in (0, 5):
            data = ethernet(ipv4(inner + secret, 1))
            one = Packet(1, 0, 1, data[: len(data) - size], len(data))
            (after,) = redacted([one], "login.2").packets
            assert total(after.data[34:]) == 0xFFFF
            left.add(after.data)
    assert len(left) == 2


@given(st.binary(min_size=1, max_size=60))
def test_a_checksum_is_the_one_that_a_network_card_writes(payload: bytes) -> None:
    from pingpong.wire import rewrite

    ends = bytes(range(8))
    for kind, head in ((6, tcp(1, 2, 3, 4, ACK)), (17, bytes((0, 1, 0, 2, 0, 50, 0, 0)))):
        inner = head + payload
        want = with_checksum(inner, kind, ends)
        out = bytearray(inner)
        sum_ = rewrite.total(inner) + rewrite.total(ends + struct.pack(">II", kind, len(inner)))
        rewrite.put(out, 16 if kind == 6 else 6, sum_, kind)
        assert bytes(out) == want


# ── Around messages ──────────────────────────────────────────────────────────────────


def test_http_heads() -> None:
    body = login()
    head = (
        b"POST http://me:%s@calc/login?token=%s HTTP/1.1\r\nHost: calc\r\n"
        b"Authorization: Bearer %s\r\nCookie: a=%s\r\n folded: %s\r\n"
        b"Content-Type: application/x-thrift\r\nContent-Length: %d\r\n\r\n"
        % (WORD, WORD, WORD, WORD, WORD, len(body))
    )
    done = check_login(right(Talk().open().call(head + body).close().packets))
    kept = done.packets[3].data[54:]
    assert kept.startswith(b"POST xxxxxxxx")
    assert b"\r\nHost: xxxx\r\nAuthorization: xxx" in kept
    assert b"Content-Length: %d\r\n\r\n" % len(body) in kept
    assert done.redactor.heads == 5  # the target, Host, and three more


def test_masks_that_overlap() -> None:
    way = Way()
    way.open(0, 100)
    way.mask(10, b"a" * 50)
    way.mask(20, b"b" * 10)
    way.mask(5, b"c" * 10)
    data = bytes(b"." * 100)
    whole = b"." * 5 + b"c" * 10 + b"a" * 45 + b"." * 40
    assert way.shown(0, data, False) == (whole, 0)
    for start in range(100):
        for stop in (start + 1, start + 7, 100):
            assert way.shown(start, data[start:stop], False)[0] == whole[start:stop]
    assert way.shown(98, b"....", False) == (b"..\0\0", 2)
    assert way.shown(98, b"....", True) == (b"....", 2)
    assert way.shown(-2, b"....", False) == (b"\0\0..", 2)


def test_http_that_is_no_thrift_between_messages() -> None:
    def request(body: bytes, more: bytes = b"") -> bytes:
        return b"POST /x HTTP/1.1\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), more, body)

    chunked_body = b"19;a=%s\r\n%s\r\n0\r\nX-Sum: %s\r\n\r\n" % (WORD, WORD, WORD)
    talk = Talk().open().call(request(login()))
    talk.call(request(b'{"password": "%s"}' % WORD, b"X-Api-Key: %s\r\n" % WORD))
    talk.call(b"PUT /y HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked_body)
    talk.call(b"\r\n" + request(login()))
    done = check_login(right(talk.close().packets))
    assert done.packets[4].data.endswith(bytes(len(WORD) + 16))
    assert b"\r\n19;xxx" in done.packets[5].data
    assert b"\r\n0\r\nxxxxx: xxx" in done.packets[5].data
    # Alone, it is no Thrift at all.
    talk = Talk().open().call(request(b'{"password": "%s"}' % WORD))
    done = redacted(right(talk.close().packets), "login.2")
    assert done.packets[3].data[54:] == bytes(len(done.packets[3].data) - 54)


def test_what_proves_who_somebody_is_in_sasl() -> None:
    row = next(row for row in ROWS if row.carrier == "SASL" and row.protocol == "binary")
    packets = told_packets(row)
    assert SECRET in b"".join(one.data for one in packets)
    done = redacted(packets, "fire.1")
    assert SECRET not in outputs(done)
    assert b"PLAIN" in outputs(done)
    # A status that lies makes no mechanism of it.
    at = next(at for at, one in enumerate(packets) if SECRET in one.data)
    lying = packets[at].data[:54] + b"\1" + packets[at].data[55:]
    packets = [*packets[:at], packet(at + 1, lying), *packets[at + 1 :]]
    assert SECRET not in outputs(redacted(packets, "fire.1"))


@pytest.mark.parametrize("column", ["unframed", "framed"])
def test_tracing_headers(column: str) -> None:
    packets = dialects.packets([dialects.tracked(column)])
    assert b"a-b-c" in b"".join(one.data for one in packets)
    done = redacted(packets, "fire.1")
    assert b"a-b-c" not in outputs(done)
    before, after = read_packets(packets), read_packets(done.packets)
    assert [outline(one) for one in before.messages] == [outline(one) for one in after.messages]
    assert [labels(one) for one in before.messages] == [labels(one) for one in after.messages]


def labels(message: Message) -> list[str]:
    return [note.label for note in explain(message)]


@pytest.mark.parametrize("carrier", ["THeader", "THeader, zlib", "TTHeader, framed"])
def test_key_values_in_heads(carrier: str) -> None:
    row = next(row for row in ROWS if row.carrier == carrier and row.protocol == "binary")
    packets = told_packets(row)
    value = b"127.0.0.1" if "TT" in carrier else b"abc123"
    assert value in b"".join(one.data for one in packets)
    done = redacted(packets, "nowhere.9")
    assert value not in outputs(done)
    before, after = read_packets(packets), read_packets(done.packets)
    assert [outline(one) for one in before.messages] == [outline(one) for one in after.messages]
    # Nothing that is packed has to be hidden, for nothing in it is named.
    assert [one.body for one in before.messages] == [one.body for one in after.messages]


def test_one_frame_of_many_is_packed_with_a_secret() -> None:
    row = next(one for one in ROWS if one.carrier == "THeader, zlib" and one.protocol == "binary")
    done = redacted(told_packets(row), *ALL)
    after = read_packets(done.packets)
    assert [one.method for one in after.messages if one.from_client] == ["add", "nope", "add"]
    assert done.plan.packed == 5


# ── Hostile captures ─────────────────────────────────────────────────────────────────


def mutated(packets: list[Packet], rng: random.Random) -> list[Packet]:
    """Headers, lengths and numbers that lie; packets lost, doubled, out of order; no payload that
    holds a secret is changed, so that it can still be found."""
    made = [(one, bytearray(one.data)) for one in packets]
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(made))
        one, data = made[at]
        what = rng.randrange(7)
        if what < 3 and len(data) > 36:
            # Any byte of the packet's headers, or of the message's first ones.
            data[rng.randrange(12, min(len(data), 75))] = rng.randrange(256)
        elif what == 3:
            del made[at]
        elif what == 4:
            made.insert(rng.randrange(len(made)), (one, bytearray(data)))
        elif what == 5:
            made.insert(rng.randrange(len(made)), made.pop(at))
        elif len(data) > 60:
            del data[rng.randrange(40, len(data)) :]
        if not made:
            made = [(one, data)]
    return [
        Packet(at, one.time, one.link, bytes(data), max(one.length, len(data)))
        for at, (one, data) in enumerate(made, 1)
    ]


MUTATED = [
    row
    for row in ROWS
    if row.carrier
    in (
        *("unframed", "framed, by Apache", "THeader", "TTHeader", "HTTP, chunks", "SASL"),
        *("HTTP, packed", "THeader, in frames", "zlib, in frames", "WebSocket, in pieces"),
    )
    and row.protocol in ("binary", "compact", "json", "thriftpy2-json")
]


@given(st.integers(0, 2**32))
def test_a_mutated_capture_leaks_nothing_that_was_not_read(seed: int) -> None:
    """Whatever happens to the packets: what stands in the output was read as another field, or is
    masked."""
    rng = random.Random(seed)
    packets = mutated(told_packets(rng.choice(MUTATED)), rng)
    done = redacted(packets, "*.*")
    same_envelopes(packets, done.packets)
    data = outputs(done)
    for form in SECRETS.forms[:8]:
        assert form not in data
    capture = read_packets(packets, redact=["*.*"])
    shown = text(capture) + repr(capture.findings) + repr(capture.flows)
    assert SECRETS.text not in shown
    # And of that, everything can be read and masked again.
    redacted(done.packets, "*.*")


@pytest.mark.parametrize("first", [4, 5, 6, 7])
def test_what_is_before_the_first_bytes_of_a_late_syn(first: int) -> None:
    """Its offsets are below 0: its masks are laid there."""
    talk = Talk().open()
    for _ in range(3):
        talk.call(login()).reply(answer())
    talk.close()
    others = [one for one in range(1, len(talk.packets) + 1) if one != first]
    done = check_login(right(talk.in_order(first, *others)))
    assert done.redactor.counts == [3, 3]


def test_what_a_packed_stream_began_and_did_not_end() -> None:
    """Bytes of a message that can be read may hold the beginning of one that cannot."""
    pack = zlib.compressobj()
    both = pack.compress(PING + login()[:-5]) + pack.flush(zlib.Z_SYNC_FLUSH)
    for tail in (b"", b"\xff\xff\xff\xff garbage", pack.compress(b"\x63" * 9) + pack.flush()):
        packets = right(Talk().open().call(both + tail).close().packets)
        assert read_packets(packets).messages[0].method == "ping"
        done = redacted(packets, "login.1")
        assert done.packets[3].data[54:] == bytes(len(both + tail))
    # Alone, the ping may be seen by anybody.
    pack = zlib.compressobj()
    one = pack.compress(PING) + pack.flush(zlib.Z_SYNC_FLUSH)
    packets = right(Talk().open().call(one).close().packets)
    assert redacted(packets, "login.1").packets[3].data == packets[3].data


@pytest.mark.parametrize("row", ROWS[::6], ids=str)
def test_the_short_way_masks_as_the_long_one(row: Row) -> None:
    packets = told_packets(row)
    ways: list[Any] = []
    for take in (True, False):
        redactor = Redactor(parse_selectors(ALL))
        pipeline = Pipeline(redactor=redactor)
        found: list[Message] = []
        for one in packets:
            found += pipeline.take(one) if take else pipeline.feed(one).messages
        found += pipeline.close().messages
        ways.append(([(one.data, one.redacted) for one in found], redactor.counts, redactor.heads))
    assert ways[0] == ways[1]
    assert sum(ways[0][1])
