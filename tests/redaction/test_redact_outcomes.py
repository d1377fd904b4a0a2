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
    "Motan 2": (motan2_call(1), motan2_error(1, 500, "no hunter2"), "The text is masked"),
    "Motan 2, 404": (motan2_call(1), motan2_error(1, 404, "hunter2"), "no such service, or no"),
    "rpcx": (rpcx_call(1), rpcx_error(1, "no hunter2"), "The text is masked"),
}


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
