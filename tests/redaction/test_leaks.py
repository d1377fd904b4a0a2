"""The oracles of leaks.py on a few fixed captures, what they found once, and that they can fail."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from pathlib import Path

import leaks
import pytest
from doors import run
from hiding import WORD, answer, login, outputs, redacted, right
from making import ACK, PSH, Talk, ethernet, ipv4, packet, udp
from places import SHARED

from pingpong import cli, read, read_packets
from pingpong.model import Finding, Packet, Severity
from pingpong.protocols.encodings.binary import write_header
from pingpong.redaction.messages import hushed
from pingpong.wire.capturefile import write_capture

pytestmark = pytest.mark.many

ATTACKS = SHARED / "cases" / "attacks"

# ── The oracles ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(30))
def test_nothing_leaks(seed: int) -> None:
    assert leaks.leak(seed, 8) == ""


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_made_up(seed: int) -> None:
    assert leaks.untrue(seed, 8) == ""


# Seeds of what the search found, with what it was.
FOUND = {
    65: "json in chunks, in mid-stream: the size of a chunk was read as part of a string",
    4000563: "thriftpy2's JSON: a field's name was damaged, so that no selector named it",
    4000571: "the same of a method that the IDL lacks",
    5001337: "compact in HTTP: a damaged id made it a field of the IDL with another type",
    3000152: "compact in WebSocket, in mid-stream: a frame's head was read as one of a message",
    1063: "thriftpy2's JSON, cut: a success became a declared exception once it was masked",
    1681516608: "binary over HTTP: a damaged id made an argument look like a result",
    3010249474: "compact in zlib: a damaged id made a map another map of the IDL",
    4112693916: "binary in frames: the same of a list",
    699369537: "binary in chunks, in mid-stream: the size of a chunk was read as a field",
    2131358936: "a copy of a call before its SYN: told in two connections",
    2629331821: "compact, behind a loss: a value held what begins a message, and made sense",
    3544338833: "binary in chunks, behind a loss: the size of a chunk was read as a field again",
    3810359400: "HTTP before its SYN: a place below 0 was taken for that of packed bytes",
    2714182185: "the same, where the first bytes behind the SYN were lost",
}


@pytest.mark.parametrize("seed", FOUND)
def test_what_the_oracles_found(seed: int) -> None:
    assert leaks.leak(seed, 20) == ""
    assert leaks.untrue(seed) == ""


def test_secrets_stand_in_what_is_mistreated() -> None:
    """Else finding none of them would say nothing."""
    met = {"always": 0, "values": 0, "texts": 0}
    carriers = set()
    for seed in range(120):
        one = leaks.made(seed)
        data = b"".join(piece.data for piece in one.pieces)
        carriers.add(one.carrier)
        for kind in met:
            runs = leaks.runs_of(getattr(one.planted, kind))
            met[kind] += bool(leaks.told(runs, data))
    assert carriers == set(leaks.CARRIES)
    assert min(met.values()) > 15, met


def test_the_oracle_sees_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens what nobody has read, is found out."""
    monkeypatch.setattr(leaks, "Rewriter", lambda plan: _Open())
    assert any(leaks.leak(seed, 1) for seed in range(5))


class _Open:
    def look(self, one: Packet) -> None: ...

    def start(self) -> None: ...

    def packet(self, one: Packet) -> Packet:
        return one


def test_the_oracle_hears_what_was_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "_sent", lambda one: Counter())
    assert any(leaks.untrue(seed, 1) for seed in range(5))


# ── The ends ─────────────────────────────────────────────────────────────────────────


def ends_of(packets: list[Packet]) -> list[tuple[str, int, bool, str]]:
    return [
        (one.client.host, one.client.port, one.from_client, one.method)
        for one in read_packets(packets).messages
    ]


def test_ends_that_turn_out_when_the_capture_ends() -> None:
    """The higher port is the server's; what tells that waits behind a hole until the end."""
    talk = Talk(port=40000, server_port=50000)
    talk.send(True, b"xyz").skip(True, 9).send(True, login())
    talk.send(False, b"ab").skip(False, 7).send(False, answer())
    told = ends_of(talk.packets)
    assert sorted(told) == [
        ("10.0.0.1", 40000, False, "login"),
        ("10.0.0.1", 40000, True, "login"),
    ]
    done = redacted(right(talk.packets), "login.2", "login.0")
    assert WORD[:6] not in outputs(done)
    assert done.redactor.counts == [1, 1]


