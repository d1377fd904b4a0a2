"""A call ends in a redacted capture as it ended before: every capture at hand, three selections."""

from __future__ import annotations

from pathlib import Path

import pytest
from doors import captures, run
from frames import (
    dubbo_call,
    dubbo_error,
    dubbo_reply,
    motan2_call,
    motan2_error,
    motan2_reply,
    rpcx_call,
    rpcx_error,
    thrown,
)
from making import Talk

from pingpong import read, write_capture

SELECTIONS = (("-f", "nosuch", "--text"), ("-f", "*.*"), ("-f", "name,user,id,code", "--text"))

# Thrift's messages are in the packed bytes with their names and types, and go with them.
HIDDEN = {"11_theader_compact_zlib.pcap", "15_zlib.pcap", "http-gzip-reply.pcap"}


def ended(path: Path) -> list[tuple[str, str]]:
    return [(one.outcome.name, one.exception) for one in read(str(path)).exchanges]


@pytest.mark.many
@pytest.mark.parametrize("path", captures(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_call_ends_as_before(path: Path, tmp_path: Path) -> None:
    before = ended(path)
    if not before or path.name in HIDDEN:
        pytest.skip("has no calls, or they are hidden whole")
    for words in SELECTIONS:
        safe = tmp_path / "safe.pcap"
        run("redact", str(path), str(safe), *words)
        assert ended(safe) == before, words


# What is said of a text that was masked, by what is answered.
MASKED = {
    "Dubbo": (dubbo_call(1), dubbo_error(1, 70, "no thread for hunter2"), "The text is masked"),
    "Dubbo, thrown": (
        dubbo_call(1),
        dubbo_reply(1, thrown("org.apache.dubbo.rpc.RpcException", "no hunter2"), 3),
        "Its text is masked",
    ),
    "Dubbo, no such method": (
        dubbo_call(1),
        dubbo_reply(1, thrown("java.lang.NoSuchMethodException", "hunter2"), 3),
        "Its text is masked",
    ),
    "Motan 2": (motan2_call(1), motan2_error(1, 500, "no hunter2"), "The text is masked"),
    "Motan 2, 404": (motan2_call(1), motan2_error(1, 404, "hunter2"), "no such service, or no"),
    "rpcx": (rpcx_call(1), rpcx_error(1, "no hunter2"), "The text is masked"),
}


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (dubbo_call(1, timeout="1000", token="s3cret"), dubbo_reply(1)),
        (motan2_call(1, M_tmo="1000", M_a="s3cret"), motan2_reply(1)),
    ],
)
def test_how_long_a_caller_waits_is_no_secret(ask: bytes, answer: bytes, tmp_path: Path) -> None:
    source, safe = tmp_path / "in.pcap", tmp_path / "safe.pcap"
    talk = Talk().open().call(ask).wait(2_000_000_000).reply(answer)
    write_capture(str(source), talk.packets)
    run("redact", str(source), str(safe), "-f", "*.*")
    assert b"s3cret" not in safe.read_bytes()
    assert run("diagnose", str(safe)) == run("diagnose", str(source))


def test_a_line_feed_in_metadata_shows_nothing(tmp_path: Path) -> None:
    """Motan's keys and values are lines: what comes behind one more changes its part."""
    source, safe = tmp_path / "in.pcap", tmp_path / "safe.pcap"
    ask = motan2_call(1, note="of two\nhunter2", token="s3cret", last="One")
    write_capture(str(source), Talk().open().call(ask).reply(motan2_reply(1)).packets)
    run("redact", str(source), str(safe), "-f", "*.*")
    for secret in (b"of two", b"hunter2", b"s3cret", b"One"):
        assert secret in source.read_bytes()
        assert secret not in safe.read_bytes()
    assert ended(safe) == ended(source)


@pytest.mark.parametrize("name", MASKED)
def test_a_masked_text_is_not_judged(name: str, tmp_path: Path) -> None:
    ask, answer, said = MASKED[name]
    source, safe = tmp_path / "in.pcap", tmp_path / "safe.pcap"
    write_capture(str(source), Talk().open().call(ask).reply(answer).close().packets)
    run("redact", str(source), str(safe), "-f", "*.9", "--text")
    assert ended(safe) == ended(source)
    told = " ".join(run("diagnose", str(safe))[1].split())
    assert said in told, told
    assert "not words that" not in told
    assert "filter" not in told
