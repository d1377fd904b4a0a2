r"""Bytes in pasted text: every layout gives back what was laid out, and nothing else does."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from making import ADD, CLIENT, PING, SERVER, Talk, ethernet, framed, ipv4, ipv6, tcp, udp
from pasting import HOSTILE, grouped, rows, shown, tcpdump, xxd

from pingpong.hints.pasted import MAX_TEXT, blocks_in, bytes_in, payload_of
from pingpong.model import Endpoint
from pingpong.wire.capturefile import open_capture

Layout = Callable[[bytes], str]


def canonical(data: bytes) -> str:
    """hexdump -C, rows that repeat as one star."""
    lines = []
    before = b""
    for at, row in rows(data):
        if row != before:
            halves = f"{row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}"
            lines.append(f"{at:08x}  {halves}  |{shown(row)}|")
        elif lines[-1] != "*":
            lines.append("*")
        before = row if len(row) == 16 else b""
    return "\n".join([*lines, f"{len(data):08x}"])


def wireshark(data: bytes, text: bool = True) -> str:
    return "\n".join(
        f"{at:04x}   {row.hex(' '):<47}   {shown(row) if text else ''}".rstrip()
        for at, row in rows(data)
    )


def follow(data: bytes) -> str:
    """tshark -z follow,tcp,hex: a gap in the middle of both columns."""
    lines = []
    for at, row in rows(data):
        halves = f"{row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}"
        lines.append(f"{at:08X}  {halves}  {shown(row[:8])} {shown(row[8:])}".rstrip())
    return "\n".join(lines)


def scapy_dump(data: bytes) -> str:
    return "\n".join(f"{at:04x}  {row.hex(' ').upper():<48} {shown(row)}" for at, row in rows(data))


def od(data: bytes, base: str) -> str:
    lines = [f"{at:07{base}} {row.hex(' ')}" for at, row in rows(data)]
    return "\n".join([*lines, f"{len(data):07{base}}"])


def words(data: bytes, base: str) -> str:
    """hexdump and od -x: 16-bit words of a PC, the last one filled up."""
    lines = []
    for at, row in rows(data):
        row += bytes(len(row) % 2)
        pairs = [row[i : i + 2][::-1].hex() for i in range(0, len(row), 2)]
        lines.append(f"{at:07{base}} {' '.join(pairs)}")
    return "\n".join([*lines, f"{len(data):07{base}}"])


def gdb(data: bytes) -> str:
    return "\n".join(
        f"0x{0x7FFFFFFFE0A0 + at:x}:\t" + "\t".join(f"0x{byte:02x}" for byte in row)
        for at, row in rows(data, 8)
    )


def c_array(data: bytes) -> str:
    """WireShark's "as C array"."""
    lines = ["/* Frame (96 bytes) */", f"static const unsigned char pkt1[{len(data)}] = {{"]
    for _, row in rows(data, 8):
        text = shown(row).replace("*", ".").replace("/", ".")
        lines.append(", ".join(f"0x{byte:02x}" for byte in row) + f", /* {text} */")
    return "\n".join([*lines, "};"])


def xxd_i(data: bytes) -> str:
    body = ",\n".join("  " + ", ".join(f"0x{b:02x}" for b in row) for _, row in rows(data, 12))
    return f"unsigned char a_bin[] = {{\n{body}\n}};\nunsigned int a_bin_len = {len(data)};"


def escapes(data: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in data)


def octal(data: bytes) -> str:
    return '"' + "".join(f"\\{byte:03o}" for byte in data) + '"'


def signed(data: bytes) -> str:
    return str([(byte ^ 128) - 128 for byte in data])