def test_an_acknowledgement_before_the_syn_ack() -> None:
    talk = Talk(port=40000, server_port=50000).open().call(login()).reply(answer())
    assert {one[:2] for one in ends_of(talk.in_order(3, 2, 4, 5))} == {("10.0.0.1", 40000)}


def test_the_ends_of_datagrams() -> None:
    made = []
    for number, (data, ports, ends) in enumerate(
        (
            (login(), (40000, 50000), ("10.0.0.1", "10.0.0.2")),
            (answer(), (50000, 40000), ("10.0.0.2", "10.0.0.1")),
        ),
        1,
    ):
        made.append(packet(number, ethernet(ipv4(udp(*ports, data), 17, *ends))))
    assert [one[:3] for one in ends_of(made)] == [
        ("10.0.0.1", 40000, True),
        ("10.0.0.1", 40000, False),
    ]


# ── HTTP behind a loss ───────────────────────────────────────────────────────────────


def post(body: bytes, *more: bytes, target: bytes = b"/calc") -> bytes:
    lines = [
        b"POST %s HTTP/1.1" % target,
        b"Content-Type: application/x-thrift",
        *more,
        b"Content-Length: %d" % len(body),
    ]
    return b"\r\n".join([*lines, b"", b""]) + body


@pytest.mark.parametrize("lost", [10, 40, 60])
def test_a_head_holds_no_longer_than_its_body(lost: int) -> None:
    """Where the end of a body is lost, the next request begins with a head of its own."""
    text = b"A" * 3000
    long = write_header(b"put", 1, 1) + b"\x0b\0\1\0\0\x0b\xb8" + text + b"\0"
    first = post(long)
    for size in (200, len(first) - lost):
        talk = Talk().open().call(first[:size]).skip(True, len(first) - size)
        for _ in range(3):
            talk.call(post(login()))
        for end in (talk.packets, talk.close().packets):
            found = read_packets(end).messages
            whole = [one.method for one in found if not one.findings]
            assert whole == ["login"] * 3, size
            assert [one.method for one in found if one.findings] == ["put"]


def test_a_body_that_ends_with_the_connection_does_not_end_with_a_loss() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-thrift\r\n\r\n"
    data = head + answer()
    for cut in range(len(head) + 20, len(data)):
        talk = Talk().open().call(post(login())).reply(data[:cut])
        talk.skip(False, 5).add(False, ACK | PSH, b"more of it")
        (reply,) = [one for one in read_packets(talk.packets).messages if not one.from_client]
        assert reply.findings


def test_the_inside_of_chunks_is_no_message() -> None:
    """A chunk's size in a string: a message that nobody sent."""
    body = b'[1,"login",1,1,{"2":{"str":"open\r\n8;a=b\r\nsesame"}}]'
    talk = Talk().call(b"1f\r\n" + body + b"\r\n0\r\n\r\n")
    assert not read_packets(talk.packets).messages
    whole = body.replace(b"\r\n8;a=b\r\n", b" ")
    talk = Talk().call(b"1f\r\n" + whole + b"\r\n0\r\n\r\n")
    assert [one.method for one in read_packets(talk.packets).messages] == ["login"]


# ── What is hidden ───────────────────────────────────────────────────────────────────


def test_the_key_of_a_pair_that_is_cut() -> None:
    """Wherever a message is cut, in structs, lists and maps in each other."""
    key = WORD[:12]
    pair = b"\x0b\x0b\0\0\0\1" + struct.pack(">i", 12) + key + b"\0\0\0\3one"
    inside = b"\x0c\0\1\x0f\0\2\x0d\0\0\0\1" + pair + b"\0\0"
    data = write_header(b"login", 1, 1) + b"\x0d\0\2" + pair + inside + b"\0"
    for cut in range(12, len(data)):
        done = redacted(right(Talk().open().call(data[:cut]).close().packets), "login.*")
        assert leaks.told(leaks.runs_of([key]), outputs(done)) == "", cut


