"""Numbers out of logs: the table of wire.md, what Apache writes, and every other number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import ADD, framed
from pasting import NUMBERS as TABLE

from pingpong.hints import magic_numbers as numbers
from pingpong.hints.complaints import explain_text
from pingpong.hints.magic_numbers import (
    Certainty,
    NumberVerdict,
    Role,
    explain_bytes,
    explain_number,
    in_mib,
)


def first(number: int, role: Role = Role.UNKNOWN) -> numbers.Reading:
    return explain_number(number, role).readings[0]


@pytest.mark.parametrize("number", TABLE)
def test_the_table_of_numbers(number: int) -> None:
    data, what, sender, reader = TABLE[number]
    verdict = explain_number(number)
    assert verdict.data == bytes.fromhex(data)
    if not what:
        assert not any(reading.certainty > Certainty.POSSIBLE for reading in verdict.readings)
        return
    best = verdict.readings[0]
    assert best.certainty > Certainty.POSSIBLE
    assert what in best.what
    assert sender in best.sender
    assert best.reader.startswith(reader)
    assert best.remedy
    assert best.source


def test_what_to_change_depends_on_who_sent_it() -> None:
    assert first(-2147418111).remedy == (
        "Use a framed transport in the client, or an unframed one in the server."
    )
    assert first(-2147418110).remedy == (
        "Use a framed transport in the server, or an unframed one in the client."
    )
    assert "compact" in first(-2111766528).remedy
    assert "TLS on both sides" in first(369295616).remedy
    assert "THttpClient" in first(1213486160).remedy


# What the reader took it for changes who it was, and what to change.
ROLES = {
    (-2147418111, Role.STATUS): ("SASL transport", "Use SASL on both sides"),
    (-128, Role.STATUS): ("SASL transport", "Use SASL on both sides"),
    (-2147418111, Role.LENGTH): ("length of a string", "out of step"),
    (-2147418111, Role.VERSION): ("binary protocol, as the version", "right one"),
    (-2111766528, Role.VERSION): ("binary protocol, as the version", "same protocol"),
    (1195725856, Role.LENGTH): ("length of a string", "health checks"),
    (30, Role.VERSION): ("as the version", "Use a framed transport on both sides"),
    (30, Role.FRAME): ("as what it is", "its limit is lower"),
    (128, Role.PROTOCOL_ID): ("compact protocol", "same protocol"),
    (0xFFFFFF80, Role.PROTOCOL_ID): ("compact protocol", "same protocol"),
    (0, Role.PROTOCOL_ID): ("compact protocol", "Use a framed transport in the reader"),
    (0x82, Role.PROTOCOL_ID): ("compact protocol", "same protocol"),
    (3, Role.STATUS): ("SASL transport", "user, password"),
}


@pytest.mark.parametrize(("number", "role"), ROLES)
def test_roles(number: int, role: Role) -> None:
    reader, remedy = ROLES[number, role]
    assert reader in first(number, role).reader
    assert remedy in first(number, role).remedy


# TSaslTransport's "Invalid status N", from public issues.
STATUSES = {-128: "strict binary", 72: "HTTP response", 21: "TLS alert", 22: "TLS handshake"}


@pytest.mark.parametrize("number", STATUSES)
def test_one_byte(number: int) -> None:
    verdict = explain_number(number, Role.STATUS)
    assert len(verdict.data) == 1
    assert STATUSES[number] in verdict.readings[0].what


def test_a_byte_that_begins_nothing_known() -> None:
    verdict = explain_number(82, Role.STATUS)  # "Invalid status 82" was never explained
    assert verdict.readings == ()
    assert verdict.remarks == ("Nothing that is known here begins with these bytes.",)


def test_ordinary_lengths_are_called_ordinary() -> None:
    small, longer = explain_number(30), explain_number(200_000)
    assert [reading.certainty for reading in small.readings] == [Certainty.POSSIBLE] * 2
    assert "30 bytes" in small.readings[0].what
    assert "a method's name" in small.readings[1].what
    assert len(longer.readings) == 1  # too long for a method's name
    assert "1 byte:" in first(1).what
    assert "without a message" in first(0).what


def test_large_lengths_are_not_called_anything_else() -> None:
    verdict = explain_number(17_000_000, Role.FRAME)
    assert [reading.certainty for reading in verdict.readings] == [Certainty.POSSIBLE]
    assert "16.2 MiB" in verdict.readings[0].what
    assert explain_number(17_000_000, Role.VERSION).readings == ()
    assert explain_number(2**30 + 5).readings == ()  # more than any frame may have


def test_limits_are_called_limits() -> None:
    assert "longest frame" in first(16_384_000).what
    assert "longest message" in first(104_857_600).what
    assert "32-bit" in first(2**31 - 1).what
    both = explain_number(16_777_216)
    assert both.readings[0].what.startswith("16 MiB, a limit")
    assert [reading.certainty for reading in both.readings[:2]] == [Certainty.POSSIBLE] * 2
    assert "SASL START" in both.readings[1].what
    assert "48 MiB: perhaps a reader's limit" in first(50_331_648).what
    # Where the log says that it was read as a length, a START is what it was.
    assert "SASL START" in first(16_777_216, Role.FRAME).what
    limit = explain_number(15_728_640, Role.LIMIT).readings[0]
    assert "Cassandra's limit for a frame, 15 MiB" in limit.what
    assert in_mib(16_384_000) == "15.6 MiB"
    assert [in_mib(size) for size in (300, 65_536, 2**30)] == ["300 bytes", "64 KiB", "1 GiB"]


# Not at the start of a message: number, role, how far.
OUT_OF_STEP = {
    (8388864, Role.UNKNOWN): "1 byte further on",
    (8388864, Role.FRAME): "1 byte further on",
    (32769, Role.VERSION): "2 bytes further on",
    (32769, Role.UNKNOWN): "2 bytes further on",
    (1146881, Role.FRAME): "2 bytes further on",  # 00 11 80 01: behind half a frame's length
    (293699840, Role.FRAME): "1 byte further on",  # 11 81 80 00 is none: see the next test
    (128, Role.VERSION): "3 bytes further on",
    (16777472, Role.FRAME): "1 byte back",
    (65536, Role.FRAME): "2 bytes back",
}


@pytest.mark.parametrize(("number", "role"), OUT_OF_STEP)
def test_a_reader_that_is_out_of_step(number: int, role: Role) -> None:
    readings = explain_number(number, role).readings
    if number == 293699840:
        assert not any("out of step:" in reading.what for reading in readings)
        return
    (reading,) = [one for one in readings if "out of step" in one.what]
    assert OUT_OF_STEP[number, role] in reading.what
    assert "left unread" in reading.remedy
    if number < 2**20 and role is Role.UNKNOWN:
        assert reading.certainty is Certainty.POSSIBLE


def test_the_version_alone() -> None:
    assert "the version of a strict binary message alone" in first(-2147418112).what


TEXTS = {
    bytes.fromhex("840000000000000041 0000000a 0021") + b"Invalid or unsupported protocol v": (
        "Invalid or unsupported protocol v"
    ),
    bytes.fromhex("81000000 00000041 0000000a 0005") + b"wrongX": "wrong",
    bytes.fromhex("0000000f7f000001") + b"tinit checkX": "tinit check",
    bytes.fromhex("0300000010") + b"Unsupported mech": "Unsupported mech",
    b"SSH-2.0-OpenSSH_9.2\r\nmore": "SSH-2.0-OpenSSH_9.2",
    b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n": "HTTP/1.1 400 Bad Request",
    b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n": "GET /ws HTTP/1.1 (Upgrade: websocket)",
    bytes.fromhex("4a0000000a") + b"8.0.33\0\1\2": "8.0.33",
    bytes.fromhex("45000000ff6a04") + b"Host 'x' is not allowed": "Host 'x' is not allowed",
    b"E\0\0\0\x40SFATAL\0C28000\0Mno pg_hba.conf entry\0\0": "no pg_hba.conf entry",
    b"-NOAUTH Authentication required.\r\n": "-NOAUTH Authentication required.",
    b"220 mail.example.org ESMTP\r\n": "220 mail.example.org ESMTP",
}


@pytest.mark.parametrize("data", TEXTS, ids=lambda data: data[:8].hex())
def test_what_the_bytes_say_in_words(data: bytes) -> None:
    for stop in (len(data), 256):
        assert explain_bytes(data[:stop]).readings[0].text == TEXTS[data]


@given(st.binary(min_size=2, max_size=300))
def test_words_are_printable_and_short(data: bytes) -> None:
    for reading in explain_bytes(data).readings:
        assert reading.text.isprintable()
        assert len(reading.text) <= 230


def test_minus_one_and_numbers_out_of_range() -> None:
    assert "may never have been on the wire" in explain_number(-1).remarks[0]
    assert explain_number(-1).readings == ()
    for number in (2**64, -(2**63) - 1, 10**5000):
        verdict = explain_number(number)
        assert (verdict.data, verdict.readings) == (b"", ())
        assert "more than 8 bytes" in verdict.remarks[0]


def test_eight_bytes() -> None:
    verdict = explain_number(0x8001_0001_0000_0004)
    assert verdict.data.hex(" ") == "80 01 00 01 00 00 00 04"
    assert "strict binary CALL" in verdict.readings[0].what
    assert "does not fit into 4 bytes" in verdict.remarks[0]
    assert len(explain_number(-(2**31) - 1).data) == 8


def test_a_reader_that_takes_numbers_in_the_other_order() -> None:
    for number in (0x0100_0180, 0x2054_4547):
        assert "little-endian" in first(number).what
        assert first(number).certainty is Certainty.LIKELY
    # An ordinary length stays one, whatever it would be the other way round.
    assert "little-endian" not in first(0x0003_0316).what


def test_text() -> None:
    assert explain_number(1195725856).text == "GET "
    assert explain_number(0x2A31_0D0A).text == "*1\r\n"
    assert explain_number(30).text is None
    assert explain_number(2**80).text is None


BEGINNINGS = {
    framed(ADD): "the length of a frame, then a strict binary message",
    framed(bytes.fromhex("822101")): "the length of a frame, then a compact CALL",
    ADD: "the first 4 bytes of a strict binary CALL",
    bytes.fromhex("0000003e 0fff 0000 00000001"): "the start of a THeader frame",
    bytes.fromhex("0000003e 1000 0000 00000001"): "the start of a TTHeader frame",
    bytes.fromhex("00000008 04d2162f"): "a PostgreSQL client's question for TLS",
    bytes.fromhex("4a000000 0a") + b"8.0.33\0": "the greeting of a MySQL server",
    bytes.fromhex("000012 04 00 00000000"): "HTTP/2 SETTINGS",
    b"GET / HTTP/1.1\r\n": "the start of an HTTP GET request",
    b"SSH-2.0-OpenSSH_9.2\r\n": "the greeting of SSH",
    b"*1\r\n$4\r\nPING\r\n": "a Redis command",
    b"\x16\x03\x01\x02\x00\x01\x00\x01": "a TLS handshake, a client's hello",
    b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03": "a TLS handshake, a server's hello",
    bytes.fromhex(
        "15030300020228"
    ): "a TLS alert: handshake_failure: no cipher that both sides have",
    bytes.fromhex("0400000001 0000001600010000"): "a CQL v4 STARTUP",
    bytes.fromhex("0500000005 00000000"): "a CQL v5 OPTIONS",
    bytes.fromhex("8400000006 0000002200"): "a CQL v4 answer",
    bytes.fromhex("0000000f7f000001") + b"tinit check": (
        "a ThriftMux Rerr with which a client asks for a handshake"
    ),
    bytes.fromhex("0000001044000001") + b"abc": "a ThriftMux Tinit, a client's handshake",
    bytes.fromhex("0000002c0012000300000001000b") + b"kafka": (
        "a Kafka request for the versions of the API"
    ),
    bytes.fromhex("dabbc20000000000"): "the magic of Dubbo's protocol, a call",
    bytes.fromhex("8221"): "the start of a compact CALL",
}


@pytest.mark.parametrize("data", BEGINNINGS, ids=lambda data: data[:8].hex())
def test_beginnings(data: bytes) -> None:
    assert explain_bytes(data).readings[0].what == BEGINNINGS[data]


@pytest.mark.parametrize("size", range(4))
def test_few_bytes_are_a_number(size: int) -> None:
    assert isinstance(explain_bytes(ADD[:size]), NumberVerdict)


# ── The table itself ─────────────────────────────────────────────────────────────────


def fixed_bits(rule: numbers._Rule) -> float:
    """Of how many bits a row decides, a range as much as it leaves out."""
    import math

    return sum(8 - math.log2(high - low + 1) for low, high in rule.pattern)


@pytest.mark.parametrize("rule", numbers._RULES, ids=lambda rule: rule.what[:40])
def test_a_row_is_no_surer_than_its_bytes(rule: numbers._Rule) -> None:
    bits = fixed_bits(rule)
    if rule.certainty is Certainty.CERTAIN:
        assert bits >= 20
    if rule.certainty is Certainty.LIKELY:
        assert bits >= 16
    assert rule.source
    assert len(rule.pattern) in (4, 5, 6, 7, 8, 9)


@pytest.mark.parametrize("at", range(len(numbers._RULES)))
def test_every_row_can_be_reached(at: int) -> None:
    # Some number between the ends of its ranges is not taken by a row before it.
    rule = numbers._RULES[at]
    for choose in (lambda ends: ends[0], lambda ends: ends[1], lambda ends: sum(ends) // 2):
        data = bytes(choose(ends) for ends in rule.pattern).ljust(8, b"\x55")
        if rule in numbers._match(numbers._RULES, data):
            return
    pytest.fail(f"{rule.what} is hidden by another row")


# ── Any number ───────────────────────────────────────────────────────────────────────


@given(
    st.one_of(st.integers(), st.integers(-(2**31), 2**32 - 1), st.integers(-256, 70_000)),
    st.sampled_from(Role),
)
def test_any_number_gets_an_honest_answer(number: int, role: Role) -> None:
    verdict = explain_number(number, role)
    assert verdict.number == number
    if verdict.data:
        bits = 8 * len(verdict.data)
        assert int.from_bytes(verdict.data, "big") == number % 2**bits
    assert verdict.readings or verdict.remarks
    order = [reading.certainty for reading in verdict.readings]
    assert order == sorted(order, reverse=True)
    for reading in verdict.readings:
        assert reading.what
        assert reading.source


@given(st.binary(max_size=40), st.sampled_from(Role))
def test_any_bytes_get_an_answer(data: bytes, role: Role) -> None:
    assert explain_bytes(data, role).readings is not None


@given(st.integers(-(2**31), 2**31 - 1))
def test_signed_and_unsigned_are_the_same_bytes(number: int) -> None:
    unsigned = explain_number(number % 2**32, Role.FRAME)
    assert unsigned.data == explain_number(number, Role.FRAME).data
    assert unsigned.readings == explain_number(number, Role.FRAME).readings


# ── HTTP/2 and the relatives ─────────────────────────────────────────────────────────

# A number, its bytes, what they are, and who took them for a length: wire-relatives.md, 10.
RELATIVES = {
    4740180: ("48 54 54", "HTTP response", "a client that speaks HTTP/2"),
    1377025: ("15 03 01", "TLS alert", "a client that speaks HTTP/2"),
    1377027: ("15 03 03", "TLS alert", "a client that speaks HTTP/2"),
    1442561: ("16 03 01", "TLS handshake", "the other side that speaks HTTP/2"),
    1442563: ("16 03 03", "TLS handshake", "the other side that speaks HTTP/2"),
    4670804: ("47 45 54", "HTTP GET", "a server that speaks HTTP/2"),
    5263187: ("50 4f 53", "HTTP POST", "a server that speaks HTTP/2"),
    14334914: ("da bb c2", "Dubbo's protocol, a call", "a server that speaks HTTP/2"),
    1347569952: ("50 52 49 20", "preface of HTTP/2", "a server"),
    1129270862: ("43 4f 4e 4e", "HTTP CONNECT", "a server"),
    -625229312: ("da bb c2 00", "Dubbo's protocol, a call", "a server"),
    3669737984: ("da bb c2 00", "Dubbo's protocol, a call", "a server"),
    -625278444: ("da bb 02 14", "Dubbo's protocol, a reply", "a client"),
    -235864056: ("f1 f1 00 08", "Motan's protocol, version 2, a call", "a server"),
    134217744: ("08 00 00 10", "rpcx call, its values in JSON", "a server"),
    134217776: ("08 00 00 30", "rpcx call, its values in msgpack", "a server"),
    1195725856: ("47 45 54 20", "HTTP GET", "a server"),
    # Not in that table: the same rule.
    8519680 + 0x2100: ("82 21 00", "", ""),
    0x505249: ("50 52 49", "preface of HTTP/2", "a server that speaks HTTP/2"),
    0x535348: ("53 53 48", "greeting of SSH", "the other side that speaks HTTP/2"),
}


@pytest.mark.parametrize("number", RELATIVES)
def test_a_number_of_the_relatives(number: int) -> None:
    data, what, reader = RELATIVES[number]
    verdict = explain_number(number)
    if not what:
        assert verdict.readings[0].certainty < Certainty.CERTAIN
        return
    assert verdict.data == bytes.fromhex(data)
    best = verdict.readings[0]
    assert best.certainty > Certainty.POSSIBLE
    assert what in best.what
    assert best.reader.startswith(reader)
    assert best.remedy


@pytest.mark.parametrize(
    ("number", "settings"), {6148: "4 settings", 1540: "1 setting", 4: ""}.items()
)
def test_the_settings_of_a_server_as_a_length(number: int, settings: str) -> None:
    """Small numbers may be anything: it is one explanation among others."""
    found = [one for one in explain_number(number).readings if "SETTINGS" in one.what]
    assert len(found) == 1
    assert settings in found[0].what
    assert found[0].certainty is Certainty.POSSIBLE
    assert len(explain_number(number).readings) > 1


def test_the_length_of_a_frame_is_three_bytes() -> None:
    """Where the log says so, three bytes are enough; and what begins nothing may be a length."""
    assert first(4740180, Role.HTTP2).certainty is Certainty.CERTAIN
    assert first(1377025, Role.HTTP2).what.startswith("the start of a TLS alert")
    assert "HTTP/1.1" in first(4740180, Role.HTTP2).remedy
    assert "more than the 16384" in first(393_509, Role.HTTP2).what
    assert explain_number(393_509, Role.HTTP2).data == b"\x06\x01\x25"
    assert (
        explain_bytes(b"HTT", Role.HTTP2).readings == explain_number(4740180, Role.HTTP2).readings
    )


@pytest.mark.parametrize("data", ["f1f10108", "f1f11f0f", "dabb0228", "dabbe200", "f1f10001"])
def test_a_reply_is_not_sent_by_a_client(data: str) -> None:
    best = explain_bytes(bytes.fromhex(data)).readings[0]
    assert "server" in best.sender or best.sender.startswith("a Dubbo client or")
    assert best.certainty is Certainty.CERTAIN


@pytest.mark.parametrize(
    ("data", "what"),
    {
        "0800003000000000": "rpcx call",
        "08004030000000000000000100000018": "rpcx heartbeat",
        "0800801000000000": "rpcx reply",
        "000000040000000000": "HTTP/2 SETTINGS",
        "000018040000000000": "HTTP/2 SETTINGS",
    }.items(),
)
def test_first_bytes_of_the_relatives(data: str, what: str) -> None:
    best = explain_bytes(bytes.fromhex(data)).readings[0]
    assert what in best.what
    assert best.certainty > Certainty.POSSIBLE


# ── One answer, however the bytes were written ───────────────────────────────────────

# What the families begin with: 8 bytes, and a word of what they are.
MAGICS = {
    "8001000100000004": "strict binary",
    "8221010361646415": "compact",
    "8241010361646415": "compact",
    "8261010361646415": "compact",
    "8281010361646415": "compact",
    "0fff000000000001": "THeader",
    "1000000000000001": "TTHeader",
    "dabbc20000000000": "Dubbo",
    "dabb021400000000": "Dubbo",
    "f1f1000800000000": "Motan",
    "f1f1000000000000": "Motan",
    "f0f0010000000000": "Motan",
    "0800001000000000": "rpcx",
    "0800801000000000": "rpcx",
    b"GET / HT".hex(): "HTTP GET",
    b"HEAD / H".hex(): "HTTP HEAD",
    b"DELETE /".hex(): "HTTP DELETE",
    b"HTTP/1.1".hex(): "HTTP response",
    b"PRI * HT".hex(): "HTTP/2",
    "16030100c8010000": "TLS",
    "1503030002022800": "TLS",
}


def layouts(data: bytes) -> list[str]:
    """Bytes as people paste them: as hex, and as a number, signed or not."""
    number = int.from_bytes(data, "big")
    signed = int.from_bytes(data, "big", signed=True)
    half = len(data) // 2
    pairs = [data.hex(" "), ", ".join(f"0x{byte:02x}" for byte in data)]
    streams = [data.hex(), data.hex().upper(), f"{data[:half].hex()} {data[half:].hex()}"]
    numbers = [str(number), str(signed), f"0x{data.hex()}"]
    if (data[:2] == b"\x10\0" and len(data) < 8) or data == b"PR":
        return [pairs[1], *numbers]  # digits alone, which say nothing that is more than possible
    return pairs + streams + numbers


@pytest.mark.parametrize("size", [2, 4, 8])
@pytest.mark.parametrize("magic", MAGICS)
def test_a_magic_is_known_however_it_is_written(magic: str, size: int) -> None:
    for text in layouts(bytes.fromhex(magic)[:size]):
        found = explain_text(text)
        verdicts = [*found.numbers, *(explain_bytes(block.data) for block in found.blocks)]
        assert any(MAGICS[magic] in one.what for verdict in verdicts for one in verdict.readings), (
            text
        )
        remarks = [remark for verdict in verdicts for remark in verdict.remarks]
        assert not any("Nothing that is known" in remark for remark in remarks), text


@pytest.mark.parametrize(
    ("data", "side", "what"),
    [
        (b"H", "client", "HTTP response"),
        (b"H", "server", "HTTP HEAD"),
        (b"P", "server", "HTTP POST"),
        (b"P", "client", "HTTP POST"),  # nothing else is known: it stays
        (b"GE", "server", "HTTP GET"),
        (b"\x16", "server", "TLS handshake"),
    ],
)
def test_a_reader_does_not_get_what_its_own_side_sends(data: bytes, side: str, what: str) -> None:
    verdict = numbers.read_by(explain_bytes(data, Role.MAGIC), side)
    assert what in verdict.readings[0].what
    assert verdict.readings[0].reader
    assert "Thrift" not in verdict.readings[0].remedy


def test_small_numbers_stay_numbers() -> None:
    """Two bytes of text are one explanation among others, where nobody said what was read."""
    for number in (18_245, 18_501, 4_096):
        readings = explain_number(number).readings
        assert "the length of a frame" in readings[0].what
        assert any("as two bytes" in reading.what for reading in readings)
        assert all(reading.certainty is Certainty.POSSIBLE for reading in readings)
    assert not any("bytes" in one.what for one in explain_number(300).readings[2:])