# Layouts that say what they are, with any bytes in them.
MARKED: dict[str, Layout] = {
    "tcpdump -X": tcpdump,
    "tcpdump -x": lambda data: tcpdump(data, text=False),
    "xxd": xxd,
    "xxd -g1": lambda data: xxd(data, 16, 1),
    "xxd -c 8 -g 4": lambda data: xxd(data, 8, 4),
    "xxd -c 32": lambda data: xxd(data, 32, 2),
    "hexdump -C": canonical,
    "hexdump": lambda data: words(data, "x"),
    "od -x": lambda data: words(data, "o"),
    "od -t x1": lambda data: od(data, "o"),
    "od -A d -t x1": lambda data: od(data, "d"),
    "WireShark's hex and ASCII": wireshark,
    "WireShark's hex dump": lambda data: wireshark(data, text=False),
    "tshark's follow": follow,
    "scapy's hexdump": scapy_dump,
    "gdb's x/8xb": gdb,
    "repr": repr,
    "bytearray": lambda data: repr(bytearray(data)),
    "escapes": escapes,
    "escapes in quotes": lambda data: f'"{escapes(data)}"',
    "WireShark's escaped string": lambda data: (
        '"' + '" \\\n"'.join(escapes(row) for _, row in rows(data)) + '"'
    ),
    "octal escapes": octal,
    "C array": c_array,
    "xxd -i": xxd_i,
    "Node's Buffer": lambda data: f"<Buffer {data.hex(' ')}>",
    "SQL": lambda data: f"x'{data.hex()}'",
}

# Layouts that only their length or their letters tell from a number.
PLAIN: dict[str, Layout] = {
    "hex stream": bytes.hex,
    "upper case": lambda data: data.hex().upper(),
    "with a sign that more follows": lambda data: data.hex() + "…",
    "wrapped": lambda data: "\n".join(row.hex() for _, row in rows(data, 30)),
    "bytes": lambda data: data.hex(" "),
    "bytes in rows": lambda data: "\n".join(row.hex(" ") for _, row in rows(data)),
    "words": lambda data: grouped(data, 2),
    "double words": lambda data: grouped(data, 4),
    "colons": lambda data: data.hex(":"),
    "dashes": lambda data: data.hex("-"),
    "0x each": lambda data: ", ".join(f"0x{byte:02x}" for byte in data),
    "0x in brackets": lambda data: "[" + " ".join(f"{byte:#x}" for byte in data) + "]",
    "0x before all": lambda data: "0x" + data.hex(),
    "commas": lambda data: ",".join(f"{byte:02x}" for byte in data),
    "Python's list": lambda data: str(list(data)),
    "Java's list": signed,
    "Go's list": lambda data: str(list(data)).replace(",", ""),
    "bytea": lambda data: "\\x" + data.hex(),
}

SAMPLES = {
    "add": ADD,
    "framed ping": framed(PING),
    "all bytes": bytes(range(256)),
    "zeros": bytes(100),
    "text that looks like hex": b"abcdef 0123456789 00 00 0000  30 31",
    "repeated": b"\x80\x01\x00\x01" * 16 + b"end",
}


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("layout", [*MARKED, *PLAIN])
def test_a_layout_gives_its_bytes_back(layout: str, sample: str) -> None:
    data = SAMPLES[sample]
    assert bytes_in({**MARKED, **PLAIN}[layout](data)) == data


@pytest.mark.parametrize("layout", MARKED)
@given(data=st.binary(min_size=1, max_size=120))
@example(data=b"00 0")
@example(data=b"   ")
@example(data=b"| . |")
def test_marked_layouts_hold_any_bytes(layout: str, data: bytes) -> None:
    assert bytes_in(MARKED[layout](data)) == data


@pytest.mark.parametrize("layout", PLAIN)
@given(data=st.binary(min_size=9, max_size=120))
def test_plain_layouts_hold_any_bytes_that_are_enough(layout: str, data: bytes) -> None:
    assert bytes_in(PLAIN[layout](data)) == data


@pytest.mark.parametrize(
    "line",
    [
        "Could not start SASL: b'Error in sasl_client_start (-4) SASL(-4): no mechanism available'",
        "TTransportException: b'TSocket read 0 bytes' while reading",
        "File '/x/hive.py', line 9, got b'hello world', wanted b'x'",
    ],
)
def test_text_that_python_did_not_decode_is_no_paste(line: str) -> None:
    assert blocks_in(line) == ()


@given(st.binary(max_size=60))
def test_a_repr_in_a_log(data: bytes) -> None:
    data = b"\x80" + data
    assert bytes_in(f"ERROR [main]: cannot read {data!r}, giving up") == data


def test_what_begins_something_known_is_a_paste() -> None:
    assert bytes_in("the server sent b'HTTP/1.1 400 Bad Request' and closed") is not None
    assert bytes_in("data = b'hello'") == b"hello"