def test_what_is_wrong_is_what_was_wrong_before_it_was_masked() -> None:
    packets = Talk().open().call(login()[:40]).close().packets
    (before,) = read_packets(packets).messages
    (after,) = read_packets(packets, redact=["login.2"]).messages
    assert [one.text for one in after.findings] == [one.text for one in before.findings]
    assert WORD[:6].decode() not in repr(after.findings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("string at offset 4: needs 9 bytes, 3 left", "string at offset 4: needs 9 bytes, 3 left"),
        (
            "flow 1, from the client: HTTP POST /a: b, 3 bytes: the body begins no message",
            "flow 1, from the client: something is wrong: (redacted)",
        ),
        (
            "flow 1, from the server: no message at stream offset 0: HTTP start line at offset 0",
            "flow 1, from the server: no message at stream offset 0: (redacted)",
        ),
        ("POST /secret HTTP/1.1: nothing of its body was sent", "something is wrong: (redacted)"),
        ("body at offset 5, packed with sesame: no", "something is wrong: (redacted)"),
        ("3 bytes left over behind the struct at offset 7", None),
        ("sesame", "something is wrong: (redacted)"),
    ],
)
def test_findings_say_what_is_ours(text: str, said: str | None) -> None:
    assert hushed(Finding(Severity.ERROR, text, 0)).text == (said or text)


@pytest.mark.parametrize("empty", [True, False])
def test_bytes_behind_a_packed_stream(empty: bool) -> None:
    """In a THeader frame, behind the end of its zlib stream: nobody has read them."""
    body = write_header(b"ping", 1, 1) + b"\0" if empty else login()
    packed = zlib.compress(body) + WORD
    info = b"\0\1\1\0"
    inner = struct.pack(">HHIH", 0x0FFF, 0, 1, 1) + info + packed
    talk = Talk().open().call(struct.pack(">I", len(inner)) + inner)
    (one,) = read_packets(talk.packets).messages
    assert "left over" in one.findings[0].text
    assert WORD[:6] not in outputs(redacted(right(talk.packets), "nowhere.9"))


def test_an_ip_version_that_is_not_the_link_layers() -> None:
    """A damaged 4 makes 40 bytes of a header of IPv6: what stood there is no address."""
    good = right(Talk().open().call(login()).close().packets)
    data = bytearray(good[3].data)
    data[14] = 0x65
    (after,) = redacted([packet(1, bytes(data))], "login.2").packets
    assert after.data == bytes(data[:14]) + bytes(len(data) - 14)