@given(st.binary(max_size=60))
@example(data=b"\"'")
def test_the_inside_of_a_repr(data: bytes) -> None:
    data = b"\x80\x01\x00\x01" + data + b"\x00"
    # A byte at a time: of both quotes in one text, repr writes one with a backslash.
    inside = "".join(repr(bytes((byte,)))[2:-1] for byte in data)
    assert bytes_in(inside.replace('"', r"\x22").replace("'", r"\x27")) == data


def test_indents_spaces_that_were_lost_and_other_lines() -> None:
    for text in (
        "\n".join("    > ".replace(">", " ") + line for line in xxd(ADD).split("\n")),
        re.sub(" +", " ", xxd(ADD)),
        re.sub(" +", " ", tcpdump(ADD)),
        re.sub("[ \t]+", " ", canonical(ADD)),
        "before\n" + xxd(ADD) + "\n\nand behind",
        xxd(ADD).replace("\n", "\r\n"),
        wireshark(ADD).replace(".", "·"),
    ):
        assert bytes_in(text) == ADD, text


def test_rows_that_are_missing_are_not_made_up() -> None:
    lines = xxd(bytes(range(64))).split("\n")
    found = blocks_in("\n".join([lines[0], lines[2], lines[3]]))
    assert [block.data for block in found] == [bytes(range(16)), bytes(range(32, 64))]


def test_a_star_stands_for_no_more_than_the_limit() -> None:
    text = "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00\n*\nffffffff0\n"
    assert len(bytes_in(text) or b"") <= MAX_TEXT


def test_a_cut_literal_reaches_to_the_end() -> None:
    assert bytes_in(repr(ADD)[:40]) is not None
    assert ADD.startswith(bytes_in(repr(ADD)[:41]) or b"?")
    assert bytes_in("<Buffer 80 01 00 01 ... 26 more bytes>") == ADD[:4]
    assert bytes_in("begins with 80 01 00 01 00 00 00 03: nothing known") == ADD[:8]


def test_json_is_text_already() -> None:
    assert bytes_in(' [1,"add",1,1,{}]\n') == b'[1,"add",1,1,{}]'


NOT_BYTES = (
    *("", " ", "hello", "No protocol version header", "TSocket read 0 bytes", "12:30:45"),
    *("2026-11-23 12:00:00,123 WARN 10.0.0.1:50001 nothing", "[1, 2, 3] of 4", "1195725856"),
    *("-2147418111", "16384000 1213486160", "0x80010001", "80", "127.0.0.1", "it's b' or not"),
    *("Frame size (1213486160) larger than max length (16384000)!", "0x", "\\", "'", "{", "["),
    "at 0000: 2026 11 23",
    "0000000 000600 000400 000000\n0000006",  # od without -t: octal words
)


@pytest.mark.parametrize("text", NOT_BYTES)
def test_other_text_holds_no_bytes(text: str) -> None:
    assert bytes_in(text) is None or text.startswith("it's")


@given(st.one_of(st.text(), st.text("0123456789abcdef x\\'\"b:.,{}[]<>|*\n\t-")))
def test_any_text_at_all(text: str) -> None:
    for block in blocks_in(text):
        assert block.data


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_ends(name: str) -> None:
    # A pattern that goes over the same text again and again would take hours.
    for block in blocks_in(HOSTILE[name]):
        assert len(block.data) <= MAX_TEXT


# ── Other people's tools ─────────────────────────────────────────────────────────────

TOOLS = (
    *(
        "xxd",
        "xxd -g1 -u",
        "xxd -c 8",
        "xxd -p",
        "xxd -i",
        "hexdump",
        "hexdump -C",
        "hexdump -v -C",
    ),
    *("od -t x1", "od -x", "od -A x -t x1z", "od -A d -t x1", "od -A x -t x1"),
)


# Its offsets can be read as hexdump's, and where rows are omitted nothing says otherwise.
AMBIGUOUS = {("od -x", "zeros"), ("od -x", "repeated")}


@pytest.mark.parametrize(
    ("command", "sample"),
    [(tool, name) for tool in TOOLS for name in SAMPLES if (tool, name) not in AMBIGUOUS],
)
def test_what_tools_write(command: str, sample: str) -> None:
    program, *options = command.split()
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run([program, *options], input=SAMPLES[sample], capture_output=True)
    assert bytes_in(done.stdout.decode("ascii")) == SAMPLES[sample]


def test_what_tshark_writes(tshark: str, root: Path) -> None:
    path = root / "captures/ping_login.pcap"
    done = subprocess.run([tshark, "-r", path, "-x"], capture_output=True, text=True, check=True)
    with open_capture(path) as file:
        packets = [packet.data for packet in file]
    found = blocks_in(done.stdout)
    assert [block.data for block in found] == packets
    assert all(block.link == 1 for block in found)


def test_both_directions_of_a_stream_in_tsharks_follow(tshark: str, root: Path) -> None:
    path = root / "captures/ping_login.pcap"
    done = subprocess.run(
        [tshark, "-r", path, "-q", "-z", "follow,tcp,hex,0"],
        capture_output=True,
        text=True,
        check=True,
    )
    calls, replies = (block.data for block in blocks_in(done.stdout))
    assert (len(calls), len(replies)) == (17 + 39, 28 + 38)
    assert calls.startswith(b"\x80\x01\x00\x01")
    assert replies.startswith(b"\x80\x01\x00\x02")


# ── Packets ──────────────────────────────────────────────────────────────────────────

SEGMENT = tcp(50001, 9090, 1, 1, 24, ADD)
IP = ipv4(SEGMENT)
PACKETS = {
    "raw IPv4": (101, IP),
    "raw IPv6": (101, ipv6(SEGMENT)),
    "Ethernet": (1, ethernet(IP)),
    "Ethernet, padded": (1, ethernet(IP) + bytes(4)),
    "Ethernet, IPv6": (1, ethernet(ipv6(SEGMENT), 0x86DD)),
    "a VLAN": (1, bytes(12) + bytes.fromhex("8100 0007 0800") + IP),
    "two VLANs": (1, bytes(12) + bytes.fromhex("88a8 0007 8100 0008 0800") + IP),
    "Linux cooked": (113, bytes.fromhex("0000 0304 0006 000000000000 0000 0800") + IP),
    "Linux cooked 2": (276, bytes.fromhex("0800 0000 00000001 0304 00 06 0000000000000000") + IP),
    "BSD loopback": (0, bytes.fromhex("02000000") + IP),
    "OpenBSD loopback": (0, bytes.fromhex("00000002") + IP),
    "macOS loopback, IPv6": (0, bytes.fromhex("1e000000") + ipv6(SEGMENT)),
    "UDP": (101, ipv4(udp(50001, 9090, ADD), 17)),
    "TCP options": (101, ipv4(tcp(50001, 9090, 1, 1, 24, ADD, bytes.fromhex("01010000")))),
}


@pytest.mark.parametrize("name", PACKETS)
def test_headers_are_peeled(name: str) -> None:
    link, data = PACKETS[name]
    (block,) = blocks_in(xxd(data))
    assert (block.link, block.payload, block.data) == (link, ADD, data)
    assert block.is_packet
    assert payload_of(data) == ADD
    assert block.source is not None
    assert block.source.port == 50001
    if name == "raw IPv4":
        assert (block.source, block.target) == (Endpoint(CLIENT, 50001), Endpoint(SERVER, 9090))


def test_packets_without_payload() -> None:
    talk = Talk().open().call(ADD)
    text = "\n".join(tcpdump(packet.data[14:]) for packet in talk.packets)
    assert [block.payload for block in blocks_in(text)] == [b"", b"", b"", ADD]
    assert payload_of(ethernet(ipv4(tcp(50001, 9090, 1, 1, 2)))) == b""


@pytest.mark.parametrize("sample", SAMPLES)
def test_what_is_no_packet_stays(sample: str) -> None:
    data = SAMPLES[sample]
    assert payload_of(data) == data
    (block,) = blocks_in(xxd(data))
    assert (block.link, block.source, block.is_packet) == (None, None, False)


def test_a_cut_packet_needs_a_right_checksum() -> None:
    cut = IP[:-10]
    assert payload_of(cut) == cut
    total = sum(int.from_bytes(IP[i : i + 2], "big") for i in range(0, 20, 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    right = cut[:10] + (0xFFFF - total).to_bytes(2, "big") + cut[12:]
    assert payload_of(right) == ADD[:-10]


@given(st.binary(max_size=120))
def test_any_bytes_can_be_peeled(data: bytes) -> None:
    assert payload_of(data) in data