def test_keys_of_theader() -> None:
    key = b"\1\1" + bytes((len(WORD),)) + WORD + b"\1x"
    info = b"\0\0" + key
    info += bytes(-len(info) % 4)
    inner = struct.pack(">HHIH", 0x0FFF, 0, 1, len(info) // 4) + info + login()
    talk = Talk().open().call(struct.pack(">I", len(inner)) + inner)
    assert WORD[:6] not in outputs(redacted(right(talk.packets), "login.2"))


UNKNOWN = """
struct User {{ 1: string name, 2: string password }}
service U {{ void login(1: string user, 2: string password), void set(1: User user) {more} }}
"""


def called(method: bytes, *fields: tuple[int, bytes]) -> bytes:
    body = b"".join(
        b"\x0b" + struct.pack(">hi", number, len(value)) + value for number, value in fields
    )
    return write_header(method, 1, 1) + body + b"\0"


@pytest.mark.parametrize(
    ("data", "more", "code"),
    [
        (called(b"login", (1, b"root"), (2, WORD)), "", cli.READ_ALL),
        (called(b"signup", (1, b"root"), (2, WORD)), "", cli.BAD),  # a method that it lacks
        (called(b"login", (1, b"root"), (2, b"-"), (3, WORD)), "", cli.BAD),  # a field
        (
            write_header(b"set", 1, 1) + b"\x0c\0\1" + called(b"", (3, WORD))[12:] + b"\0",
            "",
            cli.BAD,
        ),
    ],
)
def test_names_that_the_idl_lacks(
    data: bytes, more: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    idl, source, target = tmp_path / "u.thrift", tmp_path / "in.pcap", tmp_path / "out.pcap"
    idl.write_text(UNKNOWN.format(more=more))
    talk = Talk().open().call(called(b"login", (1, b"root"), (2, b"p"))).call(data)
    write_capture(str(source), right(talk.close().packets))
    done, out, err = run("redact", str(source), str(target), "-f", "password", "--idl", str(idl))
    assert done == code
    assert WORD[:6] not in target.read_bytes()
    assert ("names are not known" in err) == (code == cli.BAD)
    for view in (("show", "-m", "2"), ("show", "--json"), ("calls", "--json")):
        _, out, err = run(*view, str(source), "--redact", "password", "--idl", str(idl))
        assert WORD.decode()[:6] not in out + err


def test_names_without_an_idl(tmp_path: Path) -> None:
    source, target = tmp_path / "in.pcap", tmp_path / "out.pcap"
    write_capture(str(source), right(Talk().open().call(login()).close().packets))
    code, _, err = run("redact", str(source), str(target), "-f", "password")
    assert code == cli.BAD
    assert "1 message had fields whose names are not known" in err
    assert WORD[:6] not in target.read_bytes()


def test_texts_of_exceptions(tmp_path: Path) -> None:
    """A handler may quote what it was given: offered, and said when left."""
    source, target = tmp_path / "in.pcap", tmp_path / "out.pcap"
    text = b"no user has the password " + WORD
    failed = write_header(b"login", 3, 1) + b"\x0b\0\1" + struct.pack(">i", len(text)) + text
    failed += b"\x08\0\2\0\0\0\6\0"
    declared = write_header(b"login", 2, 1) + b"\x0c\0\1\x0b\0\1" + struct.pack(">i", len(text))
    declared += text + b"\0\0"
    talk = Talk().open()
    for reply in (failed, declared):
        talk.call(login(b"-")).reply(reply)
    write_capture(str(source), right(talk.close().packets))
    code, out, _ = run("redact", str(source), str(target), "-f", "login.2")
    assert (code, WORD in target.read_bytes()) == (0, True)
    assert "2 texts of exceptions left as they are: --text masks them" in out
    code, out, _ = run("redact", str(source), str(target), "-f", "login.2", "--text")
    assert (code, WORD[:6] in target.read_bytes()) == (0, False)
    assert "2 texts of exceptions masked" in out


def test_the_target_of_http_in_no_finding(tmp_path: Path) -> None:
    """A body that is none, behind a target with a secret: said, and without it."""
    source = tmp_path / "in.pcap"
    talk = Talk().open().call(post(login())).call(post(b"nothing", target=b"/" + WORD))
    write_capture(str(source), talk.close().packets)
    for command in (("show",), ("messages",), ("calls",), ("diagnose",)):
        _, out, err = run(*command, str(source), "--redact", "login.2")
        assert WORD.decode()[:6] not in out + err, command
    capture = read(str(source), redact=["login.2"])
    assert WORD.decode()[:6] not in capture._repr_html_() + repr(capture.findings)


# ── The attacks ──────────────────────────────────────────────────────────────────────

GONE = {
    "03a-redact-mapkey": ("login.2", [b"NFWBZVHZZL"]),
    "03b-redact-http-loss": ("*.*", [b"SKFSFRGGPZHFYKZJP"]),
    "03c-redact-swap": ("*.*", [b"AYSJPHY"]),
    "03e-redact-http-target-in-finding": ("login.2", [b"TOPSECRETTOKEN"]),
}


@pytest.mark.skipif(not ATTACKS.is_dir(), reason="../shared/cases is not there")
@pytest.mark.parametrize("name", GONE)
def test_attacks(name: str, tmp_path: Path) -> None:
    fields, words = GONE[name]
    source, target = str(ATTACKS / f"{name}.pcap"), tmp_path / "out.pcap"
    _, out, err = run("redact", source, str(target), "-f", fields)
    views = [run(one, source, "--redact", fields) for one in ("show", "messages", "diagnose")]
    shown = f"{out}{err}{views}".encode() + target.read_bytes()
    assert leaks.told(leaks.runs_of(words), shown) == ""


@pytest.mark.skipif(not ATTACKS.is_dir(), reason="../shared/cases is not there")
def test_attacks_on_the_truth() -> None:
    capture = read(str(ATTACKS / "04a-http-loss-madeup.pcap"))
    calls = [one for one in capture.messages if one.from_client]
    assert [one.method for one in calls] == ["put", *["get"] * 5]
    assert [bool(one.findings) for one in calls] == [True, *[False] * 5]
    swapped = read(str(ATTACKS / "09-swap-at-close.pcap"))
    assert {str(one.client) for one in swapped.messages} == {"10.0.0.1:40000"}
    assert [one.from_client for one in swapped.messages].count(True) == 2
